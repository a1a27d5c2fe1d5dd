//! A journal of a room, and what its entries do whatever the commands are.

use super::*;
use crate::presence::{
    entry::{Batch, Entry, Ignored, Pause, Position, ServerJoined},
    server_id::ServerId,
    servers::{MEMORY, ServerExit},
};

pub(super) const JOINED: ServerJoined = ServerJoined { limits: LIMITS, rules: 1, pause: None };

pub(super) fn server(number: u32) -> ServerId {
    ServerId::try_from(number).unwrap()
}

/// A socket of a server.
pub(super) fn socket(of: u32, number: u32) -> ConnectionId {
    ConnectionId::on_server(server(of), number)
}

/// A room with a journal, and the engine's clock, which the test moves.
pub(super) struct Journal {
    pub(super) room: Room,
    pub(super) now: Moment,
    entries: u64,
    batches: u64,
}

impl Journal {
    /// With servers 1 and 2 in the room.
    pub(super) fn new() -> Self {
        let now = Duration::from_secs(1_795_421_000);
        let founded = Now { moment: now, unix_seconds: now.as_secs() };
        let room = Room::new(LIMITS, epoch(), founded);
        let mut journal = Self { room, now, entries: 0, batches: 0 };
        journal.join(1, JOINED).unwrap();
        journal.join(2, JOINED).unwrap();
        journal
    }

    /// The next entry: what a server appends now.
    pub(super) fn entry(
        &mut self,
        of: u32,
        joined: Option<ServerJoined>,
        commands: Vec<Command>,
    ) -> Entry {
        self.entries += 1;
        self.batches += 1;
        Entry {
            position: Position { number: self.entries, nonce: 7 },
            moment: self.now,
            batch: Batch { server: server(of), number: self.batches, joined, commands },
        }
    }

    pub(super) fn append(
        &mut self,
        of: u32,
        commands: Vec<Command>,
    ) -> Result<Vec<Outcome>, Ignored> {
        let entry = self.entry(of, None, commands);
        self.room.apply_entry(entry)
    }

    pub(super) fn join(&mut self, of: u32, joined: ServerJoined) -> Result<Vec<Outcome>, Ignored> {
        let entry = self.entry(of, Some(joined), Vec::new());
        self.room.apply_entry(entry)
    }

    /// Appends one command, and says what came of it.
    pub(super) fn submit(&mut self, of: u32, command: Command) -> Outcome {
        self.append(of, vec![command]).unwrap()[0]
    }

    /// A person's tab asks to be listed, over socket `number` of a server.
    pub(super) fn announce(&mut self, of: u32, person: u8, tab: &str, number: u32) -> Outcome {
        self.submit(of, announced(of, person, tab, number))
    }

    pub(super) fn leave(&mut self, gone: u32, ago: u64, exit: ServerExit) -> Outcome {
        let ago = (ago > 0).then(|| Duration::from_millis(ago));
        self.submit(2, Command::ServerLeft { server: server(gone), ago, exit })
    }

    pub(super) fn wait(&mut self, milliseconds: u64) {
        self.now += Duration::from_millis(milliseconds);
    }

    /// Time passes, and an entry tells the room of it.
    pub(super) fn tick_after(&mut self, milliseconds: u64) {
        self.wait(milliseconds);
        self.append(2, vec![Command::Tick]).unwrap();
    }

    pub(super) fn state(&self, person: u8) -> Option<PresenceState> {
        self.room.roster().get(&id(person)).map(|user| user.state)
    }

    pub(super) fn changes(&self) -> u64 {
        self.room.log().seq()
    }
}

pub(super) fn announced(of: u32, person: u8, tab: &str, number: u32) -> Command {
    let join = join("Kim", Some(tab), socket(of, number).0);
    Command::Announced { user_id: id(person), join, kind: JoinKind::Opening }
}

#[test]
fn batch_of_a_server_that_is_not_in_the_room_is_ignored_and_time_passes() {
    let mut journal = Journal::new();
    journal.announce(1, 1, "a", 10);
    journal.submit(1, disconnected(1, 10));
    journal.wait(2_000);
    assert_eq!(journal.append(3, vec![announced(3, 2, "a", 1)]), Err(Ignored::NotJoined));
    assert_eq!((journal.state(1), journal.state(2)), (None, None));
}

pub(super) fn disconnected(person: u8, number: u32) -> Command {
    let (user_id, connection) = (id(person), socket(1, number));
    Command::Disconnected { user_id, connection, reason: DepartureReason::Closed }
}

#[test]
fn second_copy_of_a_batch_changes_nothing() {
    let mut journal = Journal::new();
    let entry = journal.entry(1, None, vec![announced(1, 1, "a", 10)]);
    assert_eq!(journal.room.apply_entry(entry.clone()), Ok(vec![Outcome::Done]));
    journal.submit(2, removed(1));
    assert_eq!(journal.room.apply_entry(entry.clone()), Err(Ignored::Duplicate));
    assert_eq!(journal.state(1), None);
    // Nor is it a sign that the server was declared dead, if it left by itself.
    journal.leave(1, 0, ServerExit::Idle);
    assert_eq!(journal.room.apply_entry(entry), Err(Ignored::Duplicate));
}

pub(super) fn removed(person: u8) -> Command {
    Command::RowRemoved { user_id: id(person), reason: DepartureReason::Removed }
}

#[test]
fn server_that_left_for_good_is_not_admitted_again_and_an_idle_one_is() {
    for (exit, again) in [
        (ServerExit::Idle, Ok(vec![])),
        (ServerExit::Clean, Err(Ignored::NotJoined)),
        (ServerExit::LeaseExpired, Err(Ignored::NotJoined)),
    ] {
        let mut journal = Journal::new();
        // A request that is overtaken by the server's end: it arrives from a connection that is gone.
        let late = journal.entry(1, Some(JOINED), Vec::new());
        journal.leave(1, 0, exit);
        assert_eq!(journal.append(1, Vec::new()), Err(Ignored::NotJoined), "{exit:?}");
        assert_eq!(journal.room.apply_entry(late), again, "{exit:?}");
        // It is forgotten when no such request can be under way any more.
        journal.leave(1, 0, exit);
        journal.tick_after(u64::try_from(MEMORY.as_millis()).unwrap());
        assert_eq!(journal.join(1, JOINED), Ok(vec![]));
    }
}

#[test]
fn commands_after_the_own_end_of_their_server_do_not_count() {
    let mut journal = Journal::new();
    let (exit, ago) = (ServerExit::Clean, None);
    let own_end = Command::ServerLeft { server: server(1), ago, exit };
    let outcomes = journal.append(1, vec![own_end, announced(1, 1, "a", 10)]);
    assert_eq!(outcomes, Ok(vec![Outcome::Done, Outcome::Fenced]));
    assert_eq!(journal.state(1), None);
}

#[test]
fn deadlines_come_before_the_commands_of_an_entry() {
    let mut journal = Journal::new();
    journal.announce(1, 1, "a", 10);
    journal.submit(1, disconnected(1, 10));
    journal.wait(2_000);
    journal.announce(2, 1, "a", 10);
    // The row was removed and added anew.
    assert_eq!((journal.state(1), journal.changes()), (HERE, 3));
}

#[test]
fn limits_of_the_last_server_count_and_the_rules_of_the_oldest() {
    let mut journal = Journal::new();
    let limits = RoomLimits { most_people: 1, ..LIMITS };
    journal.join(3, ServerJoined { limits, rules: 2, pause: None }).unwrap();
    assert_eq!(journal.room.servers().rules(), Some(1));
    journal.announce(1, 1, "a", 10);
    let refused = journal.announce(1, 2, "a", 11);
    assert_eq!(refused, Outcome::Refused(RequestError::RoomFull));
    for gone in [1, 2] {
        let left = Command::ServerLeft { server: server(gone), ago: None, exit: ServerExit::Clean };
        journal.submit(3, left);
    }
    assert_eq!(journal.room.servers().rules(), Some(2));
    assert_eq!(journal.room.servers().iter().collect::<Vec<_>>(), [server(3)]);
}

#[test]
fn pause_moves_every_deadline_once() {
    let mut journal = Journal::new();
    journal.announce(1, 1, "a", 10);
    journal.submit(1, disconnected(1, 10));
    journal.wait(1_000);
    let pause = Pause { id: 5, lasted: Duration::from_mins(1) };
    journal.wait(60_000);
    let deadline = journal.now + Duration::from_secs(1);
    for of in [3, 4] {
        journal.join(of, ServerJoined { pause: Some(pause), ..JOINED }).unwrap();
        assert_eq!(journal.room.next_deadline(), Some(deadline));
        journal.wait(400);
    }
    // An older pause does not count either.
    let older = Pause { id: 4, ..pause };
    journal.wait(199);
    journal.join(5, ServerJoined { pause: Some(older), ..JOINED }).unwrap();
    assert_eq!(journal.state(1), HERE);
    journal.tick_after(1);
    assert_eq!(journal.state(1), None);
}

#[test]
fn time_does_not_go_back_when_a_pause_began_before_the_last_entry() {
    let mut journal = Journal::new();
    journal.announce(1, 1, "a", 10);
    journal.submit(1, disconnected(1, 10));
    journal.wait(500);
    // The servers were last heard half a second before the entry.
    let pause = Pause { id: 5, lasted: Duration::from_secs(1) };
    journal.join(3, ServerJoined { pause: Some(pause), ..JOINED }).unwrap();
    assert_eq!(journal.room.next_deadline(), Some(journal.now + Duration::from_secs(2)));
    journal.tick_after(1_999);
    assert_eq!(journal.state(1), HERE);
    journal.tick_after(1);
    assert_eq!(journal.state(1), None);
}

#[test]
fn epoch_that_was_changed_already_is_not_changed_again() {
    let mut journal = Journal::new();
    journal.announce(1, 1, "a", 10);
    let changed =
        |number| Command::EpochChanged { epoch: Epoch::from_number(number), replaces: epoch() };
    journal.submit(1, changed(2));
    assert_eq!((journal.room.epoch(), journal.changes()), (&Epoch::from_number(2), 0));
    assert_eq!(journal.state(1), HERE);
    journal.announce(1, 2, "a", 11);
    journal.submit(2, changed(3));
    assert_eq!((journal.room.epoch(), journal.changes()), (&Epoch::from_number(2), 1));
}
