//! A case: bytes that a client says, and what it must hear.

use app::presence::ServerEvent;
use futures_util::future::join_all;

use crate::{
    raw_client::{CLOSE, FIN, PING, RawClient, Received, frame, text},
    support::TestServer,
};

/// What the server must say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// That somebody who is not listed can't be renamed: the text was understood.
    Understood,
    /// That the text is no frame of the protocol.
    NoFrame,
    /// The list with this one name.
    ListOf(&'static str),
    /// The answer to a ping.
    Pong(Vec<u8>),
    /// A goodbye with this code, and the end.
    Close(u16),
    /// A goodbye without a code, and the end.
    CloseWithoutCode,
    /// Nothing before the answer to a ping that is sent last.
    NothingElse,
    /// The answer to a `leave` and a goodbye of the client's own, which are sent last.
    Goodbye,
}

/// A case of one socket.
pub(crate) struct Case {
    /// Which of Autobahn's cases it is like, or what it is about.
    name: String,
    sends: Vec<Vec<u8>>,
    expects: Vec<Expected>,
}

/// Says these frames, one after the other, and must hear that.
pub(crate) fn case(
    name: impl Into<String>,
    sends: impl IntoIterator<Item = Vec<u8>>,
    expects: impl IntoIterator<Item = Expected>,
) -> Case {
    let (sends, expects) = (sends.into_iter().collect(), expects.into_iter().collect());
    Case { name: name.into(), sends, expects }
}

/// How the bytes of a case are handed to the system.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Chunking {
    /// All at once.
    AtOnce,
    /// One frame after the other.
    ByFrame,
    /// So many bytes at a time.
    ByBytes(usize),
}

/// Plays every case in each of the ways, against one server; the server is well afterwards.
pub(crate) async fn run_cases(server: &TestServer, ways: &[Chunking], cases: &[Case]) {
    // A goodbye takes a second where the server can't read on, so all are said goodbye to at once.
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
        // Whoever else has something to do has a turn, so that not all is read at once.
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
