//! What names a tab and its socket.

use app::presence::TabId;
use serde::{Deserialize, Serialize};

use super::server_id::ServerId;

/// One socket, by a number that no other socket of all servers has. Never visible outside the servers.
///
/// In a cluster the upper half is the [`ServerId`]. A server alone counts from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ConnectionId(pub u64);

impl ConnectionId {
    /// The socket with this number on a server of a cluster.
    pub fn on_server(server: ServerId, number: u32) -> Self {
        Self(u64::from(u32::from(server)) << 32 | u64::from(number))
    }

    /// The number on its server.
    pub fn number(self) -> u32 {
        let [.., a, b, c, d] = self.0.to_be_bytes();
        u32::from_be_bytes([a, b, c, d])
    }

    /// The server that has the socket; `None` for those of a server alone.
    pub fn server(self) -> Option<ServerId> {
        u32::try_from(self.0 >> 32).ok()?.try_into().ok()
    }
}

/// A page instance of a person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TabKey {
    /// Named by the client, so that it survives a reload.
    Named(TabId),
    /// A socket without a tab id is a tab of its own.
    Unnamed(ConnectionId),
}

impl TabKey {
    /// The key of a tab whose socket is `connection`.
    pub fn new(tab: Option<TabId>, connection: ConnectionId) -> Self {
        tab.map_or(Self::Unnamed(connection), Self::Named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_names_its_server_if_it_has_one() {
        let server = ServerId::try_from(7).unwrap();
        let connection = ConnectionId::on_server(server, u32::MAX);
        assert_eq!(connection, ConnectionId(0x7_ffff_ffff));
        assert_eq!((connection.server(), connection.number()), (Some(server), u32::MAX));
        // Those of a server alone, and those of unnamed tabs after a restart.
        for number in [0, u64::from(u32::MAX), u64::MAX, u64::MAX - 100] {
            assert_eq!(ConnectionId(number).server(), None, "{number}");
        }
    }
}
