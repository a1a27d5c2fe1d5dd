//! Engines that are not Valkey or Redis, and the laws of all engines. Only tests and the simulation have them
//! (feature `memory-engine`).
//!
//! - [`memory`]: an engine in memory, with faults.
//! - [`conformance`]: the laws of an engine, as tests.

pub mod conformance;
pub mod memory;
