//! Several servers over a real engine: Valkey or Redis.
//!
//! `cargo xtask test rust` runs this with each engine that it finds. By hand the variable `ROLLCALL_ENGINE` names
//! the program, else `valkey-server` or `redis-server` is looked for.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![cfg(unix)]

mod access;
mod cluster;
mod conformance;
mod engine;
mod engine_away;
mod failover;
mod faults;
mod limits;
mod one_list;
mod start;
#[path = "../it/support/mod.rs"]
mod support;

use std::time::Duration;

/// The time limit of every wait, so that a test that would hang fails.
const TIMEOUT: Duration = Duration::from_secs(30);
