use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use app::presence::{RoomName, UserId};
use registry::{
    hub::Hub,
    presence::join::{JoinKind, JoinRequest},
};
use tokio::io::DuplexStream;
use tokio_tungstenite::WebSocketStream;
use tungstenite::protocol::Role;

use super::*;
use crate::{lifecycle::graceful_shutdown::Drain, websocket::stream::WebSocket};

type TcpSocket = WebSocket<tokio::net::TcpStream>;

/// Memory per idle socket.
#[test]
fn a_connection_at_rest_is_small() {
    fn future_of<A, B, C, D, E, Served>(_: fn(A, B, C, D, E) -> Served) -> usize {
        size_of::<Served>()
    }
    assert!(size_of::<Connection<TcpSocket, ()>>() <= 976);
    assert!(future_of(serve::<TcpSocket, ()>) <= 192);
}

/// Adds up what is charged.
#[derive(Clone, Default)]
struct Paid(Arc<AtomicUsize>);

impl Paid {
    fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Payer for Paid {
    fn charge_for_reply(&self, size_in_bytes: usize) {
        self.0.fetch_add(size_in_bytes, Ordering::Relaxed);
    }
}

/// One address that opens sockets of a large room again and again pays as if it fetched the list.
#[tokio::test(start_paused = true)]
async fn lists_that_a_client_asks_for_are_paid_and_what_others_change_is_not() {
    let (hub, room, paid) = (hub(), RoomName::lobby(), Paid::default());
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let socket = WebSocket::new(ours, &[], ConnectionConfig::default().frames).await;
    let membership = hub.enter(&room, UserId::from_leading_bits(1 << 64));
    let guard = Drain::default().socket();
    let config = ConnectionConfig::default();
    let served = tokio::spawn(serve(socket, membership, Arc::new(config), guard, paid.clone()));
    let mut client = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
    let received = async |client: &mut WebSocketStream<DuplexStream>| loop {
        if let Message::Text(text) = client.next().await.unwrap().unwrap() {
            return text.len();
        }
    };
    assert_eq!(paid.bytes(), 0);
    client.send(Message::text(r#"{"event":"watch"}"#)).await.unwrap();
    let list = received(&mut client).await;
    // The header of a frame has two to four bytes.
    assert!((list + 2..=list + 4).contains(&paid.bytes()), "{} of {list}", paid.bytes());
    let before = paid.bytes();
    let mut bo = hub.enter(&room, UserId::from_leading_bits(2 << 64));
    let (name, tab, since) = ("Bo".to_owned(), None, None);
    let kind = JoinKind::Opening;
    bo.join(JoinRequest { name, tab, is_visible: true, kind, since }).unwrap();
    received(&mut client).await;
    assert_eq!(paid.bytes(), before);
    client.send(Message::text(r#"{"event":"resync"}"#)).await.unwrap();
    let list = received(&mut client).await;
    assert!(paid.bytes() >= before + list, "{} after {before}", paid.bytes());
    served.abort();
}

fn hub() -> Arc<Hub> {
    Hub::new(crate::config::Config::default().room_limits)
}
