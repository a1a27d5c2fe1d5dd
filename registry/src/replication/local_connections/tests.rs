//! The room agrees with a server about its sockets in the end, whatever was lost.

use std::time::Duration;

use app::presence::Epoch;
use proptest::{prelude::*, sample::select};

use super::*;
use crate::presence::{
    entry::{Batch, Entry, Ignored, Position, ServerJoined},
    room::{Now, RoomLimits},
};

const LIMITS: RoomLimits =
    RoomLimits { most_people: 3, most_connections_per_person: 2, keep_attendance: None };

fn server(number: u32) -> ServerId {
    ServerId::try_from(number).unwrap()
}

fn id(number: u8) -> UserId {
    format!("person---{number:02}").parse().unwrap()
}

/// A room, the server under test, and another server with sockets of its own.
struct World {
    room: Room,
    local: LocalConnections,
    entries: u64,
    now: Moment,
    next_socket: u32,
    next_incarnation: u32,
}

/// What happens to the server's sockets, and to the journal.
#[derive(Clone, Debug)]
enum Event {
    /// A socket of this server asks to be listed, or one of another server.
    Announce { is_local: bool, person: u8, tab: Option<&'static str>, is_visible: bool },
    /// A page is hidden or shown. The room is told, or it gets lost.
    Hide { socket: usize, is_visible: bool, is_lost: bool },
    /// A socket ends. The room is told, or it gets lost.
    End { socket: usize, is_lost: bool },
    /// A person is removed through the other server.
    Remove { person: u8 },
    /// The other server declares this one dead, which then goes on under another id.
    Expire,
    /// The last entries are lost: the room is what it was some entries ago.
    FallBack,
    /// The room's state before further entries may be lost.
    Remember,
    /// Time passes.
    Wait { milliseconds: u64 },
    /// The server heals the room.
    Reconcile,
}

fn any_event() -> impl Strategy<Value = Event> {
    let tab = || select(vec![None, Some("a"), Some("b")]);
    prop_oneof![
        6 => (any::<bool>(), 1..4_u8, tab(), any::<bool>()).prop_map(
            |(is_local, person, tab, is_visible)| Event::Announce {
                is_local,
                person,
                tab,
                is_visible
            }
        ),
        2 => (0..9_usize, any::<bool>(), any::<bool>()).prop_map(
            |(socket, is_visible, is_lost)| Event::Hide { socket, is_visible, is_lost }
        ),
        3 => (0..9_usize, any::<bool>()).prop_map(|(socket, is_lost)| Event::End { socket, is_lost }),
        1 => (1..4_u8).prop_map(|person| Event::Remove { person }),
        1 => Just(Event::Expire),
        1 => Just(Event::FallBack),
        1 => Just(Event::Remember),
        2 => (1..40_000_u64).prop_map(|milliseconds| Event::Wait { milliseconds }),
        2 => Just(Event::Reconcile),
    ]
}

impl World {
    fn new() -> Self {
        let now = Duration::from_secs(1_795_421_000);
        let founded = Now { moment: now, unix_seconds: now.as_secs() };
        let room = Room::new(LIMITS, Epoch::from_number(1), founded);
        let local = LocalConnections::new(server(10));
        Self { room, local, entries: 0, now, next_socket: 0, next_incarnation: 11 }
    }

    /// Appends a batch of a server, which joins with it, and tells the server under test of it.
    fn append(&mut self, of: ServerId, commands: &[Command]) -> Result<Vec<Outcome>, Ignored> {
        self.entries += 1;
        let number = self.entries;
        let joined = Some(ServerJoined { limits: LIMITS, rules: 1, pause: None });
        let batch = Batch { server: of, number, joined, commands: commands.to_vec() };
        let position = Position { number, nonce: 7 };
        let entry = Entry { position, moment: self.now, batch };
        let outcomes = self.room.apply_entry(entry)?;
        for (command, outcome) in commands.iter().zip(&outcomes) {
            self.local.note_outcome(command, *outcome, self.now);
        }
        Ok(outcomes)
    }

    fn submit(&mut self, command: Command) {
        self.append(self.local.server, &[command]).unwrap();
    }

    fn socket(&self, index: usize) -> Option<(u32, UserId)> {
        let sockets: Vec<_> = self.local.sockets.iter().collect();
        let (number, socket) = sockets.get(index % sockets.len().max(1))?;
        Some((**number, socket.user_id))
    }

    fn connection(&self, number: u32) -> ConnectionId {
        ConnectionId::on_server(self.local.server, number)
    }

    fn run(&mut self, event: &Event, remembered: &mut Room) {
        match *event {
            Event::Announce { is_local, person, tab, is_visible } => {
                self.next_socket += 1;
                let of = if is_local { self.local.server } else { server(1) };
                let connection = ConnectionId::on_server(of, self.next_socket);
                let name = Name::parse("Kim").unwrap();
                let tab = tab.map(|tab| tab.parse().unwrap());
                let join = Join { name, tab, connection, is_visible };
                let kind = JoinKind::Opening;
                let announced = Command::Announced { user_id: id(person), join, kind };
                self.append(of, &[announced]).unwrap();
            }
            Event::Hide { socket, is_visible, is_lost } => {
                let Some((number, user_id)) = self.socket(socket) else { return };
                let connection = self.connection(number);
                if self.local.note_visibility(number, is_visible) && !is_lost {
                    self.submit(Command::VisibilityChanged { user_id, connection, is_visible });
                }
            }
            Event::End { socket, is_lost } => {
                let Some((number, user_id)) = self.socket(socket) else { return };
                let (connection, reason) = (self.connection(number), DepartureReason::Closed);
                if self.local.note_end(number) && !is_lost {
                    self.submit(Command::Disconnected { user_id, connection, reason });
                }
            }
            Event::Remove { person } => {
                let reason = DepartureReason::Removed;
                let removed = Command::RowRemoved { user_id: id(person), reason };
                self.append(server(1), &[removed]).unwrap();
            }
            Event::Expire => {
                let exit = ServerExit::LeaseExpired;
                let expired = Command::ServerLeft { server: self.local.server, ago: None, exit };
                self.append(server(1), &[expired]).unwrap();
                self.local.begin_incarnation(server(self.next_incarnation));
                self.next_incarnation += 1;
            }
            Event::FallBack => self.room = copy(remembered),
            Event::Remember => *remembered = copy(&self.room),
            Event::Wait { milliseconds } => self.now += Duration::from_millis(milliseconds),
            Event::Reconcile => self.reconcile(),
        }
    }

    /// The law: after these commands the room's view of the server's sockets is the server's.
    fn reconcile(&mut self) {
        let missing = self.local.missing_in(&self.room);
        self.append(self.local.server, &missing).unwrap();
        let rest = self.local.missing_in(&self.room);
        assert!(rest.is_empty(), "{rest:?}");
        for (number, socket) in &self.local.sockets {
            let connection = self.connection(*number);
            let tab = self.room.members().tab_of(socket.user_id, connection);
            let is_visible = (!socket.is_retired).then_some(socket.is_visible);
            assert_eq!(tab.map(|(_, is_visible)| is_visible), is_visible, "{socket:?}");
        }
        for (_, connection) in self.room.members().connections_on(self.local.server) {
            assert!(self.local.sockets.contains_key(&connection.number()), "{connection:?}");
        }
        assert!(self.local.former.iter().all(|former| !self.room.servers().contains(*former)));
    }
}

fn copy(room: &Room) -> Room {
    crate::presence::room::RoomSnapshot::of(room).try_into().unwrap()
}

proptest! {
    #[test]
    fn room_agrees_about_the_sockets_of_a_server_after_what_it_lacked(
        events in prop::collection::vec(any_event(), 1..60),
    ) {
        let mut world = World::new();
        let mut remembered = copy(&world.room);
        for event in events {
            world.run(&event, &mut remembered);
        }
        world.reconcile();
    }
}

#[test]
fn server_that_goes_on_under_another_id_takes_its_tabs_over_before_the_old_one_goes() {
    let mut world = World::new();
    let mut unused = copy(&world.room);
    let announce = Event::Announce { is_local: true, person: 1, tab: Some("a"), is_visible: false };
    world.run(&announce, &mut unused);
    let seq = world.room.log().seq();
    world.local.begin_incarnation(server(11));
    let missing = world.local.missing_in(&world.room);
    assert!(matches!(
        missing[..],
        [Command::Restored { .. }, Command::ServerLeft { exit: ServerExit::Clean, .. }]
    ));
    world.reconcile();
    world.now += Duration::from_secs(20);
    world.append(server(1), &[Command::Tick]).unwrap();
    assert_eq!(world.room.log().seq(), seq, "nobody is seen to reconnect or leave");
}

#[test]
fn sockets_of_a_cleared_room_are_not_restored() {
    let mut world = World::new();
    let announce = Event::Announce { is_local: true, person: 1, tab: None, is_visible: true };
    let mut remembered = copy(&world.room);
    world.run(&announce, &mut remembered);
    world.append(server(1), &[Command::RoomCleared]).unwrap();
    assert!(world.local.missing_in(&world.room).is_empty());
    world.reconcile();
    assert!(world.room.roster().is_empty());
}

/// Found by the test above: an engine that had not received the removal went on.
#[test]
fn removal_that_was_lost_is_made_up_for() {
    let mut world = World::new();
    let announce = Event::Announce { is_local: true, person: 1, tab: None, is_visible: true };
    let mut remembered = copy(&world.room);
    for event in [announce, Event::Remember, Event::Remove { person: 1 }, Event::FallBack] {
        world.run(&event, &mut remembered);
    }
    assert!(world.room.roster().contains(&id(1)));
    world.reconcile();
    world.now += Duration::from_secs(2);
    world.append(server(1), &[Command::Tick]).unwrap();
    assert!(!world.room.roster().contains(&id(1)));
}
