//! The clients: a swarm whose lists are checked, a probe that measures latency, stalled readers, attackers.

pub mod attack;
pub mod handshake;
pub mod normalise;
pub mod probe;
pub mod stalled_readers;
pub mod swarm;
pub mod websocket;
