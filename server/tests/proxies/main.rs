//! The server behind nginx and Caddy: with the shipped files, and with the shortest configuration that people
//! write.
//!
//! The proxies must be installed, so this is not part of a test run: `cargo xtask check` runs it where they
//! are. A test whose proxy is missing says so.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it did not run"
)]
#![cfg(unix)]

mod proxy;
mod shipped;
mod shortest;
#[path = "../it/support/mod.rs"]
mod support;

use std::time::Duration;

/// The time limit of every wait, so that a test that would hang fails.
const TIMEOUT: Duration = Duration::from_secs(30);
