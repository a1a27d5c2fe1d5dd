//! `load`: see `load --help`.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool prints to its standard output"
)]

use std::{
    error::Error,
    fs::File,
    io::{self, Write},
    process::ExitCode,
};

use clap::{Args, Command, FromArgMatches, Parser};
use load::measure::baseline::{self, BaselineWork};
use load::measure::report::{Report, table};
use load::measure::server_process::Cores;
use load::measure::system;
use load::options::{Options, Scenario};
use load::scenario::{RunContext, Timing};

fn main() -> ExitCode {
    let outcome = match std::env::args().nth(1).as_deref() {
        Some(baseline::WRITER) => write_baseline().map(|()| true),
        _ => run(Options::parse()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs this program as the writer of the baseline.
fn write_baseline() -> Result<(), Box<dyn Error>> {
    let command = BaselineWork::augment_args(Command::new(baseline::WRITER));
    let matches = command.get_matches_from(std::env::args().skip(1));
    baseline::write(BaselineWork::from_arg_matches(&matches)?, &mut io::stdout())?;
    Ok(())
}

/// Runs all scenarios, and returns whether every list was right.
fn run(options: Options) -> Result<bool, Box<dyn Error>> {
    check_files(&options)?;
    let context = RunContext {
        program: options.server_binary.as_deref().map(std::path::absolute).transpose()?,
        peer: None,
        cores: cores(&options),
        timing: Timing::default(),
        options,
    };
    let servers = context.options.servers;
    let scenarios = match context.options.scenario.as_slice() {
        [] => Scenario::all(servers),
        some => some.to_vec(),
    };
    let mut runs = Vec::new();
    for round in 1..=context.options.rounds {
        for scenario in &scenarios {
            eprintln!("round {round}: {scenario:?} with {} clients", context.options.clients);
            for mut report in context.run(*scenario)? {
                report.round = Some(round);
                if let Some(violation_count) = &report.first_violation {
                    eprintln!(
                        "  {} violations, the first one: {violation_count}",
                        report.violation_count
                    );
                }
                runs.push(report);
            }
        }
    }
    let medians = medians(&runs);
    println!("{}", table(&medians));
    for report in &medians {
        println!("{}", serde_json::to_string(report)?);
    }
    if let Some(path) = &context.options.json {
        let mut file = File::create(path)?;
        let rounds = if context.options.rounds > 1 { runs.as_slice() } else { &[] };
        for report in rounds.iter().chain(&medians) {
            writeln!(file, "{}", serde_json::to_string(report)?)?;
        }
    }
    Ok(runs.iter().all(|run| run.lists_right))
}

/// One report for each scenario, in the order of their first runs.
fn medians(runs: &[Report]) -> Vec<Report> {
    let mut names: Vec<&str> = Vec::new();
    for run in runs {
        if !names.contains(&run.scenario.as_str()) {
            names.push(&run.scenario);
        }
    }
    let of = |name: &str| runs.iter().filter(|run| run.scenario == name).collect::<Vec<_>>();
    names.into_iter().filter_map(|name| Report::median(&of(name))).collect()
}

/// Checks the limit of open files: one for each client, one for each stalled reader, and some more.
fn check_files(options: &Options) -> Result<(), Box<dyn Error>> {
    const RESERVE: u64 = 500;
    let clients = u64::from(options.clients);
    let needed = clients + clients / 100 + RESERVE;
    match system::raise_file_limit() {
        Ok(limit) if limit < needed => Err(format!(
            "{needed} open files are needed and the limit is {limit}: raise `ulimit -n`"
        )
        .into()),
        Ok(_) => Ok(()),
        Err(error) => {
            eprintln!("could not read the limit of open files: {error}");
            Ok(())
        }
    }
}

/// The cores of the two sides, or `None` if the system can't pin threads.
fn cores(options: &Options) -> Option<Cores> {
    let cores =
        Cores { server: options.server_cores.clone(), generator: options.generator_cores.clone() };
    let pinned =
        system::pin_thread(&cores.server).and_then(|()| system::pin_thread(&cores.generator));
    match pinned {
        Ok(()) => Some(cores),
        Err(error) => {
            eprintln!("threads are not pinned, so server and generator share cores: {error}");
            None
        }
    }
}
