//! Entries that have arrived and were not applied yet.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use redis::{PushInfo, PushKind, Value};
use tokio::sync::{
    Mutex,
    mpsc::{Receiver, Sender, channel},
};
use tokio_util::sync::CancellationToken;

/// So many messages may wait.
const MOST_MESSAGES: usize = 65_536;

/// So many bytes may wait. With more the link is over, and the rooms are read again: that is cheaper.
const MOST_BYTES: usize = 16 << 20;

/// A message of a channel.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) channel: Vec<u8>,
    pub(super) payload: Vec<u8>,
}

impl Message {
    fn len(&self) -> usize {
        self.channel.len() + self.payload.len()
    }
}

/// The end of the queue at the connection. It never waits.
#[derive(Debug)]
pub(super) struct Arriving {
    messages: Sender<Message>,
    bytes: Arc<AtomicUsize>,
    over: CancellationToken,
}

/// The end of the queue at the server.
#[derive(Debug)]
pub(super) struct Arrived {
    messages: Mutex<Receiver<Message>>,
    bytes: Arc<AtomicUsize>,
}

/// An empty queue; `over` is cancelled when the connection ends, or too much waits.
pub(super) fn queue(over: CancellationToken) -> (Arriving, Arrived) {
    let (sender, receiver) = channel(MOST_MESSAGES);
    let bytes = Arc::new(AtomicUsize::new(0));
    let arriving = Arriving { messages: sender, bytes: Arc::clone(&bytes), over };
    (arriving, Arrived { messages: Mutex::new(receiver), bytes })
}

impl Arriving {
    /// Takes what the connection received that is no reply.
    pub(super) fn push(&self, push: PushInfo) {
        match push.kind {
            PushKind::SMessage => {
                let is_queued = message(push.data).is_some_and(|message| self.add(message));
                if !is_queued {
                    self.over.cancel();
                }
            }
            PushKind::Disconnection => self.over.cancel(),
            // Confirmations, which come as replies too.
            _ => {}
        }
    }

    fn add(&self, message: Message) -> bool {
        let length = message.len();
        let before = self.bytes.fetch_add(length, Ordering::Relaxed);
        before + length <= MOST_BYTES && self.messages.try_send(message).is_ok()
    }
}

impl Arrived {
    /// The next message. A caller that stops waiting loses nothing.
    pub(super) async fn next(&self) -> Option<Message> {
        let message = self.messages.lock().await.recv().await?;
        self.bytes.fetch_sub(message.len(), Ordering::Relaxed);
        Some(message)
    }
}

/// `[channel, payload]`.
fn message(data: Vec<Value>) -> Option<Message> {
    match <[Value; 2]>::try_from(data) {
        Ok([Value::BulkString(channel), Value::BulkString(payload)]) => {
            Some(Message { channel, payload })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(payload: &[u8]) -> PushInfo {
        let text = |text: &[u8]| Value::BulkString(text.to_vec());
        PushInfo { kind: PushKind::SMessage, data: vec![text(b"channel"), text(payload)] }
    }

    #[tokio::test]
    async fn messages_come_in_order() {
        let over = CancellationToken::new();
        let (arriving, arrived) = queue(over.clone());
        for payload in [b"one", b"two"] {
            arriving.push(push(payload));
        }
        for payload in [b"one", b"two"] {
            assert_eq!(arrived.next().await.unwrap().payload, payload);
        }
        assert_eq!(arrived.bytes.load(Ordering::Relaxed), 0);
        assert!(!over.is_cancelled());
    }

    #[test]
    fn link_is_over_when_too_many_bytes_wait() {
        let over = CancellationToken::new();
        let (arriving, _arrived) = queue(over.clone());
        arriving.push(push(&vec![0; MOST_BYTES - 100]));
        assert!(!over.is_cancelled());
        arriving.push(push(&[0; 100]));
        assert!(over.is_cancelled());
    }

    #[test]
    fn link_is_over_when_too_many_messages_wait() {
        let over = CancellationToken::new();
        let (arriving, _arrived) = queue(over.clone());
        for _ in 0..MOST_MESSAGES {
            arriving.push(push(b""));
        }
        assert!(!over.is_cancelled());
        arriving.push(push(b""));
        assert!(over.is_cancelled());
    }

    #[test]
    fn link_is_over_when_the_connection_ends() {
        let over = CancellationToken::new();
        let (arriving, _arrived) = queue(over.clone());
        arriving.push(PushInfo { kind: PushKind::Disconnection, data: Vec::new() });
        assert!(over.is_cancelled());
    }
}
