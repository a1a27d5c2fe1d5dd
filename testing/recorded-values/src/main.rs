//! Compares the results of the pure code, on the machine that this is built for, with the recorded ones.
//!
//! `cargo xtask check` builds it for wasm32, where it can't print: its exit status is the number of the
//! first line that differs, 0 if none does.

use std::process::ExitCode;

fn main() -> ExitCode {
    let line = app::recorded_values::first_difference();
    line.map_or(ExitCode::SUCCESS, |line| ExitCode::from(u8::try_from(line).unwrap_or(u8::MAX)))
}
