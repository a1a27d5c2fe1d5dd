//! One room as pure data and decisions.
//!
//! - [`command`]: what can happen to a room, as a value, and what comes of it.
//! - [`room`]: the state machine of a room, which keeps list, members and log in step.
//! - [`entry`]: commands of several servers in one order; [`servers`], `removals`, `room_time`: what a room
//!   keeps of those servers.
//! - [`members`]: people, their tabs and deadlines, and the desired state of each row.
//! - [`grace_period`]: how long a row waits for a tab to come back.
//! - [`log`]: the last changes of the list, and the net difference of any range of them.
//! - [`watchers`]: the sockets that only watch, which are no part of the room.
//! - [`join`], [`tab_key`], [`server_id`], [`request_error`]: what is requested of a room, and why it is refused.
//! - [`name_validation`]: which texts are names. [`count_history`]: the count of each minute.
//! - [`attendance`]: who came and went.
//!
//! Nothing here does I/O, reads a clock or draws a random number: time, ids and names are parameters.

pub mod attendance;
pub mod command;
pub mod count_history;
pub mod entry;
pub mod grace_period;
pub mod join;
pub mod log;
pub mod members;
pub mod name_validation;
pub mod recent_changes;
mod removals;
pub mod request_error;
pub mod room;
mod room_time;
pub mod server_id;
pub mod servers;
mod sorted_map;
mod stored;
pub mod tab_key;
pub mod watchers;

#[cfg(test)]
pub(crate) mod samples;
