//! What the engine in memory stores, and its scripts: pure, with the time as a parameter.
//!
//! Each function is one script: it sees and changes everything at once. What is stored is text, as in a real
//! engine, so that what gets lost in writing is lost here too.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use app::presence::RoomName;

use crate::{
    presence::{
        entry::{Batch, Entry, Pause, Position},
        members::Moment,
        server_id::ServerId,
    },
    replication::engine::{
        Appended, Begun, EngineError, EntryTime, Founding, LEASE_MEMORY, LeaseTime, Leases,
        MOST_OLDER_ENTRIES, Opened, ROOM_LIFETIME, SharedConfig,
    },
};

/// Everything that an engine stores.
#[derive(Clone, Debug, Default)]
pub(super) struct Keyspace {
    rooms: BTreeMap<RoomName, Journal>,
    leases: BTreeMap<ServerId, u64>,
    expired: BTreeMap<ServerId, u64>,
    lease_clock: Option<LeaseClock>,
    pause: Option<(Pause, u64)>,
    config: Option<SharedConfig>,
}

#[derive(Clone, Debug)]
struct Journal {
    head: Stored,
    /// What is added to the engine's clock, so that the room's time never goes back. Milliseconds.
    offset: u64,
    entries: Vec<StoredEntry>,
    snapshot: Stored,
    snapshot_text: String,
    /// By the engine's clock, in milliseconds.
    ends_at: u64,
    /// The last writes, the newest last: a replica may not have received them.
    writes: VecDeque<Write>,
}

/// What the room was before a write.
#[derive(Clone, Debug)]
enum Write {
    Entry { head: Stored, offset: u64 },
    Snapshot { at: Stored, text: String, dropped: Vec<StoredEntry> },
    Founding(Option<Box<Journal>>),
}

/// How far a replica may be behind.
const MOST_WRITES: usize = 32;

/// An entry's place and time.
#[derive(Clone, Copy, Debug)]
struct Stored {
    position: Position,
    milliseconds: u64,
}

#[derive(Clone, Debug)]
struct StoredEntry {
    at: Stored,
    batch: String,
}

#[derive(Clone, Copy, Debug)]
struct LeaseClock {
    milliseconds: u64,
    offset: u64,
}

/// An entry that was just appended, for all who subscribe to the room.
#[derive(Clone, Debug)]
pub(super) struct NewEntry {
    pub(super) previous_nonce: u64,
    pub(super) entry: Entry,
}

impl Keyspace {
    /// `clock` is the engine's, in milliseconds since 1970, here and below.
    pub(super) fn append(
        &mut self,
        clock: u64,
        room: &RoomName,
        known: Position,
        due: Option<Moment>,
        nonce: u64,
        batch: &Batch,
    ) -> Result<(Appended, Option<NewEntry>), EngineError> {
        let Some(journal) = self.live_room(clock, room) else {
            return Ok((Appended::Missing, None));
        };
        let head = journal.head;
        if known.number > head.position.number
            || (known.number == head.position.number && known.nonce != head.position.nonce)
        {
            return Ok((Appended::Diverged, None));
        }
        let present = (clock + journal.offset).max(head.milliseconds);
        let offset = present.saturating_sub(clock);
        if let Some(due) = due {
            let due = in_milliseconds(due);
            if due <= head.milliseconds {
                return Ok((Appended::Past, None));
            }
            if present < due {
                return Ok((Appended::Early(Duration::from_millis(due - present)), None));
            }
        }
        let position = Position { number: head.position.number + 1, nonce };
        let at = Stored { position, milliseconds: present };
        let batch = written(batch)?;
        let stored = StoredEntry { at, batch };
        let entry = stored.read()?;
        journal.entries.push(stored);
        journal.note(Write::Entry { head, offset: journal.offset });
        (journal.head, journal.offset) = (at, offset);
        let new_entry = NewEntry { previous_nonce: head.position.nonce, entry };
        Ok((Appended::Done(at.time()), Some(new_entry)))
    }

    pub(super) fn open(
        &mut self,
        clock: u64,
        room: &RoomName,
        known: Option<Position>,
        founding: Option<&Founding>,
        nonce: u64,
    ) -> Result<Opened, EngineError> {
        let lifetime = founding.map_or(ROOM_LIFETIME, |founding| founding.lifetime);
        if let Some(journal) = self.live_room(clock, room) {
            journal.ends_at = journal.ends_at.max(clock + in_milliseconds(lifetime));
            if let Some(opened) = journal.open(clock, known)? {
                return Ok(opened);
            }
        }
        let Some(Founding { snapshot, moment, .. }) = founding else { return Ok(Opened::Absent) };
        // The room's time does not go back behind its state.
        let present = clock.max(in_milliseconds(*moment));
        let at = Stored { position: Position { number: 0, nonce }, milliseconds: present };
        let snapshot_text = written(snapshot)?;
        let founded = Box::new(read(&snapshot_text)?);
        let before = self.rooms.remove(room).map(Box::new);
        let mut journal = Journal {
            head: at,
            offset: present - clock,
            entries: Vec::new(),
            snapshot: at,
            snapshot_text,
            ends_at: clock + in_milliseconds(lifetime),
            writes: VecDeque::new(),
        };
        journal.note(Write::Founding(before));
        self.rooms.insert(room.clone(), journal);
        let (now, at) = (Duration::from_millis(present), at.time());
        Ok(Opened::Whole { now, at, snapshot: founded, entries: Vec::new() })
    }

    /// The same, without any effect; `None` if the room is not there, or can't be read.
    pub(super) fn read(
        &self,
        clock: u64,
        room: &RoomName,
        known: Option<Position>,
    ) -> Option<Opened> {
        let journal = self.rooms.get(room).filter(|journal| clock < journal.ends_at)?;
        journal.open(clock, known).ok()?
    }

    pub(super) fn save_snapshot(
        &mut self,
        clock: u64,
        room: &RoomName,
        EntryTime { position, moment }: EntryTime,
        snapshot: &impl serde::Serialize,
    ) -> Result<(), EngineError> {
        let Some(journal) = self.live_room(clock, room) else { return Ok(()) };
        let is_newer = position.number > journal.snapshot.position.number;
        if !is_newer || journal.entries.iter().all(|entry| entry.at.position != position) {
            return Ok(());
        }
        let text = std::mem::replace(&mut journal.snapshot_text, written(snapshot)?);
        let stored = Stored { position, milliseconds: in_milliseconds(moment) };
        let at = std::mem::replace(&mut journal.snapshot, stored);
        let first = position.number.saturating_sub(MOST_OLDER_ENTRIES);
        let older = journal.entries.partition_point(|entry| entry.at.position.number < first);
        let dropped = journal.entries.drain(..older).collect();
        journal.note(Write::Snapshot { at, text, dropped });
        Ok(())
    }

    pub(super) fn begin(
        &mut self,
        clock: u64,
        server: ServerId,
        config: &SharedConfig,
        seen: Option<LeaseTime>,
    ) -> Begun {
        let seen = seen.map(|seen| in_milliseconds(seen.since(LeaseTime::from_millis(0))));
        let LeaseRound { clock: leases, seen } = self.expire_leases(clock, seen);
        if self.leases.contains_key(&server) || self.expired.contains_key(&server) {
            return Begun::Taken;
        }
        let others = self.leases.len();
        if let Some(present) = self.config.as_ref().filter(|present| *present != config)
            && others > 0
        {
            return Begun::Mismatch(present.clone());
        }
        self.config = Some(config.clone());
        // While there was no server at all, no time passed in the rooms.
        if others == 0 && seen < leases.milliseconds {
            let lasted = Duration::from_millis(leases.milliseconds - seen);
            let until = clock + in_milliseconds(LEASE_MEMORY);
            self.pause = Some((Pause { id: leases.milliseconds, lasted }, until));
        }
        Begun::Begun(self.grant(clock, leases, server, config.lease))
    }

    pub(super) fn renew(
        &mut self,
        clock: u64,
        server: ServerId,
        lease: Duration,
    ) -> Option<Leases> {
        let LeaseRound { clock: leases, .. } = self.expire_leases(clock, None);
        let has_lease = self.leases.contains_key(&server);
        has_lease.then(|| self.grant(clock, leases, server, lease))
    }

    pub(super) fn release(&mut self, server: ServerId) {
        self.leases.remove(&server);
    }

    /// Undoes the last writes to every room: a replica that had not received them goes on as the engine.
    pub(super) fn fall_back(&mut self, writes: usize) {
        let rooms = std::mem::take(&mut self.rooms).into_iter();
        let rooms = rooms.filter_map(|(name, journal)| Some((name, journal.before(writes)?)));
        self.rooms = rooms.collect();
    }

    /// Deletes one entry by hand.
    pub(super) fn delete_entry(&mut self, room: &RoomName, number: u64) {
        if let Some(journal) = self.rooms.get_mut(room) {
            journal.entries.retain(|entry| entry.at.position.number != number);
        }
    }

    /// After how long a room ends that nobody opens again.
    pub(super) fn remaining_lifetime(&self, clock: u64, room: &RoomName) -> Duration {
        let ends_at = self.rooms.get(room).map_or(clock, |journal| journal.ends_at);
        Duration::from_millis(ends_at.saturating_sub(clock))
    }

    fn live_room(&mut self, clock: u64, room: &RoomName) -> Option<&mut Journal> {
        if self.rooms.get(room).is_some_and(|journal| journal.ends_at <= clock) {
            self.rooms.remove(room);
        }
        self.rooms.get_mut(room)
    }

    /// Leases that have run out become expired ones. The clock of the leases never goes back either.
    fn expire_leases(&mut self, clock: u64, seen: Option<u64>) -> LeaseRound {
        let offset = self.lease_clock.map_or(0, |leases| leases.offset);
        let seen = self.lease_clock.map(|leases| leases.milliseconds).or(seen);
        let seen = seen.unwrap_or(clock + offset);
        let milliseconds = (clock + offset).max(seen);
        let offset = milliseconds.saturating_sub(clock);
        let is_late = |_: &ServerId, until: &mut u64| *until < milliseconds;
        self.expired.extend(self.leases.extract_if(.., is_late));
        let forgotten = milliseconds.saturating_sub(in_milliseconds(LEASE_MEMORY));
        self.expired.retain(|_, until| forgotten < *until);
        LeaseRound { clock: LeaseClock { milliseconds, offset }, seen }
    }

    fn grant(
        &mut self,
        clock: u64,
        leases: LeaseClock,
        server: ServerId,
        lease: Duration,
    ) -> Leases {
        self.leases.insert(server, leases.milliseconds + in_milliseconds(lease));
        self.lease_clock = Some(leases);
        let expired = self.expired.iter();
        Leases {
            now: LeaseTime::from_millis(leases.milliseconds),
            pause: self.pause.filter(|(_, until)| clock < *until).map(|(pause, _)| pause),
            live: self.leases.keys().copied().collect(),
            expired: expired.map(|(id, at)| (*id, LeaseTime::from_millis(*at))).collect(),
        }
    }
}

struct LeaseRound {
    clock: LeaseClock,
    /// When any server was heard last.
    seen: u64,
}

impl Journal {
    fn note(&mut self, write: Write) {
        self.writes.push_back(write);
        if self.writes.len() > MOST_WRITES {
            self.writes.pop_front();
        }
    }

    /// The room before its last writes; `None` if it did not exist.
    fn before(mut self, writes: usize) -> Option<Self> {
        for _ in 0..writes {
            match self.writes.pop_back() {
                Some(Write::Entry { head, offset }) => {
                    self.entries.pop();
                    (self.head, self.offset) = (head, offset);
                }
                Some(Write::Snapshot { at, text, mut dropped }) => {
                    dropped.append(&mut self.entries);
                    self.entries = dropped;
                    (self.snapshot, self.snapshot_text) = (at, text);
                }
                Some(Write::Founding(before)) => self = *before?,
                None => break,
            }
        }
        Some(self)
    }

    /// The entries after a position, or else the snapshot and the entries after that; `None` if the journal has a
    /// hole there.
    fn open(&self, clock: u64, known: Option<Position>) -> Result<Option<Opened>, EngineError> {
        let now = Duration::from_millis(clock + self.offset);
        if let Some(known) = known.filter(|known| self.has(*known))
            && let Some(entries) = self.since(known)
        {
            return Ok(Some(Opened::More { now, entries: read_all(entries)? }));
        }
        let Some(entries) = self.since(self.snapshot.position) else { return Ok(None) };
        let at = self.snapshot.time();
        let snapshot = Box::new(read(&self.snapshot_text)?);
        Ok(Some(Opened::Whole { now, at, snapshot, entries: read_all(entries)? }))
    }

    /// Whether an entry is still the one that a server knows.
    fn has(&self, known: Position) -> bool {
        known == self.head.position
            || known == self.snapshot.position
            || self.entries.iter().any(|entry| entry.at.position == known)
    }

    /// The entries after a position; `None` if the journal has a hole there.
    fn since(&self, position: Position) -> Option<&[StoredEntry]> {
        let start =
            self.entries.partition_point(|entry| entry.at.position.number <= position.number);
        let entries = &self.entries[start..];
        let expected = self.head.position.number - position.number;
        (u64::try_from(entries.len()) == Ok(expected)).then_some(entries)
    }
}

impl Stored {
    fn time(self) -> EntryTime {
        let moment = Duration::from_millis(self.milliseconds);
        EntryTime { position: self.position, moment }
    }
}

impl StoredEntry {
    fn read(&self) -> Result<Entry, EngineError> {
        let EntryTime { position, moment } = self.at.time();
        Ok(Entry { position, moment, batch: read(&self.batch)? })
    }
}

fn read_all(entries: &[StoredEntry]) -> Result<Vec<Entry>, EngineError> {
    entries.iter().map(StoredEntry::read).collect()
}

fn written(value: &impl serde::Serialize) -> Result<String, EngineError> {
    serde_json::to_string(value).map_err(|error| EngineError::Refused(error.to_string()))
}

fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, EngineError> {
    serde_json::from_str(text).map_err(|error| EngineError::Refused(error.to_string()))
}

fn in_milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
