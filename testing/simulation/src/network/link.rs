//! A connection between a page and the server: two pipes, and their failures.

use std::{
    future::poll_fn,
    task::{Context, Poll},
    time::Duration,
};

use app::presence::CloseCode;
use fastrand::Rng;
use tungstenite::{Message, Utf8Bytes, protocol::CloseFrame};

use crate::network::pipe::{Pipe, PipeConfig, PipeEnd, PipeReader, Received};

/// A message to a page.
#[derive(Debug)]
pub(crate) enum Down {
    /// The handshake has succeeded.
    Opened,
    /// A WebSocket message of the server.
    Message(Message),
}

/// A connection, as the fault injection sees it.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) down: Pipe<Down>,
    pub(crate) up: Pipe<Message>,
    /// The person whose connection it is.
    pub(crate) person: usize,
}

/// A direction of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Down,
    Up,
}

impl Link {
    pub(crate) fn new(config: PipeConfig, person: usize, rng: &mut Rng) -> Self {
        // A browser buffers whatever its page sends.
        let up = PipeConfig { capacity: usize::MAX, ..config };
        Self { down: Pipe::new(config, rng.fork()), up: Pipe::new(up, rng.fork()), person }
    }

    /// Breaks the connection. Each side notices after its own delay, or never.
    pub(crate) fn cut(&self, at_page: Option<Duration>, at_server: Option<Duration>) {
        self.set_stalled(true);
        if let Some(after) = at_page {
            self.down.reset_for_reader(after);
        }
        if let Some(after) = at_server {
            self.up.reset_for_reader(after);
            self.down.reset_for_writer(after);
        }
    }

    pub(crate) fn set_stalled(&self, is_stalled: bool) {
        self.down.set_stalled(is_stalled);
        self.up.set_stalled(is_stalled);
    }

    /// Whether both sides have dropped it.
    pub(crate) fn is_over(&self) -> bool {
        self.down.is_reader_closed() && self.up.is_reader_closed()
    }

    pub(crate) fn stall(&self, direction: Direction) {
        match direction {
            Direction::Down => self.down.set_stalled(true),
            Direction::Up => self.up.set_stalled(true),
        }
    }
}

/// The page's side of a connection: a browser's WebSocket.
#[derive(Debug)]
pub(crate) struct ClientSocket {
    link: Link,
    reader: PipeReader<Down>,
    is_open: bool,
    is_over: bool,
}

/// An event of a page's socket.
#[derive(Debug)]
pub(crate) enum SocketEvent {
    Opened,
    Frame(Utf8Bytes),
    /// It was closed with this code, or never opened.
    Closed(u16),
}

/// The close code of a page that is closed or reloaded.
pub(crate) const GOING_AWAY: u16 = 1001;

impl ClientSocket {
    pub(crate) fn new(link: Link) -> Self {
        let reader = PipeReader::new(link.down.clone());
        Self { link, reader, is_open: false, is_over: false }
    }

    /// The next event. Pings are answered, as by a browser.
    pub(crate) async fn next(&mut self) -> SocketEvent {
        poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<SocketEvent> {
        if self.is_over {
            return Poll::Pending;
        }
        loop {
            let event = match std::task::ready!(self.reader.poll(context)) {
                Received::Message(Down::Opened) => {
                    self.is_open = true;
                    SocketEvent::Opened
                }
                Received::Message(Down::Message(Message::Text(text))) => SocketEvent::Frame(text),
                Received::Message(Down::Message(Message::Close(frame))) => {
                    self.is_over = true;
                    self.link.up.write(Message::Close(None));
                    let code = frame.map_or(CloseCode::Normal.number(), |frame| frame.code.into());
                    SocketEvent::Closed(code)
                }
                Received::Message(Down::Message(Message::Ping(data))) => {
                    self.link.up.write(Message::Pong(data));
                    continue;
                }
                Received::Message(Down::Message(_)) => continue,
                Received::Ended(PipeEnd::Finished | PipeEnd::Reset) => {
                    self.is_over = true;
                    SocketEvent::Closed(CloseCode::Abnormal.number())
                }
            };
            return Poll::Ready(event);
        }
    }

    pub(crate) fn send(&self, text: String) {
        self.link.up.write(Message::text(text));
    }

    /// Sends a close frame, if the socket is open.
    pub(crate) fn close(self, code: u16) {
        if self.is_open && !self.is_over {
            let frame = CloseFrame { code: code.into(), reason: Utf8Bytes::default() };
            self.link.up.write(Message::Close(Some(frame)));
        }
    }

    /// Disappears without notifying the server.
    pub(crate) fn drop_silently(self) {
        self.link.set_stalled(true);
    }
}

impl Drop for ClientSocket {
    fn drop(&mut self) {
        self.link.up.finish();
        self.link.down.close_reader();
    }
}
