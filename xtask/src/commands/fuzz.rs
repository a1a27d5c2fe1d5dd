//! A short run of every fuzz target.

use std::fs;
use std::path::Path;

use crate::output::failure::{Context, Outcome};
use crate::output::step::{note, step};
use crate::process;
use crate::workspace::Workspace;

/// The package of the fuzz targets, relative to the repository.
const FUZZ: &str = "testing/fuzz";

/// The memory limit of a run, so that unbounded growth ends the run and not the machine.
const MAX_MEMORY_IN_MIB: u32 = 1024;

/// Fuzzes each target for this time, where nightly Rust and cargo-fuzz are installed.
///
/// New inputs stay in the target directory: the corpora of the repository are curated by hand.
pub(crate) fn run(workspace: &Workspace, seconds: u32) -> Outcome {
    if seconds == 0 {
        return Ok(());
    }
    if !process::succeeds(&mut cargo_fuzz(workspace, &["--version"])) {
        note(
            "fuzzing skipped: it needs `rustup toolchain install nightly` and `cargo install cargo-fuzz`",
        );
        return Ok(());
    }
    for target in targets(&workspace.root)? {
        let corpus = workspace.target.join("fuzz").join("corpus").join(&target);
        fs::create_dir_all(&corpus)
            .with_context(|| format!("Could not create {}", corpus.display()))?;
        let mut command = cargo_fuzz(workspace, &["run", "--fuzz-dir", FUZZ, &target]);
        command
            .arg(corpus)
            .arg(Path::new(FUZZ).join("corpus").join(&target))
            .arg("--")
            .arg(format!("-dict={FUZZ}/dictionaries/{target}"))
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-rss_limit_mb={MAX_MEMORY_IN_MIB}"))
            .arg("-max_len=4096");
        step(&format!("fuzzing {target} for {seconds} s"), || process::run(&mut command))?;
    }
    Ok(())
}

fn cargo_fuzz(workspace: &Workspace, words: &[&str]) -> std::process::Command {
    let mut command = workspace.command("rustup");
    command
        .args(["run", "nightly", "cargo", "fuzz"])
        .args(words)
        // Other compiler flags would rebuild the common target directory.
        .env("CARGO_TARGET_DIR", workspace.target.join("fuzz"));
    command
}

/// The names of all fuzz targets.
fn targets(root: &Path) -> Outcome<Vec<String>> {
    let directory = root.join(FUZZ).join("fuzz_targets");
    let files = fs::read_dir(&directory);
    let files = files.with_context(|| format!("Could not read {}", directory.display()))?;
    let names =
        files.flatten().filter_map(|file| Some(file.path().file_stem()?.to_str()?.to_owned()));
    let mut names: Vec<String> = names.collect();
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fuzz_targets_have_a_corpus_and_a_dictionary() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let targets = targets(root).unwrap();
        assert_eq!(targets, ["cookies", "frames", "json", "names", "state"]);
        for target in targets {
            let corpus = root.join(FUZZ).join("corpus").join(&target);
            assert!(corpus.read_dir().unwrap().next().is_some(), "{target}");
            assert!(root.join(FUZZ).join("dictionaries").join(&target).is_file(), "{target}");
        }
    }
}
