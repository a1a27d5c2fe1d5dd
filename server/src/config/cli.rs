//! The command line: a flag for every setting, and what the program is asked to do.

use std::{ffi::OsString, net::IpAddr, path::PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command, builder::ValueParser, value_parser};

use super::{
    Config, Sources,
    environment::{Assignment, Environment},
    setting::Setting,
    settings::{self, GROUPS},
    source::Source,
    value::ValueKind,
};

/// What was typed.
#[derive(Debug)]
pub struct CommandLine {
    /// What the program is to do.
    pub task: Task,
    /// Where its settings are.
    pub sources: Sources,
}

/// What the program can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Serve.
    Serve,
    /// Say whether the settings are in order.
    CheckConfig,
    /// Print the settings as they are after file, environment and flags.
    PrintConfig,
}

/// Who is to reach the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bind {
    /// Whoever the address lets in.
    #[default]
    AsSet,
    /// Everybody on the network: every interface is listened on.
    Network,
}

impl Bind {
    /// The address to listen on for one that reaches less.
    pub(super) fn of(self, ip: IpAddr) -> IpAddr {
        match (self, ip) {
            (Self::AsSet, _) => ip,
            (Self::Network, IpAddr::V4(_)) => std::net::Ipv4Addr::UNSPECIFIED.into(),
            (Self::Network, IpAddr::V6(_)) => std::net::Ipv6Addr::UNSPECIFIED.into(),
        }
    }
}

const CONFIG: &str = "config";
const LAN: &str = "lan";
const CHECK: &str = "check-config";
const PRINT: &str = "print-config";

/// What stands below the flags in the help.
const AFTER: &str = "\
Every setting can be set in the file, in the environment and by a flag: the later of these is the
stronger. The file is TOML: --print-config prints it with everything as it is now, and
`rollcall --print-config > Leptos.toml` is a good beginning. A time is written like 500ms, 10s, 5m
or 2h, and a list like one,two.

SIGTERM and Ctrl-C end the server in order; a second one ends it at once. Logs go to standard error.

Exit status: 0 all is well, 1 something failed while it ran, 2 wrong flags, 69 the address can't be
listened on or another server has the state directory, 78 wrong settings or a state directory that
can't be used.";

impl CommandLine {
    /// Reads a command line; where it is wrong or only asks for help, clap's error says so.
    pub fn parse(
        words: impl IntoIterator<Item = impl Into<OsString> + Clone>,
        environment: Environment,
    ) -> Result<Self, clap::Error> {
        let matches = command().try_get_matches_from(words)?;
        let task = match (matches.get_flag(CHECK), matches.get_flag(PRINT)) {
            (true, _) => Task::CheckConfig,
            (false, true) => Task::PrintConfig,
            (false, false) => Task::Serve,
        };
        let bind = if matches.get_flag(LAN) { Bind::Network } else { Bind::AsSet };
        let file = matches.get_one::<PathBuf>(CONFIG).cloned();
        let flags = settings::all().filter_map(|setting| assignment(setting, &matches)).collect();
        Ok(Self { task, sources: Sources { file, environment, flags, bind } })
    }
}

fn assignment(setting: &'static Setting, matches: &ArgMatches) -> Option<Assignment> {
    let flag = setting.flag()?;
    let text = matches.get_one::<OsString>(setting.key())?.to_string_lossy().into_owned();
    Some(Assignment { setting, text, source: Source::Flag(flag) })
}

/// The whole command line, as clap has it.
pub fn command() -> Command {
    let mut command = Command::new("rollcall")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Rollcall: who is here, right now.")
        .after_help(AFTER)
        .arg(
            Arg::new(CONFIG)
                .long(CONFIG)
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("The settings' file [default: Leptos.toml, if it is there]"),
        )
        .arg(
            switch(CHECK, "Say whether the settings are in order, and do nothing else")
                .conflicts_with(PRINT),
        )
        .arg(switch(PRINT, "Print the settings as they are, secrets left out, and do nothing else"))
        .arg(switch(
            LAN,
            "Listen on every interface, and print the address that others on the network can open",
        ));
    let mut defaults = Config::default();
    for group in GROUPS {
        for setting in group.settings {
            if let Some(flag) = setting.flag() {
                command =
                    command.arg(flag_of(setting, flag, &mut defaults).help_heading(group.title));
            }
        }
    }
    let secrets: Vec<_> = settings::all().filter(|setting| setting.is_secret()).collect();
    if secrets.is_empty() { command } else { command.after_help(with_secrets(&secrets)) }
}

/// Secrets have no flag, and are explained below.
fn with_secrets(secrets: &[&Setting]) -> String {
    let lines = secrets.iter().map(|setting| {
        format!("  {} in the file, {}: {}\n", setting.key(), setting.variable(), setting.help())
    });
    format!(
        "Settings without a flag, since others can see what is typed:\n{}\n{AFTER}",
        lines.collect::<String>()
    )
}

fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

fn flag_of(setting: &'static Setting, flag: &'static str, defaults: &mut Config) -> Arg {
    let default = setting.default_in_words(defaults);
    let (key, variable) = (setting.key(), setting.variable());
    let help =
        format!("{}\n[default: {default}] [file: {key}] [environment: {variable}]", setting.help());
    let value = setting.value(defaults);
    let argument = Arg::new(key)
        .long(flag)
        .value_name(value.placeholder())
        .value_parser(ValueParser::os_string())
        // A negative number is a wrong value, and not an unknown flag.
        .allow_hyphen_values(true)
        .help(help);
    match value.kind() {
        // `--hash-files` alone says yes.
        ValueKind::Switch => {
            argument.num_args(0..=1).require_equals(true).default_missing_value("true")
        }
        ValueKind::Number | ValueKind::Text | ValueKind::List => argument,
    }
}
