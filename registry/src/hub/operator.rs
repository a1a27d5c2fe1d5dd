//! What the operator does to rooms.

use std::time::Duration;

use app::presence::{DepartureReason, RoomName, UserId};
use tokio::time::timeout;

use super::{Hub, shared_room::replicated::Requested};
use crate::{
    presence::command::{Command, Outcome},
    replication::handle::{NotOpenedError, OpenMode},
};

/// How long the operator waits for what comes back from the engine.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Why the operator is not told that rows were removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RemovalError {
    /// Nothing was changed.
    #[error(transparent)]
    NotOpened(#[from] NotOpenedError),
    /// It may have happened, or still happen.
    #[error("the engine has not answered in time")]
    Unanswered,
}

impl Hub {
    /// Removes a person's row on behalf of the operator. Returns whether there was one.
    pub async fn remove(
        &self,
        room_name: &RoomName,
        user_id: UserId,
    ) -> Result<bool, RemovalError> {
        let removed = Command::RowRemoved { user_id, reason: DepartureReason::Removed };
        let rows = self.remove_rows(room_name, removed).await?;
        Ok(rows.is_some_and(|rows| rows > 0))
    }

    /// Closes a room on behalf of the operator: all its rows are removed, and all its subscriptions end.
    ///
    /// Returns the number of rows; `None` if the room does not exist. Any visitor may open it again.
    pub async fn close_room(&self, room_name: &RoomName) -> Result<Option<usize>, RemovalError> {
        self.remove_rows(room_name, Command::RoomCleared).await
    }

    /// Returns the number of rows; `None` if the room does not exist.
    async fn remove_rows(
        &self,
        room_name: &RoomName,
        command: Command,
    ) -> Result<Option<usize>, RemovalError> {
        match self.open(room_name, OpenMode::Look).await {
            Ok(()) => {}
            Err(NotOpenedError::Absent) => return Ok(None),
            Err(error @ NotOpenedError::NoEngine) => return Err(error.into()),
        }
        let Some(room) = self.find(room_name) else { return Ok(None) };
        let outcome = match room.remove_rows(command) {
            Requested::Applied(outcome) => outcome,
            Requested::UnderWay(outcome) => match timeout(ANSWER_TIMEOUT, outcome).await {
                Ok(outcome) => outcome.map_err(|_| RemovalError::Unanswered)?,
                Err(_) => return Err(RemovalError::Unanswered),
            },
        };
        Ok(Some(if let Outcome::RowsRemoved(rows) = outcome { rows } else { 0 }))
    }
}
