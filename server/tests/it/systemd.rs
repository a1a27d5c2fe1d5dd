//! The real program under a service manager like systemd: it uses a passed socket, and notifies when it is
//! ready.

#![cfg(unix)]

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    os::{fd::OwnedFd, unix::net::UnixDatagram},
    process::{Command, Stdio},
    time::Duration,
};

use crate::support::process::Process;

/// The time limit of every wait, so that a test that would hang fails.
const TIMEOUT: Option<Duration> = Some(Duration::from_secs(30));

/// A shell script that runs the program with standard input as the first passed socket.
const HAND_OVER: &str = r#"exec 3<&0 0</dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" "$@""#;

fn received(socket: &UnixDatagram) -> String {
    let mut buffer = [0; 64];
    let length = socket.recv(&mut buffer).expect("a notification in time");
    String::from_utf8(buffer[..length].to_vec()).unwrap()
}

#[tokio::test]
async fn server_uses_the_passed_socket_and_notifies_systemd() {
    let directory = tempfile::tempdir().unwrap();
    let notified = UnixDatagram::bind(directory.path().join("notify")).unwrap();
    notified.set_read_timeout(TIMEOUT).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let child = Command::new("sh")
        .args(["-c", HAND_OVER, env!("CARGO_BIN_EXE_rollcall")])
        // An address that it can't listen on.
        .args(["--addr", "192.0.2.1:1", "--operator-addr", "off"])
        .current_dir(directory.path())
        .env("NOTIFY_SOCKET", directory.path().join("notify"))
        .env("STATE_DIRECTORY", directory.path().join("state"))
        .stdin(Stdio::from(OwnedFd::from(listener)))
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(directory.path().join("log")).unwrap())
        .spawn()
        .unwrap();
    let mut process = Process(child);
    assert_eq!(received(&notified), "READY=1");
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(TIMEOUT).unwrap();
    write!(stream, "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("\r\n\r\nok\n"), "{answer}");
    let kill = format!("kill -TERM {}", process.0.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    assert_eq!(received(&notified), "STOPPING=1");
    assert!(process.ended().await.success());
    let log = std::fs::read_to_string(directory.path().join("log")).unwrap();
    assert!(log.contains("so --addr has no effect"), "{log}");
}
