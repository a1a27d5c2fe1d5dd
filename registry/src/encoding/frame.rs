//! WebSocket frames, encoded once for all who receive them.

use std::sync::Arc;

use bytes::Bytes;
use tungstenite::protocol::frame::{
    FrameHeader,
    coding::{Data, OpCode},
};

/// A text frame of WebSocket (RFC 6455, section 5.2): its header and its text.
///
/// A server does not mask, so the bytes are the same for all clients. Cloning is cheap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    bytes: Bytes,
    text_at: usize,
}

impl Frame {
    /// The frame with this text.
    pub fn new(text: &str) -> Self {
        let header = FrameHeader { opcode: OpCode::Data(Data::Text), ..FrameHeader::default() };
        let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
        let mut bytes = Vec::with_capacity(header.len(length) + text.len());
        if let Err(error) = header.format(length, &mut bytes) {
            // Unreachable: writing to a vector does not fail.
            tracing::error!(%error, "a frame's header could not be written");
        }
        let text_at = bytes.len();
        bytes.extend_from_slice(text.as_bytes());
        Self { bytes: bytes.into(), text_at }
    }

    /// Header and text.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The text without the header.
    pub fn text(&self) -> &str {
        // The default is unreachable: the bytes are made of a text.
        self.bytes
            .get(self.text_at..)
            .and_then(|text| std::str::from_utf8(text).ok())
            .unwrap_or_default()
    }
}

/// The size of all frames on the wire.
pub(crate) fn total_len(frames: &[Frame]) -> usize {
    frames.iter().map(|frame| frame.bytes().len()).sum()
}

/// Frames that belong together: no other frame may be sent between them.
///
/// All but the first are shared by all readers, so that a batch is small, however many frames it has.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The first frame, if it is for one reader only.
    own: Option<Frame>,
    shared: Option<Arc<[Frame]>>,
    /// The number of shared frames that are taken.
    position: usize,
}

impl Batch {
    /// A frame for one reader, and then shared frames.
    pub fn beginning_with(own: Frame, shared: Arc<[Frame]>) -> Self {
        Self { own: Some(own), shared: Some(shared), position: 0 }
    }

    /// Whether no frame is left.
    pub fn is_empty(&self) -> bool {
        self.own.is_none() && self.remaining_shared().is_empty()
    }

    /// The frames that are left, in order.
    pub fn remaining(&self) -> impl Iterator<Item = &Frame> {
        self.own.iter().chain(self.remaining_shared())
    }

    /// What is left on the wire, in bytes.
    pub fn size_in_bytes(&self) -> usize {
        self.remaining().map(|frame| frame.bytes().len()).sum()
    }

    /// Takes the next frame out.
    pub fn take_next(&mut self) -> Option<Frame> {
        if let Some(own) = self.own.take() {
            return Some(own);
        }
        let next = self.remaining_shared().first().cloned();
        self.position += usize::from(next.is_some());
        next
    }

    fn remaining_shared(&self) -> &[Frame] {
        self.shared.as_deref().and_then(|shared| shared.get(self.position..)).unwrap_or_default()
    }
}

impl From<Arc<[Frame]>> for Batch {
    fn from(shared: Arc<[Frame]>) -> Self {
        Self { own: None, shared: Some(shared), position: 0 }
    }
}

impl From<Vec<Frame>> for Batch {
    fn from(frames: Vec<Frame>) -> Self {
        Self::from(Arc::from(frames))
    }
}

impl Iterator for Batch {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        self.take_next()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tungstenite::{Message, WebSocket, protocol::Role};

    use super::*;

    proptest! {
        #[test]
        fn websocket_client_reads_the_texts_of_consecutive_frames(texts in prop::collection::vec(".{0,5000}", 1..4)) {
            let frames: Vec<Frame> = texts.iter().map(|text| Frame::new(text)).collect();
            let bytes: Vec<u8> = frames.iter().flat_map(|frame| frame.bytes().to_vec()).collect();
            let stream = std::io::Cursor::new(bytes.clone());
            let mut client = WebSocket::from_raw_socket(stream, Role::Client, None);
            prop_assert_eq!(total_len(&frames), bytes.len());
            for (text, frame) in texts.iter().zip(&frames) {
                prop_assert_eq!(frame.text(), text);
                prop_assert_eq!(client.read().unwrap(), Message::text(text.as_str()));
            }
        }

        #[test]
        fn batch_yields_its_frames_in_order(own in prop::option::of("[a-z]{1,5}"), shared in prop::collection::vec("[0-9]{1,5}", 0..6)) {
            let frames: Vec<Frame> = shared.iter().map(|text| Frame::new(text)).collect();
            let mut batch = match &own {
                Some(own) => Batch::beginning_with(Frame::new(own), frames.into()),
                None => Batch::from(frames),
            };
            let mut expected: Vec<&str> = own.iter().chain(&shared).map(String::as_str).collect();
            loop {
                let remaining: Vec<&str> = batch.remaining().map(Frame::text).collect();
                prop_assert_eq!(&remaining, &expected);
                prop_assert_eq!(batch.is_empty(), expected.is_empty());
                prop_assert_eq!(batch.size_in_bytes(), batch.remaining().map(|frame| frame.bytes().len()).sum::<usize>());
                let Some(frame) = batch.take_next() else { break };
                prop_assert_eq!(frame.text(), expected.remove(0));
            }
            prop_assert!(expected.is_empty());
        }
    }
}
