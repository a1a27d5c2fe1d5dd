//! Chapters 9 and 10: large messages, with and without the protocol's limits.

use server::websocket::connection::ConnectionConfig;

use crate::{
    case::{
        Chunking::{AtOnce, ByBytes, ByFrame},
        Expected::{Close, NothingElse, Understood},
        case, run_cases,
    },
    raw_client::{BINARY, CONTINUATION, FIN, TEXT, frame, header, in_fragments, rename_of, text},
    support::TestServer,
};

const MIB: usize = 1 << 20;

/// A server without limits for the length and number of frames.
fn server_without_limits() -> TestServer {
    let limits = "[limits]\nmax-frame-bytes = 0\nframe-burst = 0";
    TestServer::start_with(limits, ConnectionConfig::default())
}

#[tokio::test]
async fn texts_of_mebibytes_are_read_without_limits() {
    let server = server_without_limits();
    let mut cases = vec![case("9.1 an empty text", [text(b"")], [crate::case::Expected::NoFrame])];
    for bytes in [64 * 1024, 256 * 1024, MIB, 4 * MIB, 16 * MIB] {
        let name = format!("9.1 {bytes}");
        cases.push(case(name, [text(&rename_of(bytes))], [Understood, NothingElse]));
    }
    run_cases(&server, &[AtOnce], &cases).await;
}

#[tokio::test]
async fn texts_in_any_fragments_and_chunks_are_read_without_limits() {
    let server = server_without_limits();
    let mut cases = Vec::new();
    for bytes in [64, 256, 1_024, 4 * 1_024, 16 * 1_024, 64 * 1_024, 256 * 1_024, MIB] {
        let fragments = in_fragments(TEXT, &rename_of(MIB), bytes);
        cases.push(case(format!("9.3 {bytes}"), fragments, [Understood, NothingElse]));
    }
    run_cases(&server, &[AtOnce], &cases).await;
    let whole = [case("9.5", [text(&rename_of(MIB))], [Understood, NothingElse])];
    let chops = [64, 128, 256, 512, 1_024, 2_048].map(ByBytes);
    run_cases(&server, &chops, &whole).await;
    let fragments = in_fragments(TEXT, &rename_of(65_536), 1_300);
    run_cases(&server, &[ByFrame], &[case("10.1.1", fragments, [Understood, NothingElse])]).await;
}

#[tokio::test]
async fn binary_messages_of_mebibytes_are_refused_as_binary_without_limits() {
    let server = server_without_limits();
    let cases = [64 * 1_024, MIB, 16 * MIB].map(|bytes| {
        case(format!("9.2 {bytes}"), [frame(FIN | BINARY, &vec![0xfe; bytes])], [Close(1003)])
    });
    run_cases(&server, &[AtOnce], &cases).await;
}

#[tokio::test]
async fn many_small_messages_are_answered_without_limits() {
    let server = server_without_limits();
    let cases = [16, 64, 256].map(|padding| {
        let sends = std::iter::repeat_n(text(&rename_of(40 + padding)), 1_000);
        case(format!("9.7 {padding}"), sends, std::iter::repeat_n(Understood, 1_000))
    });
    run_cases(&server, &[AtOnce], &cases).await;
}

/// The announced length must not be allocated.
#[tokio::test]
async fn header_with_an_excessive_length_closes_at_once() {
    let lengths = [1 << 30, 1 << 40, 1 << 62, u64::MAX];
    for server in [TestServer::start(), server_without_limits()] {
        let cases = lengths.map(|length| {
            case(format!("{length:x} bytes"), [header(FIN | TEXT, length)], [Close(1009)])
        });
        run_cases(&server, &[AtOnce, ByBytes(1)], &cases).await;
    }
}

#[tokio::test]
async fn message_limit_equals_the_frame_limit() {
    let server = TestServer::start();
    let fragments = |bytes| in_fragments(TEXT, &rename_of(bytes), 100);
    let cases = [
        case("9.3 a text that is just short enough", fragments(4_096), [Understood, NothingElse]),
        case("9.3 a byte more", fragments(4_097), [Close(1009)]),
        case("9.1 a mebibyte", [text(&rename_of(MIB))], [Close(1009)]),
        case("9.3 a mebibyte in fragments", fragments(MIB), [Close(1009)]),
        case("9.2 binary", [frame(FIN | BINARY, &vec![0xfe; MIB])], [Close(1009)]),
    ];
    run_cases(&server, &[AtOnce, ByFrame], &cases).await;
}

/// The message never ends, so only its bytes are counted.
#[tokio::test]
async fn endless_fragmented_text_is_closed() {
    let server = TestServer::start();
    let empty = std::iter::repeat_n(frame(CONTINUATION, b""), 100_000);
    let sends = std::iter::once(frame(TEXT, b"")).chain(empty);
    run_cases(&server, &[AtOnce], &[case("empty fragments", sends, [Close(4429)])]).await;
}

#[tokio::test]
async fn pings_count_towards_the_frame_limit() {
    use crate::raw_client::{PING, RawClient, Received};

    let server = TestServer::start();
    let mut client = RawClient::open(&server).await;
    client.send(&frame(FIN | PING, b"").repeat(1_000)).await;
    let mut pongs = 0;
    let refusal = loop {
        match client.receive().await {
            Received::Pong(_) => pongs += 1,
            received => break received,
        }
    };
    // Refused frames are answered too, and the budget refills over time.
    assert!((40..200).contains(&pongs), "{pongs} pings were answered");
    assert!(matches!(&refusal, Received::Text(text) if text.contains("too_fast")), "{refusal:?}");
    let end = loop {
        match client.receive().await {
            Received::Pong(_) => {}
            received => break received,
        }
    };
    assert_eq!(end, Received::Close(Some(4429)));
}
