//! A load generator for Rollcall that knows what every list should be.
//!
//! It starts a server, lets very many clients do something, and judges every list by what it made happen
//! itself, never by what the server says. What the server used is read from the system.

pub mod client;
pub mod error;
pub mod measure;
pub mod options;
pub mod oracle;
pub mod scenario;
