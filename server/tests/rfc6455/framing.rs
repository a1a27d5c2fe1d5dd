//! Chapter 1: texts and binary messages with every encoding of the length.

use crate::{
    case::{
        Chunking::{AtOnce, ByBytes},
        Expected::{Close, NoFrame, Understood},
        case, run_cases,
    },
    raw_client::{BINARY, FIN, frame, rename_of, text},
    support::TestServer,
};

#[tokio::test]
async fn texts_with_every_length_encoding_are_read() {
    let server = TestServer::start();
    let mut cases = vec![case("1.1.1 an empty text", [text(b"")], [NoFrame])];
    for bytes in [125, 126, 127, 128, 4_095, 4_096] {
        cases.push(case(format!("1.1 {bytes}"), [text(&rename_of(bytes))], [Understood]));
    }
    for bytes in [4_097, 65_535, 65_536] {
        cases.push(case(format!("1.1 {bytes}"), [text(&rename_of(bytes))], [Close(1009)]));
    }
    run_cases(&server, &[AtOnce, ByBytes(997)], &cases).await;
}

#[tokio::test]
async fn binary_messages_are_refused() {
    let server = TestServer::start();
    let binary = |bytes| [frame(FIN | BINARY, &vec![0xfe; bytes])];
    let mut cases = Vec::new();
    for bytes in [0, 125, 126, 127, 128, 4_096] {
        cases.push(case(format!("1.2 {bytes}"), binary(bytes), [Close(1003)]));
    }
    for bytes in [4_097, 65_535, 65_536] {
        cases.push(case(format!("1.2 {bytes}"), binary(bytes), [Close(1009)]));
    }
    run_cases(&server, &[AtOnce, ByBytes(997)], &cases).await;
}

#[tokio::test]
async fn unmasked_frames_are_protocol_errors() {
    let server = TestServer::start();
    let text = [&[FIN | crate::raw_client::TEXT, 40], rename_of(40).as_slice()].concat();
    let ping = vec![FIN | crate::raw_client::PING, 0];
    let cases = [
        case("5.1 a text without a mask", [text], [Close(1002)]),
        case("5.1 a ping without a mask", [ping], [Close(1002)]),
    ];
    run_cases(&server, &[AtOnce, ByBytes(1)], &cases).await;
}
