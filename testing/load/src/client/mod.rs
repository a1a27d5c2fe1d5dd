//! Clients of every kind: the many whose lists are judged, one that measures, and attackers.

pub mod attack;
pub mod handshake;
pub mod normalise;
pub mod probe;
pub mod stalled_readers;
pub mod swarm;
pub mod websocket;
