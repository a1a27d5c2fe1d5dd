//! The opening handshake (RFC 6455, section 4), which negotiates no extension (chapters 12 and 13).

use crate::{
    raw_client::{FIN, PING, RawClient, Received, frame, text, upgrade},
    support::TestServer,
};

#[tokio::test]
async fn handshake_key_is_accepted_as_in_the_rfc() {
    let server = TestServer::start();
    let (_client, head) = RawClient::ask(&server, &upgrade(&server, ""), &[]).await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    let head = head.to_ascii_lowercase();
    for line in [
        "connection: upgrade",
        "upgrade: websocket",
        "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=",
    ] {
        assert!(head.lines().any(|found| found == line), "{line}: {head}");
    }
}

#[tokio::test]
async fn compression_and_subprotocols_are_not_negotiated() {
    let server = TestServer::start();
    let offers = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-webkit-deflate-frame\r\n\
                  Sec-WebSocket-Protocol: chat, superchat\r\n";
    let (mut client, head) = RawClient::ask(&server, &upgrade(&server, offers), &[]).await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    let head = head.to_ascii_lowercase();
    assert!(!head.contains("sec-websocket-extensions"), "{head}");
    assert!(!head.contains("sec-websocket-protocol"), "{head}");
    // So a frame that is marked as compressed is a protocol error.
    client.send(&frame(0xc1, &[0x4a, 0x4c, 0x04, 0x00])).await;
    assert_eq!(client.receive().await, Received::Close(Some(1002)));
}

#[tokio::test]
async fn invalid_handshakes_are_refused() {
    let server = TestServer::start();
    let whole = upgrade(&server, "Connection: close\r\n");
    for (missing, instead) in [
        ("Upgrade: websocket\r\n", ""),
        ("Upgrade: websocket\r\n", "Upgrade: h2c\r\n"),
        ("Connection: Upgrade\r\n", ""),
        ("Sec-WebSocket-Version: 13\r\n", ""),
        ("Sec-WebSocket-Version: 13\r\n", "Sec-WebSocket-Version: 8\r\n"),
        ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ""),
        ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "Sec-WebSocket-Key: short\r\n"),
        (
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ!!\r\n",
        ),
        ("GET ", "POST "),
    ] {
        assert!(whole.contains(missing), "{missing}");
        let request = whole.replacen(missing, instead, 1);
        let (_client, head) = RawClient::ask(&server, &request, &[]).await;
        let status = head.get(9..12).unwrap();
        assert!(["405", "426"].contains(&status), "{missing:?} as {instead:?}: {head}");
        if status == "426" {
            // The response to another version names the supported one.
            let head = head.to_ascii_lowercase();
            assert!(head.contains("sec-websocket-version: 13\r\n"), "{head}");
        }
    }
}

#[tokio::test]
async fn frames_sent_with_the_handshake_are_read() {
    let server = TestServer::start();
    let request = upgrade(&server, "");
    let further = [text(br#"{"event":"rename","name":"A"}"#), frame(FIN | PING, b"too")].concat();
    let (mut client, _) = RawClient::ask(&server, &request, &further).await;
    assert!(matches!(client.receive().await, Received::Text(text) if text.contains("not_listed")));
    assert_eq!(client.receive().await, Received::Pong(b"too".to_vec()));
}
