//! A case: the bytes of a client, and the expected response.

use app::presence::ServerEvent;
use futures_util::future::join_all;

use crate::{
    raw_client::{CLOSE, FIN, PING, RawClient, Received, frame, text},
    support::TestServer,
};

/// The expected response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// The refusal of a `rename` by a person who is not listed: the text was understood.
    Understood,
    /// The refusal of an invalid frame.
    NoFrame,
    /// A list with this one name.
    ListOf(&'static str),
    /// A pong with this payload.
    Pong(Vec<u8>),
    /// A close frame with this code, and the end.
    Close(u16),
    /// A close frame without a code, and the end.
    CloseWithoutCode,
    /// Nothing before the pong for a final ping.
    NothingElse,
    /// The reply to a final `leave`, and the close frame for the client's own.
    Goodbye,
}

/// A case, for one socket.
pub(crate) struct Case {
    /// The corresponding case of Autobahn, or a description.
    name: String,
    sends: Vec<Vec<u8>>,
    expects: Vec<Expected>,
}

/// A case that sends these frames, and expects these responses.
pub(crate) fn case(
    name: impl Into<String>,
    sends: impl IntoIterator<Item = Vec<u8>>,
    expects: impl IntoIterator<Item = Expected>,
) -> Case {
    let (sends, expects) = (sends.into_iter().collect(), expects.into_iter().collect());
    Case { name: name.into(), sends, expects }
}

/// How the bytes of a case are split into writes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Chunking {
    /// All bytes in one write.
    AtOnce,
    /// One frame per write.
    ByFrame,
    /// So many bytes per write.
    ByBytes(usize),
}

/// Runs every case in each of these ways against one server, and checks that it still works.
pub(crate) async fn run_cases(server: &TestServer, ways: &[Chunking], cases: &[Case]) {
    // A close can take a second, so all cases run concurrently.
    let all = cases.iter().flat_map(|case| ways.iter().map(|way| run_case(server, *way, case)));
    join_all(all).await;
    let mut newcomer = server.connect("rfc").await;
    assert_eq!(newcomer.join("Newcomer").await.count, 1, "a client of the cases is still listed");
    newcomer.send(r#"{"event":"leave"}"#).await;
    newcomer.wait_for_names(&[]).await;
}

async fn run_case(server: &TestServer, way: Chunking, case: &Case) {
    let mut client = RawClient::open(server).await;
    let whole = case.sends.concat();
    let pieces: Vec<&[u8]> = match way {
        Chunking::AtOnce => vec![&whole],
        Chunking::ByFrame => case.sends.iter().map(Vec::as_slice).collect(),
        Chunking::ByBytes(bytes) => whole.chunks(bytes).collect(),
    };
    for piece in pieces {
        client.send(piece).await;
        // Yields, so that the server reads the pieces one by one.
        tokio::task::yield_now().await;
    }
    let of = |received: &Received| format!("{} {way:?}: {received:?}", case.name);
    for expects in &case.expects {
        match expects {
            Expected::NothingElse => client.send(&frame(FIN | PING, b"the last")).await,
            Expected::Goodbye => {
                client.send(&text(br#"{"event":"leave"}"#)).await;
                assert!(matches!(client.receive().await, Received::Text(_)));
                client.send(&frame(FIN | CLOSE, &1000_u16.to_be_bytes())).await;
            }
            _ => {}
        }
        let received = client.receive().await;
        assert!(is_as_expected(expects, &received), "{}, not {expects:?}", of(&received));
        if matches!(expects, Expected::Close(_) | Expected::CloseWithoutCode | Expected::Goodbye) {
            let received = client.receive().await;
            assert_eq!(received, Received::End, "{}", of(&received));
        }
    }
}

fn is_as_expected(expects: &Expected, received: &Received) -> bool {
    match (expects, received) {
        (Expected::Understood, Received::Text(text)) => is_refusal(text, "not_listed"),
        (Expected::NoFrame, Received::Text(text)) => is_refusal(text, "bad_frame"),
        (Expected::ListOf(name), Received::Text(text)) => {
            let event = serde_json::from_str(text).unwrap();
            let ServerEvent::ExistingUsers(list) = event else { return false };
            list.users.iter().map(|user| user.name.as_str()).eq([*name])
        }
        (Expected::Pong(payload), Received::Pong(received)) => payload == received,
        (Expected::NothingElse, Received::Pong(received)) => received == b"the last",
        (Expected::Goodbye, Received::Close(received)) => *received == Some(1000),
        (Expected::Close(code), Received::Close(received)) => Some(*code) == *received,
        (Expected::CloseWithoutCode, Received::Close(received)) => received.is_none(),
        _ => false,
    }
}

fn is_refusal(text: &str, code: &str) -> bool {
    let frame: serde_json::Value = serde_json::from_str(text).unwrap();
    frame["event"] == "refused" && frame["code"] == code
}
