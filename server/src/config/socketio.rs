//! Whether clients of Socket.IO are served, and over which transports.

/// The settings of Socket.IO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketIoSettings {
    pub(super) enabled: bool,
    pub(super) polling: bool,
}

/// The transports that clients of Socket.IO may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transports {
    /// WebSocket alone: several servers need no sticky routing then.
    WebSocket,
    /// Both: clients begin by polling, and then upgrade.
    PollingAndWebSocket,
}

impl Default for SocketIoSettings {
    fn default() -> Self {
        Self { enabled: true, polling: true }
    }
}

impl SocketIoSettings {
    /// The transports; none where clients of Socket.IO are not served.
    pub fn transports(self) -> Option<Transports> {
        match self {
            Self { enabled: false, .. } => None,
            Self { polling: true, .. } => Some(Transports::PollingAndWebSocket),
            Self { polling: false, .. } => Some(Transports::WebSocket),
        }
    }
}
