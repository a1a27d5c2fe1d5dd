//! Finds a server whose list differs from the others', which would be a fault in the program: pure.
//!
//! Every so many entries each server notes where its list is. The notes go into the journal, and each server
//! compares its own with that of the lowest server in the room.

use std::time::Duration;

use app::presence::Digest;

use crate::presence::{command::Command, room::Room, server_id::ServerId};

/// Lists are compared after so many entries.
pub const CHECKPOINT_EVERY: u64 = 1_024;

/// A room is loaded again at most so often: that heals a server, and does not mend the program.
const RELOAD_AT_MOST_EVERY: Duration = Duration::from_mins(10);

/// The comparison of one room's lists.
#[derive(Clone, Debug, Default)]
pub struct Checkpoints {
    own: Option<Note>,
    reloaded_at: Option<Duration>,
}

/// Where a list was after an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Note {
    number: u64,
    seq: u64,
    digest: Digest,
}

/// What a comparison says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Nothing, or that the lists are equal.
    Equal,
    /// The lists differ.
    Differs,
    /// They differ, and this server is to load the room again.
    Reload,
}

impl Checkpoints {
    /// After the entry of this number. Returns what the others are to be told, if it is time.
    pub fn note(&mut self, number: u64, room: &Room) -> Option<Command> {
        if !number.is_multiple_of(CHECKPOINT_EVERY) {
            return None;
        }
        let (seq, digest) = (room.log().seq(), room.roster().digest());
        self.own = Some(Note { number, seq, digest });
        Some(Command::Checkpoint { number, seq, digest })
    }

    /// The room was loaded as a whole: an earlier note may be of another list.
    pub fn forget(&mut self) {
        self.own = None;
    }

    /// Compares with what a server of the room has noted. `now` is by this server's monotonic clock.
    pub fn compare(
        &mut self,
        command: &Command,
        from: ServerId,
        room: &Room,
        now: Duration,
    ) -> Comparison {
        let Command::Checkpoint { number, seq, digest } = *command else {
            return Comparison::Equal;
        };
        let is_lowest = room.servers().iter().next() == Some(from);
        let theirs = Note { number, seq, digest };
        let is_other = self.own.is_some_and(|own| own.number == number && own != theirs);
        if !is_lowest || !is_other {
            return Comparison::Equal;
        }
        let is_too_soon = self.reloaded_at.is_some_and(|at| now < at + RELOAD_AT_MOST_EVERY);
        if is_too_soon {
            return Comparison::Differs;
        }
        self.reloaded_at = Some(now);
        Comparison::Reload
    }
}
