//! The budget of processor time that each address has.

use std::{net::SocketAddr, time::Duration};

use crate::support::{Site, TestServer, header};
use server::websocket::connection::ConnectionConfig;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
    time::timeout,
};

/// The time limit of every wait, so that a test that would hang fails.
const TIMEOUT: Duration = Duration::from_secs(30);

const GREEDY: [u8; 4] = [127, 0, 0, 7];
const STRANGER: [u8; 4] = [127, 0, 0, 8];

/// After a burst of so much, next to nothing is granted.
const SMALL_BUDGET: &str =
    "[limits]\nprocessor-burst-per-address = \"200ms\"\nprocessor-rate-per-address = 1";

fn server_with(limits: &str) -> TestServer {
    TestServer::start_with(limits, ConnectionConfig::default())
}

/// A whole response to a `GET` from one of loopback's many addresses. The headers end in CRLF each.
async fn get_from(host: [u8; 4], site: &Site, path: &str, headers: &str) -> String {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from((host, 0))).unwrap();
    let mut stream = socket.connect(site.address).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n",
        site.address
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    timeout(TIMEOUT, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    String::from_utf8(answer).unwrap()
}

/// Asks for pages until one is refused.
async fn use_up_budget(host: [u8; 4], site: &Site, headers: &str) -> String {
    let asking = async {
        loop {
            let answer = get_from(host, site, "/", headers).await;
            if !answer.starts_with("HTTP/1.1 200 ") {
                return answer;
            }
        }
    };
    timeout(TIMEOUT, asking).await.unwrap()
}

#[tokio::test]
async fn address_over_its_budget_gets_429_and_others_notice_nothing() {
    let server = server_with(SMALL_BUDGET);
    let refused = use_up_budget(GREEDY, &server, "").await;
    assert!(refused.starts_with("HTTP/1.1 429 "), "{refused}");
    let wait: u64 = header(&refused, "retry-after").unwrap().parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    assert!(refused.contains("more than this server can give to one"), "{refused}");
    assert_eq!(header(&refused, "x-content-type-options"), Some("nosniff"));
    // Whatever it asks for.
    for path in ["/", "/r/team", "/api/rooms/team/users", "/pkg/rollcall.js", "/r/team/socket"] {
        let answer = get_from(GREEDY, &server, path, "").await;
        assert!(answer.starts_with("HTTP/1.1 429 "), "{path}: {answer}");
    }
    // A frame, which nobody can reload, comes back by itself.
    let embed = get_from(GREEDY, &server, "/r/team/embed", "").await;
    assert!(
        embed.starts_with("HTTP/1.1 429 ") && embed.contains("http-equiv=\"refresh\""),
        "{embed}"
    );
    // A page without a socket reads why.
    let reason = get_from(GREEDY, &server, "/r/team/socket", "").await;
    assert!(reason.contains("\"code\":\"processor_rate_per_address\""), "{reason}");
    // A program with a key reads it as any other problem.
    let key = "Authorization: Bearer rollcall_key_0\r\n";
    let problem = get_from(GREEDY, &server, "/api/rooms", key).await;
    assert_eq!(header(&problem, "content-type"), Some("application/problem+json"), "{problem}");
    assert!(problem.contains("\"code\":\"processor_rate_per_address\""), "{problem}");
    // A supervisor would end a server that rejects it.
    let health = get_from(GREEDY, &server, "/healthz", "").await;
    assert!(health.starts_with("HTTP/1.1 200 "), "{health}");
    for path in ["/", "/api/rooms/team/users"] {
        let answer = get_from(STRANGER, &server, path, "").await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{path}: {answer}");
    }
    let metrics = server.operator.get("/metrics").await;
    let name = "rollcall_rejections_total{limit=\"processor_rate_per_address\"} ";
    let counted = metrics.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    assert!(counted.parse::<u32>().unwrap() >= 7, "{counted}");
    assert!(!metrics.contains("127.0.0.7"));
}

#[tokio::test]
async fn clients_behind_a_proxy_have_budgets_of_their_own() {
    let trusted = format!("{SMALL_BUDGET}\ntrusted-proxies = [\"127.0.0.0/8\"]");
    let server = server_with(&trusted);
    let from = |client: &str| format!("X-Forwarded-For: {client}\r\n");
    // Eight subnets of one line are one household.
    for subnet in 0..8 {
        use_up_budget(GREEDY, &server, &from(&format!("2001:db8::{subnet:x}:0:0:0:1"))).await;
    }
    let another = get_from(GREEDY, &server, "/", &from("2001:db8:0:8::1")).await;
    assert!(another.starts_with("HTTP/1.1 429 "), "{another}");
    for stranger in ["2001:db8:0:100::1", "192.0.2.7"] {
        let answer = get_from(GREEDY, &server, "/", &from(stranger)).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{stranger}: {answer}");
    }
}

#[tokio::test]
async fn budget_can_be_turned_off() {
    let server = server_with("[limits]\nprocessor-burst-per-address = \"0s\"");
    for _ in 0..50 {
        let answer = get_from(GREEDY, &server, "/", "").await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}
