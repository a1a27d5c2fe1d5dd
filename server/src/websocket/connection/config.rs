//! The time limits of a connection, and the limits of what its client may send.

use std::time::Duration;

use crate::websocket::budget::FrameLimits;

/// The time limits of a connection, and the limits of what its client may send.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionConfig {
    /// Time limit for the first accepted frame; none is no limit.
    pub first_frame_within: Option<Duration>,
    /// The interval of pings and beats. A beat tells the client the position of its list.
    pub heartbeat_every: Duration,
    /// Time limit for the pong.
    pub pong_within: Duration,
    /// The minimum time between two lists that the client requests. It doubles if the client goes on requesting.
    pub resync_every: Duration,
    /// Time limit for any progress of a pending write.
    pub write_within: Duration,
    /// Time limit for the client's side of the closing handshake.
    pub close_within: Duration,
    /// The limits of what the client may send.
    pub frames: FrameLimits,
}

impl Default for ConnectionConfig {
    /// The times of the protocol.
    fn default() -> Self {
        Self {
            first_frame_within: Some(Duration::from_secs(10)),
            // Slightly less than 10 s, so that with the time limit for the pong a dead connection is
            // detected within 15 s also on a busy machine.
            heartbeat_every: Duration::from_millis(9_900),
            pong_within: Duration::from_secs(5),
            resync_every: Duration::from_secs(5),
            write_within: Duration::from_secs(5),
            close_within: Duration::from_secs(1),
            frames: FrameLimits::default(),
        }
    }
}
