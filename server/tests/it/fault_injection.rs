//! Faults of the environment: a stopped process, a kill during a write, an unwritable file.

use std::{fs, time::Duration};

use crate::support::{TestServer, process::ServerProcess};
use app::presence::ServerEvent;
use server::websocket::connection::ConnectionConfig;
use tokio::time::{sleep, timeout};

/// The time limit of every wait, so that a test that would hang fails.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Longer than the ping interval and timeout, so that all deadlines have passed.
const STOPPED_FOR: Duration = Duration::from_secs(16);

#[tokio::test]
async fn paused_server_keeps_connected_members() {
    let server = ServerProcess::start();
    let mut ana = server.connect("lobby").await;
    ana.join("Ana").await;
    let mut bo = server.connect("lobby").await;
    bo.join("Bo").await;
    ana.wait_for_names(&["Ana", "Bo"]).await;
    server.signal("STOP");
    // Ana sends a frame meanwhile.
    ana.send(r#"{"event":"rename","name":"Ann"}"#).await;
    let ana = tokio::spawn(async move {
        loop {
            // Reading answers pings.
            ana.event().await;
        }
    });
    sleep(STOPPED_FOR).await;
    server.signal("CONT");
    // A beat shows that a heartbeat interval has passed.
    loop {
        match bo.event().await {
            ServerEvent::Beat(beat) => {
                assert_eq!(beat.count, 2);
                break;
            }
            ServerEvent::Changes(changes) => {
                let difference = changes.difference;
                assert!(difference.disconnect_user.lost.is_empty());
                assert!(difference.user_changed.reconnecting.is_empty());
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(!ana.is_finished(), "Ana was dropped");
    bo.wait_for_names(&["Ann", "Bo"]).await;
    let mut kim = server.connect("lobby").await;
    assert_eq!(kim.join("Kim").await.count, 3);
}

/// A kill during a write leaves a partial file beside the complete one.
#[tokio::test]
async fn partially_written_rooms_file_is_ignored() {
    let server = ServerProcess::start();
    let mut ana = server.connect("lobby").await;
    ana.join("Ana").await;
    let rooms_file = server.rooms_file();
    timeout(TIMEOUT, async {
        while !fs::read_to_string(&rooms_file).unwrap_or_default().contains("Ana") {
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .unwrap();
    let stopped = server.kill();
    let half = rooms_file.with_extension("json.new");
    fs::write(&half, r#"{"version":1,"ending":"unknown","rooms":[{"name":"lob"#).unwrap();
    let server = stopped.start();
    let mut bo = server.connect("lobby").await;
    assert_eq!(bo.join("Bo").await.users[0].name.as_str(), "Ana");
    // The next save replaces it.
    let (_remains, status) = server.terminate().await;
    assert!(status.success());
    assert!(fs::read_to_string(&rooms_file).unwrap().contains("Bo"));
    assert!(!half.exists());
}

/// How often the process failed to save its rooms.
async fn write_failures(server: &TestServer) -> u64 {
    let metrics = server.operator.get("/metrics").await;
    let mut lines = metrics.lines();
    lines
        .find_map(|line| line.strip_prefix("rollcall_state_write_failures_total "))
        .unwrap()
        .parse()
        .unwrap()
}

#[tokio::test]
async fn server_that_can_not_save_rooms_keeps_serving() {
    let server = TestServer::start_with("", ConnectionConfig::default());
    // A folder of the same name makes writing fail.
    let in_the_way = server.state_directory().join("rooms.json.new");
    fs::create_dir(&in_the_way).unwrap();
    // The counter belongs to the process, and other tests run in it at the same time.
    let before = write_failures(&server).await;
    let mut ana = server.connect("lobby").await;
    ana.join("Ana").await;
    let failures = async {
        while write_failures(&server).await == before {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(TIMEOUT, failures).await.unwrap();
    let mut bo = server.connect("lobby").await;
    assert_eq!(bo.join("Bo").await.count, 2);
    ana.wait_for_names(&["Ana", "Bo"]).await;
    // The shutdown succeeds as well.
    drop((ana, bo));
    server.stop().await;
}

#[tokio::test]
async fn operator_address_answers_while_the_public_one_is_full() {
    let server = TestServer::start_with(
        "[limits]\nmax-connections = 2\nmax-connections-per-address = 0",
        ConnectionConfig::default(),
    );
    let mut ana = server.connect("lobby").await;
    ana.join("Ana").await;
    let _silent = tokio::net::TcpStream::connect(server.address).await.unwrap();
    assert!(server.get("/healthz").await.starts_with("HTTP/1.1 503 "));
    assert!(server.operator.get("/healthz").await.starts_with("HTTP/1.1 200 "));
    assert!(server.operator.get("/readyz").await.starts_with("HTTP/1.1 "));
}
