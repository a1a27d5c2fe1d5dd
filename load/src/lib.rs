//! A load generator for Rollcall that knows what every list should be.
//!
//! It starts a server, lets very many clients do something, and judges every list by what it made happen
//! itself, never by what the server says. What the server used is read from the system.

pub mod attack;
pub mod fault;
pub mod floor;
pub mod handshake;
pub mod histogram;
pub mod lists;
pub mod never_readers;
pub mod normalise;
pub mod options;
pub mod report;
pub mod scenario;
pub mod server_list;
pub mod server_process;
pub mod swarm;
pub mod system;
pub mod traffic;
pub mod truth;
pub mod visitors;
pub mod websocket;
pub mod wrongs;
