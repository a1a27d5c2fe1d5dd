//! Whether the pure code computes the same on wasm32, where the page runs it, as on the server.

use std::fs;

use crate::output::failure::{Context, Failure, Outcome};
use crate::process;
use crate::tools::npm;
use crate::workspace::Workspace;

const TARGET: &str = "wasm32-unknown-unknown";
const PACKAGE: &str = "recorded-values";

/// The values, below the repository. `app/src/recorded_values.rs` computes them.
const RECORDED: &str = "app/src/recorded_values.txt";

/// Exits with the status of the program's `main`.
const RUN: &str = "WebAssembly.instantiate(require('fs').readFileSync(process.argv[1])) \
     .then(({ instance }) => process.exit(instance.exports.main(0, 0)))";

/// Builds the comparison for wasm32, with the checks of overflows, and runs it in Node.
pub(crate) fn check(workspace: &Workspace) -> Outcome {
    process::run(&mut workspace.cargo(&["build", "-p", PACKAGE, "--target", TARGET]))?;
    let program = workspace.target.join(TARGET).join("debug").join(format!("{PACKAGE}.wasm"));
    let mut node = npm::program(workspace, "node")?;
    node.args(["-e", RUN]).arg(program);
    let status = node.status().with_context(|| "Could not run node".to_owned())?;
    if status.success() {
        return Ok(());
    }
    let recorded = workspace.root.join(RECORDED);
    let recorded = fs::read_to_string(&recorded)
        .with_context(|| format!("Could not read {}", recorded.display()))?;
    Err(Failure::new(match differing_line(&recorded, status.code()) {
        Some(line) => format!("On wasm32 this line of {RECORDED} differs: {line}"),
        None => format!("The comparison with {RECORDED} on wasm32 failed, see above: {status}."),
    }))
}

/// The line whose number, counted from 1, is the exit status.
fn differing_line(recorded: &str, status: Option<i32>) -> Option<&str> {
    let number = usize::try_from(status?).ok()?;
    recorded.lines().nth(number.checked_sub(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differing_line_is_the_one_that_the_status_counts() {
        assert_eq!(differing_line("one\ntwo\n", Some(2)), Some("two"));
        for status in [Some(0), Some(3), Some(-1), None] {
            assert_eq!(differing_line("one\ntwo\n", status), None);
        }
    }
}
