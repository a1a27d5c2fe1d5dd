//! The trait of what a connection sends and receives through.

use std::{
    io::ErrorKind,
    task::{Context, Poll, ready},
};

use app::presence::CloseCode;
use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream};
use tungstenite::Message;

use super::outbox::Outbox;

/// A WebSocket, or two channels in a test.
pub trait Socket:
    Sink<Message, Error: TransportError>
    + Stream<Item = Result<Message, <Self as Sink<Message>>::Error>>
    + Unpin
    + Send
{
    /// Sends and removes all frames of the outbox; ready when they are flushed.
    fn poll_send(
        &mut self,
        outbox: &mut Outbox,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), <Self as Sink<Message>>::Error>> {
        while !outbox.is_empty() {
            ready!(self.poll_ready_unpin(context))?;
            if let Some(frame) = outbox.take_next() {
                self.start_send_unpin(Message::text(frame.text()))?;
            }
        }
        self.poll_flush_unpin(context)
    }

    /// A broadcast wrote the beginning of a frame itself: the rest is sent before anything else. Called only where
    /// broadcasts may write to the socket.
    fn finish_frame(&mut self, rest: Bytes) {
        let _ = rest;
    }
}

/// A socket's error, and the close code that results from it.
pub trait TransportError: std::fmt::Display {
    /// The close code for a client that violated the protocol; none if the connection broke.
    fn close_code(&self) -> Option<CloseCode>;
}

impl TransportError for tungstenite::Error {
    fn close_code(&self) -> Option<CloseCode> {
        match self {
            Self::Capacity(_) => Some(CloseCode::TooBig),
            Self::Utf8(_) => Some(CloseCode::NotUtf8),
            Self::Io(error) if error.kind() == ErrorKind::QuotaExceeded => Some(CloseCode::TooFast),
            Self::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) => None,
            Self::Protocol(_) => Some(CloseCode::ProtocolError),
            _ => None,
        }
    }
}
