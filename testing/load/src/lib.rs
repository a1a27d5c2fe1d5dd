//! A load generator for Rollcall that checks every client's list.
//!
//! It starts a server and runs thousands of clients. The expected lists come from the generator's own
//! record of what its clients did (`oracle`), never from the server. The server's use of CPU and memory is
//! read from the system (`measure`).

pub mod client;
pub mod cluster;
pub mod error;
pub mod measure;
pub mod options;
pub mod oracle;
pub mod scenario;
