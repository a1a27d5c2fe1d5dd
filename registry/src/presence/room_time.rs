//! The time in a room, which stands still while there is no server at all.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{entry::Pause, members::Moment, stored::milliseconds};

/// The time in a room: the journal's without its pauses, so that a pause moves all deadlines at once, and
/// everything else that is kept with its moment. A server alone has no pauses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RoomTime {
    /// The sum of the pauses.
    #[serde(with = "milliseconds")]
    paused: Duration,
    /// The id of the last pause. No pause counts twice.
    last_pause: u64,
    /// When the last pause ended, in the room's time.
    #[serde(with = "milliseconds")]
    resumed_at: Moment,
    /// The present, in the room's time: that of the last entry.
    #[serde(with = "milliseconds")]
    present: Moment,
}

impl RoomTime {
    /// A moment of the room by the journal's clock.
    pub(super) fn in_journal(&self, moment: Moment) -> Moment {
        moment + self.paused
    }

    /// When the last pause ended.
    pub(super) fn resumed_at(&self) -> Moment {
        self.resumed_at
    }

    /// Time passes until this moment of the journal. Returns the room's present.
    pub(super) fn advance_to(&mut self, journal: Moment) -> Moment {
        self.present = self.present.max(journal.saturating_sub(self.paused));
        self.present
    }

    /// Until this moment of the journal there was a pause. Returns for how long no time passed: zero if it is known.
    pub(super) fn note_pause(&mut self, pause: Pause, journal: Moment) -> Duration {
        if pause.id <= self.last_pause {
            return Duration::ZERO;
        }
        self.last_pause = pause.id;
        // An entry may be later than the last sign of life from which the pause counts.
        let since_last_entry = journal.saturating_sub(self.paused + self.present);
        let lasted = pause.lasted.min(since_last_entry);
        self.paused += lasted;
        self.resumed_at = journal.saturating_sub(self.paused);
        lasted
    }
}
