//! The command line: output and exit status.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Command, Output, Stdio},
};

use crate::support::{
    TestServer, create_private_directory, key,
    process::{Process, first_line},
    write_secret,
};

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
    let cases: [(&[&str], i32, &str); 11] = [
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
        // Visitors could download it.
        (&["--person-key-file", "target/site/k"], 78, "person-key-file, is inside site-root"),
    ];
    for (flags, expected, word) in cases {
        let (status, stdout, stderr) = output(directory.path(), flags);
        assert_eq!((status, stdout.as_str()), (expected, ""), "{flags:?}: {stderr}");
        assert!(stderr.contains(word), "{flags:?}: {stderr}");
    }
}

#[test]
fn check_refuses_what_the_start_would_refuse() {
    let directory = tempfile::tempdir().unwrap();
    write_secret(&directory.path().join("file"), "not 64 bytes");
    for folder in ["short", "empty"] {
        create_private_directory(&directory.path().join(folder));
    }
    write_secret(&directory.path().join("short/person.key"), "not 64 bytes");
    write_secret(&directory.path().join("empty/operator.token"), "");
    let cases: [(&[&str], i32, &str); 8] = [
        (&["--state-dir", "file"], 78, "file/person.key"),
        (&["--state-dir", "file/state"], 78, "file/state/person.key"),
        (&["--state-dir", "short"], 78, "short/person.key"),
        (&["--state-dir", "empty", "--operator-addr", "127.0.0.1:0"], 78, "empty/operator.token"),
        (&["--person-key-file", "file"], 78, "person-key-file"),
        (&["--addr", "127.0.0.1:1", "--operator-addr", "127.0.0.1:1"], 78, "--operator-addr off"),
        // An address for documentation (RFC 5737), which no machine has.
        (&["--addr", "192.0.2.1:0"], 69, "not an address of this machine"),
        (&["--addr", "127.0.0.1:0", "--operator-addr", "192.0.2.1:1"], 69, "with --operator-addr"),
    ];
    for (flags, expected, word) in cases {
        let check = [&["--check-config"], flags].concat();
        for (status, stdout, stderr) in
            [output(directory.path(), &check), output(directory.path(), flags)]
        {
            // A start prints its address last.
            assert_eq!((status, stdout.as_str()), (expected, ""), "{flags:?}: {stderr}");
            assert!(stderr.contains(word), "{flags:?}: {stderr}");
        }
    }
}

#[test]
fn check_warns_of_a_doubtful_operators_listener_and_leaves_no_file() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir_all(directory.path().join("target/site/pkg")).unwrap();
    for kind in ["js", "wasm", "css"] {
        fs::write(directory.path().join(format!("target/site/pkg/rollcall.{kind}")), "").unwrap();
    }
    let cases: [(&[&str], &str); 4] = [
        (&[], ""),
        (&["--operator-addr", "off"], ""),
        (&["--operator-addr", "0.0.0.0:3002"], "Other machines may reach"),
        (&["--addr", "127.0.0.1:3002"], "operator's listener is disabled"),
    ];
    for (flags, warning) in cases {
        let check = [&["--check-config", "--state-dir", "a/b/state"], flags].concat();
        let (status, stdout, stderr) = output(directory.path(), &check);
        assert_eq!((status, &*stdout), (0, "The settings are valid.\n"), "{stderr}");
        assert!(stderr.contains(warning) && warning.is_empty() == stderr.is_empty(), "{stderr}");
        assert!(!directory.path().join("a").exists());
    }
}

/// A page without its script shows nothing live, and nobody would be told.
#[test]
fn site_files_of_another_name_are_refused_and_a_missing_site_is_a_warning() {
    let directory = tempfile::tempdir().unwrap();
    let check = |flags: &[&str]| output(directory.path(), &[&["--check-config"], flags].concat());
    let valid = "The settings are valid.\n";
    let (status, stdout, stderr) = check(&["--site-root", "nowhere"]);
    assert_eq!((status, &*stdout), (0, valid));
    assert!(
        stderr.contains("files are not in nowhere") && stderr.contains("site-root"),
        "{stderr}"
    );
    fs::create_dir_all(directory.path().join("site/pkg")).unwrap();
    for file in ["rollcall.1.js", "rollcall.2.wasm", "rollcall.3.css"] {
        fs::write(directory.path().join("site/pkg").join(file), "").unwrap();
    }
    for flags in [&["--site-root", "site"][..], &["--site-root", "site", "--hash-files"]] {
        assert_eq!(check(flags), (0, valid.to_owned(), String::new()));
    }
    let flags = ["--site-root", "site", "--output-name", "other"];
    for (status, stdout, stderr) in [check(&flags), output(directory.path(), &flags)] {
        assert_eq!((status, &*stdout), (78, ""));
        assert!(stderr.contains("site/pkg/other.js") && stderr.contains("output-name"), "{stderr}");
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

#[tokio::test]
async fn link_of_a_host_is_printed_from_the_settings() {
    let directory = tempfile::tempdir().unwrap();
    let url = ["--public-url", "https://host.example/rollcall"];
    let link =
        |flags: &[&str], room| output(directory.path(), &[flags, &["host-link", room]].concat());
    let (status, stdout, stderr) = link(&[], "team");
    assert!((status, &*stdout) == (78, "") && stderr.contains("set public-url"), "{stderr}");
    // A key that no server has would make invalid links.
    let (status, stdout, stderr) = link(&url, "team");
    assert!((status, &*stdout) == (78, "") && stderr.contains("There is no key in"), "{stderr}");
    assert!(!directory.path().join(".local").exists());
    let (status, _, stderr) = link(&url, "Not a room");
    assert!(status == 2 && stderr.contains("A room name"), "{stderr}");

    let key_file = directory.path().join("key");
    write_secret(&key_file, key(7));
    let key_file = key_file.to_string_lossy();
    let with_key = [&url[..], &["--person-key-file", &key_file]].concat();
    let (status, stdout, stderr) = link(&with_key, "team");
    let secret = stdout.strip_prefix("https://host.example/rollcall/r/team#host=").unwrap().trim();
    assert_eq!((status, secret.len()), (0, 32), "{stdout}{stderr}");
    assert_ne!(link(&with_key, "team-2").1, stdout);
    // The servers of these tests have this key.
    let host = TestServer::start().post("/r/team/host", "", &format!("secret={secret}")).await;
    assert!(host.starts_with("HTTP/1.1 204 "), "{host}");
    let state = directory.path().join("state");
    create_private_directory(&state);
    write_secret(&state.join("person.key"), key(7));
    let with_state = [&url[..], &["--state-dir", "state"]].concat();
    assert_eq!(link(&with_state, "team").1, stdout);
    assert_eq!(fs::read_dir(&state).unwrap().count(), 1);
}
