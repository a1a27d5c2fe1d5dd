//! The settings, ports and exit statuses in the files of `deploy` must be those of this program.

use std::{collections::BTreeSet, fs, net::SocketAddr, path::Path, time::Duration};

use server::{
    config::{
        Config, Sources, all_settings, cli::command, environment::Environment, setting::Setting,
    },
    lifecycle::graceful_shutdown::DrainConfig,
};

fn shipped(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(name);
    fs::read_to_string(path).unwrap()
}

/// The rest of the line that starts with this word.
fn after<'a>(text: &'a str, word: &str) -> &'a str {
    text.lines().find_map(|line| line.trim().strip_prefix(word)).expect(word).trim()
}

#[test]
fn deploy_files_use_existing_settings_only() {
    let command = command();
    let flags: BTreeSet<_> = command.get_arguments().filter_map(clap::Arg::get_long).collect();
    let variables: BTreeSet<_> = all_settings::all().map(Setting::variable).collect();
    let mut named = 0;
    for file in [
        "Caddyfile",
        "compose.yaml",
        "Containerfile",
        "kubernetes.yaml",
        "nginx.conf",
        "rollcall.service",
        "rollcall.socket",
    ] {
        let text = shipped(file);
        let of_rollcall = text.lines().filter_map(|line| line.split_once("rollcall --"));
        for (_, words) in of_rollcall {
            for flag in
                format!("--{words}").split_whitespace().filter_map(|word| word.strip_prefix("--"))
            {
                assert!(flags.contains(flag), "{file}: --{flag}");
                named += 1;
            }
        }
        let is_in_a_name = |character: char| character.is_ascii_uppercase() || character == '_';
        for word in text.split(|character| !is_in_a_name(character)) {
            if word.starts_with("ROLLCALL_") || word.starts_with("LEPTOS_") {
                assert!(variables.contains(word), "{file}: {word}");
                named += 1;
            }
        }
    }
    assert!(named >= 25, "{named}");
}

/// An image from scratch has no shell and no user, so its paths and ids must be right.
#[test]
fn container_image_runs_the_built_program() {
    let text = shipped("Containerfile");
    let instructions: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(instructions.first(), Some(&"FROM scratch"));
    // The output of `cargo xtask dist`, and its place in the image.
    let copied: Vec<_> = after(&text, "COPY --chmod=0755").split(' ').collect();
    assert_eq!(copied, ["rollcall", "/rollcall"]);
    assert_eq!(after(&text, "ENTRYPOINT"), format!("[{:?}]", copied[1]));
    let user: Vec<u32> = after(&text, "USER").split(':').map(|id| id.parse().unwrap()).collect();
    assert!(user.len() == 2 && user.iter().all(|id| *id > 0), "{user:?}");

    let environment = instructions.join("\n").replace("ENV ", "");
    let set = |name: &str| {
        let value = after(&environment, &format!("{name}=")).trim_end_matches('\\').trim();
        (name.to_owned(), value.to_owned())
    };
    let set = ["LEPTOS_SITE_ADDR", "ROLLCALL_STATE_DIR"].map(set);
    let set: Vec<_> = set.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let environment = Environment::of(&set);
    let config = Config::load(Sources { environment, ..Sources::default() }).unwrap();
    let address: SocketAddr = config.leptos.site_addr;
    assert!(address.ip().is_unspecified());
    assert_eq!(after(&text, "EXPOSE"), address.port().to_string());
    assert_eq!(Path::new(after(&text, "VOLUME")), config.state_directory);
    assert_eq!(after(&text, "STOPSIGNAL"), "SIGTERM");
}

#[test]
fn systemd_unit_matches_shutdown_times_and_exit_statuses() {
    let unit = shipped("rollcall.service");
    let DrainConfig { delay, longest_spread, deadline } = DrainConfig::default();
    let waits = Duration::from_secs(after(&unit, "TimeoutStopSec=").parse().unwrap());
    assert!(waits > delay + longest_spread + deadline);
    // The exit statuses for wrong flags and settings, as in `--help`.
    assert_eq!(after(&unit, "RestartPreventExitStatus="), "2 78");
    let socket = shipped("rollcall.socket");
    let address = Config::default().leptos.site_addr.to_string();
    for file in [&*socket, &shipped("nginx.conf"), &shipped("Caddyfile")] {
        assert!(file.contains(&address), "{file}");
    }
}

/// The engine refuses everything else, also within a script.
#[test]
fn user_of_the_engine_may_execute_what_servers_do_and_no_more() {
    let list = shipped("valkey.acl");
    let user = after(&list, "user rollcall on");
    let may: BTreeSet<_> = user.split(' ').filter_map(|word| word.strip_prefix('+')).collect();
    let outside_of_scripts =
        "hello select ping info script|load evalsha ssubscribe sunsubscribe zrem".split(' ');
    let mut does: BTreeSet<_> = outside_of_scripts.map(str::to_owned).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cluster_redis/scripts");
    for script in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(script.unwrap().path()).unwrap();
        let calls = text.split("redis.call('").skip(1);
        does.extend(calls.map(|call| call.split('\'').next().unwrap().to_lowercase()));
    }
    assert_eq!(does.iter().map(String::as_str).collect::<BTreeSet<_>>(), may);
}
