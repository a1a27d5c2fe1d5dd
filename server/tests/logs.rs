//! The log of the real program: visitors are not identifiable, and a log that can't be written disturbs nobody.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "it/support/mod.rs"]
mod support;

use std::{
    fs::OpenOptions,
    io::{self, PipeReader, PipeWriter, Read, Write},
    time::Duration,
};

use rustix::io::ioctl_fionbio;
use support::process::{ServerProcess, StoppedServer};
use tokio::time::timeout;

/// How many people join while the log can't be written.
const MANY_PEOPLE: usize = 1_000;
/// Longer than the shutdown takes, with its deadline of 3 s.
const TIMEOUT: Duration = Duration::from_secs(30);

#[tokio::test]
async fn logs_contain_no_names_or_secrets_and_a_span_per_connection() {
    let server = ServerProcess::start_with("log = \"trace\"");
    let mut ana = server.connect("the-secret-room").await;
    ana.announce("Anastasia", "the-secret-tab").await;
    ana.send(r#"{"event":"rename","name":"Annabella"}"#).await;
    ana.send("no JSON, says Anastasia").await;
    server.get_with("/r/the-secret-room", &format!("Cookie: {}\r\n", ana.cookie)).await;
    let cookie = ana.cookie.clone();
    let id = ana.replica.you().unwrap();
    drop(ana);
    server.wait_until_logged("the socket ends").await;
    let log = server.log();
    let value = cookie.split_once('=').unwrap().1;
    for secret in [
        "Anastasia",
        "Annabella",
        "the-secret-room",
        "the-secret-tab",
        value,
        id.as_str(),
        "person.key",
    ] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
    let line = log.lines().find(|line| line.contains("the socket ends")).unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["span"]["name"], "connection", "{line}");
    assert!(line["span"]["number"].is_number(), "{line}");
}

#[tokio::test]
async fn server_serves_and_ends_in_order_while_nobody_reads_its_log() {
    let (_unread, full) = full_pipe();
    serves_and_ends_in_order(ServerProcess::start_with_stderr(full)).await;
}

#[tokio::test]
async fn server_serves_and_ends_in_order_while_its_log_is_on_a_full_disk() {
    let full_disk = OpenOptions::new().write(true).open("/dev/full").unwrap();
    serves_and_ends_in_order(ServerProcess::start_with_stderr(full_disk)).await;
}

#[tokio::test]
async fn server_serves_and_ends_in_order_after_the_reader_of_its_log_has_gone() {
    let (mut reader, writer) = io::pipe().unwrap();
    let server = ServerProcess::start_with_stderr(writer);
    reader.read_exact(&mut [0]).unwrap();
    drop(reader);
    serves_and_ends_in_order(server).await;
}

/// As with `2>&1`: the address is printed to the same place.
#[tokio::test]
async fn server_serves_and_ends_in_order_with_both_outputs_unusable() {
    let (_unread, full) = full_pipe();
    let server = free_address().await.start_with_outputs(full.try_clone().unwrap(), full).await;
    ends_in_order(server).await;

    let full_disk = || OpenOptions::new().write(true).open("/dev/full").unwrap();
    let server = free_address().await.start_with_outputs(full_disk(), full_disk()).await;
    ends_in_order(server).await;

    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let server = free_address().await.start_with_outputs(writer.try_clone().unwrap(), writer).await;
    ends_in_order(server).await;
}

/// As of a daemon whose parent closed everything.
#[tokio::test]
async fn server_serves_and_ends_in_order_with_both_outputs_closed() {
    ends_in_order(free_address().await.start_with_closed_outputs().await).await;
}

/// As when a disk has room again: later lines are written, and one says that others were dropped.
#[tokio::test]
async fn log_is_written_again_once_it_is_read() {
    let (mut unread, full) = full_pipe();
    let server = ServerProcess::start_with_stderr(full);
    let filler = tokio::task::spawn_blocking(move || {
        let mut log = Vec::new();
        unread.read_to_end(&mut log).unwrap();
        String::from_utf8(log).unwrap()
    });
    let mut ana = server.connect("team").await;
    ana.join("Ana").await;
    ends_in_order(server).await;
    let log = timeout(TIMEOUT, filler).await.unwrap().unwrap();
    assert!(log.contains("shutting down") && log.contains("rooms saved"), "{log}");
}

#[tokio::test]
async fn server_survives_a_limit_of_file_sizes() {
    // In units of 512 bytes or more. Without a handler, SIGXFSZ would end the process.
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", "ulimit -f 1; exec \"$0\" \"$@\""]);
    let server = ServerProcess::start_by(shell, "log = \"trace\"");
    let mut ana = server.connect("team").await;
    ana.join("Ana").await;
    assert!(server.get("/healthz").await.ends_with("ok\n"));
    let (_, status) = server.terminate().await;
    assert!(status.success(), "{status}");
}

async fn serves_and_ends_in_order(server: ServerProcess) {
    let joining = async {
        let mut people = Vec::new();
        for number in 0..MANY_PEOPLE {
            let mut client = server.connect(&format!("room-{}", number % 100)).await;
            client.join("Ana").await;
            people.push(client);
        }
        people
    };
    let people = timeout(4 * TIMEOUT, joining).await.unwrap();
    assert!(server.get("/healthz").await.ends_with("ok\n"));
    drop(people);
    ends_in_order(server).await;
}

/// SIGTERM ends the server with status 0, and it keeps its rooms.
async fn ends_in_order(server: ServerProcess) {
    let rooms_file = server.rooms_file();
    let mut kim = server.connect("team").await;
    kim.join("Kim").await;
    let (_stopped, status) = server.terminate().await;
    assert!(status.success(), "{status}");
    assert_eq!(kim.close_code().await, Some(1012));
    assert!(std::fs::read_to_string(rooms_file).unwrap().contains("Kim"));
}

/// A pipe that takes no byte more.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = io::pipe().unwrap();
    ioctl_fionbio(&writer, true).unwrap();
    while writer.write(&[b'\n'; 1024]).is_ok() {}
    while writer.write(b"\n").is_ok() {}
    // The server's end is an ordinary one.
    ioctl_fionbio(&writer, false).unwrap();
    (reader, writer)
}

/// Of a server that has run already, as standard output can't tell it.
async fn free_address() -> StoppedServer {
    let (stopped, status) = ServerProcess::start().terminate().await;
    assert!(status.success(), "{status}");
    stopped
}
