//! Chapter 7: close frames, with codes and reasons, and frames after them.

use crate::{
    case::{
        Case,
        Chunking::{AtOnce, ByBytes, ByFrame},
        Expected::{Close, CloseWithoutCode, NothingElse, Understood},
        case, run_cases,
    },
    raw_client::{CLOSE, CONTINUATION, FIN, PING, TEXT, frame, rename, rename_of, text},
    support::TestServer,
};

/// A close frame with a code and a reason.
fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(FIN | CLOSE, &[&code.to_be_bytes(), reason].concat())
}

#[tokio::test]
async fn frames_after_a_close_frame_are_ignored() {
    let server = TestServer::start();
    let ping = frame(FIN | PING, b"ping");
    let cases = [
        case("7.1.1", [text(&rename()), close(1000, b"")], [Understood, Close(1000)]),
        case("7.1.2", [close(1000, b""), close(1000, b"")], [Close(1000)]),
        case("7.1.3", [close(1000, b""), ping.clone()], [Close(1000)]),
        case("7.1.4", [close(1000, b""), text(&rename())], [Close(1000)]),
        case(
            "7.1.5",
            [frame(TEXT, b"half"), close(1000, b""), frame(FIN | CONTINUATION, b"half")],
            [Close(1000)],
        ),
        case("7.1.6", [text(&rename_of(256 * 1024)), close(1000, b""), ping], [Close(1009)]),
    ];
    run_cases(&server, &[AtOnce, ByFrame], &cases).await;
}

#[tokio::test]
async fn close_frame_may_have_a_code_and_a_reason() {
    let server = TestServer::start();
    let cases = [
        case("7.3.1", [frame(FIN | CLOSE, b"")], [CloseWithoutCode]),
        case("7.3.2", [frame(FIN | CLOSE, b"a")], [Close(1002)]),
        case("7.3.3", [close(1000, b"")], [Close(1000)]),
        case("7.3.4", [close(1000, b"Hello World!")], [Close(1000)]),
        case("7.3.5", [close(1000, &[b'*'; 123])], [Close(1000)]),
        case("7.3.6", [close(1000, &[b'*'; 124])], [Close(1002)]),
        case("7.5.1", [close(1000, b"\xce\xba\xed\xa0\x80edited")], [Close(1007)]),
    ];
    run_cases(&server, &[AtOnce, ByBytes(1)], &cases).await;
}

#[tokio::test]
async fn valid_close_code_is_echoed() {
    let server = TestServer::start();
    let codes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
    let cases: Vec<Case> = codes
        .into_iter()
        .map(|code| case(format!("7.7 {code}"), [close(code, b"")], [Close(code)]))
        .collect();
    run_cases(&server, &[AtOnce], &cases).await;
}

#[tokio::test]
async fn invalid_close_code_is_a_protocol_error() {
    let server = TestServer::start();
    let codes = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535];
    let cases: Vec<Case> = codes
        .into_iter()
        .map(|code| case(format!("7.9 and 7.13 {code}"), [close(code, b"")], [Close(1002)]))
        .collect();
    run_cases(&server, &[AtOnce], &cases).await;
}

#[tokio::test]
async fn client_that_sends_nothing_stays_connected() {
    let server = TestServer::start();
    run_cases(&server, &[AtOnce], &[case("nothing is said", [], [NothingElse])]).await;
}
