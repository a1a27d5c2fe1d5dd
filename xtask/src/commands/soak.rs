//! Whole rooms on simulated time, for as long as one likes.

use crate::commands::fuzz;
use crate::output::failure::Outcome;
use crate::output::step::step;
use crate::process;
use crate::workspace::Workspace;

/// What the simulation is told; `cargo xtask soak -- --help` lists it.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// For how long; without it and without --schedules, one minute.
    #[arg(long)]
    minutes: Option<u64>,
    /// How many schedules at the most.
    #[arg(long)]
    schedules: Option<u64>,
    /// Plays one schedule again, and tells all that happens in it.
    #[arg(long)]
    seed: Option<u64>,
    /// For how long each target is fuzzed before that, in seconds; 0 leaves it out. A schedule that is
    /// played again comes without.
    #[arg(long, default_value_t = 20)]
    fuzz_seconds: u32,
    /// What it is told besides.
    #[arg(last = true, value_name = "ARGUMENTS")]
    more: Vec<String>,
}

impl Options {
    /// What the simulation is told.
    pub(crate) fn program_arguments(&self) -> Vec<String> {
        let Self { minutes, schedules, seed, fuzz_seconds: _, more } = self;
        let numbers = [("--minutes", minutes), ("--schedules", schedules), ("--seed", seed)];
        let given = numbers.into_iter().filter_map(|(flag, number)| Some((flag, (*number)?)));
        let given = given.flat_map(|(flag, number)| [flag.to_owned(), number.to_string()]);
        given.chain(more.iter().cloned()).collect()
    }
}

/// Fuzzes, builds the simulation, then becomes it.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Outcome {
    if options.seed.is_none() {
        fuzz::run(workspace, options.fuzz_seconds)?;
    }
    let mut build = workspace.cargo(&["build", "--package", "simulation", "--profile", "soak"]);
    // Lets the simulation seed Tokio's chances too, so that a replay is exact.
    build.env("RUSTFLAGS", "--cfg tokio_unstable");
    step(&process::command_line(&build), || process::run(&mut build))?;
    let program = workspace.target.join("soak").join(process::program_file("soak"));
    process::exec(workspace.command(program).args(options.program_arguments()))
}
