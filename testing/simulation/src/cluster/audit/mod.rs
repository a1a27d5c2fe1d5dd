//! Reads the journal of a room in the engine, and checks what each of its entries may change.
//!
//! All servers apply the same entries in the same way. So a wrong rule shows nowhere as a difference between them.
//! The audit therefore has a much simpler account of the journal (`account.rs`), and applies each entry twice: as it
//! is, and without everything in it that must not count.
//!
//! Invariants:
//!
//! - A batch counts if its server has joined, has not left, and has not appended the batch before. One that does not
//!   count is no more than the passing of time.
//! - Time passes before what an entry says.
//! - A pause counts once, and a server that was gone before it has its grace period after it.
//! - `EpochChanged` counts if it names the present epoch.
//! - A socket that is told again is not listed if its person was removed since, and is never refused otherwise.
//! - No request counts twice.
//! - A room that is opened is the same as one that has applied all entries.

mod account;

use app::presence::{Epoch, RoomName, Since, User};
use registry::{
    cluster::memory::MemoryEngine,
    presence::{
        command::{Command, Outcome},
        entry::{Batch, Entry, Ignored, Position},
        room::{Room, RoomSnapshot},
        server_id::ServerId,
    },
    replication::engine::Opened,
};

use self::account::{Account, Counts};
use super::lists::Lists;
use crate::recorder::Recorder;

/// After so many entries, the room is compared with one that is opened.
const COMPARED_EVERY: u64 = 50;

/// A server that is in no room.
const NOBODY: u32 = 1;

/// The journal of a room, as far as it was read.
#[derive(Debug, Default)]
pub(super) struct Audit {
    read: Option<Read>,
    account: Account,
}

#[derive(Debug)]
struct Read {
    position: Position,
    room: Room,
}

impl Audit {
    /// Reads on, and checks what is new.
    pub(super) fn follow(
        &mut self,
        engine: &MemoryEngine,
        name: &RoomName,
        lists: &mut Lists,
        recorder: &Recorder,
    ) {
        let known = self.read.as_ref().map(|read| read.position);
        let entries = match engine.read_journal(name, known) {
            None | Some(Opened::Absent) => return,
            Some(Opened::More { entries, .. }) => entries,
            Some(Opened::Whole { at, snapshot, entries, .. }) => {
                let Ok(room) = Room::try_from(*snapshot) else {
                    return recorder.fail("a snapshot in the engine contradicts itself");
                };
                self.account.begin(&room);
                self.read = Some(Read { position: at.position, room });
                entries
            }
        };
        let Self { read: Some(read), account } = self else { return };
        for entry in entries {
            read.position = entry.position;
            recorder.count("entries");
            recorder.trace_detail(|| {
                let Batch { server, number, commands, .. } = &entry.batch;
                let at = entry.position.number;
                format!("entry {at} of {name}: batch {number} of {server:?}: {commands:?}")
            });
            let label = || format!("entry {} of {name}", entry.position.number);
            recorder.check_result(read.apply(&entry, account, recorder), label);
            let noted = lists.note(&read.point(), read.room.roster().users());
            recorder.check_result(noted, label);
        }
        if read.position.number % COMPARED_EVERY == 0 {
            recorder.check_result(read.compare(engine, name), || name.to_string());
        }
    }

    /// The list as the journal has it, and its epoch; `None` before it was read.
    pub(super) fn list(&self) -> Option<(Epoch, Vec<User>)> {
        let room = &self.read.as_ref()?.room;
        Some((room.epoch().clone(), room.roster().users().cloned().collect()))
    }
}

impl Read {
    fn point(&self) -> Since {
        Since { epoch: self.room.epoch().clone(), seq: self.room.log().seq() }
    }

    fn apply(
        &mut self,
        entry: &Entry,
        account: &mut Account,
        recorder: &Recorder,
    ) -> Result<(), String> {
        let before = RoomSnapshot::of(&self.room);
        let outcomes = self.room.apply_entry(entry.clone());
        let counts = account.counts(&entry.batch);
        match (counts, outcomes.as_ref().err().copied()) {
            (Counts::Yes, None) | (Counts::Unknown, _) => {}
            (Counts::No(why), Some(ignored)) if why == ignored => recorder.count(match why {
                Ignored::NotJoined => "cluster entry: ignored, its server is not in the room",
                Ignored::Duplicate => "cluster entry: ignored, a copy of an earlier one",
            }),
            (counts, ignored) => {
                return Err(format!("is {counts:?}, and the room says {ignored:?}: {entry:?}"));
            }
        }
        for (command, outcome) in entry.batch.commands.iter().zip(outcomes.iter().flatten()) {
            recorder.count("commands");
            if let (Command::Restored { .. }, Outcome::Refused(_)) = (command, outcome) {
                return Err(format!("a socket that asked for nothing is {outcome:?}: {command:?}"));
            }
        }
        let has_new_pause = account.has_new_pause(&entry.batch);
        let meaning = account.meaning(entry, outcomes.is_ok())?;
        if counts == Counts::Unknown {
            return Ok(());
        }
        let mut expected = room(before)?;
        if !has_new_pause {
            let _ = expected.apply_entry(passing_time(entry)?);
        }
        let _ = expected.apply_entry(meaning);
        let (expected, actual) = (RoomSnapshot::of(&expected), RoomSnapshot::of(&self.room));
        if expected == actual {
            return Ok(());
        }
        Err(format!(
            "changes more than it may: {entry:?}\n  {actual:?}\ninstead of\n  {expected:?}"
        ))
    }

    /// Compares the room with one that is opened now.
    fn compare(&self, engine: &MemoryEngine, name: &RoomName) -> Result<(), String> {
        let Some(Opened::Whole { snapshot, entries, .. }) = engine.read_journal(name, None) else {
            return Ok(());
        };
        let mut opened = room(*snapshot)?;
        for entry in entries {
            let _ = opened.apply_entry(entry);
        }
        // The log of one that was opened may reach back less far.
        let without_log = |room: &Room| RoomSnapshot::of(room).in_epoch(room.epoch().clone());
        if opened.log().seq() == self.room.log().seq()
            && without_log(&opened) == without_log(&self.room)
        {
            return Ok(());
        }
        Err(format!("is opened as {opened:?}, and is {:?}", self.room))
    }
}

fn room(snapshot: RoomSnapshot) -> Result<Room, String> {
    Room::try_from(snapshot).map_err(|error| error.to_string())
}

/// An entry at the same moment that says nothing.
fn passing_time(entry: &Entry) -> Result<Entry, String> {
    let server = ServerId::try_from(NOBODY).map_err(|_| "no id".to_owned())?;
    let batch = Batch { server, number: 1, joined: None, commands: Vec::new() };
    Ok(Entry { batch, ..entry.clone() })
}
