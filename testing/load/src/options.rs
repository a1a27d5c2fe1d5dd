//! The command line of the load generator.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::measure::peer::Peer;

/// Measures the cost of a Rollcall server under load, and checks every client's list.
#[derive(Clone, Debug, Parser)]
#[command(name = "load", version)]
pub struct Options {
    /// Number of clients
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(2..=50_000))]
    pub clients: u32,

    /// Scenarios, separated by commas [default: all]
    #[arg(long, value_delimiter = ',', value_name = "SCENARIO")]
    pub scenario: Vec<Scenario>,

    /// Servers over one engine (Valkey or Redis on PATH, or named in `ROLLCALL_ENGINE`), beside which scenarios run
    /// on one server too
    #[arg(long, default_value_t = 1, conflicts_with = "url", value_parser = clap::value_parser!(u32).range(1..=16))]
    pub servers: u32,

    /// Another program to run the same on, after each run of a scenario of `connect`, `idle`, `fill`, `fanout`, `storm`
    /// and `drop` (for Bun, the program that `ROLLCALL_BUN` names, or `bun` on PATH)
    #[arg(long, value_name = "PEER", conflicts_with_all = ["url", "servers"])]
    pub against: Option<Peer>,

    /// Runs of each scenario; with more than one, the medians are shown
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub rounds: u32,

    /// Facts per second of `fanout`, separated by commas; a fact is one change reaching one client
    #[arg(long, value_delimiter = ',', value_name = "FACTS", default_value = "20000,200000")]
    pub rates: Vec<u32>,

    /// Duration of scenarios without an end of their own, in seconds
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub seconds: u32,

    /// Phases of `greedy`, separated by commas [default: all]
    #[arg(long, value_delimiter = ',', value_name = "PHASE")]
    pub phases: Vec<String>,

    /// The server's program, which is started again for each scenario
    #[arg(long, value_name = "FILE", conflicts_with = "url")]
    pub server_binary: Option<PathBuf>,

    /// A server that is already running; its CPU and memory are not measured
    #[arg(long, value_name = "http://HOST:PORT")]
    pub url: Option<String>,

    /// Cores of the server
    #[arg(long, value_delimiter = ',', value_name = "CORES", default_value = "0")]
    pub server_cores: Vec<usize>,

    /// Cores of this program
    #[arg(long, value_delimiter = ',', value_name = "CORES", default_value = "1")]
    pub generator_cores: Vec<usize>,

    /// Skip the baseline, the cost of writing the same frames to plain sockets
    #[arg(long)]
    pub no_baseline: bool,

    /// Also write the results to this file, one JSON object per line: every round, then the medians
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// What the clients do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// Open sockets without sending a frame: memory per connection.
    Connect,
    /// All have joined and are idle: memory and CPU per connection.
    Idle,
    /// They join 32 at a time, each when one before has its list.
    Fill,
    /// Some join and leave, and everyone receives the changes.
    Fanout,
    /// All join at once.
    Storm,
    /// Half of the connections are reset at once.
    Drop,
    /// All connections are reset, and all clients reconnect at once.
    Return,
    /// Tabs are reloaded, which no other client may notice.
    Reload,
    /// One stalled reader per hundred clients: its cost to the others and to the server.
    Slow,
    /// Joins during an attack: silent, dripping, over the limit, and with garbage.
    Attack,
    /// One address, and then three, ask for as much as they can get: the latency of a stranger's page and join.
    Greedy,
    /// Clients of Socket.IO: 100 join and 50 leave, then all join; memory and CPU beside the native socket.
    Socketio,
    /// All clients open the page with its files and join within seconds, from one address and three times in a row.
    School,
    /// Open and reset all sockets twenty times: the growth of the server's memory.
    Resets,
    /// Join on one server until the row is on another one.
    Across,
    /// One of several servers is killed.
    Kill,
    /// One of several servers stands still for ten seconds.
    Pause,
    /// The engine of several servers is killed, emptied, replaced and cut off.
    Engine,
    /// Several servers are restarted one after the other.
    Rolling,
    /// Write to plain sockets: the cost of the system alone.
    Baseline,
}

impl Scenario {
    /// All scenarios for so many servers, in the order in which they run.
    pub fn all(servers: u32) -> Vec<Self> {
        let all = Self::value_variants().iter().copied();
        all.filter(|scenario| match servers {
            1 => scenario.runs_on_one_server(),
            _ => scenario.runs_on_several(),
        })
        .collect()
    }

    /// Whether it makes sense with one server.
    pub fn runs_on_one_server(self) -> bool {
        !matches!(self, Self::Kill | Self::Pause | Self::Engine | Self::Rolling)
    }

    /// Whether a peer can do it, which only knows how to join, leave and break off.
    pub fn runs_on_a_peer(self) -> bool {
        matches!(
            self,
            Self::Connect | Self::Idle | Self::Fill | Self::Fanout | Self::Storm | Self::Drop
        )
    }

    /// Whether it makes sense with several: the others measure what does not depend on it.
    pub fn runs_on_several(self) -> bool {
        !matches!(
            self,
            Self::Slow
                | Self::Attack
                | Self::Greedy
                | Self::Resets
                | Self::Socketio
                | Self::Baseline
        )
    }
}
