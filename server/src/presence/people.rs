//! Who has which sockets open in a room, and which of them stand behind a row.

use std::collections::BTreeMap;

use app::presence::UserId;

use super::refused::Refused;

/// One socket. Never visible outside the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// The persons with a socket in a room: all sockets of a person stand behind one row.
#[derive(Debug, Default)]
pub struct People {
    persons: BTreeMap<UserId, BTreeMap<ConnectionId, Role>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Follows the room.
    Watching,
    /// Follows the room and stands behind the person's row.
    Announced,
}

/// What is left of a person when one of their sockets is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remainder {
    /// Nothing stands behind their row any more.
    NothingAnnounced,
    /// Another socket still does.
    StillAnnounced,
}

impl People {
    /// A socket's first frame was accepted: it watches, until it announces itself.
    pub fn connect(
        &mut self,
        who: UserId,
        connection: ConnectionId,
        most_connections: usize,
    ) -> Result<(), Refused> {
        let connections = self.persons.entry(who).or_default();
        if connections.len() >= most_connections && !connections.contains_key(&connection) {
            return Err(Refused::TooManyTabs);
        }
        connections.entry(connection).or_insert(Role::Watching);
        Ok(())
    }

    /// A connected socket stands behind the person's row from now on.
    pub fn announce(&mut self, who: UserId, connection: ConnectionId) {
        if let Some(role) = self.role_mut(who, connection) {
            *role = Role::Announced;
        }
    }

    /// The person said goodbye: all their sockets only watch from now on.
    pub fn leave(&mut self, who: UserId) {
        for role in self.persons.get_mut(&who).into_iter().flat_map(BTreeMap::values_mut) {
            *role = Role::Watching;
        }
    }

    /// A socket is gone.
    pub fn disconnect(&mut self, who: UserId, connection: ConnectionId) -> Remainder {
        let Some(connections) = self.persons.get_mut(&who) else {
            return Remainder::NothingAnnounced;
        };
        connections.remove(&connection);
        let is_announced = connections.values().any(|role| *role == Role::Announced);
        if connections.is_empty() {
            self.persons.remove(&who);
        }
        if is_announced { Remainder::StillAnnounced } else { Remainder::NothingAnnounced }
    }

    /// Whether nobody has a socket here.
    pub fn is_empty(&self) -> bool {
        self.persons.is_empty()
    }

    fn role_mut(&mut self, who: UserId, connection: ConnectionId) -> Option<&mut Role> {
        self.persons.get_mut(&who)?.get_mut(&connection)
    }
}
