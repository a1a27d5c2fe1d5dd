//! Loading the settings from the file, the environment and the command line together.

use std::{fs, num::NonZeroUsize, path::Path};

use super::{
    cli::{CommandLine, Task, command},
    *,
};

const LEPTOS: &str = "[[workspace.metadata.leptos]]\noutput-name = \"rollcall\"\n";

/// Loads the settings of a program with this file, these variables and these flags.
fn load(file: &str, variables: &[(&str, &str)], flags: &[&str]) -> Result<Config, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("Leptos.toml");
    fs::write(&path, file).unwrap();
    let environment = [&[("HOME", "/home/ana")], variables].concat();
    let path = path.to_string_lossy();
    let arguments = [&["rollcall", "--config", &path], flags].concat();
    let command_line = CommandLine::parse(arguments, Environment::of(&environment)).unwrap();
    Config::load(command_line.sources)
}

#[test]
fn a_flag_overrides_the_environment_and_that_the_file() {
    let file = format!(
        "{LEPTOS}site-addr = \"127.0.0.1:4001\"\n[presence]\nmax-people-per-room = 7\nstate-dir = \"/of/the/file\"\n"
    );
    let variables =
        [("LEPTOS_SITE_ADDR", "127.0.0.1:4002"), ("ROLLCALL_STATE_DIR", "/of/the/environment")];
    let of_file = load(&file, &[], &[]).unwrap();
    assert_eq!(of_file.leptos.site_addr.port(), 4001);
    assert_eq!(of_file.room_limits.most_people, 7);
    assert_eq!(of_file.state_directory, Path::new("/of/the/file"));
    let of_environment = load(&file, &variables, &[]).unwrap();
    assert_eq!(of_environment.leptos.site_addr.port(), 4002);
    assert_eq!(of_environment.room_limits.most_people, 7);
    assert_eq!(of_environment.state_directory, Path::new("/of/the/environment"));
    let of_flags =
        load(&file, &variables, &["--addr", "127.0.0.1:4003", "--max-people-per-room=8"]).unwrap();
    assert_eq!(of_flags.leptos.site_addr.port(), 4003);
    assert_eq!(of_flags.room_limits.most_people, 8);
    assert_eq!(of_flags.state_directory, Path::new("/of/the/environment"));
}

#[test]
fn an_error_in_the_file_names_key_and_line() {
    for (lines, key) in [
        ("[presence]\nmax-people-per-rom = 7", "max-people-per-rom"),
        ("[presence]\nmax-tabs-per-person = \"many\"", "max-tabs-per-person"),
        ("[presence]\nmax-tabs-per-person = -1", "max-tabs-per-person"),
        ("[presence]\nmax-tabs-per-person = 1.5", "max-tabs-per-person"),
        ("[presence]\noperator-addr = \"here\"", "operator-addr"),
        ("[presence]\noperator-addr = 3002", "operator-addr"),
        ("# a comment\nsite-adr = \"127.0.0.1:1\"", "site-adr"),
        ("# a comment\nsite-addr = \"127.0.0.1\"", "site-addr"),
        ("# a comment\nhash-files = \"yes\"", "hash-files"),
        ("# a comment\n[prescence]", "prescence"),
        ("# a comment\n[workspace.else]", "else"),
        ("# a comment\n[workspace.metadata.else]", "else"),
    ] {
        let error = load(&format!("{LEPTOS}{lines}\n"), &[], &[]).unwrap_err();
        assert!(!error.is_usage_error());
        let error = error.to_string();
        assert!(error.contains(&format!(" {key} ")) && error.contains("line 4"), "{error}");
    }
    // In a place where it has no effect, and in a table whose name is mistyped.
    for (file, sentence) in [
        (
            "public-url = \"http://a\"",
            "no setting public-url in the file outside its tables. public-url belongs in [presence].",
        ),
        (
            "[presence]\nmax-rooms = 7",
            "no setting max-rooms in [presence]. max-rooms belongs in [limits].",
        ),
        ("[presense]\nmax-rooms = 7", "no table presense in the file. Did you mean [presence]?"),
        ("[[presence]]\n", "no table presence in the file. Did you mean [presence]?"),
        ("[workspace.metadata.leptos]\n", "Did you mean [[workspace.metadata.leptos]]?"),
    ] {
        let error = load(file, &[], &[]).unwrap_err().to_string();
        assert!(error.contains(sentence), "{error}");
    }
    let error = load(&format!("{LEPTOS}\nsite-addr = \n"), &[], &[]).unwrap_err().to_string();
    assert!(error.contains("line 4"), "{error}");
}

#[test]
fn an_error_elsewhere_names_the_variable_or_flag() {
    for (variable, value) in [
        ("ROLLCALL_MAX_PEOPLE_PER_ROM", "7"),
        ("ROLLCALL_MAX_PEOPLE_PER_ROOM", "many"),
        ("LEPTOS_SITE_ADDR", "localhost"),
    ] {
        let error = load(LEPTOS, &[(variable, value)], &[]).unwrap_err();
        assert!(!error.is_usage_error() && error.to_string().contains(variable), "{error}");
    }
    let error = load(LEPTOS, &[], &["--max-people-per-room", "-7"]).unwrap_err();
    let text = error.to_string();
    assert!(error.is_usage_error() && text.contains("--max-people-per-room"), "{text}");
    assert!(text.contains("from 0 to") || text.contains("0 or more"), "{text}");
    let arguments = ["rollcall", "--max-people-per-rom", "7"];
    let error = CommandLine::parse(arguments, Environment::default()).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    // Empty variables, and those of other programs, are ignored.
    let others = [("ROLLCALL_STATE_DIR", ""), ("ROLLCALL_ENGINE", "/e"), ("LEPTOS_LIB_DIR", ".")];
    assert_eq!(
        load(LEPTOS, &others, &[]).unwrap().state_directory,
        Path::new("/home/ana/.local/state/rollcall")
    );
}

#[test]
fn a_file_that_is_given_has_to_exist() {
    let sources = Sources { file: Some("/nowhere/Leptos.toml".into()), ..Sources::default() };
    let error = Config::load(sources).unwrap_err();
    assert!(error.to_string().contains("/nowhere/Leptos.toml"), "{error}");
}

#[test]
fn a_state_directory_inside_the_site_is_refused() {
    let config = load(LEPTOS, &[], &[]).unwrap();
    let site = Site::new(config.site_root.as_deref());
    assert_eq!(site, Site::Directory("target/site".into()));
    let flags = ["--site-root", "/srv/site", "--state-dir", "/srv/site/state"];
    let error = load(LEPTOS, &[], &flags).unwrap_err();
    assert!(matches!(error, ConfigError::StateIsServed { .. }), "{error}");
}

#[test]
fn the_state_directory_has_its_documented_default() {
    let default = |variables: &[(&str, &str)]| default_state_directory(&Environment::of(variables));
    assert_eq!(
        default(&[("HOME", "/home/a")]).unwrap(),
        Path::new("/home/a/.local/state/rollcall")
    );
    assert_eq!(
        default(&[("HOME", "/home/a"), ("XDG_STATE_HOME", "/s")]).unwrap(),
        Path::new("/s/rollcall")
    );
    assert_eq!(default(&[("STATE_DIRECTORY", "/var/lib/r")]).unwrap(), Path::new("/var/lib/r"));
    assert_eq!(default(&[("XDG_STATE_HOME", "relative")]), None);
    let error = Config::load(Sources::default()).unwrap_err();
    assert!(matches!(error, ConfigError::NoStateDirectory), "{error}");
}

#[test]
fn flag_of_a_list_can_be_repeated_and_no_other() {
    let variables = [("ROLLCALL_HOST", "of.the.environment")];
    let hosts = |flags: &[&str]| -> Vec<String> {
        let config = load(LEPTOS, &variables, flags).unwrap();
        config.hosts.iter().map(ToString::to_string).collect()
    };
    assert_eq!(hosts(&[]), ["of.the.environment"]);
    assert_eq!(hosts(&["--host", "a.test,b.test"]), ["a.test", "b.test"]);
    assert_eq!(
        hosts(&["--host", "a.test", "--host=b.test,c.test"]),
        ["a.test", "b.test", "c.test"]
    );
    let twice = ["rollcall", "--state-dir", "a", "--state-dir", "b"];
    assert!(CommandLine::parse(twice, Environment::default()).is_err());
}

#[test]
fn the_lan_flag_keeps_port_and_address_family() {
    let file = format!("{LEPTOS}site-addr = \"127.0.0.1:4001\"\n");
    assert_eq!(load(&file, &[], &["--lan"]).unwrap().leptos.site_addr.to_string(), "0.0.0.0:4001");
    let flags = ["--lan", "--addr", "[::1]:5"];
    assert_eq!(load(&file, &[], &flags).unwrap().leptos.site_addr.to_string(), "[::]:5");
}

#[test]
fn a_printed_file_results_in_the_same_settings() {
    let flags = ["--addr", "[::1]:5", "--state-dir", "/a \"quoted\" place", "--env", "dev"];
    let mut config = load(LEPTOS, &[], &flags).unwrap();
    let printed = docs::file(&mut config);
    let mut reloaded = load(&printed, &[], &[]).unwrap();
    for setting in all_settings::all() {
        let (before, after) =
            (setting.value(&mut config).format(), setting.value(&mut reloaded).format());
        assert_eq!(before, after, "{}", setting.key());
    }
    assert_eq!(docs::file(&mut reloaded), printed);
}

#[test]
fn the_help_names_every_setting_with_its_default() {
    let help = command().render_long_help().to_string();
    for setting in all_settings::all() {
        let default = setting.default_text(&mut Config::default());
        let parts = [setting.key(), &setting.variable(), &format!("[default: {default}]")];
        assert!(parts.iter().all(|part| help.contains(*part)), "{}", setting.key());
    }
    command().debug_assert();
}

/// The reference page shows each flag like this.
#[test]
fn every_flag_takes_its_value_as_the_next_argument() {
    let mut defaults = Config::default();
    for setting in all_settings::all() {
        let (Some(flag), Some(value)) = (setting.flag(), setting.value(&mut defaults).format())
        else {
            continue;
        };
        let arguments = ["rollcall", &format!("--{flag}"), &value, "--lan"];
        let command_line = CommandLine::parse(arguments, Environment::default()).unwrap();
        let [assignment] = command_line.sources.flags.as_slice() else { panic!("--{flag}") };
        assert_eq!((assignment.setting.key(), &assignment.text), (setting.key(), &value));
    }
    let before_another = ["rollcall", "--hash-files", "--lan"];
    let command_line = CommandLine::parse(before_another, Environment::default()).unwrap();
    assert_eq!(command_line.sources.flags[0].text, "true");
}

#[test]
fn every_duration_has_a_unit_or_is_seconds() {
    let mut defaults = Config::default();
    let is_duration = |setting: &&setting::Setting| {
        setting.value(&mut defaults).kind() == value::ValueKind::Duration
    };
    let durations: Vec<_> = all_settings::all().filter(is_duration).collect();
    let keys: Vec<_> = durations.iter().map(|setting| setting.key()).collect();
    for key in ["request-timeout", "write-timeout", "first-frame-timeout", "drain-delay"] {
        assert!(keys.contains(&key), "{key} of {keys:?}");
    }
    for setting in durations {
        // It has bounds.
        let is_longer = setting.key() == "keep-attendance";
        let valid = if is_longer {
            [("\"90500ms\"", "90500ms"), ("\"100s\"", "100s"), ("100", "100s")]
        } else {
            [("\"1500ms\"", "1500ms"), ("\"10s\"", "10s"), ("10", "10s")]
        };
        for (value, expected) in valid {
            let file = format!("{}\n{} = {value}\n", setting.section().header(), setting.key());
            let mut config = load(&file, &[], &[]).unwrap();
            assert_eq!(setting.value(&mut config).format().as_deref(), Some(expected));
        }
        for value in ["-1", "\"10 s\"", "1.5", "true"] {
            let file = format!("{}\n{} = {value}\n", setting.section().header(), setting.key());
            let error = load(&file, &[], &[]).unwrap_err().to_string();
            assert!(error.contains("a duration") && error.contains("seconds"), "{error}");
        }
    }
}

#[test]
fn a_flag_selects_the_task() {
    for (flag, task) in
        [("--check-config", Task::CheckConfig), ("--print-config", Task::PrintConfig)]
    {
        let command_line = CommandLine::parse(["rollcall", flag], Environment::default()).unwrap();
        assert_eq!(command_line.task, task);
    }
    let command_line = CommandLine::parse(["rollcall"], Environment::default()).unwrap();
    assert_eq!(command_line.task, Task::Serve);
}

/// cargo-leptos reads `Cargo.toml`, the deployed server its own settings: both have to agree.
#[test]
fn the_build_settings_equal_the_servers_defaults() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let file: toml::Table = toml::from_str(&text).unwrap();
    let built = file["workspace"]["metadata"]["leptos"][0].as_table().unwrap();
    let mut defaults = Config::default();
    let mut compared = 0;
    for (key, value) in built {
        let Some(setting) = environment::find(setting::Section::Leptos, key) else { continue };
        // The server has no default for `site-root`, as files may be embedded.
        let default = setting.value(&mut defaults).format();
        let default = default.unwrap_or_else(|| "target/site".to_owned());
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        assert_eq!(value, default, "{key}");
        compared += 1;
    }
    assert!(compared >= 5, "{compared}");
}

#[test]
fn limits_of_rooms_are_those_of_the_machine() {
    let machine = Machine { open_files: Some(1_024), memory: Some(64 << 20) };
    let limits = load(LEPTOS, &[], &[]).unwrap().hub_limits(machine);
    // A quarter of the memory; and twice the sockets of one address, of which there are half of nine tenths of 768.
    assert_eq!(limits.rooms.most.map(NonZeroUsize::get), Some(2_048));
    assert_eq!(limits.most_rows_per_address.map(NonZeroUsize::get), Some(692));
}
