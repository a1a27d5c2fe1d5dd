//! The benchmarks: the cost of a change and of a whole list, in rooms of growing size.

use std::time::Instant;

use crate::output::failure::Outcome;
use crate::output::step::{self, step};
use crate::process;
use crate::workspace::Workspace;

/// One run for each crate, so that `app` is measured without Leptos.
const BENCHES: [&[&str]; 2] =
    [&["bench", "-p", "app", "--bench", "roster"], &["bench", "-p", "registry", "--bench", "room"]];

/// Builds the benchmarks for release and runs one after the other.
pub(crate) fn run(workspace: &Workspace, started_at: Instant) -> Outcome {
    for words in BENCHES {
        let mut command = workspace.cargo(words);
        step(&process::command_line(&command), || process::run(&mut command))?;
    }
    step::total(started_at);
    Ok(())
}
