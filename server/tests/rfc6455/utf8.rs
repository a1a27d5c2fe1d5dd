//! Chapter 6: texts must be UTF-8, also when fragmented.

use crate::{
    case::{
        Case,
        Chunking::{AtOnce, ByBytes, ByFrame},
        Expected::{Close, NoFrame, NothingElse, Understood},
        case, run_cases,
    },
    raw_client::{CONTINUATION, FIN, TEXT, frame, in_fragments, text},
    support::TestServer,
};

/// Valid sequences: the first and last of each length, noncharacters, and the neighbours of invalid ranges.
const VALID: &[&[u8]] = &[
    "Hello-µ@ßöäüàá-UTF-8!!".as_bytes(),
    "κόσμε".as_bytes(),
    b"\xc2\x80",
    b"\xe0\xa0\x80",
    b"\xf0\x90\x80\x80",
    b"\x7f",
    b"\xdf\xbf",
    b"\xef\xbf\xbf",
    b"\xf4\x8f\xbf\xbf",
    b"\xed\x9f\xbf",
    b"\xee\x80\x80",
    b"\xef\xbf\xbd",
    b"\xef\xbf\xbe",
    b"\xf0\x9f\xbf\xbe",
    b"\xf3\xbf\xbf\xbf",
];

/// Invalid sequences: beyond the last code point, lone and missing continuation bytes, impossible bytes,
/// overlong forms, surrogates.
const INVALID: &[&[u8]] = &[
    b"\xf4\x90\x80\x80",
    b"\xf8\x88\x80\x80\x80",
    b"\xfc\x84\x80\x80\x80\x80",
    b"\xf7\xbf\xbf\xbf",
    b"\x80",
    b"\xbf",
    b"\x80\xbf\x80\xbf\x80\xbf",
    b"\xc0 \xc1 \xc2 \xdf ",
    b"\xe0 \xe1 \xef ",
    b"\xf0 \xf4 \xf7 ",
    b"\xc0",
    b"\xe0\x80",
    b"\xf0\x80\x80",
    b"\xdf",
    b"\xef\xbf",
    b"\xf7\xbf\xbf",
    b"\xfe",
    b"\xff",
    b"\xfe\xfe\xff\xff",
    b"\xc0\xaf",
    b"\xe0\x80\xaf",
    b"\xf0\x80\x80\xaf",
    b"\xc1\xbf",
    b"\xe0\x9f\xbf",
    b"\xf0\x8f\xbf\xbf",
    b"\xc0\x80",
    b"\xe0\x80\x80",
    b"\xf0\x80\x80\x80",
    b"\xed\xa0\x80",
    b"\xed\xaf\xbf",
    b"\xed\xb0\x80",
    b"\xed\xbf\xbf",
    b"\xed\xa0\x80\xed\xb0\x80",
    b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",
];

/// A `rename` to a name with these bytes.
fn rename_to(name: &[u8]) -> Vec<u8> {
    [br#"{"event":"rename","name":""#.as_slice(), name, br#""}"#].concat()
}

#[tokio::test]
async fn empty_texts_are_messages() {
    let server = TestServer::start();
    let empty = |first| frame(first, b"");
    let cases = [
        case("6.1.1", [text(b"")], [NoFrame, NothingElse]),
        case(
            "6.1.2",
            [empty(TEXT), empty(CONTINUATION), empty(FIN | CONTINUATION)],
            [NoFrame, NothingElse],
        ),
        case(
            "6.1.3",
            [empty(TEXT), frame(CONTINUATION, &rename_to(b"A")), empty(FIN | CONTINUATION)],
            [Understood, NothingElse],
        ),
    ];
    run_cases(&server, &[AtOnce, ByFrame, ByBytes(1)], &cases).await;
}

#[tokio::test]
async fn valid_utf8_is_accepted_however_it_is_split() {
    let server = TestServer::start();
    let cases: Vec<Case> = VALID
        .iter()
        .flat_map(|name| {
            let payload = rename_to(name);
            let whole = case(format!("{name:x?}"), [text(&payload)], [Understood, NothingElse]);
            let pieces = in_fragments(TEXT, &payload, 1);
            [whole, case(format!("{name:x?} in pieces"), pieces, [Understood, NothingElse])]
        })
        .collect();
    run_cases(&server, &[ByFrame], &cases).await;
}

#[tokio::test]
async fn invalid_utf8_closes_however_it_is_split() {
    let server = TestServer::start();
    let cases: Vec<Case> = INVALID
        .iter()
        .flat_map(|name| {
            let payload = rename_to(name);
            let whole = case(format!("{name:x?}"), [text(&payload)], [Close(1007)]);
            let pieces = in_fragments(TEXT, &payload, 1);
            [whole, case(format!("{name:x?} in pieces"), pieces, [Close(1007)])]
        })
        .collect();
    run_cases(&server, &[ByFrame], &cases).await;
}

#[tokio::test]
async fn invalid_utf8_closes_before_the_message_ends() {
    let server = TestServer::start();
    let begins = "κόσμε".as_bytes();
    let cases = [
        case("6.4.1", [frame(TEXT, &[begins, b"\xf4\x90\x80\x80"].concat())], [Close(1007)]),
        case(
            "6.4.2",
            [frame(TEXT, &[begins, b"\xf4"].concat()), frame(CONTINUATION, b"\x90")],
            [Close(1007)],
        ),
        case("a text ends within a character", [text(b"\xce")], [Close(1007)]),
        case(
            "the same in pieces",
            [frame(TEXT, b"\xce"), frame(FIN | CONTINUATION, b"")],
            [Close(1007)],
        ),
    ];
    run_cases(&server, &[AtOnce, ByFrame], &cases).await;
}
