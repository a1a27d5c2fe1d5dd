//! The simulation of whole rooms, after a short run of the fuzz targets.

use crate::commands::fuzz;
use crate::output::failure::Outcome;
use crate::output::step::step;
use crate::process;
use crate::workspace::Workspace;

/// Arguments of the simulation; `cargo xtask soak -- --help` lists all.
#[derive(Debug, clap::Args)]
pub(crate) struct SoakOptions {
    /// Run for this long [default: 1, if there is no --schedules]
    #[arg(long)]
    minutes: Option<u64>,
    /// Run at most this many schedules
    #[arg(long)]
    schedules: Option<u64>,
    /// Replay one schedule, and print its trace
    #[arg(long)]
    seed: Option<u64>,
    /// Fuzz each target for this many seconds first; 0 skips it, and so does --seed
    #[arg(long, default_value_t = 20)]
    fuzz_seconds: u32,
    /// Further arguments of the simulation
    #[arg(last = true, value_name = "ARGUMENTS")]
    more: Vec<String>,
}

impl SoakOptions {
    /// The arguments of the simulation.
    pub(crate) fn program_arguments(&self) -> Vec<String> {
        let Self { minutes, schedules, seed, fuzz_seconds: _, more } = self;
        let numbers = [("--minutes", minutes), ("--schedules", schedules), ("--seed", seed)];
        let given = numbers.into_iter().filter_map(|(flag, number)| Some((flag, (*number)?)));
        let given = given.flat_map(|(flag, number)| [flag.to_owned(), number.to_string()]);
        given.chain(more.iter().cloned()).collect()
    }
}

/// Fuzzes, builds the simulation, then runs it in place of this process.
pub(crate) fn run(workspace: &Workspace, options: &SoakOptions) -> Outcome {
    if options.seed.is_none() {
        fuzz::run(workspace, options.fuzz_seconds)?;
    }
    let mut build = workspace.cargo(&["build", "--package", "simulation", "--profile", "soak"]);
    // Lets the simulation seed Tokio's random choices too, so that a replay is exact.
    build.env("RUSTFLAGS", "--cfg tokio_unstable");
    step(&process::command_line(&build), || process::run(&mut build))?;
    let program = workspace.target.join("soak").join(process::program_file("soak"));
    process::exec(workspace.command(program).args(options.program_arguments()))
}
