//! A case: bytes that a client says, and what it must hear.

use app::presence::ServerEvent;
use futures_util::future::join_all;

use crate::{
    raw_client::{CLOSE, FIN, PING, RawClient, Said, frame, text},
    support::TestServer,
};

/// What the server must say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hears {
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
    says: Vec<Vec<u8>>,
    hears: Vec<Hears>,
}

/// Says these frames, one after the other, and must hear that.
pub(crate) fn case(
    name: impl Into<String>,
    says: impl IntoIterator<Item = Vec<u8>>,
    hears: impl IntoIterator<Item = Hears>,
) -> Case {
    let (says, hears) = (says.into_iter().collect(), hears.into_iter().collect());
    Case { name: name.into(), says, hears }
}

/// How the bytes of a case are handed to the system.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Chopped {
    /// All at once.
    AtOnce,
    /// One frame after the other.
    ByFrame,
    /// So many bytes at a time.
    ByBytes(usize),
}

/// Plays every case in each of the ways, against one server; the server is well afterwards.
pub(crate) async fn play(server: &TestServer, ways: &[Chopped], cases: &[Case]) {
    // A goodbye takes a second where the server can't read on, so all are said goodbye to at once.
    let all = cases.iter().flat_map(|case| ways.iter().map(|way| play_one(server, *way, case)));
    join_all(all).await;
    let mut newcomer = server.connect("rfc").await;
    assert_eq!(newcomer.join("Newcomer").await.count, 1, "a client of the cases is still listed");
    newcomer.send(r#"{"event":"leave"}"#).await;
    newcomer.until_names(&[]).await;
}

async fn play_one(server: &TestServer, way: Chopped, case: &Case) {
    let mut client = RawClient::open(server).await;
    let whole = case.says.concat();
    let pieces: Vec<&[u8]> = match way {
        Chopped::AtOnce => vec![&whole],
        Chopped::ByFrame => case.says.iter().map(Vec::as_slice).collect(),
        Chopped::ByBytes(bytes) => whole.chunks(bytes).collect(),
    };
    for piece in pieces {
        client.send(piece).await;
        // Whoever else has something to do has a turn, so that not all is read at once.
        tokio::task::yield_now().await;
    }
    let of = |said: &Said| format!("{} {way:?}: {said:?}", case.name);
    for hears in &case.hears {
        match hears {
            Hears::NothingElse => client.send(&frame(FIN | PING, b"the last")).await,
            Hears::Goodbye => {
                client.send(&text(br#"{"event":"leave"}"#)).await;
                assert!(matches!(client.hear().await, Said::Text(_)));
                client.send(&frame(FIN | CLOSE, &1000_u16.to_be_bytes())).await;
            }
            _ => {}
        }
        let said = client.hear().await;
        assert!(is_as_expected(hears, &said), "{}, not {hears:?}", of(&said));
        if matches!(hears, Hears::Close(_) | Hears::CloseWithoutCode | Hears::Goodbye) {
            let said = client.hear().await;
            assert_eq!(said, Said::End, "{}", of(&said));
        }
    }
}

fn is_as_expected(hears: &Hears, said: &Said) -> bool {
    match (hears, said) {
        (Hears::Understood, Said::Text(text)) => is_refusal(text, "not_listed"),
        (Hears::NoFrame, Said::Text(text)) => is_refusal(text, "bad_frame"),
        (Hears::ListOf(name), Said::Text(text)) => {
            let event = serde_json::from_str(text).unwrap();
            let ServerEvent::ExistingUsers(list) = event else { return false };
            list.users.iter().map(|user| user.name.as_str()).eq([*name])
        }
        (Hears::Pong(payload), Said::Pong(said)) => payload == said,
        (Hears::NothingElse, Said::Pong(said)) => said == b"the last",
        (Hears::Goodbye, Said::Close(said)) => *said == Some(1000),
        (Hears::Close(code), Said::Close(said)) => Some(*code) == *said,
        (Hears::CloseWithoutCode, Said::Close(said)) => said.is_none(),
        _ => false,
    }
}

fn is_refusal(text: &str, code: &str) -> bool {
    let frame: serde_json::Value = serde_json::from_str(text).unwrap();
    frame["event"] == "refused" && frame["code"] == code
}
