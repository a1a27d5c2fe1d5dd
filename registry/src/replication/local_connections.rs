//! This server's own sockets in a room, and what the room lacks of them.
//!
//! A server is the truth about its own sockets, and the journal has to agree in the end, whatever was lost.

use std::collections::{BTreeMap, BTreeSet};

use app::presence::{DepartureReason, Name, TabId, UserId};

use crate::presence::{
    command::{Command, Outcome},
    join::{Join, JoinKind},
    members::Moment,
    room::Room,
    server_id::ServerId,
    servers::ServerExit,
    tab_key::{ConnectionId, TabKey},
};

/// The sockets of this server that the room has listed, and have not ended.
///
/// A socket keeps its number when the server goes on under another id: only the server's half of its
/// [`ConnectionId`] changes.
#[derive(Clone, Debug)]
pub struct LocalConnections {
    server: ServerId,
    /// The ids that this server had before.
    former: BTreeSet<ServerId>,
    sockets: BTreeMap<u32, Socket>,
    /// The sockets whose join is under way, and whose page was hidden or shown since it was submitted.
    changed_visibility: BTreeMap<u32, bool>,
}

#[derive(Clone, Debug)]
struct Socket {
    user_id: UserId,
    tab: Option<TabId>,
    name: Name,
    is_visible: bool,
    /// By the journal's clock.
    announced_at: Moment,
    /// The row was removed since: the socket only watches.
    is_retired: bool,
}

impl LocalConnections {
    /// A server without sockets.
    pub fn new(server: ServerId) -> Self {
        Self {
            server,
            former: BTreeSet::new(),
            sockets: BTreeMap::new(),
            changed_visibility: BTreeMap::new(),
        }
    }

    /// What the room has to be told, so that it agrees about the sockets of this server. It is to be appended
    /// in this order: tabs are taken over before a former id goes, so that nobody is ever seen as
    /// reconnecting for it.
    pub fn missing_in(&self, room: &Room) -> Vec<Command> {
        let listed = self.sockets.iter().filter(|(_, socket)| !socket.is_retired);
        let unknown = listed.filter_map(|(number, socket)| {
            let connection = ConnectionId::on_server(self.server, *number);
            socket.missing_in(room, connection)
        });
        let ended =
            room.members().connections_on(self.server).filter_map(|(user_id, connection)| {
                let reason = match self.sockets.get(&connection.number()) {
                    None => DepartureReason::Lost,
                    // The removal was lost. The row goes soon, unless another tab holds it since.
                    Some(socket) if socket.is_retired => {
                        room.members().tab_of(user_id, connection)?;
                        DepartureReason::Closed
                    }
                    Some(_) => return None,
                };
                Some(Command::Disconnected { user_id, connection, reason })
            });
        let former = self.former.iter().filter(|former| room.servers().contains(**former));
        let former = former.map(|former| Command::ServerLeft {
            server: *former,
            ago: None,
            exit: ServerExit::Clean,
        });
        unknown.chain(ended).chain(former).collect()
    }

    /// The server goes on under another id.
    pub fn begin_incarnation(&mut self, server: ServerId) {
        self.former.insert(std::mem::replace(&mut self.server, server));
    }

    /// A page was hidden or shown. Returns whether the room is to be told.
    pub fn note_visibility(&mut self, number: u32, is_visible: bool) -> bool {
        let Some(socket) = self.sockets.get_mut(&number) else {
            self.changed_visibility.insert(number, is_visible);
            return true;
        };
        socket.is_visible = is_visible;
        !socket.is_retired
    }

    /// Whether the command is the same socket's, under another id of this server.
    pub fn is_replaced_by_itself(&self, command: &Command, replaced: ConnectionId) -> bool {
        let (Command::Announced { join, .. } | Command::Restored { join, .. }) = command else {
            return false;
        };
        let is_own = |connection: ConnectionId| {
            connection
                .server()
                .is_some_and(|server| server == self.server || self.former.contains(&server))
        };
        is_own(join.connection) && is_own(replaced) && join.connection.number() == replaced.number()
    }

    /// A socket has ended. Returns whether the room is to be told.
    pub fn note_end(&mut self, number: u32) -> bool {
        self.changed_visibility.remove(&number);
        self.sockets.remove(&number).is_some()
    }

    /// An entry was applied, of this server or another one: what became of one of its commands.
    pub fn note_outcome(&mut self, command: &Command, outcome: Outcome, moment: Moment) {
        if let Outcome::Replaced(replaced) = outcome
            && !self.is_replaced_by_itself(command, replaced)
        {
            self.remove(replaced);
        }
        match (command, outcome) {
            (Command::Announced { user_id, join, kind }, Outcome::Done | Outcome::Replaced(_)) => {
                self.note_join(*user_id, join, *kind, moment);
            }
            (Command::Restored { join, .. }, Outcome::RemovedSince) => {
                if let Some(socket) = self.own(join.connection) {
                    socket.is_retired = true;
                }
            }
            (Command::Restored { join, .. }, Outcome::ReplacedSince) => {
                self.remove(join.connection);
            }
            (Command::Renamed { user_id, name }, Outcome::Done) => {
                for socket in self.of_person(*user_id) {
                    socket.name = name.clone();
                }
            }
            (Command::RowRemoved { user_id, .. }, _) => {
                self.of_person(*user_id).for_each(|socket| socket.is_retired = true);
            }
            (Command::RoomCleared, _) => {
                self.sockets.values_mut().for_each(|socket| socket.is_retired = true);
            }
            _ => {}
        }
    }

    fn note_join(&mut self, user_id: UserId, join: &Join, kind: JoinKind, announced_at: Moment) {
        let Join { name, tab, connection, is_visible } = join.clone();
        if kind == JoinKind::Repeat {
            for socket in self.of_person(user_id) {
                socket.name = name.clone();
            }
        }
        if connection.server() == Some(self.server) {
            let is_retired = false;
            let changed = self.changed_visibility.remove(&connection.number());
            let is_visible = changed.unwrap_or(is_visible);
            let socket = Socket { user_id, tab, name, is_visible, announced_at, is_retired };
            self.sockets.insert(connection.number(), socket);
        }
    }

    fn of_person(&mut self, user_id: UserId) -> impl Iterator<Item = &mut Socket> {
        self.sockets.values_mut().filter(move |socket| socket.user_id == user_id)
    }

    /// A socket of the present id. That of a former one is the same socket, which is not told that it was
    /// replaced by itself.
    fn own(&mut self, connection: ConnectionId) -> Option<&mut Socket> {
        let is_own = connection.server() == Some(self.server);
        self.sockets.get_mut(&connection.number()).filter(|_| is_own)
    }

    fn remove(&mut self, connection: ConnectionId) {
        if connection.server() == Some(self.server) {
            self.sockets.remove(&connection.number());
        }
    }
}

impl Socket {
    fn missing_in(&self, room: &Room, connection: ConnectionId) -> Option<Command> {
        let Self { user_id, is_visible, announced_at, .. } = *self;
        let key = TabKey::new(self.tab.clone(), connection);
        match room.members().tab_of(user_id, connection) {
            Some((tab, is_shown)) if *tab == key => (is_shown != is_visible)
                .then_some(Command::VisibilityChanged { user_id, connection, is_visible }),
            _ => {
                let (name, tab) = (self.name.clone(), self.tab.clone());
                let join = Join { name, tab, connection, is_visible };
                Some(Command::Restored { user_id, join, announced_at })
            }
        }
    }
}

#[cfg(test)]
mod tests;
