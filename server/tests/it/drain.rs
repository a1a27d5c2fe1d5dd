//! Shutdown: its order and its time limits.

use crate::support::{TestServer, process::ServerProcess};
use server::websocket::connection::ConnectionConfig;
use tokio::{io::AsyncWriteExt, net::TcpStream};

#[tokio::test]
async fn readyz_fails_before_sockets_are_closed() {
    let server = TestServer::start_with("drain-delay = \"2s\"", ConnectionConfig::default());
    let mut ana = server.connect("lobby").await;
    ana.announce("Ana", "t").await;
    let operator = server.operator.address;
    let address = server.address;
    let ending = tokio::spawn(server.stop());
    // `/readyz` fails as soon as the shutdown starts.
    let not_ready = loop {
        let answer = crate::support::Site { address: operator }.get("/readyz").await;
        if !answer.starts_with("HTTP/1.1 200 ") {
            break answer;
        }
    };
    assert!(not_ready.starts_with("HTTP/1.1 503 "), "{not_ready}");
    assert!(not_ready.contains("the server is shutting down"), "{not_ready}");
    // New connections are still accepted, and closed with 1012 like the others.
    let mut bo = crate::support::Site { address }.connect("lobby").await;
    bo.announce("Bo", "t").await;
    ana.wait_for_names(&["Ana", "Bo"]).await;
    for client in [&mut ana, &mut bo] {
        assert_eq!(client.close_code().await, Some(1012));
    }
    ending.await.unwrap();
    TcpStream::connect(address).await.unwrap_err();
}

/// On the public address and on the operator's.
#[tokio::test]
async fn unfinished_requests_do_not_delay_the_shutdown() {
    let server = TestServer::start_with("drain-deadline = \"1s\"", ConnectionConfig::default());
    let mut ana = server.connect("lobby").await;
    ana.announce("Ana", "t").await;
    let mut halves = Vec::new();
    for address in [server.address, server.operator.address] {
        for half in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: half\r\n"] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(half.as_bytes()).await.unwrap();
            halves.push(stream);
        }
    }
    let state = server.state_directory();
    let rooms = state.join("rooms.json");
    let kept =
        tokio::spawn(
            async move { server.stop_then(|| std::fs::read_to_string(&rooms).unwrap()).await },
        );
    assert_eq!(ana.close_code().await, Some(1012));
    let kept = kept.await.unwrap();
    assert!(kept.contains("\"in_order\"") && kept.contains("\"Ana\""), "{kept}");
    drop(halves);
}

/// Signals are handled by the real program only.
#[cfg(unix)]
#[tokio::test]
async fn second_signal_ends_the_server_at_once() {
    let server = ServerProcess::start_with("drain-delay = \"1h\"");
    let mut ana = server.connect("lobby").await;
    ana.announce("Ana", "t").await;
    server.signal("TERM");
    // This line proves that the first signal was handled.
    server.wait_until_logged("shutting down").await;
    server.signal("INT");
    let (_, status) = server.ended().await;
    assert_eq!(status.code(), Some(1));
    assert_eq!(ana.close_code().await, None);
}
