//! The command line: a flag for every setting, and the task of the program.

use std::{collections::BTreeSet, ffi::OsString, net::IpAddr, path::PathBuf};

use app::presence::RoomName;
use clap::{Arg, ArgAction, ArgMatches, Command, builder::ValueParser, value_parser};

use super::{
    Config, Sources,
    all_settings::{self, GROUPS},
    environment::{Assignment, Environment},
    setting::Setting,
    source::Source,
    value::ValueKind,
};
use crate::api::{
    commands::KeyCommand,
    key::KeyName,
    scope::{Scope, Scopes},
};

/// A parsed command line.
#[derive(Debug)]
pub struct CommandLine {
    /// The task to run.
    pub task: Task,
    /// Where the settings come from.
    pub sources: Sources,
}

/// The tasks of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// Run the server.
    Serve,
    /// Only validate the settings.
    CheckConfig,
    /// Print the settings that result from file, environment and flags.
    PrintConfig,
    /// Print the link of a room's host.
    HostLink(RoomName),
    /// Add, list or remove API keys.
    Key(KeyCommand),
}

/// The interfaces to listen on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bind {
    /// That of the address that is set.
    #[default]
    AsSet,
    /// All of them, so that other machines on the network can connect.
    Network,
}

impl Bind {
    /// The address to listen on, of the same family as `ip`.
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
const HOST_LINK: &str = "host-link";
const ROOM: &str = "room";
const KEY: &str = "key";
const NAME: &str = "name";
const SCOPES: &str = "scopes";

/// The text below the flags in the help.
const AFTER_HELP: &str = "\
Precedence: flag > environment > file > default. The file is TOML: --print-config prints it with the
current values, and `rollcall --print-config > Leptos.toml` is a good start. Durations are written
like 500ms, 10s, 5m or 2h (a number alone is seconds), and lists like one,two or with the flag twice.

SIGTERM and Ctrl-C shut the server down gracefully, a second one at once. Logs go to standard error.

Exit status: 0 success, 1 runtime error, 2 invalid flags, 69 address in use or not of this machine,
or state directory locked by another server, 78 invalid settings or unusable state directory.";

impl CommandLine {
    /// Parses a command line. A request for help or the version is an error too, as clap has it.
    pub fn parse(
        arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
        environment: Environment,
    ) -> Result<Self, clap::Error> {
        let matches = command().try_get_matches_from(arguments)?;
        let task = match (matches.get_flag(CHECK), matches.get_flag(PRINT)) {
            (true, _) => Task::CheckConfig,
            (false, true) => Task::PrintConfig,
            (false, false) => subcommand(&matches).unwrap_or(Task::Serve),
        };
        let bind = if matches.get_flag(LAN) { Bind::Network } else { Bind::AsSet };
        let file = matches.get_one::<PathBuf>(CONFIG).cloned();
        let flags =
            all_settings::all().filter_map(|setting| assignment(setting, &matches)).collect();
        Ok(Self { task, sources: Sources { file, environment, flags, bind } })
    }
}

/// The task of a subcommand; none without one.
fn subcommand(matches: &ArgMatches) -> Option<Task> {
    match matches.subcommand()? {
        (HOST_LINK, link) => link.get_one::<RoomName>(ROOM).cloned().map(Task::HostLink),
        (KEY, key) => key_command(key).map(Task::Key),
        _ => None,
    }
}

fn key_command(matches: &ArgMatches) -> Option<KeyCommand> {
    let (command, matches) = matches.subcommand()?;
    let name = || matches.get_one::<KeyName>(NAME).cloned();
    match command {
        "add" => {
            let scopes: BTreeSet<Scope> = matches.get_many(SCOPES)?.copied().collect();
            Some(KeyCommand::Add { name: name()?, scopes: Scopes::try_from(scopes).ok()? })
        }
        "list" => Some(KeyCommand::List),
        "remove" => Some(KeyCommand::Remove { name: name()? }),
        _ => None,
    }
}

fn assignment(setting: &'static Setting, matches: &ArgMatches) -> Option<Assignment> {
    let flag = setting.flag()?;
    // Only the flag of a list can be there more than once.
    let values = matches.get_many::<OsString>(setting.key())?;
    let texts: Vec<_> = values.map(|value| value.to_string_lossy()).collect();
    Some(Assignment { setting, text: texts.join(","), source: Source::Flag(flag) })
}

/// The definition of the command line for clap.
pub fn command() -> Command {
    let mut command = Command::new("rollcall")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Rollcall: who is here, right now.")
        .after_help(AFTER_HELP)
        .arg(
            Arg::new(CONFIG)
                .long(CONFIG)
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("Settings file [default: Leptos.toml, if it exists]"),
        )
        .arg(
            switch(
                CHECK,
                "Check the settings, and the files and addresses that they name, and exit",
            )
            .conflicts_with(PRINT),
        )
        .arg(switch(PRINT, "Print the settings without secrets and exit"))
        .arg(switch(
            LAN,
            "Listen on all interfaces, and print the URL for other devices on the network",
        ));
    command = command.args_conflicts_with_subcommands(false).subcommand(
        Command::new(HOST_LINK)
            .about("Print the link that makes whoever opens it the host of a room")
            .after_help(
                "Settings stand before the command: rollcall --public-url https://roll.example host-link team",
            )
            .arg(
                Arg::new(ROOM)
                    .value_name("ROOM")
                    .required(true)
                    .value_parser(|text: &str| text.parse::<RoomName>())
                    .help("The room's name, as in its address"),
            ),
    );
    command = command.subcommand(key_commands());
    let mut defaults = Config::default();
    for group in GROUPS {
        for setting in group.settings {
            if let Some(flag) = setting.flag() {
                command =
                    command.arg(flag_of(setting, flag, &mut defaults).help_heading(group.title));
            }
        }
    }
    let secrets: Vec<_> = all_settings::all().filter(|setting| setting.is_secret()).collect();
    if secrets.is_empty() { command } else { command.after_help(with_secrets(&secrets)) }
}

/// `rollcall key add`, `list` and `remove`.
fn key_commands() -> Command {
    let name = || {
        Arg::new(NAME)
            .value_name("NAME")
            .required(true)
            .value_parser(|text: &str| text.parse::<KeyName>())
            .help("What the key is called, for example after the program that uses it")
    };
    let scopes = Arg::new(SCOPES)
        .long(SCOPES)
        .value_name("SCOPE,…")
        .required(true)
        .value_delimiter(',')
        .action(ArgAction::Append)
        .value_parser(|text: &str| text.parse::<Scope>())
        .help(format!("What the key permits: {}", Scope::names()));
    let add = Command::new("add").about("Make a key, and print it: it is shown only now");
    Command::new(KEY)
        .about("Add, list or remove keys of the API for backends")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .after_help(
            "Settings stand before the command: rollcall --state-dir /var/lib/rollcall key add crm --scopes rooms:read",
        )
        .subcommand(add.arg(name()).arg(scopes))
        .subcommand(Command::new("list").about("Show names, dates and scopes of all keys"))
        .subcommand(Command::new("remove").about("Remove a key, which is refused from then on").arg(name()))
}

/// Secrets have no flag: the text below the flags explains them.
fn with_secrets(secrets: &[&Setting]) -> String {
    let lines = secrets.iter().map(|setting| {
        format!("  {} in the file, {}: {}\n", setting.key(), setting.variable(), setting.help())
    });
    format!(
        "Settings without a flag, since other users can see the command line:\n{}\n{AFTER_HELP}",
        lines.collect::<String>()
    )
}

fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

fn flag_of(setting: &'static Setting, flag: &'static str, defaults: &mut Config) -> Arg {
    let default = setting.default_text(defaults);
    let (key, variable) = (setting.key(), setting.variable());
    let help =
        format!("{}\n[default: {default}] [file: {key}] [environment: {variable}]", setting.help());
    let value = setting.value(defaults);
    let argument = Arg::new(key)
        .long(flag)
        .value_name(value.placeholder())
        .value_parser(ValueParser::os_string())
        .help(help);
    match value.kind() {
        // `--hash-files` alone means true, also before another flag.
        ValueKind::Switch => argument.num_args(0..=1).default_missing_value("true"),
        // So that a negative number is an invalid value and not an unknown flag.
        ValueKind::Number | ValueKind::Duration | ValueKind::Text => {
            argument.allow_hyphen_values(true)
        }
        // Several at once, or one each time.
        ValueKind::List => argument.allow_hyphen_values(true).action(ArgAction::Append),
    }
}
