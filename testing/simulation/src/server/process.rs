//! The server's process: what it holds while it runs, and what it leaves on disk.

use std::sync::Arc;

use registry::hub::{Hub, Membership, SavedRooms};
use server::lifecycle::drain::Drain;
use tokio::{task::AbortHandle, time::Instant};

use crate::{oracle::row_model::RowModel, server::listen_state::ListenState};

/// The server's process.
#[derive(Debug, Default)]
pub(crate) struct Process {
    pub(crate) stage: Stage,
    pub(crate) number: u64,
    pub(crate) next_connection: u64,
    pub(crate) running: Option<Running>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    /// There is none: nobody is listened to.
    #[default]
    Down,
    /// It reads its rooms: who comes has to wait.
    Loading,
    Serving,
    /// It says goodbye.
    Closing,
}

#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) hub: Arc<Hub>,
    pub(crate) shutdown: Drain,
    pub(crate) tasks: Vec<AbortHandle>,
    pub(crate) crowd: Vec<(usize, u64, Membership)>,
    pub(crate) saved_state: Option<SavedState>,
}

/// Rooms on disk, and what was known of them when they were kept.
#[derive(Clone, Debug)]
pub(crate) struct SavedState {
    pub(crate) saved: SavedRooms,
    pub(crate) at: Instant,
    pub(crate) row_models: Vec<RowModel>,
}

impl Process {
    /// The rooms, while what happens to them counts.
    pub(crate) fn serving_hub(&self) -> Option<Arc<Hub>> {
        (self.stage == Stage::Serving)
            .then(|| self.running.as_ref().map(|running| Arc::clone(&running.hub)))?
    }

    /// Whether this is the process, and it serves.
    pub(crate) fn is_serving(&self, number: u64) -> bool {
        self.stage == Stage::Serving && self.number == number
    }

    /// Whether there is one that serves.
    pub(crate) fn is_up(&self) -> bool {
        self.stage == Stage::Serving
    }

    pub(crate) fn listen_state(&self) -> ListenState {
        match self.stage {
            Stage::Down | Stage::Closing => ListenState::Refused,
            Stage::Loading => ListenState::Waiting,
            Stage::Serving => ListenState::Welcome,
        }
    }
}
