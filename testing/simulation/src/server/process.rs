//! The state of the server's process, in memory and on disk.

use std::sync::Arc;

use registry::hub::{Hub, Membership, SavedRooms};
use server::lifecycle::graceful_shutdown::Drain;
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
    /// There is no process: connections are refused.
    #[default]
    Down,
    /// It loads its rooms: connections wait.
    Loading,
    Serving,
    /// It is shutting down.
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

/// The rooms on disk, and the models of their rows when they were saved.
#[derive(Clone, Debug)]
pub(crate) struct SavedState {
    pub(crate) saved: SavedRooms,
    pub(crate) at: Instant,
    pub(crate) row_models: Vec<RowModel>,
}

impl Process {
    /// The hub, while changes of its rooms count.
    pub(crate) fn serving_hub(&self) -> Option<Arc<Hub>> {
        (self.stage == Stage::Serving)
            .then(|| self.running.as_ref().map(|running| Arc::clone(&running.hub)))?
    }

    /// Whether this is the current process, and it serves.
    pub(crate) fn is_serving(&self, number: u64) -> bool {
        self.stage == Stage::Serving && self.number == number
    }

    /// Whether the current process serves.
    pub(crate) fn is_up(&self) -> bool {
        self.stage == Stage::Serving
    }

    pub(crate) fn listen_state(&self) -> ListenState {
        match self.stage {
            Stage::Down | Stage::Closing => ListenState::Closed,
            Stage::Loading => ListenState::Loading,
            Stage::Serving => ListenState::Accepting,
        }
    }
}
