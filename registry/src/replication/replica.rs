//! What one server knows of the journal of a room, beside the room itself: pure.
//!
//! A room changes only by the entries of its journal. This says what may be appended, what an entry means to
//! the requests of this server, and what is to be done after the link to the engine was replaced.

mod opening;

use std::{collections::VecDeque, time::Duration};

use app::presence::Epoch;

pub use self::opening::OpenError;
use super::{
    checkpoints::{Checkpoints, Comparison},
    engine::{EntryTime, RunId},
    local_connections::LocalConnections,
    outbox::{Confirmed, Outbox},
    room_clock::RoomClock,
};
use crate::presence::{
    attendance::Attendance,
    command::{Command, Outcome},
    entry::{Batch, Entry, Position, ServerJoined},
    members::Moment,
    room::{Room, RoomSnapshot},
    server_id::ServerId,
    servers::ServerExit,
    tab_key::ConnectionId,
};

/// So many epochs are remembered under which this server issued numbers.
const MOST_EPOCHS: usize = 16;

/// A journal gets so many commands before its room is stored again.
const FEWEST_COMMANDS: usize = 256;

/// What one server knows of the journal of a room. `R` is who waits for the outcome of a command; its default is
/// nobody.
#[derive(Debug)]
pub struct Replica<R> {
    server: ServerId,
    link: LinkState,
    outbox: Outbox<R>,
    local: LocalConnections,
    /// The epochs under which this server issued numbers, the latest last.
    issued: VecDeque<Epoch>,
    /// Readers are told nothing until the room has another epoch: numbers of this one may mean something else.
    muted_in: Option<Epoch>,
    /// The run of the engine in which the room was opened last.
    run: Option<RunId>,
    /// The deadline for which a tick was submitted.
    tick: Option<Moment>,
    /// What arrives while the room is being opened, with the nonce of the entry before.
    held: Vec<(u64, Entry)>,
    /// How many commands the journal has got since a snapshot was due, as far as this server knows.
    commands_since_snapshot: usize,
    /// The last snapshot that was due is this server's to store: its entry made it so.
    is_snapshot_due: bool,
    checkpoints: Checkpoints,
    /// The list differs from the others': what is known does not count when the room is opened.
    is_to_be_reloaded: bool,
}

/// How far this server has read the journal, and whether it hears more of it.
#[derive(Clone, Copy, Debug)]
enum LinkState {
    /// The room was never opened: what is known of it is a placeholder.
    Unopened,
    /// The link over which it was opened is over.
    Interrupted(Known),
    /// Entries arrive.
    Open(Known),
}

#[derive(Clone, Copy, Debug)]
struct Known {
    position: Position,
    /// The time of the last entry.
    moment: Moment,
    clock: RoomClock,
}

impl Known {
    /// Whether an entry comes after what is known. The journal may have lost what is known, and goes on with other
    /// entries then, under the same numbers and later.
    fn is_before(&self, entry: &Entry) -> bool {
        self.position.number < entry.position.number || self.moment < entry.moment
    }
}

/// What reading an entry depends on.
#[derive(Clone, Copy, Debug)]
struct Reader<'a, F> {
    now: Duration,
    /// Whether the entry happens now: before, it was applied already, or this server did not read the room.
    is_news: bool,
    /// Whether a socket of this number has not ended.
    is_connected: &'a F,
}

/// A batch to append.
#[derive(Clone, Debug)]
pub struct Append {
    /// How far this server knows the journal.
    pub known: Position,
    /// The batch is only a tick: it is appended only if this deadline has come and nothing else has.
    pub due: Option<Moment>,
    /// The batch.
    pub batch: Batch,
}

/// What an entry means that has arrived.
#[derive(Debug)]
pub enum Received<R> {
    /// It is known already.
    Known,
    /// It does not follow what is known: the room has to be opened again.
    Gap,
    /// It was applied.
    Applied(Applied<R>),
}

/// What came of one or several entries.
#[derive(Debug)]
pub struct Applied<R> {
    /// What came of this server's commands, and who waits for it.
    pub replies: Vec<(R, Outcome)>,
    /// The own sockets that no longer stand behind their tabs, by number.
    pub replaced: Vec<u32>,
    /// The operator removed all rows.
    pub is_cleared: bool,
    /// The room no longer counts this server, which has to go on under another id.
    pub is_fenced: bool,
    /// The list differs from the others', which is a fault of the program.
    pub has_diverged: bool,
}

impl<R> Applied<R> {
    fn add(&mut self, next: Self) {
        self.replies.extend(next.replies);
        self.replaced.extend(next.replaced);
        self.is_cleared |= next.is_cleared;
        self.is_fenced |= next.is_fenced;
        self.has_diverged |= next.has_diverged;
    }
}

impl<R> Default for Applied<R> {
    fn default() -> Self {
        Self {
            replies: Vec::new(),
            replaced: Vec::new(),
            is_cleared: false,
            is_fenced: false,
            has_diverged: false,
        }
    }
}

impl<R: Default> Replica<R> {
    /// A room that is not opened yet.
    pub fn new(server: ServerId) -> Self {
        Self {
            server,
            link: LinkState::Unopened,
            outbox: Outbox::new(server),
            local: LocalConnections::new(server),
            issued: VecDeque::new(),
            muted_in: None,
            run: None,
            tick: None,
            held: Vec::new(),
            commands_since_snapshot: 0,
            is_snapshot_due: false,
            checkpoints: Checkpoints::default(),
            is_to_be_reloaded: false,
        }
    }

    /// Whether readers are told nothing: the list is not known yet, or its numbers may have been lost.
    pub fn is_muted(&self, room: &Room) -> bool {
        match self.link {
            LinkState::Unopened => true,
            LinkState::Interrupted(_) | LinkState::Open(_) => {
                self.muted_in.as_ref() == Some(room.epoch())
            }
        }
    }

    /// Whether entries arrive.
    pub fn is_open(&self) -> bool {
        matches!(self.link, LinkState::Open(_))
    }

    /// The room's present, as far as this server can tell; `None` before the room was opened. `now` is by this
    /// server's monotonic clock, here and below.
    pub fn present(&self, now: Duration) -> Option<Moment> {
        self.known().map(|known| known.clock.present(now))
    }

    /// How far this server knows the journal; `None` before the room was opened.
    pub fn position(&self) -> Option<Position> {
        self.known().map(|known| known.position)
    }

    /// From where the room is to be opened: from nothing if what is known is not to be trusted.
    pub fn position_to_open(&self) -> Option<Position> {
        self.position().filter(|_| !self.is_to_be_reloaded)
    }

    /// Whether the room is to be opened again, from nothing.
    pub fn is_to_be_reloaded(&self) -> bool {
        self.is_to_be_reloaded
    }

    /// The number of a socket of this server in the room.
    pub fn connection(&self, number: u32) -> ConnectionId {
        ConnectionId::on_server(self.server, number)
    }

    /// Hands in a command. Returns who waits for it if this server has left for good.
    pub fn submit(&mut self, command: Command, reply: R) -> Result<(), R> {
        self.outbox.push(command, reply)
    }

    /// Hands in the last command: this server leaves.
    pub fn leave(&mut self, exit: ServerExit, reply: R) -> Result<(), R> {
        let left = Command::ServerLeft { server: self.server, ago: None, exit };
        match exit {
            ServerExit::Idle => self.outbox.push(left, reply),
            ServerExit::Clean | ServerExit::LeaseExpired => self.outbox.close(left, reply),
        }
    }

    /// A page was hidden or shown. Returns whether the room is to be told.
    pub fn note_visibility(&mut self, number: u32, is_visible: bool) -> bool {
        self.local.note_visibility(number, is_visible)
    }

    /// A socket has ended.
    pub fn note_end(&mut self, number: u32) {
        self.local.note_end(number);
    }

    /// Has a deadline noted in the journal, unless that is on its way.
    pub fn submit_tick(&mut self, deadline: Moment) {
        if self.tick.is_none() && self.outbox.push(Command::Tick, R::default()).is_ok() {
            self.tick = Some(deadline);
        }
    }

    /// Whether nothing of this server is on its way.
    pub fn is_idle(&self) -> bool {
        self.outbox.is_empty()
    }

    /// Whether a batch has this number and is not confirmed yet.
    pub fn is_under_way(&self, number: u64) -> bool {
        self.outbox.unconfirmed().is_some_and(|batch| batch.number == number)
    }

    /// The next batch to append; `None` if nothing waits, one is under way, or the room is not open. `number`
    /// counts the batches of this server over all rooms. With `joining` it joins the room if it is not in it.
    pub fn next_append(
        &mut self,
        room: &Room,
        number: impl FnOnce() -> u64,
        joining: ServerJoined,
    ) -> Option<Append> {
        let LinkState::Open(Known { position: known, .. }) = self.link else { return None };
        let joined = || (!room.servers().contains(self.server)).then_some(joining);
        let batch = self.outbox.next_batch(number, joined)?.clone();
        let is_tick = matches!(batch.commands[..], [Command::Tick]) && batch.joined.is_none();
        let due = self.tick.filter(|_| is_tick);
        Some(Append { known, due, batch })
    }

    /// The batch whose fate is not known after the link was replaced and the room opened again.
    pub fn append_again(&mut self, room: &Room, joining: ServerJoined) -> Option<Append> {
        let LinkState::Open(Known { position: known, .. }) = self.link else { return None };
        // The journal may be another one, in which this server is not.
        let joined = (!room.servers().contains(self.server)).then_some(joining);
        let batch = self.outbox.repeat(joined)?.clone();
        // Not as a tick that may come too late: then nothing would confirm it.
        Some(Append { known, due: None, batch })
    }

    /// A tick was not appended: it came too early by so long, or the deadline has passed without it.
    pub fn withdraw_tick(&mut self, number: u64, early: Option<Duration>, now: Duration) {
        if !self.outbox.withdraw(number) {
            return;
        }
        let deadline = self.tick.take();
        if let (Some(early), Some(deadline), LinkState::Open(known)) =
            (early, deadline, &mut self.link)
        {
            // The estimate was ahead.
            known.clock = RoomClock::new(deadline.saturating_sub(early), now);
        }
    }

    /// The next entry has arrived. `is_connected` says whether a socket of this number has not ended.
    pub fn receive(
        &mut self,
        room: &mut Room,
        previous_nonce: u64,
        entry: Entry,
        now: Duration,
        is_connected: impl Fn(u32) -> bool,
    ) -> Received<R> {
        let LinkState::Open(known) = self.link else {
            self.held.push((previous_nonce, entry));
            return Received::Known;
        };
        let next = entry.position;
        if next.number <= known.position.number {
            let is_other = next.number == known.position.number && next != known.position;
            return if is_other { Received::Gap } else { Received::Known };
        }
        if next.number != known.position.number + 1 || previous_nonce != known.position.nonce {
            return Received::Gap;
        }
        let mut applied = Applied::default();
        let reader = Reader { now, is_news: true, is_connected: &is_connected };
        self.apply(room, entry, &reader, &mut applied);
        Received::Applied(applied)
    }

    /// The state to store in the engine, if the journal has grown enough since it was stored last. All servers count
    /// alike, and one of them stores it.
    pub fn take_due_snapshot(&mut self, room: &Room) -> Option<(EntryTime, RoomSnapshot)> {
        let LinkState::Open(Known { position, moment, .. }) = self.link else { return None };
        if !std::mem::take(&mut self.is_snapshot_due) {
            return None;
        }
        Some((EntryTime { position, moment }, RoomSnapshot::of(room)))
    }

    fn known(&self) -> Option<Known> {
        match self.link {
            LinkState::Unopened => None,
            LinkState::Interrupted(known) | LinkState::Open(known) => Some(known),
        }
    }

    fn apply<F: Fn(u32) -> bool>(
        &mut self,
        room: &mut Room,
        entry: Entry,
        &Reader { now, is_news, is_connected }: &Reader<'_, F>,
        applied: &mut Applied<R>,
    ) {
        let Entry { position, moment, batch: Batch { server, number, .. } } = entry;
        let commands = entry.batch.commands.clone();
        self.commands_since_snapshot += commands.len();
        // A state of thousands takes longer to write than many changes of a few. A command takes up to 180 bytes and a
        // row 300, so that the journal since then stays below a third of the state.
        let remembered = room.attendance().map_or(0, Attendance::len);
        let rows = room.roster().len().max(remembered);
        if self.commands_since_snapshot >= (rows / 2).max(FEWEST_COMMANDS) {
            self.commands_since_snapshot = 0;
            self.is_snapshot_due = server == self.server;
        }
        let result = room.apply_entry(entry);
        if let LinkState::Open(known) = &mut self.link {
            (known.position, known.moment) = (position, moment);
            known.clock.hear(moment, now);
        }
        for (command, outcome) in commands.iter().zip(result.iter().flatten()) {
            applied.is_fenced |= is_end_of(self.server, command);
            if !is_news {
                // Its sockets may have come after it.
                continue;
            }
            if let Outcome::Replaced(replaced) = outcome
                && replaced.server() == Some(self.server)
                // A socket is not told that it was replaced by itself.
                && !self.local.is_replaced_by_itself(command, *replaced)
            {
                applied.replaced.push(replaced.number());
            }
            if let Command::Announced { join, .. } = command
                && join.connection.server() == Some(self.server)
                && !is_connected(join.connection.number())
            {
                // Its end is on its way as well.
                continue;
            }
            match self.checkpoints.compare(command, server, room, now) {
                Comparison::Equal => {}
                Comparison::Differs => applied.has_diverged = true,
                Comparison::Reload => {
                    applied.has_diverged = true;
                    self.is_to_be_reloaded = true;
                }
            }
            applied.is_cleared |= matches!(command, Command::RoomCleared);
            self.local.note_outcome(command, *outcome, moment);
        }
        match self.outbox.confirm(server, number, result) {
            Confirmed::Applied(replies) => {
                applied.replies.extend(replies);
                self.tick = None;
            }
            Confirmed::Fenced => applied.is_fenced = true,
            Confirmed::Known | Confirmed::Foreign => {}
        }
        self.note_issued(room);
        if let Some(checkpoint) = self.checkpoints.note(position.number, room)
            // Who only watches writes nothing.
            && room.servers().contains(self.server)
        {
            let _ = self.outbox.push(checkpoint, R::default());
        }
    }
}

/// Whether a command ends this life of a server. After [`ServerExit::Idle`] it may join again.
fn is_end_of(own: ServerId, command: &Command) -> bool {
    matches!(command, Command::ServerLeft { server, exit, .. }
        if *server == own && *exit != ServerExit::Idle)
}

#[cfg(test)]
mod tests;
