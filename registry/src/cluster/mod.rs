//! A server among others: the tasks between its rooms and the engine.
//!
//! - [`node`]: one task that opens rooms, appends what they submit, and applies what arrives.
//! - `memory`: an engine in memory, with faults; `conformance`: the laws of all engines. Only tests and the
//!   simulation have them (feature `memory-engine`).

#[cfg(any(test, feature = "memory-engine"))]
pub mod conformance;
#[cfg(any(test, feature = "memory-engine"))]
pub mod memory;
pub mod node;
