//! What the file, the environment and the command line make of the settings together.

use std::{fs, path::Path};

use super::{
    cli::{CommandLine, Task, command},
    *,
};

const LEPTOS: &str = "[[workspace.metadata.leptos]]\noutput-name = \"rollcall\"\n";

/// Loads as the program would that finds this file, has these variables, and was called like this.
fn load(file: &str, variables: &[(&str, &str)], flags: &[&str]) -> Result<Config, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("Leptos.toml");
    fs::write(&path, file).unwrap();
    let environment = [&[("HOME", "/home/ana")], variables].concat();
    let path = path.to_string_lossy();
    let words = [&["rollcall", "--config", &path], flags].concat();
    let line = CommandLine::parse(words, Environment::of(&environment)).unwrap();
    Config::load(line.sources)
}

#[test]
fn a_flag_is_stronger_than_the_environment_and_that_than_the_file() {
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
fn what_is_wrong_in_the_file_is_an_error_that_names_key_and_line() {
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
        let fault = load(&format!("{LEPTOS}{lines}\n"), &[], &[]).unwrap_err();
        assert!(!fault.is_usage_error());
        let fault = fault.to_string();
        assert!(fault.contains(&format!(" {key} ")) && fault.contains("line 4"), "{fault}");
    }
    let fault = load(&format!("{LEPTOS}\nsite-addr = \n"), &[], &[]).unwrap_err().to_string();
    assert!(fault.contains("line 4"), "{fault}");
}

#[test]
fn what_is_wrong_elsewhere_is_an_error_that_names_it() {
    for (variable, value) in [
        ("ROLLCALL_MAX_PEOPLE_PER_ROM", "7"),
        ("ROLLCALL_MAX_PEOPLE_PER_ROOM", "many"),
        ("LEPTOS_SITE_ADDR", "localhost"),
    ] {
        let fault = load(LEPTOS, &[(variable, value)], &[]).unwrap_err();
        assert!(!fault.is_usage_error() && fault.to_string().contains(variable), "{fault}");
    }
    let fault = load(LEPTOS, &[], &["--max-people-per-room", "-7"]).unwrap_err();
    let text = fault.to_string();
    assert!(fault.is_usage_error() && text.contains("--max-people-per-room"), "{text}");
    let words = ["rollcall", "--max-people-per-rom", "7"];
    let error = CommandLine::parse(words, Environment::default()).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    // What is set to nothing, and what belongs to others, is passed over.
    let others = [("ROLLCALL_STATE_DIR", ""), ("ROLLCALL_CACHE", "/c"), ("LEPTOS_LIB_DIR", ".")];
    assert_eq!(
        load(LEPTOS, &others, &[]).unwrap().state_directory,
        Path::new("/home/ana/.local/state/rollcall")
    );
}

#[test]
fn a_named_file_has_to_be_there() {
    let sources = Sources { file: Some("/nowhere/Leptos.toml".into()), ..Sources::default() };
    let fault = Config::load(sources).unwrap_err();
    assert!(fault.to_string().contains("/nowhere/Leptos.toml"), "{fault}");
}

#[test]
fn nothing_but_the_sites_files_is_served() {
    let config = load(LEPTOS, &[], &[]).unwrap();
    let site = Site::new(config.site_root.as_deref());
    assert_eq!(site, Site::Folder("target/site".into()));
    let flags = ["--site-root", "/srv/site", "--state-dir", "/srv/site/state"];
    let fault = load(LEPTOS, &[], &flags).unwrap_err();
    assert!(matches!(fault, ConfigError::StateIsServed { .. }), "{fault}");
}

#[test]
fn state_has_a_documented_place() {
    let place = |variables: &[(&str, &str)]| default_state_directory(&Environment::of(variables));
    assert_eq!(place(&[("HOME", "/home/a")]).unwrap(), Path::new("/home/a/.local/state/rollcall"));
    assert_eq!(
        place(&[("HOME", "/home/a"), ("XDG_STATE_HOME", "/s")]).unwrap(),
        Path::new("/s/rollcall")
    );
    assert_eq!(place(&[("STATE_DIRECTORY", "/var/lib/r")]).unwrap(), Path::new("/var/lib/r"));
    assert_eq!(place(&[("XDG_STATE_HOME", "relative")]), None);
    let fault = Config::load(Sources::default()).unwrap_err();
    assert!(matches!(fault, ConfigError::NoStateDirectory), "{fault}");
}

#[test]
fn the_network_is_let_in_at_the_same_port() {
    let file = format!("{LEPTOS}site-addr = \"127.0.0.1:4001\"\n");
    assert_eq!(load(&file, &[], &["--lan"]).unwrap().leptos.site_addr.to_string(), "0.0.0.0:4001");
    let flags = ["--lan", "--addr", "[::1]:5"];
    assert_eq!(load(&file, &[], &flags).unwrap().leptos.site_addr.to_string(), "[::]:5");
}

/// Whatever is printed can be read again, and says the same.
#[test]
fn what_is_printed_is_a_file_that_says_the_same() {
    let flags = ["--addr", "[::1]:5", "--state-dir", "/a \"quoted\" place", "--env", "dev"];
    let mut config = load(LEPTOS, &[], &flags).unwrap();
    let printed = docs::file(&mut config);
    let mut read = load(&printed, &[], &[]).unwrap();
    for setting in settings::all() {
        let (written, read) =
            (setting.value(&mut config).format(), setting.value(&mut read).format());
        assert_eq!(written, read, "{}", setting.key());
    }
    assert_eq!(docs::file(&mut read), printed);
}

#[test]
fn the_help_names_every_setting_with_its_default() {
    let help = command().render_long_help().to_string();
    for setting in settings::all() {
        let default = setting.default_in_words(&mut Config::default());
        let words = [setting.key(), &setting.variable(), &format!("[default: {default}]")];
        assert!(words.iter().all(|word| help.contains(*word)), "{}", setting.key());
    }
    command().debug_assert();
}

#[test]
fn the_program_can_be_asked_about_its_settings() {
    for (flag, task) in
        [("--check-config", Task::CheckConfig), ("--print-config", Task::PrintConfig)]
    {
        let line = CommandLine::parse(["rollcall", flag], Environment::default()).unwrap();
        assert_eq!(line.task, task);
    }
    let line = CommandLine::parse(["rollcall"], Environment::default()).unwrap();
    assert_eq!(line.task, Task::Serve);
}

/// cargo-leptos reads `Cargo.toml`, the deployed server its own settings: what both say must be the same.
#[test]
fn the_build_and_the_server_agree() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let file: toml::Table = toml::from_str(&text).unwrap();
    let built = file["workspace"]["metadata"]["leptos"][0].as_table().unwrap();
    let mut defaults = Config::default();
    let mut compared = 0;
    for (key, value) in built {
        let Some(setting) = environment::find(setting::Section::Leptos, key) else { continue };
        // Without a setting it is the usual folder.
        let default = setting.value(&mut defaults).format();
        let default = default.unwrap_or_else(|| "target/site".to_owned());
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        assert_eq!(value, default, "{key}");
        compared += 1;
    }
    assert!(compared >= 5, "{compared}");
}
