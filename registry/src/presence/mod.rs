//! The registry of one room: pure data and decisions.
//!
//! Nothing here does I/O, reads a clock or draws a random number: time, ids and names come in as parameters.

pub mod count_history;
pub mod join;
pub mod log;
pub mod members;
pub mod name_validation;
pub mod request_error;
pub mod room;
pub mod tab_key;

#[cfg(test)]
pub(crate) mod samples;
