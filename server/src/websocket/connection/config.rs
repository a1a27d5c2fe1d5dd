//! The clocks of a connection, and how much its client may say.

use std::time::Duration;

use crate::websocket::budget::FrameLimits;

/// The clocks of a connection, and how much its client may say.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionConfig {
    /// The first frame must be accepted within this time, if there is one.
    pub first_frame_within: Option<Duration>,
    /// How often the client is pinged and told where its list should be.
    pub heartbeat_every: Duration,
    /// How long a ping's answer is waited for.
    pub pong_within: Duration,
    /// A list is sent again at most this often.
    pub resync_every: Duration,
    /// How long a write may take before the client counts as lost.
    pub write_within: Duration,
    /// How long the client's side of the closing handshake is waited for.
    pub close_within: Duration,
    /// How much the client may say.
    pub frames: FrameLimits,
}

impl Default for ConnectionConfig {
    /// The times of the protocol.
    fn default() -> Self {
        Self {
            first_frame_within: Some(Duration::from_secs(10)),
            // A little oftener than every 10 s, so that a client that fell silent is noticed in
            // 15 s, whatever the machine is doing.
            heartbeat_every: Duration::from_millis(9_900),
            pong_within: Duration::from_secs(5),
            resync_every: Duration::from_secs(5),
            write_within: Duration::from_secs(5),
            close_within: Duration::from_secs(1),
            frames: FrameLimits::default(),
        }
    }
}
