//! Admission: origins, limits and timeouts of connections and sockets.

use std::{net::SocketAddr, time::Duration};

use crate::support::{Site, TestServer, client::Client, header, process::ServerProcess};
use app::presence::PresenceState;
use server::websocket::connection::ConnectionConfig;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::{sleep, timeout},
};

/// The time limit of every wait, so that a test that would hang fails.
const TIMEOUT: Duration = Duration::from_secs(30);

fn server_with(limits: &str) -> TestServer {
    TestServer::start_with(&format!("[limits]\n{limits}"), ConnectionConfig::default())
}

/// A connection from one of loopback's many addresses.
async fn connect_from(host: [u8; 4], site: &Site) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from((host, 0))).unwrap();
    socket.connect(site.address).await.unwrap()
}

const LOCALHOST: [u8; 4] = [127, 0, 0, 1];
const ANOTHER_HOST: [u8; 4] = [127, 0, 0, 2];

fn socket_request(site: &Site, room: &str, headers: &str) -> String {
    format!(
        "GET /r/{room}/socket HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n",
        site.address
    )
}

/// Requests a WebSocket, and returns the connection and the response's head.
async fn ask_for_socket(
    site: &Site,
    host: [u8; 4],
    room: &str,
    headers: &str,
) -> (TcpStream, String) {
    let mut stream = connect_from(host, site).await;
    stream.write_all(socket_request(site, room, headers).as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(TIMEOUT, stream.read_u8()).await.unwrap().unwrap());
    }
    (stream, String::from_utf8(head).unwrap())
}

/// A WebSocket, which must be accepted.
async fn open_socket(site: &Site, host: [u8; 4], room: &str, headers: &str) -> TcpStream {
    let (stream, head) = ask_for_socket(site, host, room, headers).await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    stream
}

/// The rest of a response whose connection is closed after it.
async fn rest(mut stream: TcpStream) -> String {
    let mut rest = Vec::new();
    timeout(TIMEOUT, stream.read_to_end(&mut rest)).await.unwrap().unwrap();
    String::from_utf8(rest).unwrap()
}

fn is_refused(head: &str, status: u16) -> bool {
    head.starts_with(&format!("HTTP/1.1 {status} ")) && head.contains("\r\nretry-after: ")
}

/// Retries until a WebSocket is accepted: the end of another one is noticed with a delay.
async fn open_socket_in_time(site: &Site, host: [u8; 4], room: &str) -> TcpStream {
    let asking = async {
        loop {
            let (stream, head) = ask_for_socket(site, host, room, "").await;
            if head.starts_with("HTTP/1.1 101 ") {
                return stream;
            }
        }
    };
    timeout(TIMEOUT, asking).await.unwrap()
}

#[tokio::test]
async fn sockets_are_refused_for_pages_of_other_origins() {
    let server = server_with("allowed-origins = [\"https://friend.test\"]");
    let own = format!("Origin: http://{}\r\n", server.address);
    for headers in ["", &own, "Origin: https://friend.test\r\nSec-Fetch-Site: cross-site\r\n"] {
        open_socket(&server, LOCALHOST, "lobby", headers).await;
    }
    for headers in [
        "Origin: https://evil.test\r\n",
        "Origin: null\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        &format!("{own}Sec-Fetch-Site: same-site\r\n"),
    ] {
        let headers = format!("{headers}Connection: close\r\n");
        let (stream, head) = ask_for_socket(&server, LOCALHOST, "lobby", &headers).await;
        assert!(head.starts_with("HTTP/1.1 403 "), "{headers}: {head}");
        assert!(!head.contains("set-cookie"), "{head}");
        assert!(rest(stream).await.contains("for the pages of this site"));
    }
}

#[tokio::test]
async fn public_url_is_the_accepted_origin_behind_a_proxy() {
    let server = TestServer::start_with(
        "public-url = \"https://roll.example\"",
        ConnectionConfig::default(),
    );
    open_socket(&server, LOCALHOST, "lobby", "Origin: https://roll.example\r\n").await;
    let (_, head) =
        ask_for_socket(&server, LOCALHOST, "lobby", "Origin: http://roll.example\r\n").await;
    assert!(head.starts_with("HTTP/1.1 403 "), "{head}");
    let page = server.get("/").await;
    assert!(page.contains("\r\nstrict-transport-security: "), "{page}");
    // The cookie identifies the person on the socket, and is for HTTPS only.
    let (_, cookie) = page.split_once("\r\nset-cookie: ").unwrap();
    let cookie = cookie.lines().next().unwrap();
    assert!(cookie.starts_with("__Host-rollcall_person=") && cookie.contains("; Secure"));
    let own = cookie.split(';').next().unwrap();
    let first = server.connect_as("lobby", Some(own)).await.join("Ana").await.you;
    assert_eq!(server.connect_as("lobby", Some(own)).await.watch().await.you, first);
}

#[tokio::test]
async fn missing_origin_is_refused_if_configured() {
    let server = server_with("require-origin = true");
    let (_, head) = ask_for_socket(&server, LOCALHOST, "lobby", "").await;
    assert!(head.starts_with("HTTP/1.1 403 "), "{head}");
}

#[tokio::test]
async fn socket_limit_per_address_does_not_affect_other_addresses() {
    let server = server_with("max-sockets-per-address = 2");
    let first = open_socket(&server, LOCALHOST, "one", "").await;
    let _second = open_socket(&server, LOCALHOST, "two", "").await;
    let (_, head) = ask_for_socket(&server, LOCALHOST, "one", "").await;
    assert!(is_refused(&head, 429), "{head}");
    // An event stream counts as a socket, a page does not.
    assert!(is_refused(&server.get("/api/rooms/one/events").await, 429));
    assert!(server.get("/r/one").await.starts_with("HTTP/1.1 200 "));
    open_socket(&server, ANOTHER_HOST, "one", "").await;
    drop(first);
    open_socket_in_time(&server, LOCALHOST, "one").await;
}

#[tokio::test]
async fn socket_rate_per_address_is_limited() {
    let server = server_with("socket-burst-per-address = 3\nsocket-rate-per-address = 1");
    // These requests take less time than the rate needs for further sockets.
    let mut heads = Vec::new();
    for _ in 0..20 {
        heads.push(ask_for_socket(&server, LOCALHOST, "lobby", "").await.1);
    }
    assert!(heads.iter().take(3).all(|head| head.starts_with("HTTP/1.1 101 ")), "{heads:?}");
    assert!(heads.iter().any(|head| is_refused(head, 429)), "{heads:?}");
    open_socket(&server, ANOTHER_HOST, "lobby", "").await;
    open_socket_in_time(&server, LOCALHOST, "lobby").await;
}

#[tokio::test]
async fn socket_limit_of_the_server_does_not_affect_pages() {
    let server = server_with("max-sockets = 1");
    let first = open_socket(&server, LOCALHOST, "lobby", "").await;
    let (_, head) = ask_for_socket(&server, ANOTHER_HOST, "lobby", "").await;
    assert!(is_refused(&head, 503), "{head}");
    assert!(server.get("/").await.starts_with("HTTP/1.1 200 "));
    drop(first);
    open_socket_in_time(&server, ANOTHER_HOST, "lobby").await;
}

#[tokio::test]
async fn socket_limit_per_person_covers_all_rooms() {
    let server = server_with("max-sockets-per-person = 2");
    let first = server.connect("one").await;
    let cookie = first.cookie.clone();
    let own = format!("Cookie: {cookie}\r\n");
    let _second = open_socket(&server, LOCALHOST, "two", &own).await;
    let (_, head) = ask_for_socket(&server, LOCALHOST, "three", &own).await;
    assert!(is_refused(&head, 429), "{head}");
    // Other people at the same address are not affected.
    open_socket(&server, LOCALHOST, "three", "").await;
    first.close().await;
    let asking = async {
        while !ask_for_socket(&server, LOCALHOST, "one", &own).await.1.starts_with("HTTP/1.1 101 ")
        {
        }
    };
    timeout(TIMEOUT, asking).await.unwrap();
}

#[tokio::test]
async fn first_frame_timeout_is_configurable() {
    let server = ServerProcess::start_with("[limits]\nfirst-frame-timeout = 1");
    let mut silent = server.connect("lobby").await;
    // Pings are answered meanwhile.
    let code = timeout(TIMEOUT, silent.close_code()).await.unwrap();
    assert_eq!(code, Some(4408));
}

#[tokio::test]
async fn socket_limit_per_room_and_room_limit_apply() {
    let server = server_with("max-sockets-per-room = 2\nmax-rooms = 3");
    let mut ana = server.connect("one").await;
    ana.join("Ana").await;
    let mut bo = server.connect("one").await;
    bo.watch().await;
    let (_, head) = ask_for_socket(&server, LOCALHOST, "one", "").await;
    assert!(is_refused(&head, 503), "{head}");
    let mut kim = server.connect("two").await;
    kim.watch().await;
    let _third = open_socket(&server, ANOTHER_HOST, "three", "").await;
    let (_, head) = ask_for_socket(&server, ANOTHER_HOST, "four", "").await;
    assert!(is_refused(&head, 503), "{head}");
    // The lobby is open at any limit.
    open_socket(&server, ANOTHER_HOST, "lobby", "").await;
    kim.close().await;
    open_socket_in_time(&server, ANOTHER_HOST, "four").await;
    bo.close().await;
    open_socket_in_time(&server, LOCALHOST, "one").await;
}

#[tokio::test]
async fn address_has_a_share_of_the_rooms() {
    let server = server_with("max-rooms = 100\nmax-rooms-per-address = 2");
    let _held = [
        open_socket(&server, LOCALHOST, "one", "").await,
        open_socket(&server, LOCALHOST, "two", "").await,
    ];
    let (stream, head) = ask_for_socket(&server, LOCALHOST, "three", "Connection: close\r\n").await;
    assert!(is_refused(&head, 429), "{head}");
    assert!(rest(stream).await.contains("Your network keeps too many rooms open"));
    for path in ["/api/rooms/three/events", "/api/events?rooms=three"] {
        assert!(is_refused(&server.get(path).await, 429), "{path}");
    }
    let why = server.get("/r/three/socket").await;
    assert!(is_refused(&why, 429) && why.contains("\"rooms_per_address\""), "{why}");
    let _third = open_socket(&server, ANOTHER_HOST, "three", "").await;
    // It exists by now, like the others.
    for room in ["three", "one", "lobby"] {
        open_socket(&server, LOCALHOST, room, "").await;
    }
}

/// F03: rooms that nobody is in, which stay for those who come back, lock nobody out.
#[tokio::test]
async fn empty_rooms_give_way_to_new_ones() {
    let server = server_with("max-rooms = 2");
    let _stays = open_socket(&server, ANOTHER_HOST, "stays", "").await;
    for room in 0..20 {
        let mut ana = server.connect(&format!("room-{room}")).await;
        ana.join("Ana").await;
        ana.send(r#"{"event":"leave"}"#).await;
        ana.wait_for_names(&[]).await;
        ana.close().await;
    }
    open_socket(&server, LOCALHOST, "team", "").await;
}

/// Join, cut, join, cut: the rows are the address's until they are gone.
#[tokio::test]
async fn rows_without_a_socket_count_for_their_address() {
    let server = server_with("max-sockets-per-address = 2");
    let mut watcher = Client::over(connect_from(ANOTHER_HOST, &server).await, "lobby").await;
    watcher.watch().await;
    for number in 1..=4 {
        let mut person = server.connect("lobby").await;
        person.join("Ana").await;
        person.abort();
        watcher
            .wait_until(|replica| {
                let rows = replica.roster().users();
                rows.filter(|user| user.state == PresenceState::Reconnecting).count() == number
            })
            .await;
    }
    let mut fifth = server.connect("lobby").await;
    fifth.send(r#"{"event":"got_a_new_user","name":"Ana"}"#).await;
    let refusal = fifth.refusal().await;
    assert_eq!(refusal["code"], "room_full");
    assert!(refusal["message"].as_str().unwrap().contains("from your network"), "{refusal}");
    // Others are not affected.
    let mut other = Client::over(connect_from(ANOTHER_HOST, &server).await, "lobby").await;
    assert_eq!(other.join("Bo").await.count, 5);
}

#[tokio::test]
async fn forwarded_addresses_are_trusted_from_trusted_proxies_only() {
    let server = server_with("trusted-proxies = [\"127.0.0.1/32\"]\nmax-sockets-per-address = 1");
    let for_client = |client: &str| format!("X-Forwarded-For: 9.9.9.9, {client}\r\n");
    let _first = open_socket(&server, LOCALHOST, "lobby", &for_client("192.0.2.1")).await;
    let _other = open_socket(&server, LOCALHOST, "lobby", &for_client("192.0.2.2")).await;
    let (_, head) = ask_for_socket(&server, LOCALHOST, "lobby", &for_client("192.0.2.1")).await;
    assert!(is_refused(&head, 429), "{head}");
    // Other addresses may not set the header.
    let _own = open_socket(&server, ANOTHER_HOST, "lobby", &for_client("192.0.2.3")).await;
    let (_, head) = ask_for_socket(&server, ANOTHER_HOST, "lobby", &for_client("192.0.2.4")).await;
    assert!(is_refused(&head, 429), "{head}");
}

#[tokio::test]
async fn connection_limit_per_address_answers_429() {
    let server = server_with("max-connections-per-address = 1");
    let _silent = connect_from(LOCALHOST, &server).await;
    // The system may deliver the two connections in another order.
    let answers = [server.get("/healthz").await, server.get("/healthz").await];
    for answer in answers {
        assert!(is_refused(&answer, 429), "{answer}");
        assert!(answer.contains("Too many connections from your network"), "{answer}");
    }
    let mut elsewhere = connect_from(ANOTHER_HOST, &server).await;
    let request = "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    elsewhere.write_all(request.as_bytes()).await.unwrap();
    assert!(rest(elsewhere).await.starts_with("HTTP/1.1 200 "));
}

/// Nobody can reload a frame: it has to come back by itself, whatever page is around it.
#[tokio::test]
async fn rejected_embed_says_why_and_comes_back() {
    let server = server_with("max-connections-per-address = 1");
    let _silent = connect_from(LOCALHOST, &server).await;
    // The system may deliver the two connections in another order.
    server.get("/healthz").await;
    for path in ["/r/team/embed", "/rollcall/r/team/embed?key=0"] {
        let answer = server.get(path).await;
        assert!(is_refused(&answer, 429), "{answer}");
        assert_eq!(header(&answer, "content-type"), Some("text/html; charset=utf-8"));
        assert!(answer.contains("Too much comes from your network"), "{answer}");
        let refresh = r#"<noscript><meta http-equiv="refresh" content=""#;
        let (_, seconds) = answer.split_once(refresh).unwrap();
        let seconds: u64 = seconds.split('"').next().unwrap().parse().unwrap();
        let earliest: u64 = header(&answer, "retry-after").unwrap().parse().unwrap();
        assert!((earliest..=2 * earliest).contains(&seconds), "{seconds}");
        let policy = header(&answer, "content-security-policy").unwrap();
        assert!(policy.contains("frame-ancestors *"), "{policy}");
        assert_eq!(header(&answer, "x-frame-options"), None);
        // Its script has the nonce of this response.
        let (_, nonce) = answer.split_once("<script nonce=\"").unwrap();
        let nonce = format!("'nonce-{}'", nonce.split('"').next().unwrap());
        assert!(policy.contains(&nonce), "{policy}");
    }
    let sentence = server.get("/r/team").await;
    assert!(is_refused(&sentence, 429) && !sentence.contains('<'), "{sentence}");
    // As browsers ask for a page.
    let headers = "Accept: text/html,*/*;q=0.8\r\nAccept-Language: de-CH\r\n";
    let page = server.get_with("/r/team", headers).await;
    assert!(is_refused(&page, 429) && page.contains("Aus deinem Netz"), "{page}");
    let policy = header(&page, "content-security-policy").unwrap();
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
}

/// Sends an unfinished request.
async fn send_unfinished(mut stream: TcpStream, sent: &str) -> TcpStream {
    stream.write_all(sent.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn unfinished_requests_time_out() {
    let server = server_with("request-timeout = 1");
    for sent in [
        "",
        "GET / HT",
        "GET / HTTP/1.1\r\nHost: a\r\nX-Half: ",
        "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf of",
    ] {
        let stream = connect_from(LOCALHOST, &server).await;
        let stream = send_unfinished(stream, sent).await;
        rest(stream).await;
    }
}

#[tokio::test]
async fn dripping_request_times_out() {
    let server = server_with("request-timeout = 1");
    let (mut reader, mut writer) = connect_from(LOCALHOST, &server).await.into_split();
    let dripping = tokio::spawn(async move {
        for byte in b"GET / HTTP/1.1\r\nX-Long: ".iter().chain(std::iter::repeat(&b'x')) {
            if writer.write_all(&[*byte]).await.is_err() {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
    });
    // A reset is fine too: the last bytes may not have been read.
    let mut received = Vec::new();
    let _ = timeout(TIMEOUT, reader.read_to_end(&mut received)).await.unwrap();
    timeout(TIMEOUT, dripping).await.unwrap().unwrap();
}

#[tokio::test]
async fn client_that_never_reads_its_response_times_out() {
    let server = server_with("write-timeout = 1\nmax-connections-per-address = 1");
    // More than the system's buffers.
    let site = server.state_directory().with_file_name("site");
    std::fs::File::create(site.join("pkg/big.bin")).unwrap().set_len(64 << 20).unwrap();
    let mut deaf = connect_from(LOCALHOST, &server).await;
    deaf.write_all(b"GET /pkg/big.bin HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    deaf.readable().await.unwrap();
    // The connection counts towards the limit of its address.
    assert!(is_refused(&server.get("/healthz").await, 429));
    // After 20 s the system's own timeout would end it.
    let sooner = Duration::from_secs(15);
    let asking = async { while !server.get("/healthz").await.starts_with("HTTP/1.1 200 ") {} };
    timeout(sooner, asking).await.unwrap();
}

#[tokio::test]
async fn endless_request_headers_get_431() {
    let server = TestServer::start();
    let long = format!("X-Long: {}\r\n", "x".repeat(100_000));
    let mut stream = connect_from(LOCALHOST, &server).await;
    let request = format!("GET / HTTP/1.1\r\nHost: a\r\n{long}\r\n");
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = timeout(TIMEOUT, stream.read_to_end(&mut answer)).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 431 "), "{}", String::from_utf8_lossy(&answer));
}

/// F05: one address held every connection for as long as it liked.
#[tokio::test]
async fn address_holds_at_most_half_of_all_connections() {
    let server = ServerProcess::start_with_open_files(64);
    // Of 64 files 32 are for connections.
    server.wait_until_logged("32 connections, 29 WebSockets and event streams").await;
    server.wait_until_logged("of one address 16 connections, 14 WebSockets").await;
    let mut held = Vec::new();
    for kind in 0..200 {
        let mut stream = connect_from(ANOTHER_HOST, &server).await;
        if kind % 2 == 1 {
            // It may be closed already.
            let _ = stream.write_all(socket_request(&server, "lobby", "").as_bytes()).await;
        }
        held.push(stream);
    }
    for _ in 0..5 {
        let page = server.get("/").await;
        assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    }
    open_socket(&server, LOCALHOST, "lobby", "").await;
}

#[tokio::test]
async fn server_without_free_files_answers_503_and_recovers() {
    let server = ServerProcess::start_with_open_files(64);
    let mut silent = Vec::new();
    let refused = loop {
        let answer = server.get("/healthz").await;
        if !answer.starts_with("HTTP/1.1 200 ") {
            break answer;
        }
        // No address may have so many.
        let host = [127, 0, 0, 2 + u8::try_from(silent.len() % 8).unwrap()];
        silent.push(connect_from(host, &server).await);
        assert!(silent.len() < 64, "more connections than files");
    };
    assert!(is_refused(&refused, 503), "{refused}");
    drop(silent);
    let asking = async { while !server.get("/healthz").await.starts_with("HTTP/1.1 200 ") {} };
    timeout(TIMEOUT, asking).await.unwrap();
}
