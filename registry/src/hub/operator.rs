//! What the operator, the hosts of rooms and the programs of a backend do to rooms, and read of all of them.

use std::time::Duration;

use app::presence::{DepartureReason, RoomName, UserId};
use tokio::time::timeout;

use super::{Hub, RoomStats, shared_room::replicated::Requested};
use crate::{
    presence::command::{Command, Outcome},
    replication::handle::{NotOpenedError, OpenMode},
};

/// How long they wait for what comes back from the engine.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Why nobody is told that a room was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoomChangeError {
    /// Nothing was changed.
    #[error(transparent)]
    NotOpened(#[from] NotOpenedError),
    /// Nothing was changed.
    #[error("another server of this cluster has an older version")]
    OlderServer,
    /// It may have happened, or still happen.
    #[error("the engine has not answered in time")]
    Unanswered,
}

impl Hub {
    /// Removes a person's row on behalf of the operator or a host. Returns whether there was one.
    pub async fn remove(
        &self,
        room_name: &RoomName,
        user_id: UserId,
    ) -> Result<bool, RoomChangeError> {
        let removed = Command::RowRemoved { user_id, reason: DepartureReason::Removed };
        let rows = self.remove_rows(room_name, removed).await?;
        Ok(rows.is_some_and(|rows| rows > 0))
    }

    /// Closes a room on behalf of the operator, or clears it for a host: all its rows are removed, and all its
    /// subscriptions end.
    ///
    /// Returns the number of rows; `None` if the room does not exist. Any visitor may open it again.
    pub async fn close_room(&self, room_name: &RoomName) -> Result<Option<usize>, RoomChangeError> {
        self.remove_rows(room_name, Command::RoomCleared).await
    }

    /// Closes a room to people who are not listed, or opens it again. Returns whether the room exists.
    pub async fn change_joining(
        &self,
        room_name: &RoomName,
        is_closed: bool,
    ) -> Result<bool, RoomChangeError> {
        let changed = self.change(room_name, Command::JoiningChanged { is_closed }).await?;
        Ok(changed.is_some())
    }

    /// At most so many rooms in the order of their names, from the first one after `after` on, and whether there are
    /// more.
    pub fn room_page(&self, after: Option<&RoomName>, most: usize) -> (Vec<RoomStats>, bool) {
        let mut rooms = self.rooms_with(|entry| entry.subscribers);
        rooms.retain(|(name, ..)| after.is_none_or(|after| name > after));
        let has_more = rooms.len() > most;
        if has_more {
            // Only the page is sorted, and only its rooms are locked.
            rooms.select_nth_unstable_by(most, |(one, ..), (other, ..)| one.cmp(other));
            rooms.truncate(most);
        }
        rooms.sort_unstable_by(|(one, ..), (other, ..)| one.cmp(other));
        let stats = rooms.into_iter().map(|(name, room, subscribers)| RoomStats {
            room: name,
            people: room.count(),
            subscribers,
        });
        (stats.collect(), has_more)
    }

    /// How many people are in each of these rooms, as far as this server knows.
    pub fn people_in(&self, rooms: &[RoomName]) -> Vec<usize> {
        let people = |name| self.find(name).map(|room| room.count()).unwrap_or_default();
        rooms.iter().map(people).collect()
    }

    /// Whether a host has closed the room, as far as this server knows.
    pub fn is_closed(&self, room_name: &RoomName) -> bool {
        self.find(room_name).is_some_and(|room| room.is_closed())
    }

    /// Returns the number of rows; `None` if the room does not exist.
    async fn remove_rows(
        &self,
        room_name: &RoomName,
        command: Command,
    ) -> Result<Option<usize>, RoomChangeError> {
        let outcome = self.change(room_name, command).await?;
        Ok(outcome.map(|outcome| if let Outcome::RowsRemoved(rows) = outcome { rows } else { 0 }))
    }

    /// Returns what came of the command; `None` if the room does not exist.
    async fn change(
        &self,
        room_name: &RoomName,
        command: Command,
    ) -> Result<Option<Outcome>, RoomChangeError> {
        match self.open(room_name, OpenMode::Look).await {
            Ok(()) => {}
            Err(NotOpenedError::Absent) => return Ok(None),
            Err(error @ NotOpenedError::NoEngine) => return Err(error.into()),
        }
        let Some(room) = self.find(room_name) else { return Ok(None) };
        match room.change(command) {
            Requested::Applied(outcome) => Ok(Some(outcome)),
            Requested::UnderWay(outcome) => match timeout(ANSWER_TIMEOUT, outcome).await {
                Ok(outcome) => outcome.map(Some).map_err(|_| RoomChangeError::Unanswered),
                Err(_) => Err(RoomChangeError::Unanswered),
            },
            Requested::OlderServer => Err(RoomChangeError::OlderServer),
        }
    }
}
