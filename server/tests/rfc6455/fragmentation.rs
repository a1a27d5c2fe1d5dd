//! Chapter 5: fragmented messages, and frames between the fragments.

use crate::{
    case::{
        Case,
        Chunking::{AtOnce, ByBytes, ByFrame},
        Expected::{Close, ListOf, NothingElse, Pong, Understood},
        case, run_cases,
    },
    raw_client::{BINARY, CONTINUATION, FIN, PING, PONG, TEXT, frame, in_fragments, rename, text},
    support::TestServer,
};

fn ping() -> Vec<u8> {
    frame(FIN | PING, b"ping")
}

fn pong() -> crate::case::Expected {
    Pong(b"ping".to_vec())
}

#[tokio::test]
async fn fragmented_control_frames_are_protocol_errors() {
    let server = TestServer::start();
    let halves = |opcode| [frame(opcode, b"fragment1"), frame(FIN | CONTINUATION, b"fragment2")];
    let cases =
        [case("5.1", halves(PING), [Close(1002)]), case("5.2", halves(PONG), [Close(1002)])];
    run_cases(&server, &[AtOnce, ByFrame, ByBytes(1)], &cases).await;
}

#[tokio::test]
async fn fragmented_text_is_one_message() {
    let server = TestServer::start();
    let mut cases: Vec<Case> = [1, 7, 20, 39]
        .into_iter()
        .map(|bytes| {
            let name = format!("5.3 to 5.5, {bytes} bytes at a time");
            case(name, in_fragments(TEXT, &rename(), bytes), [Understood, NothingElse])
        })
        .collect();
    let empty_ones = [
        frame(TEXT, b""),
        frame(CONTINUATION, &rename()),
        frame(CONTINUATION, b""),
        frame(FIN | CONTINUATION, b""),
    ];
    cases.push(case("some of them are empty", empty_ones, [Understood, NothingElse]));
    let binary = in_fragments(BINARY, &rename(), 20);
    cases.push(case("binary ones are binary", binary, [Close(1003)]));
    run_cases(&server, &[AtOnce, ByFrame, ByBytes(1)], &cases).await;
}

#[tokio::test]
async fn pings_between_fragments_are_answered_at_once() {
    let server = TestServer::start();
    let fragments = in_fragments(TEXT, &rename(), 10);
    let pinged = fragments.iter().flat_map(|fragment| [fragment.clone(), ping()]);
    // The last fragment completes the text, which is answered before the last ping.
    let answers = [pong(), pong(), pong(), Understood, pong(), NothingElse];
    let cases = [
        case("5.6 to 5.8 and 5.19", pinged, answers),
        case(
            "5.20 a pong between is nothing",
            [fragments.as_slice(), &[ping()]].concat(),
            [Understood, pong()],
        ),
    ];
    run_cases(&server, &[ByFrame, ByBytes(1)], &cases).await;
}

#[tokio::test]
async fn unexpected_continuation_and_interleaved_text_are_protocol_errors() {
    let server = TestServer::start();
    let more = |fin| frame(fin | CONTINUATION, b"fragment");
    let whole = in_fragments(TEXT, &rename(), 20);
    let after_a_whole = |fin| whole.iter().cloned().chain([more(fin), text(&rename())]);
    let cases = [
        case("5.9 to 5.11", [more(FIN), text(&rename())], [Close(1002)]),
        case("5.12 to 5.14", [more(0), text(&rename())], [Close(1002)]),
        case("5.15", after_a_whole(FIN), [Understood, Close(1002)]),
        case("5.16 and 5.17", after_a_whole(0), [Understood, Close(1002)]),
        case("5.18", [frame(TEXT, &rename()), text(&rename())], [Close(1002)]),
        case("5.18, binary", [frame(TEXT, &rename()), frame(FIN | BINARY, b"")], [Close(1002)]),
    ];
    run_cases(&server, &[ByFrame, ByBytes(1)], &cases).await;
}

#[tokio::test]
async fn join_in_one_byte_fragments_with_pings_in_between_is_accepted() {
    let server = TestServer::start();
    let join = r#"{"event":"got_a_new_user","name":"Zoë"}"#.as_bytes();
    let mut sends = Vec::new();
    for (index, fragment) in in_fragments(TEXT, join, 1).into_iter().enumerate() {
        if index % 5 == 4 {
            sends.push(ping());
        }
        sends.push(fragment);
    }
    let pings = join.len() / 5;
    let expects = std::iter::repeat_n(pong(), pings).chain([
        ListOf("Zoë"),
        NothingElse,
        crate::case::Expected::Goodbye,
    ]);
    run_cases(&server, &[ByFrame], &[case("a join", sends, expects)]).await;
}
