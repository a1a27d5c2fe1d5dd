//! Chapter 2: pings are answered with their payload, and pongs are not answered.

use crate::{
    case::{
        Chunking::{AtOnce, ByBytes, ByFrame},
        Expected::{Close, NothingElse, Pong, Understood},
        case, run_cases,
    },
    raw_client::{FIN, PING, PONG, frame, rename, text},
    support::TestServer,
};

fn ping(payload: &[u8]) -> Vec<u8> {
    frame(FIN | PING, payload)
}

fn pong(payload: &[u8]) -> Vec<u8> {
    frame(FIN | PONG, payload)
}

#[tokio::test]
async fn ping_is_answered_with_its_payload() {
    let server = TestServer::start();
    let mut cases = Vec::new();
    for (name, payload) in [
        ("2.1 nothing", vec![]),
        ("2.2 text", b"Hello, world!".to_vec()),
        ("2.3 bytes", vec![0, 255, 254, 253, 252, 251, 0, 255]),
        ("2.4 and 2.6 as much as may be", vec![254; 125]),
    ] {
        cases.push(case(name, [ping(&payload)], [Pong(payload), NothingElse]));
    }
    cases.push(case("2.5 too much", [ping(&[254; 126])], [Close(1002)]));
    run_cases(&server, &[AtOnce, ByBytes(1)], &cases).await;
}

#[tokio::test]
async fn pong_is_not_answered() {
    let server = TestServer::start();
    let cases = [
        case("2.7", [pong(b"")], [NothingElse]),
        case("2.8", [pong(b"unsolicited")], [NothingElse]),
        case("2.9", [pong(b"unsolicited"), ping(b"ping")], [Pong(b"ping".to_vec()), NothingElse]),
        case("a pong that is too long", [pong(&[0; 126])], [Close(1002)]),
        case("it is before a first frame", [pong(b""), text(&rename())], [Understood, NothingElse]),
    ];
    run_cases(&server, &[AtOnce, ByFrame, ByBytes(1)], &cases).await;
}

#[tokio::test]
async fn pings_are_answered_in_order() {
    let server = TestServer::start();
    let payloads: Vec<Vec<u8>> = (0..10).map(|number| format!("payload-{number}").into()).collect();
    let sends = payloads.iter().map(|payload| ping(payload));
    let expects = payloads.iter().cloned().map(Pong).chain([NothingElse]);
    let cases = [case("2.10 and 2.11", sends, expects)];
    run_cases(&server, &[AtOnce, ByFrame, ByBytes(1)], &cases).await;
}
