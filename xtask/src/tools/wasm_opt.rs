//! wasm-opt, which makes the WASM small: the user's own, npm's, or cargo-leptos's download.
//!
//! cargo-leptos keeps the arguments for it in a set, which loses their order. So it finds this very
//! program under the name of wasm-opt, which calls the real one with arguments in their order.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::output::failure::{Context, Failure, Outcome};
use crate::output::step::note;
use crate::process;
use crate::tools::cargo_tool;
use crate::tools::import_names;
use crate::tools::npm;
use crate::tools::version::Version;
use crate::workspace::Workspace;

/// Earlier versions, such as Debian's, refuse the WASM features that this Rust uses.
pub(crate) const MIN_VERSION: Version = Version::new(123, 0, 0);

/// The npm package of wasm-opt, which runs on every system that has Node.
const PACKAGE: &str = "binaryen@132.0.0";

/// The arguments, in their order. By brotli they leave 2 % less than those of cargo-leptos.
pub(crate) const ARGUMENTS: [&str; 13] = [
    // What the compiler emits, as with cargo-leptos.
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--strip-producers",
    "--strip-target-features",
    // The first 1,024 bytes are the end of the stack, which lies below the data and grows down.
    "--low-memory-unused",
    "--one-caller-inline-max-function-size",
    "40",
    "--flatten",
    "--rereloop",
    "-Oz",
    "-Oz",
    // Brotli finds what is repeated, and a local for it costs more.
    "--skip-pass=local-cse",
    // Neighbours that are alike compress better.
    "--reorder-functions-by-name",
];

/// Where this program finds the real one when it is called by that name.
const REAL: &str = "ROLLCALL_WASM_OPT";

/// Finds or installs wasm-opt. Returns false if neither works: cargo-leptos then downloads it.
pub(crate) fn ensure(workspace: &Workspace) -> bool {
    let installed = || {
        // The manifest is read, because starting npm's program takes a third of a second.
        let package = workspace.node().join("node_modules").join("binaryen");
        fs::read_to_string(package.join("package.json")).is_ok_and(|manifest| {
            let pinned = PACKAGE.trim_start_matches("binaryen@");
            manifest.contains(&format!("\"version\": \"{pinned}\""))
        }) && workspace.find_program("node").is_some()
    };
    if installed() || installed_is_new_enough(workspace) {
        note("already installed");
        return true;
    }
    if npm::install_package(workspace, &workspace.node(), PACKAGE) && installed() {
        note(&format!("{PACKAGE}, from npm"));
        return true;
    }
    note("not installed: cargo-leptos downloads it");
    false
}

/// Lets cargo-leptos find this program where it looks for wasm-opt.
pub(crate) fn stand_in(workspace: &Workspace, cargo_leptos: &mut Command) -> Outcome {
    let Some(real) = workspace.find_program("wasm-opt") else {
        // cargo-leptos downloads one, and the WASM is larger.
        return Ok(());
    };
    let folder = workspace.target.join("wasm-opt");
    let could_not = || format!("Could not make a wasm-opt in {}", folder.display());
    let own = env::current_exe().with_context(could_not)?;
    let link = folder.join(process::program_file("wasm-opt"));
    cargo_tool::link_or_copy(&own, &link).with_context(could_not)?;
    let folders = std::iter::once(folder.clone()).chain(env::split_paths(&workspace.search_path));
    cargo_leptos.env("PATH", env::join_paths(folders).with_context(could_not)?).env(REAL, real);
    Ok(())
}

/// Whether this program was called as wasm-opt.
pub(crate) fn is_called() -> bool {
    let called = env::args_os().next();
    called.is_some_and(|path| Path::new(&path).file_stem() == Some(OsStr::new("wasm-opt")))
}

/// Calls the real wasm-opt with better arguments, and shortens the names of imports in what it wrote.
pub(crate) fn call_real() -> Outcome {
    let real = env::var_os(REAL)
        .ok_or_else(|| Failure::new(format!("{REAL} is not set: it names the real wasm-opt.")))?;
    let given = env::args_os().skip(1).collect::<Vec<_>>();
    process::run(Command::new(real).args(better(&given)))?;
    match given.as_slice() {
        [.., option, output] if option == "-o" => import_names::shorten(Path::new(output)),
        _ => Ok(()),
    }
}

/// The arguments in the place of those given, for the same files.
fn better(given: &[OsString]) -> Vec<OsString> {
    match given {
        [.., _input, option, _output] if option == "-o" => {
            let files = given.iter().skip(given.len() - 3).cloned();
            ARGUMENTS.into_iter().map(OsString::from).chain(files).collect()
        }
        _ => given.to_vec(),
    }
}

fn installed_is_new_enough(workspace: &Workspace) -> bool {
    process::find_program("wasm-opt", &workspace.user_path)
        .and_then(|program| process::capture(workspace.command(program).arg("--version")))
        .and_then(|output| Version::find_in(&output))
        .is_some_and(|version| version >= MIN_VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn better_than(line: &str) -> Vec<OsString> {
        better(&line.split(' ').map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn only_files_are_passed_on() {
        let arguments = better_than("-Oz --enable-bulk-memory in.wasm -o out.wasm");
        assert_eq!(arguments[..ARGUMENTS.len()], ARGUMENTS);
        assert_eq!(arguments[ARGUMENTS.len()..], ["in.wasm", "-o", "out.wasm"]);
    }

    #[test]
    fn a_question_stays_as_it_is() {
        assert_eq!(better_than("--version"), ["--version"]);
    }
}
