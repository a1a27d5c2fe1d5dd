//! A connection between a page and the server: two pipes, what each end holds of them, and what fails.

use std::{
    future::poll_fn,
    task::{Context, Poll},
    time::Duration,
};

use app::presence::CloseCode;
use fastrand::Rng;
use tungstenite::{Message, Utf8Bytes, protocol::CloseFrame};

use crate::network::pipe::{Pipe, PipeConfig, PipeEnd, PipeReader, Received};

/// What comes down to a page.
#[derive(Debug)]
pub(crate) enum Down {
    /// The handshake is through.
    Opened,
    /// A message of the server's.
    Message(Message),
}

/// A connection, as those see it who let it fail.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) down: Pipe<Down>,
    pub(crate) up: Pipe<Message>,
    /// Whose it is.
    pub(crate) person: usize,
}

/// One of the two directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Down,
    Up,
}

impl Link {
    pub(crate) fn new(config: PipeConfig, person: usize, rng: &mut Rng) -> Self {
        // A page may write what it likes: its browser takes it.
        let up = PipeConfig { capacity: usize::MAX, ..config };
        Self { down: Pipe::new(config, rng.fork()), up: Pipe::new(up, rng.fork()), person }
    }

    /// Breaks; each side hears of it after its own time, or never.
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

    /// Whether neither side holds it any more.
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

/// What a page holds of a connection: a browser's WebSocket.
#[derive(Debug)]
pub(crate) struct ClientSocket {
    link: Link,
    reader: PipeReader<Down>,
    is_open: bool,
    is_over: bool,
}

/// What happens on a page's socket.
#[derive(Debug)]
pub(crate) enum SocketEvent {
    Opened,
    Frame(Utf8Bytes),
    /// It ended with this code, or never opened.
    Closed(u16),
}

/// What a browser calls the end of a socket that was not closed (RFC 6455, section 7.4.1).
const ABNORMAL_CLOSURE: u16 = 1006;

/// What a browser says when its page goes.
pub(crate) const GOING_AWAY: u16 = 1001;

impl ClientSocket {
    pub(crate) fn new(link: Link) -> Self {
        let reader = PipeReader::new(link.down.clone());
        Self { link, reader, is_open: false, is_over: false }
    }

    /// The next that happens; the browser answers pings by itself.
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
                    SocketEvent::Closed(ABNORMAL_CLOSURE)
                }
            };
            return Poll::Ready(event);
        }
    }

    pub(crate) fn send(&self, text: String) {
        self.link.up.write(Message::text(text));
    }

    /// Closes as one should, where it was open.
    pub(crate) fn close(self, code: u16) {
        if self.is_open && !self.is_over {
            let frame = CloseFrame { code: code.into(), reason: Utf8Bytes::default() };
            self.link.up.write(Message::Close(Some(frame)));
        }
    }

    /// Is gone without a trace: the server is not even told that the connection is.
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
