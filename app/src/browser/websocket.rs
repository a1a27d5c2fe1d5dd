//! One WebSocket, as this page needs it: a task reads, and a handle sends.

use std::{
    cell::RefCell,
    future::poll_fn,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};

use futures_util::{Sink as _, SinkExt as _, StreamExt as _};
use gloo_net::websocket::{Message, State, WebSocketError, futures::WebSocket};
use leptos::{prelude::window, task::spawn_local};

use super::document_state::base_path;
use crate::{
    client::codec::frames::write_frame,
    presence::{ClientEvent, RoomName},
};

/// A WebSocket; it is closed, and says nothing more, when this is dropped.
pub(super) struct Socket(Slot);

/// Empty once the handle is dropped. The socket is not `split` in two: it would stay open for as long
/// as the half that reads.
type Slot = Rc<RefCell<Option<WebSocket>>>;

/// What happens on a socket.
pub(super) enum SocketEvent {
    /// It is open: frames can be sent.
    Opened,
    /// A text frame came.
    Frame(String),
    /// It ended with this code, or never opened.
    Closed(u16),
}

impl Socket {
    /// Begins to open a socket; none where the browser refuses the very address.
    pub(super) fn open(address: &str, react: impl Fn(SocketEvent) + 'static) -> Option<Self> {
        let slot = Rc::new(RefCell::new(Some(WebSocket::open(address).ok()?)));
        spawn_local(read(Rc::clone(&slot), react));
        Some(Self(slot))
    }

    /// Sends a frame; on a socket that has ended, the end is what will be heard.
    pub(super) fn send(&self, event: &ClientEvent) {
        if let Some(socket) = &mut *self.0.borrow_mut() {
            // This calls the browser's `send` at once: there is no queue to flush.
            let _ = socket.start_send_unpin(Message::Text(write_frame(event)));
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // gloo-net closes the socket and dispatches a `close` event of its own, which wakes the
        // reading task a last time: the slot is empty by then, and not borrowed.
        let socket = self.0.take();
        drop(socket);
    }
}

/// Reads until the socket ends or its handle is dropped.
async fn read(slot: Slot, react: impl Fn(SocketEvent)) {
    let mut is_open = false;
    while let Some(event) = poll_fn(|context| poll_event(&slot, &mut is_open, context)).await {
        let is_end = matches!(event, SocketEvent::Closed(_));
        // The slot is not borrowed here: this may send, or drop the handle.
        react(event);
        if is_end {
            return;
        }
    }
}

fn poll_event(
    slot: &Slot,
    is_open: &mut bool,
    context: &mut Context<'_>,
) -> Poll<Option<SocketEvent>> {
    let mut slot = slot.borrow_mut();
    let Some(socket) = slot.as_mut() else {
        return Poll::Ready(None);
    };
    // gloo-net has no event for a socket that opened. Its sink is ready when the socket no longer
    // connects, which it also is after a failure. A handle that is dropped while the socket connects
    // wakes only a task that waits for messages: so this waits for both at once.
    if !*is_open
        && Pin::new(&mut *socket).poll_ready(context).is_ready()
        && matches!(socket.state(), State::Open)
    {
        *is_open = true;
        return Poll::Ready(Some(SocketEvent::Opened));
    }
    loop {
        return Poll::Ready(match ready!(socket.poll_next_unpin(context)) {
            Some(Ok(Message::Text(text))) => Some(SocketEvent::Frame(text)),
            Some(Err(WebSocketError::ConnectionClose(close))) => {
                Some(SocketEvent::Closed(close.code))
            }
            // An error is not the end: the close event follows it, and has the code. The protocol
            // has no binary frames.
            Some(Ok(_) | Err(_)) => continue,
            None => None,
        });
    }
}

/// The address of a room's socket, on the host that the page came from.
pub(super) fn address_of(room: &RoomName) -> String {
    let location = window().location();
    let is_secure = location.protocol().is_ok_and(|protocol| protocol == "https:");
    let scheme = if is_secure { "wss://" } else { "ws://" };
    let host = location.host().unwrap_or_default();
    [scheme, &host, &base_path(), "/r/", room.as_str(), "/socket"].concat()
}
