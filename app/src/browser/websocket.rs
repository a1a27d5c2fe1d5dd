//! One WebSocket, as this page needs it.

use leptos::{
    prelude::window,
    wasm_bindgen::{JsCast, closure::Closure, convert::FromWasmAbi},
};
use web_sys::{CloseEvent, Event, MessageEvent, WebSocket};

use crate::{
    client::codec::frames::write_frame,
    presence::{ClientEvent, RoomName},
};

/// A WebSocket; it is closed, and says nothing more, when this is dropped.
pub(super) struct Socket {
    inner: WebSocket,
    // The browser calls these, so they live as long as the socket.
    _on_open: Closure<dyn FnMut(Event)>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_close: Closure<dyn FnMut(CloseEvent)>,
}

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
    pub(super) fn open(
        address: &str,
        react: impl Fn(SocketEvent) + Clone + 'static,
    ) -> Option<Self> {
        let socket = WebSocket::new(address).ok()?;
        let on_open = closure(react.clone(), |_: Event| Some(SocketEvent::Opened));
        let on_message = closure(react.clone(), |event: MessageEvent| {
            event.data().as_string().map(SocketEvent::Frame)
        });
        let on_close = closure(react, |event: CloseEvent| Some(SocketEvent::Closed(event.code())));
        socket.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        // An error is always followed by a close, and says no more than it.
        socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        Some(Self {
            inner: socket,
            _on_open: on_open,
            _on_message: on_message,
            _on_close: on_close,
        })
    }

    /// Sends a frame; on a socket that has ended, the end is what will be heard.
    pub(super) fn send(&self, event: &ClientEvent) {
        let _ = self.inner.send_with_str(&write_frame(event));
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.inner.set_onopen(None);
        self.inner.set_onmessage(None);
        self.inner.set_onclose(None);
        let _ = self.inner.close();
    }
}

/// The address of a room's socket, on the host that the page came from.
pub(super) fn address_of(room: &RoomName) -> String {
    let location = window().location();
    let is_secure = location.protocol().is_ok_and(|protocol| protocol == "https:");
    let scheme = if is_secure { "wss://" } else { "ws://" };
    let host = location.host().unwrap_or_default();
    [scheme, &host, "/r/", room.as_str(), "/socket"].concat()
}

fn closure<E: FromWasmAbi + 'static>(
    react: impl Fn(SocketEvent) + 'static,
    read: impl Fn(E) -> Option<SocketEvent> + 'static,
) -> Closure<dyn FnMut(E)> {
    Closure::new(move |event| {
        if let Some(event) = read(event) {
            react(event);
        }
    })
}
