//! The clients: a swarm whose lists are checked, one of Socket.IO, a probe that measures latency, stalled readers, attackers, greedy ones.

pub mod attack;
pub mod blocking_socket;
mod events;
pub mod greedy;
pub mod handshake;
pub mod http;
pub mod normalise;
pub mod probe;
pub mod socketio;
pub mod stalled_readers;
pub mod swarm;
pub mod websocket;
