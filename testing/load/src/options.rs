//! What can be asked of the load generator.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Finds out what a Rollcall server costs and holds, and whether every list is right under load.
#[derive(Clone, Debug, Parser)]
#[command(name = "load", version)]
pub struct Options {
    /// How many clients
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(2..=50_000))]
    pub clients: u32,

    /// What they do, separated by commas [default: all of it]
    #[arg(long, value_delimiter = ',', value_name = "SCENARIO")]
    pub scenario: Vec<Scenario>,

    /// How often each scenario is run, one after the other; of more than one, the medians are shown
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub rounds: u32,

    /// The facts a second of `fanout`, separated by commas; a fact is one change reaching one client
    #[arg(long, value_delimiter = ',', value_name = "FACTS", default_value = "20000,200000")]
    pub rates: Vec<u32>,

    /// How long things are kept going where there is no end to them, in seconds
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub seconds: u32,

    /// The server's program, which is started for each scenario
    #[arg(long, value_name = "FILE", conflicts_with = "url")]
    pub server_binary: Option<PathBuf>,

    /// A server that runs already; what it uses can't be seen then
    #[arg(long, value_name = "http://HOST:PORT")]
    pub url: Option<String>,

    /// The cores that the server may use
    #[arg(long, value_delimiter = ',', value_name = "CORES", default_value = "0")]
    pub server_cores: Vec<usize>,

    /// The cores that this program may use
    #[arg(long, value_delimiter = ',', value_name = "CORES", default_value = "1")]
    pub generator_cores: Vec<usize>,

    /// Leave out the comparison with what the system takes for the same frames
    #[arg(long)]
    pub no_baseline: bool,

    /// Write the results here too, one JSON object a line: every round, then the medians
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// What clients do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// Sockets are opened and nothing is said: memory of a connection.
    Connect,
    /// All have joined and are at rest: memory and processor of a connection.
    Idle,
    /// Some come and go, all are told.
    Fanout,
    /// All join at once.
    Storm,
    /// Half vanish at once, the others see it.
    Drop,
    /// All connections break, and all come back at once.
    Return,
    /// Tabs are reloaded, nobody sees it.
    Reload,
    /// Beside every hundred one never reads: what that costs the others, and the server.
    Slow,
    /// One joins while thousands attack: silent, dripping, over the limit, and with garbage.
    Attack,
    /// Sockets are opened and reset, twenty times: what the server keeps of them.
    Resets,
    /// Plain sockets are written to: what the system takes for it.
    Baseline,
}

impl Scenario {
    /// All of them, in the order in which they are run.
    pub fn all() -> &'static [Self] {
        Self::value_variants()
    }
}
