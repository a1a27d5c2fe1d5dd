//! What only helps fails or blocks, one at a time: visitors notice nothing, and the stop stays in order.

#![cfg(unix)]

use std::{fs, os::unix::net::UnixDatagram, path::Path, process::Command};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{
    Client, Site,
    process::{ServerProcess, StoppedServer},
    tls::{Browser, Certificates, close_code, join},
};

/// Somebody joins and sees the list; the page is served.
async fn visit(site: &Site) -> Client {
    let mut ana = site.connect("team").await;
    ana.join("Ana").await;
    let page = site.get("/r/team").await;
    assert!(page.starts_with("HTTP/1.1 200 ") && page.contains("Ana"), "{page}");
    ana
}

/// SIGTERM closes sockets with 1012, and ends the server with status 0.
async fn stop_in_order(server: ServerProcess, mut visitor: Client) -> StoppedServer {
    let ending = tokio::spawn(server.terminate());
    assert_eq!(visitor.close_code().await, Some(1012));
    let (stopped, status) = ending.await.unwrap();
    assert!(status.success(), "{status}");
    stopped
}

/// How often the rooms file could not be written, by the operator's metrics.
async fn write_failures(operator: &Site) -> u64 {
    let metrics = operator.get("/metrics").await;
    let value =
        metrics.lines().find_map(|line| line.strip_prefix("rollcall_state_write_failures_total "));
    value.unwrap().parse().unwrap()
}

fn make_pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[tokio::test]
async fn state_directory_that_becomes_a_file_is_reported_once_a_minute_and_disturbs_nobody() {
    let server = ServerProcess::start_with("operator-addr = \"127.0.0.1:0\"");
    let operator = server.operator().await;
    let directory = server.rooms_file().parent().unwrap().to_owned();
    server.remove_state_directory();
    fs::write(&directory, "in the way").unwrap();
    let ana = visit(&server).await;
    while write_failures(&operator).await < 2 {
        tokio::task::yield_now().await;
    }
    let _bo = visit(&server).await;
    let log = stop_in_order(server, ana).await.log();
    assert_eq!(log.matches("the rooms file can't be written").count(), 1, "{log}");
    assert!(log.contains("the rooms were not saved"), "{log}");
}

/// As when the disk has no room for one byte more.
#[tokio::test]
async fn rooms_file_that_can_not_grow_leaves_the_last_one_and_disturbs_nobody() {
    let mut shell = Command::new("sh");
    // In units of 512 bytes or more: the files that the start makes are smaller, and the log is off.
    shell.args(["-c", "ulimit -f 2; exec \"$0\" \"$@\""]);
    let server = ServerProcess::start_by(shell, "log = \"off\"\noperator-addr = \"127.0.0.1:0\"");
    let mut ana = visit(&server).await;
    while !fs::read_to_string(server.rooms_file()).is_ok_and(|text| text.contains("\"Ana\"")) {
        tokio::task::yield_now().await;
    }
    let mut people = Vec::new();
    for number in 0..20 {
        let mut client = server.connect(&format!("room-{number}")).await;
        client.join("Bo").await;
        people.push(client);
    }
    ana.send(r#"{"event":"rename","name":"Ann"}"#).await;
    ana.wait_for_names(&["Ann"]).await;
    let file = server.rooms_file();
    let _stopped = stop_in_order(server, ana).await;
    let kept = fs::read_to_string(file).unwrap();
    assert!(kept.contains("\"Ana\"") && kept.ends_with('}'), "{kept}");
}

/// As on a disk that is full or can only be read.
#[tokio::test]
async fn token_that_can_not_be_written_disables_the_operators_listener_alone() {
    let server = ServerProcess::start_with("operator-addr = \"off\"");
    let directory = server.rooms_file().parent().unwrap().to_owned();
    let (stopped, _) = server.terminate().await;
    fs::create_dir(directory.join("operator.token.new")).unwrap();
    let server = stopped.start();
    let ana = visit(&server).await;
    let stopped = stop_in_order(server, ana).await;
    let log = stopped.log();
    assert!(log.contains("The operator's listener is disabled."), "{log}");
}

/// As on a network file system that hangs.
#[tokio::test]
async fn certificate_that_can_not_be_read_to_its_end_holds_up_neither_visitors_nor_the_stop() {
    let certificates = Certificates::new();
    let browser = Browser::that_trusts(certificates.make());
    let server = ServerProcess::start_with(&certificates.settings());
    fs::remove_file(certificates.path("key.pem")).unwrap();
    make_pipe(&certificates.path("key.pem"));
    server.signal("HUP");
    // The pipe opens for writing once the server waits for its content.
    let key = certificates.path("key.pem");
    let writer = tokio::task::spawn_blocking(move || fs::File::create(key).unwrap());
    let _writer = writer.await.unwrap();
    let mut ana = browser.open_socket(&server, &[]).await.unwrap();
    join(&mut ana, "Ana").await;
    assert!(browser.get(&server, "/r/team").await.starts_with("HTTP/1.1 200 "));
    let ending = tokio::spawn(server.terminate());
    assert_eq!(close_code(&mut ana).await, 1012);
    drop(ana);
    let (_, status) = ending.await.unwrap();
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn service_manager_that_does_not_read_holds_up_nothing_and_is_told_later() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let listening = UnixDatagram::bind(&path).unwrap();
    let filler = UnixDatagram::unbound().unwrap();
    filler.set_nonblocking(true).unwrap();
    let mut datagrams = 0;
    while filler.send_to(b"filler", &path).is_ok() {
        datagrams += 1;
    }
    let mut program = Command::new("env");
    program.arg(format!("NOTIFY_SOCKET={}", path.display()));
    let server = ServerProcess::start_by(program, "");
    let ana = visit(&server).await;
    let received = tokio::task::spawn_blocking(move || {
        let mut buffer = [0; 64];
        for _ in 0..datagrams {
            assert_eq!(listening.recv(&mut buffer).unwrap(), "filler".len());
        }
        listening.set_read_timeout(Some(std::time::Duration::from_secs(30))).unwrap();
        let length = listening.recv(&mut buffer).unwrap();
        (String::from_utf8_lossy(&buffer[..length]).into_owned(), listening)
    });
    let (state, listening) = received.await.unwrap();
    assert_eq!(state, "READY=1");
    // Gone, as after a restart of the manager.
    drop(listening);
    stop_in_order(server, ana).await;
}

/// Whether a request is answered with 200; a connection that is cut counts as none.
async fn is_served(site: &Site) -> bool {
    let mut answer = Vec::new();
    if let Ok(mut stream) = TcpStream::connect(site.address).await {
        let request = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        let _ = stream.write_all(request).await;
        let _ = stream.read_to_end(&mut answer).await;
    }
    answer.starts_with(b"HTTP/1.1 200 ")
}

/// The log is for the operator, and strangers come and go.
#[tokio::test]
async fn lack_of_files_that_comes_and_goes_is_reported_once_a_minute() {
    let server = ServerProcess::start();
    // It has opened all files that it needs.
    while !is_served(&server).await {}
    for _ in 0..5 {
        // Visitors can't cause it: their connections are limited by the files that there are.
        server.limit_open_files(3);
        let connecting = (0..10).map(|_| TcpStream::connect(server.address));
        let connected = futures_util::future::join_all(connecting).await;
        server.wait_until_logged("connections can't be accepted").await;
        drop(connected);
        server.limit_open_files(1_000);
        while !is_served(&server).await {}
    }
    assert_eq!(server.log().matches("connections can't be accepted").count(), 1);
}

/// The connections of programs that ask for metrics and read nothing.
#[tokio::test]
async fn unread_metrics_hold_up_neither_visitors_nor_the_stop() {
    let server = ServerProcess::start_with("operator-addr = \"127.0.0.1:0\"");
    let operator = server.operator().await;
    let mut unread = Vec::new();
    for _ in 0..100 {
        unread.push(operator.open("/metrics").await);
    }
    let ana = visit(&server).await;
    stop_in_order(server, ana).await;
}
