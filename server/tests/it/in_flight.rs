//! Bytes in flight: what clients ask for and do not read.

use std::{net::SocketAddr, time::Duration};

use crate::support::{Site, TestServer, header};
use server::websocket::connection::ConnectionConfig;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

/// The time limit of every wait, so that a test that would hang fails.
const TIMEOUT: Duration = Duration::from_secs(30);

const GREEDY: [u8; 4] = [127, 0, 0, 7];
const STRANGER: [u8; 4] = [127, 0, 0, 8];

/// What the system keeps for one connection, as docs/capacity.md says.
#[cfg(target_os = "linux")]
const SEND_BUFFER_IN_BYTES: usize = 128 * 1024;

/// A server with a file of 1 MB, which nobody is sent who does not read.
fn server_with(limits: &str) -> TestServer {
    // No client is disconnected during a test.
    let limits = format!("[limits]\nwrite-timeout = 0\nrequest-timeout = 0\n{limits}");
    let server = TestServer::start_with(&limits, ConnectionConfig::default());
    let site = server.state_directory().with_file_name("site");
    std::fs::write(site.join("pkg/big.bin"), vec![7; 1_000_000]).unwrap();
    server
}

/// Asks from one of loopback's many addresses, and reads nothing.
async fn ask(host: [u8; 4], site: &Site, path: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    socket.bind(SocketAddr::from((host, 0))).unwrap();
    let mut stream = socket.connect(site.address).await.unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", site.address);
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

async fn get_from(host: [u8; 4], site: &Site, path: &str) -> String {
    let mut stream = ask(host, site, path).await;
    let mut answer = Vec::new();
    timeout(TIMEOUT, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    String::from_utf8(answer).unwrap()
}

/// The metric.
async fn bytes_in_flight(server: &TestServer) -> usize {
    let metrics = server.operator.get("/metrics").await;
    let mut lines = metrics.lines();
    let value = lines.find_map(|line| line.strip_prefix("rollcall_bytes_in_flight "));
    value.unwrap().parse().unwrap()
}

async fn wait_for_bytes(server: &TestServer, is_reached: impl Fn(usize) -> bool) {
    let waiting = async { while !is_reached(bytes_in_flight(server).await) {} };
    timeout(TIMEOUT, waiting).await.unwrap();
}

/// What the system keeps of all that the server has sent: the column `tx_queue`.
#[cfg(target_os = "linux")]
fn kept_by_the_system(server: &TestServer) -> Vec<usize> {
    let port = format!(":{:04X}", server.address.port());
    let table = std::fs::read_to_string("/proc/self/net/tcp").unwrap();
    let rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let of_the_server = rows.filter(|row| row[1].ends_with(&port) && row[3] == "01");
    of_the_server
        .map(|row| usize::from_str_radix(row[4].split_once(':').unwrap().0, 16).unwrap())
        .collect()
}

/// F04: 46 KB of requests parked 1 GiB in the kernel, and no metric showed it.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn connection_that_reads_nothing_keeps_little_in_the_system() {
    let server = server_with("");
    let mut deaf = Vec::new();
    for _ in 0..20 {
        deaf.push(ask(GREEDY, &server, "/pkg/big.bin").await);
    }
    for stream in &deaf {
        timeout(TIMEOUT, stream.readable()).await.unwrap().unwrap();
    }
    // Every one of them is seen: 16 KiB of each are not counted.
    wait_for_bytes(&server, |bytes| bytes >= 20 * 64 * 1024).await;
    let kept = kept_by_the_system(&server);
    // The table may change while it is read.
    assert!(kept.len() >= 10, "{kept:?}");
    assert!(kept.iter().all(|bytes| *bytes <= SEND_BUFFER_IN_BYTES), "{kept:?}");
    let counted = bytes_in_flight(&server).await + kept.len() * 16 * 1024;
    assert!(kept.iter().sum::<usize>() <= counted, "{kept:?}, {counted}");
    drop(deaf);
    wait_for_bytes(&server, |bytes| bytes == 0).await;
}

#[tokio::test]
async fn address_that_reads_nothing_gets_429_and_others_notice_nothing() {
    let server = server_with("max-bytes-in-flight-per-address = 1000000");
    let mut deaf = Vec::new();
    for _ in 0..40 {
        deaf.push(ask(GREEDY, &server, "/pkg/big.bin").await);
    }
    wait_for_bytes(&server, |bytes| bytes >= 1_000_000).await;
    let refused = get_from(GREEDY, &server, "/").await;
    assert!(refused.starts_with("HTTP/1.1 429 "), "{refused}");
    assert_eq!(header(&refused, "retry-after"), Some("5"));
    assert!(refused.contains("receives too slowly"), "{refused}");
    // Above its share it is handed 16 KiB at a time.
    #[cfg(target_os = "linux")]
    assert!(kept_by_the_system(&server).iter().sum::<usize>() <= 1_000_000 + 40 * 16 * 1024);
    let health = get_from(GREEDY, &server, "/healthz").await;
    assert!(health.starts_with("HTTP/1.1 200 "), "{health}");
    for path in ["/", "/api/rooms/team/users"] {
        let answer = get_from(STRANGER, &server, path).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{path}: {answer}");
    }
    // Who reads gets all of it, however little is handed over at a time.
    let mut reader = deaf.swap_remove(0);
    let mut whole = Vec::new();
    timeout(TIMEOUT, reader.read_to_end(&mut whole)).await.unwrap().unwrap();
    assert!(whole.ends_with(&vec![7; 1_000_000]) || whole.starts_with(b"HTTP/1.1 429 "));
    drop(deaf);
    wait_for_bytes(&server, |bytes| bytes < 1_000_000).await;
    let answer = get_from(GREEDY, &server, "/").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}
