//! What names a tab and its socket.

use app::presence::TabId;

/// One socket, by a number that no other socket of the process has. Never visible outside the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// A page instance of a person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
