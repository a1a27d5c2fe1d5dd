//! The sockets that watch a room and are not listed for it.
//!
//! They are no part of [`Room`]: who only watches changes no list, so no command tells of it. Nor is one kept
//! of sockets that stand behind a row, or stood behind one that was removed: those are the room's.

use std::collections::{BTreeMap, BTreeSet};

use app::presence::{TabId, UserId};

use super::{request_error::RequestError, room::Room, server_id::ServerId, tab_key::ConnectionId};

/// The sockets that watch a room and are not listed for it.
#[derive(Clone, Debug, Default)]
pub struct Watchers {
    sockets: BTreeMap<UserId, BTreeSet<ConnectionId>>,
}

impl Watchers {
    /// A socket watches.
    pub fn watch(
        &mut self,
        room: &Room,
        user_id: UserId,
        connection: ConnectionId,
    ) -> Result<(), RequestError> {
        self.check_limit(room, user_id, connection, None)?;
        if !room.members().has_connection(user_id, connection) {
            self.sockets.entry(user_id).or_default().insert(connection);
        }
        Ok(())
    }

    /// Whether a socket may join: the room counts only the sockets that it knows, and not these.
    pub fn check_join(
        &self,
        room: &Room,
        user_id: UserId,
        connection: ConnectionId,
        tab: Option<&TabId>,
    ) -> Result<(), RequestError> {
        // A full or closed room is refused before a person with too many sockets, here as in the room itself.
        room.check_admission(user_id)?;
        self.check_limit(room, user_id, connection, tab)
    }

    /// A socket has joined or ended. Returns whether it watched.
    pub fn remove(&mut self, user_id: UserId, connection: ConnectionId) -> bool {
        let Some(sockets) = self.sockets.get_mut(&user_id) else { return false };
        let was_watching = sockets.remove(&connection);
        if sockets.is_empty() {
            self.sockets.remove(&user_id);
        }
        was_watching
    }

    /// The server goes on under another id, and its sockets have other ids from now on.
    pub fn begin_incarnation(&mut self, server: ServerId) {
        for sockets in self.sockets.values_mut() {
            let moved =
                |connection: &ConnectionId| ConnectionId::on_server(server, connection.number());
            *sockets = sockets.iter().map(moved).collect();
        }
    }

    /// Whether nobody watches.
    pub fn is_empty(&self) -> bool {
        self.sockets.is_empty()
    }

    fn check_limit(
        &self,
        room: &Room,
        user_id: UserId,
        connection: ConnectionId,
        tab: Option<&TabId>,
    ) -> Result<(), RequestError> {
        let most = room.limits().most_connections_per_person;
        let watching = self.sockets.get(&user_id);
        let most = most.saturating_sub(watching.map_or(0, BTreeSet::len));
        let is_counted = watching.is_some_and(|sockets| sockets.contains(&connection));
        if is_counted || room.members().is_within_limit(user_id, connection, tab, most) {
            Ok(())
        } else {
            Err(RequestError::TooManyTabs)
        }
    }
}
