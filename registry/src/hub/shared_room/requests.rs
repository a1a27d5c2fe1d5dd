//! What sockets, pages and the operator ask of a room, besides reading it.

use std::sync::Arc;

use app::presence::{DepartureReason, Name, UserId};
use tokio::time::Instant;

use super::{
    SharedRoom, State,
    replicated::{Accepted, Reply, Requested},
};
use crate::{
    hub::client_address::ClientAddress,
    presence::{
        command::{Command, Outcome},
        request_error::RequestError,
        tab_key::ConnectionId,
    },
    replication::handle::RULES_OF_CLOSED_ROOMS,
    wake::wake_flags::WakeReasons,
};

impl SharedRoom {
    /// Applies a command, and broadcasts what it changed. In a room of several servers it is under way then:
    /// `None`.
    pub(in crate::hub) fn submit(self: &Arc<Self>, command: Command) -> Option<Outcome> {
        self.update(|state, now| match &mut state.replicated {
            None => Some(state.room.apply(command, now)),
            Some(replicated) => {
                replicated.submit(command, Reply::Nobody);
                None
            }
        })
    }

    /// Changes a person's name and keeps the row.
    pub(in crate::hub) fn rename(
        self: &Arc<Self>,
        user_id: UserId,
        name: Name,
        connection: ConnectionId,
    ) -> Result<Accepted, RequestError> {
        let renamed = Command::Renamed { user_id, name };
        self.update(|state, now| match &mut state.replicated {
            None => state.room.apply(renamed, now).accepted().map(|()| Accepted::Now),
            Some(replicated) => {
                self.submit_rename(replicated, connection, renamed);
                Ok(Accepted::Pending)
            }
        })
    }

    /// The page of a socket was hidden or shown.
    pub(in crate::hub) fn set_visible(
        self: &Arc<Self>,
        user_id: UserId,
        connection: ConnectionId,
        is_visible: bool,
    ) {
        self.update(|state, now| match &mut state.replicated {
            None => {
                let changed = Command::VisibilityChanged { user_id, connection, is_visible };
                state.room.apply(changed, now);
            }
            Some(replicated) => replicated.submit_visibility(user_id, connection, is_visible),
        });
    }

    /// Changes the room on behalf of the operator or a host: with [`Command::RoomCleared`] every subscriber ends once
    /// it has received that.
    pub(in crate::hub) fn change(self: &Arc<Self>, command: Command) -> Requested {
        let is_cleared = matches!(command, Command::RoomCleared);
        let requested = self.update(|state, now| match &mut state.replicated {
            None => Requested::Applied(state.room.apply(command, now)),
            Some(_) if !can_read(state.room.servers().rules(), &command) => Requested::OlderServer,
            Some(replicated) => Requested::UnderWay(replicated.submit_for_operator(command)),
        });
        if is_cleared && matches!(requested, Requested::Applied(_)) {
            self.end_subscriptions(&mut self.lock());
        }
        requested
    }

    /// The name of a person who is listed, and behind whose row no socket stands.
    pub(in crate::hub) fn waiting_name(&self, user_id: UserId) -> Option<Name> {
        let state = self.lock();
        let row = state.room.roster().get(&user_id)?;
        let is_connected = state.room.members().is_connected_besides(user_id, None);
        (!is_connected).then(|| row.name.clone())
    }

    /// The name under which a person is listed.
    pub(in crate::hub) fn listed_name(&self, user_id: UserId) -> Option<Name> {
        self.lock().room.roster().get(&user_id).map(|row| row.name.clone())
    }

    /// Whether a host has closed the room.
    pub(in crate::hub) fn is_closed(&self) -> bool {
        self.lock().room.is_closed()
    }

    /// The operator or a host has removed all rows.
    pub(super) fn end_subscriptions(&self, state: &mut State) {
        // At once: a client that ends before it receives the removal would come back and be listed again.
        let _ = self.broadcast(state, Instant::now());
        self.subscribers().notify_all(WakeReasons::ROOM_CLOSED);
    }

    /// A socket has ended. If the room does not know it, nothing has happened there.
    pub(in crate::hub) fn disconnect(
        self: &Arc<Self>,
        user_id: UserId,
        connection: ConnectionId,
        reason: DepartureReason,
        from: Option<ClientAddress>,
    ) {
        self.update(|state, now| {
            let in_room = state.in_room(connection);
            let State { room, watchers, waiting_rows, replicated, .. } = state;
            let is_watching = watchers.remove(user_id, in_room);
            let disconnected = Command::Disconnected { user_id, connection: in_room, reason };
            match replicated {
                Some(replicated) => {
                    // A join may be under way, which the room does not know yet.
                    let may_be_listed = !is_watching || replicated.is_awaiting(connection);
                    replicated.note_end(connection);
                    if may_be_listed {
                        replicated.submit(disconnected, Reply::Nobody);
                    }
                }
                None if !is_watching && room.members().has_connection(user_id, connection) => {
                    room.apply(disconnected, now);
                }
                None => {}
            }
            if !is_watching {
                waiting_rows.on_disconnect(room, user_id, in_room, from);
            }
        });
    }

    /// The room's page is sent to a person, which counts if the room knows the person.
    pub(in crate::hub) fn note_page_load(self: &Arc<Self>, user_id: UserId) {
        self.update(|state, now| {
            if state.room.members().contains(user_id) {
                state.submit_unanswered(Command::PageServed { user_id }, now);
            }
        });
    }
}

/// Whether all servers in a room, the oldest of which has these rules, can read a command.
fn can_read(rules: Option<u32>, command: &Command) -> bool {
    let needed = match command {
        Command::JoiningChanged { .. } => RULES_OF_CLOSED_ROOMS,
        _ => 1,
    };
    rules.is_none_or(|rules| needed <= rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_is_for_rooms_whose_servers_all_know_it() {
        for (rules, can_be_closed) in [(None, true), (Some(1), false), (Some(2), true)] {
            let closed = Command::JoiningChanged { is_closed: true };
            assert_eq!(can_read(rules, &closed), can_be_closed, "{rules:?}");
            assert!(can_read(rules, &Command::RoomCleared), "{rules:?}");
        }
    }
}
