//! All checks that are not tests.

use std::time::Instant;

use crate::checks::deploy_files;
use crate::checks::recorded_values;
use crate::checks::size_budget;
use crate::commands::build;
use crate::commands::setup;
use crate::output::failure::{Failure, Outcome};
use crate::output::step::{self, note, step};
use crate::process;
use crate::tools::npm;
use crate::workspace::Workspace;

/// One run for each set of features: in a common run cargo would unify them, which hides what a
/// crate lacks by itself.
const CLIPPY: [&[&str]; 7] = [
    &["-p", "app", "--no-default-features", "--all-targets"],
    &["-p", "app", "--features", "ssr", "--all-targets"],
    &["-p", "frontend", "--target", "wasm32-unknown-unknown"],
    &["-p", "registry", "--all-targets"],
    &[
        "-p",
        "server",
        "-p",
        "load",
        "-p",
        "recorded-values",
        "-p",
        "simulation",
        "-p",
        "xtask",
        "-p",
        "watch",
        "--all-targets",
    ],
    // Without Socket.IO.
    &["-p", "server", "--no-default-features"],
    // Tests that need further programs are no part of all targets.
    &["-p", "server", "--test", "cluster", "--test", "proxies"],
];

const DOCS: [&[&str]; 2] =
    [&["-p", "app", "--features", "ssr"], &["-p", "registry", "-p", "server"]];

/// The borders between crates: what no normal dependency of a crate may be, at any depth. Names are
/// prefixes.
const LAYERS: [Layer; 2] = [
    // The domain's tests build in seconds, and nothing of a page can slip into it.
    Layer { package: "app", outside: &["leptos", "web-sys", "axum", "hyper", "tokio"] },
    // The simulation, the fuzz targets and the benchmarks build it alone.
    Layer {
        package: "registry",
        outside: &["leptos", "web-sys", "axum", "hyper", "clap", "toml", "server"],
    },
];

/// A crate without features, and the packages that it must not depend on.
struct Layer {
    package: &'static str,
    outside: &'static [&'static str],
}

/// Runs all checks, also after one has failed, and ends with the names of those that failed.
pub(crate) fn run(workspace: &Workspace, started_at: Instant) -> Outcome {
    // Clippy needs the WASM target for `frontend`.
    let tools = setup::run(workspace)?;
    let mut failed = Vec::new();
    let mut check = |what: &str, outcome: Outcome| {
        if let Err(failure) = outcome {
            note(&failure.to_string());
            failed.push(what.to_owned());
        }
    };

    check("format", cargo(workspace, &["fmt", "--all", "--check"], &[]));
    for words in CLIPPY {
        let outcome = cargo(workspace, &["clippy"], &[words, &["--", "-D", "warnings"]].concat());
        check(&format!("clippy {}", words.join(" ")), outcome);
    }
    for words in DOCS {
        check(&format!("docs {}", words.join(" ")), docs(workspace, words));
    }
    check("layers", step("layers", || layers(workspace)));
    check("wasm32", step("the pure code on wasm32", || recorded_values::check(workspace)));
    check("deploy", step("the files of deploy", || deploy_files::check(workspace)));
    check("client", step("the JavaScript client", || client(workspace)));
    check("descriptions", step("the descriptions of the API", || descriptions(workspace)));
    check("deny", step("cargo deny check", || deny(workspace)));
    let size = build::with_tools(workspace, &tools)
        .and_then(|release| step("the size budget", || size_budget::check(&release.site)));
    check("size budget", size);

    step::total(started_at);
    if failed.is_empty() {
        println!("all checks passed");
        Ok(())
    } else {
        Err(Failure::new(format!("These checks failed: {}. See above.", failed.join("; "))))
    }
}

fn cargo(workspace: &Workspace, words: &[&str], more: &[&str]) -> Outcome {
    let mut command = workspace.cargo(words);
    command.args(more);
    step(&process::command_line(&command), || process::run(&mut command))
}

fn docs(workspace: &Workspace, words: &[&str]) -> Outcome {
    let mut command = workspace.cargo(&["doc", "--no-deps"]);
    command.args(words).env("RUSTDOCFLAGS", "-D warnings");
    step(&process::command_line(&command), || process::run(&mut command))
}

/// Whether no crate depends on what is outside its layer, by `cargo tree`.
fn layers(workspace: &Workspace) -> Outcome {
    LAYERS.iter().try_for_each(|layer| {
        let mut command = workspace.cargo(&["tree", "--no-default-features", "-p", layer.package]);
        command.args(["-e", "normal", "--prefix", "none"]);
        let tree = process::capture(&mut command).ok_or_else(|| {
            Failure::new(format!("`{}` failed.", process::command_line(&command)))
        })?;
        match layer.first_outside(&tree) {
            None => Ok(()),
            Some(dependency) => Err(Failure::new(format!(
                "`{}` without features depends on {dependency}: move what needs it to another \
                 crate, or make the dependency optional.",
                layer.package
            ))),
        }
    })
}

impl Layer {
    /// The first package of a dependency tree that is outside the layer.
    fn first_outside<'tree>(&self, tree: &'tree str) -> Option<&'tree str> {
        let packages = tree.lines().filter_map(|line| line.split_whitespace().next());
        packages
            .filter(|package| *package != self.package)
            .find(|package| self.outside.iter().any(|prefix| package.starts_with(prefix)))
    }
}

/// Whether the package of the JavaScript client is right for those who install it, and the files in
/// `public` are what its sources say.
fn client(workspace: &Workspace) -> Outcome {
    npm::install_locked(workspace, &workspace.client())?;
    process::run(&mut npm::script(workspace, &workspace.client(), "lint")?)
}

/// Whether docs/openapi.json and docs/asyncapi.json are valid, and a client that is made of them compiles.
/// Tests of `server` compare them with the types.
fn descriptions(workspace: &Workspace) -> Outcome {
    npm::install_locked(workspace, &workspace.descriptions())?;
    process::run(&mut npm::script(workspace, &workspace.descriptions(), "lint")?)
}

fn deny(workspace: &Workspace) -> Outcome {
    if workspace.find_program("cargo-deny").is_none() {
        note("skipped: cargo-deny is not installed (cargo install cargo-deny --locked)");
        return Ok(());
    }
    let mut command = workspace.cargo(&["deny", "check", "bans", "licenses", "sources"]);
    // Advisories are downloaded, and change without a commit.
    if process::succeeds(&mut workspace.cargo(&["deny", "fetch", "db"])) {
        command.arg("advisories");
    } else {
        note("advisories skipped: their database can't be downloaded");
    }
    process::run(&mut command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layer_finds_a_package_outside_it() {
        let layer = Layer { package: "app", outside: &["leptos", "axum"] };
        let pure = "app v0.1.0 (/somewhere/leptos/app)\nserde v1.0.228\n";
        assert_eq!(layer.first_outside(pure), None);
        let mixed = format!("{pure}leptos_macro v0.8.23 (proc-macro)\n");
        assert_eq!(layer.first_outside(&mixed), Some("leptos_macro"));
    }
}
