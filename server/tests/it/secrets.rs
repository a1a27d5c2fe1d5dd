//! Secrets that others can read, or that are no secrets: the server does not start with them.

#![cfg(unix)]

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use crate::support::{
    create_private_directory, key,
    process::{Process, first_line},
    write_secret,
};

/// The status of a configuration that has to be changed (sysexits.h).
const CONFIG: i32 = 78;

fn change_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Both the check and the start fail with this status and a sentence that contains these words.
fn is_refused(directory: &Path, flags: &[&str], words: &[&str]) {
    for check in [&["--check-config"][..], &[]] {
        let output = Command::new(env!("CARGO_BIN_EXE_rollcall"))
            .current_dir(directory)
            .env_clear()
            .env("HOME", directory)
            .args(["--addr", "127.0.0.1:0", "--operator-addr", "127.0.0.1:0"])
            .args(["--state-dir", "state"])
            .args([check, flags].concat())
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(CONFIG), "{words:?}: {stderr}");
        assert_eq!(output.stdout, b"", "{words:?}");
        let last = stderr.lines().last().unwrap();
        for word in words {
            assert!(last.contains(word), "{word}: {stderr}");
        }
    }
}

/// A directory with valid secrets in `state`.
fn with_secrets() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state");
    create_private_directory(&state);
    write_secret(&state.join("person.key"), key(1));
    write_secret(&state.join("operator.token"), "0123456789abcdef0123456789abcdef");
    write_secret(&state.join("api-keys.json"), r#"{"version":1,"keys":[]}"#);
    directory
}

#[test]
fn secret_of_the_state_directory_that_others_can_read_is_refused() {
    for (file, mode) in [
        ("person.key", 0o644),
        ("person.key", 0o640),
        ("operator.token", 0o604),
        ("api-keys.json", 0o640),
    ] {
        let directory = with_secrets();
        change_mode(&directory.path().join("state").join(file), mode);
        let advice = format!("run `chmod 600 state/{file}`");
        is_refused(directory.path(), &[], &[&advice, &format!("(mode {mode:04o})")]);
    }
}

#[test]
fn state_directory_that_others_can_write_to_is_refused() {
    for mode in [0o777, 0o1777, 0o770] {
        let directory = with_secrets();
        change_mode(&directory.path().join("state"), mode);
        is_refused(
            directory.path(),
            &[],
            &["run `chmod 700 state`", &format!("(mode {mode:04o})")],
        );
    }
}

#[test]
fn key_and_token_that_can_be_guessed_are_refused() {
    let descending: Vec<u8> = (0..64).map(|number| 255 - number).collect();
    for pattern in [&[0; 64][..], &[b'k'; 64], &b"rollcall".repeat(8), &descending] {
        let directory = with_secrets();
        write_secret(&directory.path().join("state/person.key"), pattern);
        is_refused(directory.path(), &[], &["state/person.key", "follows a pattern", "remove it"]);
        write_secret(&directory.path().join("given.key"), pattern);
        let given = ["--person-key-file", "given.key"];
        is_refused(directory.path(), &given, &["given.key", "person-key-file", "/dev/urandom"]);
    }
    for token in ["a", "rollcall", "aaaaaaaaaaaaaaaaaaaaaaaa"] {
        let directory = with_secrets();
        write_secret(&directory.path().join("state/operator.token"), token);
        is_refused(directory.path(), &[], &["state/operator.token", "16 characters", "remove it"]);
    }
}

/// A group may have access, as for the secrets of a container; the others may not.
#[test]
fn given_secret_that_all_users_can_read_is_refused() {
    let directory = with_secrets();
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::write(path("certificate.pem"), made.cert.pem()).unwrap();
    write_secret(&path("key.pem"), made.signing_key.serialize_pem());
    write_secret(&path("given.key"), key(2));
    write_secret(&path("password"), "of the engine");
    let tls = ["--tls-certificate", "certificate.pem", "--tls-key", "key.pem"];
    let given = ["--person-key-file", "given.key"];
    let engine = [
        &given[..],
        &["--cluster-engine", "redis://127.0.0.1:1", "--cluster-password-file", "password"],
    ]
    .concat();
    for (file, setting, flags) in [
        ("given.key", "person-key-file", &given[..]),
        ("key.pem", "tls-key", &tls),
        ("password", "cluster-password-file", &engine),
    ] {
        for mode in [0o644, 0o606] {
            change_mode(&path(file), mode);
            let advice = format!("run `chmod o= {file}`");
            is_refused(directory.path(), flags, &[&advice, &format!("set as {setting}")]);
        }
        change_mode(&path(file), 0o640);
        let check = Command::new(env!("CARGO_BIN_EXE_rollcall"))
            .current_dir(directory.path())
            .env_clear()
            .args(["--check-config", "--state-dir", "state"])
            .args(flags)
            .output()
            .unwrap();
        assert!(check.status.success(), "{check:?}");
    }
}

#[test]
fn state_directory_and_its_files_are_made_for_the_servers_user_alone() {
    let home = tempfile::tempdir().unwrap();
    // Whatever the umask, and whatever is missing above the directory.
    let flags = "--addr 127.0.0.1:0 --operator-addr 127.0.0.1:0";
    let child = Command::new("sh")
        .args(["-c", &format!("umask 000; exec \"$0\" {flags}"), env!("CARGO_BIN_EXE_rollcall")])
        .current_dir(home.path())
        .env_clear()
        .env("HOME", home.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut process = Process(child);
    first_line(process.0.stdout.take().unwrap()).expect("a line in time");
    let mode = |name: &str| {
        let found = fs::metadata(home.path().join(name)).unwrap();
        found.permissions().mode() & 0o777
    };
    for name in [".local", ".local/state", ".local/state/rollcall"] {
        assert_eq!(mode(name), 0o700, "{name}");
    }
    for name in ["lock", "person.key", "operator.token"] {
        assert_eq!(mode(&format!(".local/state/rollcall/{name}")), 0o600, "{name}");
    }
}
