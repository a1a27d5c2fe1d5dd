//! Saves the rooms soon after every change, so that the next process has them even if this one is killed.

#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc, time::Duration};

use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::rooms_file::{RoomsFile, SaveTimes};
use crate::{
    processor_time::measured,
    telemetry::{metrics::METRICS, warning_interval::WarningInterval},
    unix_time::unix_seconds,
};
use registry::{
    hub::{Hub, SavedRooms, Shutdown},
    presence::grace_period::RECONNECT_GRACE,
};

/// How soon the rooms are looked at again where that costs little: a room that stood for a second is in the file.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);

/// How soon at the latest, and after a save that failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Looking at all rooms and writing them takes at most this share of a core.
const CORE_SHARE: u32 = 50;

/// How often the file is written although nothing has changed: it says as of when its people were here.
const REFRESH_INTERVAL: Duration = Duration::from_mins(1);

/// The people of a file that is older are not listed again, nor those whom no process could confirm for so long.
const LONGEST_AGE: Duration = Duration::from_mins(10);

/// A write that takes longer is reported.
const SLOW_WRITE: Duration = Duration::from_secs(10);

/// Saves the rooms while the server runs, and once more at its end.
pub(crate) struct RoomsSaver {
    file: Arc<dyn WriteRooms>,
    started: Instant,
    /// Since when restored rows have waited for a process that lives long enough to confirm them.
    held_since: Option<u64>,
    warning: WarningInterval,
}

/// Where the rooms are written: a file, or something that fails or blocks in a test.
pub(crate) trait WriteRooms: Send + Sync + 'static {
    /// Replaces what was written before, completely or not at all.
    fn write(&self, rooms: &SavedRooms, times: SaveTimes) -> std::io::Result<()>;
}

impl WriteRooms for RoomsFile {
    fn write(&self, rooms: &SavedRooms, times: SaveTimes) -> std::io::Result<()> {
        Self::write(self, rooms, times)
    }
}

/// What was written last.
struct LastSave {
    rooms: SavedRooms,
    at: Instant,
}

/// What a save cost.
#[derive(Clone, Copy, Debug)]
struct SaveCost {
    processor_time: Duration,
    /// Waiting for the disk included.
    elapsed: Duration,
}

impl fmt::Debug for RoomsSaver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RoomsSaver")
            .field("held_since", &self.held_since)
            .finish_non_exhaustive()
    }
}

impl RoomsSaver {
    /// Loads what the last process saved, and takes over its file.
    ///
    /// The file stays, in case that this process is killed, but no longer says that its `seq` may be continued:
    /// this process is about to give other changes the same numbers.
    pub(crate) fn take_over(file: RoomsFile) -> (Self, Option<SavedRooms>) {
        let loaded = file.load();
        Self::with(file, loaded, unix_seconds())
    }

    fn with(
        file: impl WriteRooms,
        loaded: Option<(SavedRooms, SaveTimes)>,
        now: u64,
    ) -> (Self, Option<SavedRooms>) {
        let mut saver = Self {
            file: Arc::new(file),
            started: Instant::now(),
            held_since: None,
            warning: WarningInterval::default(),
        };
        let Some((mut rooms, times)) = loaded else { return (saver, None) };
        if times.are_too_old(now) {
            tracing::info!("the rooms file is too old: nobody of it is listed");
            rooms = rooms.after_everybody_left(times.saved_at.unwrap_or(now));
        } else {
            saver.held_since = Some(times.held_since.unwrap_or(now));
        }
        let ending = std::mem::replace(&mut rooms.ending, Shutdown::Unclean);
        if saver.write(&rooms) {
            rooms.ending = ending;
        }
        (saver, Some(rooms))
    }

    /// Saves the rooms whenever they have changed, until the server shuts down.
    pub(crate) async fn run(self: Arc<Self>, hub: Arc<Hub>, closing: CancellationToken) {
        let mut last = None;
        let mut pause = SHORTEST_PAUSE;
        while closing.run_until_cancelled(sleep(pause)).await.is_some() {
            let (saver, hub, last_save) = (Arc::clone(&self), Arc::clone(&hub), last.take());
            // On a thread of its own: with many rooms it takes long, and a disk may block.
            let saving = spawn_blocking(move || saver.save_changes(&hub, last_save));
            (last, pause) = match self.watched(saving).await {
                Some((written @ Some(_), cost)) => (written, pause_after(cost)),
                Some((None, _)) | None => (None, LONGEST_PAUSE),
            };
        }
    }

    /// Saves the rooms for the last time, after [`Self::run`] has ended: an earlier state must not be written later.
    pub(crate) async fn save_last(self: Arc<Self>, rooms: SavedRooms) -> bool {
        spawn_blocking(move || self.write(&rooms)).await.unwrap_or(false)
    }

    /// What is on the disk now, unless that failed.
    fn save_changes(&self, hub: &Hub, last: Option<LastSave>) -> (Option<LastSave>, SaveCost) {
        let started = Instant::now();
        let (saved, processor_time) = measured(|| {
            let rooms = hub.save();
            match last {
                Some(last) if !is_due(&last, &rooms) => Some(last),
                _ => self.write(&rooms).then_some(LastSave { rooms, at: started }),
            }
        });
        (saved, SaveCost { processor_time, elapsed: started.elapsed() })
    }

    /// Whether the rooms were written.
    fn write(&self, rooms: &SavedRooms) -> bool {
        let now = unix_seconds();
        let held_since = self.held_since.filter(|_| self.started.elapsed() < RECONNECT_GRACE);
        let outcome = self.file.write(rooms, SaveTimes { saved_at: Some(now), held_since });
        METRICS.state_writes.count();
        if let Err(error) = &outcome {
            METRICS.state_write_failures.count();
            if self.is_warning_due() {
                tracing::warn!(%error, "the rooms file can't be written: a restart would lose what has changed since the last save");
            }
        }
        outcome.is_ok()
    }

    /// Waits for a save however long it takes, as the next one must not overtake it.
    async fn watched<T>(&self, mut saving: JoinHandle<T>) -> Option<T> {
        loop {
            if let Ok(saved) = timeout(SLOW_WRITE, &mut saving).await {
                return saved.ok();
            }
            if self.is_warning_due() {
                METRICS.state_write_failures.count();
                tracing::warn!(
                    "writing the rooms file does not end: a restart would lose what has changed since the last save"
                );
            }
        }
    }

    fn is_warning_due(&self) -> bool {
        self.warning.is_due(Instant::now())
    }
}

impl SaveTimes {
    /// Whether nobody of this file can be expected back.
    fn are_too_old(self, now: u64) -> bool {
        // A clock that was set back makes nothing old.
        let is_old = |since: u64| now.saturating_sub(since) > LONGEST_AGE.as_secs();
        self.saved_at.is_some_and(is_old) || self.held_since.is_some_and(is_old)
    }
}

fn is_due(last: &LastSave, rooms: &SavedRooms) -> bool {
    let has_people = rooms.rooms.iter().any(|room| !room.room.users.is_empty());
    last.rooms != *rooms || (has_people && last.at.elapsed() >= REFRESH_INTERVAL)
}

/// How long to wait after a save. A disk that is slow is left alone for as long as it took.
fn pause_after(cost: SaveCost) -> Duration {
    let SaveCost { processor_time, elapsed } = cost;
    let pause = processor_time.saturating_mul(CORE_SHARE).max(elapsed);
    pause.clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
}
