//! The command line: output and exit status.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Command, Output, Stdio},
};

use crate::support::process::{Process, first_line};

/// The program in this directory, with an empty environment.
fn rollcall(directory: &Path, flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall"));
    command.current_dir(directory).env_clear().env("HOME", directory).args(flags);
    command
}

fn output(directory: &Path, flags: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = rollcall(directory, flags).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

#[test]
fn version_help_and_configuration_are_printed() {
    let directory = tempfile::tempdir().unwrap();
    let (status, stdout, _) = output(directory.path(), &["--version"]);
    assert_eq!((status, stdout), (0, format!("rollcall {}\n", env!("CARGO_PKG_VERSION"))));
    let (status, stdout, _) = output(directory.path(), &["--help"]);
    assert!(status == 0 && stdout.contains("--max-people-per-room <NUMBER>"), "{stdout}");
    let (status, stdout, _) = output(directory.path(), &["--check-config"]);
    assert_eq!((status, stdout.as_str()), (0, "The settings are valid.\n"));
    let (status, stdout, _) = output(directory.path(), &["--print-config", "--addr", "[::1]:7"]);
    assert!(status == 0 && stdout.contains("site-addr = \"[::1]:7\"\n"), "{stdout}");
    fs::write(directory.path().join("Leptos.toml"), &stdout).unwrap();
    assert_eq!(output(directory.path(), &["--print-config"]), (0, stdout, String::new()));
    // The server was not started, so there is no state directory.
    assert!(!directory.path().join(".local").exists());
}

#[test]
fn failures_have_an_exit_status_and_a_message() {
    let directory = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let file = directory.path().join("wrong.toml");
    fs::write(&file, "[presence]\nmax-people = 7\n").unwrap();
    let file = file.to_string_lossy();
    fs::create_dir_all(directory.path().join("target/site")).unwrap();
    fs::write(directory.path().join("empty.pem"), "").unwrap();
    let cases: [(&[&str], i32, &str); 10] = [
        (&["--colour"], 2, "--colour"),
        (&["--addr", "here"], 2, "--addr"),
        (&["--addr", &address], 69, &address),
        (&["--config", &file], 78, "line 2"),
        (&["--config", &file, "--check-config"], 78, "max-people"),
        // A file is not a folder.
        (&["--state-dir", "wrong.toml/state"], 78, "wrong.toml/state"),
        // TLS needs two valid files, and a private key.
        (&["--check-config", "--tls-certificate", "a.pem"], 78, "tls-key is not"),
        (&["--check-config", "--tls-key", "a.pem"], 78, "tls-certificate is not"),
        (
            &["--tls-certificate", "empty.pem", "--tls-key", "a.pem"],
            78,
            "empty.pem, which is set as tls-cert",
        ),
        (
            &["--check-config", "--tls-certificate", "a.pem", "--tls-key", "target/site/k"],
            78,
            "target/site/k",
        ),
    ];
    for (flags, expected, word) in cases {
        let (status, stdout, stderr) = output(directory.path(), flags);
        assert_eq!((status, stdout.as_str()), (expected, ""), "{flags:?}: {stderr}");
        assert!(stderr.contains(word), "{flags:?}: {stderr}");
    }
}

#[test]
fn lan_flag_prints_the_address_of_all_interfaces() {
    let directory = tempfile::tempdir().unwrap();
    let child = rollcall(directory.path(), &["--lan", "--addr", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut process = Process(child);
    let line = first_line(process.0.stdout.take().unwrap()).expect("a line in time");
    assert!(line.starts_with("Listening on http://0.0.0.0:"), "{line}");
}

#[test]
fn logs_are_json_unless_stderr_is_a_terminal() {
    let directory = tempfile::tempdir().unwrap();
    for (format, is_json) in [("auto", true), ("json", true), ("text", false)] {
        let flags = ["--addr", "127.0.0.1:0", "--log-format", format];
        let child = rollcall(directory.path(), &flags)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut process = Process(child);
        // The first line is a warning that the site's files are missing.
        let line = first_line(process.0.stderr.take().unwrap()).expect("a line in time");
        let parsed = serde_json::from_str::<serde_json::Value>(&line);
        assert_eq!(parsed.is_ok_and(|line| line["level"] == "WARN"), is_json, "{line}");
    }
}
