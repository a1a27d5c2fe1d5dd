//! The registry of one room: pure data and decisions.
//!
//! Nothing here does I/O, reads a clock or draws a random number: time, ids and names come in as parameters.

pub mod encoded_list;
pub mod frame;
pub mod frames;
pub mod history;
pub mod log;
pub mod name_rules;
pub mod people;
pub mod refused;
pub mod room;

#[cfg(test)]
mod samples;
