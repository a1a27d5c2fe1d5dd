//! The last broadcast of a room, and how it is written.

use std::sync::Arc;

use app::presence::{Changes, Difference, Digest, ServerEvent};

use super::cursor::{Cursor, PendingReply};
use crate::encoding::{
    frame::{Batch, Frame},
    messages::{encode, split},
};

/// All changes after `from` and up to `seq`, encoded once for all subscribers, and the list that they lead to.
#[derive(Debug)]
pub(super) struct Broadcast {
    pub(super) from: u64,
    pub(super) seq: u64,
    pub(super) payload: Payload,
    pub(super) count: usize,
    pub(super) digest: Digest,
}

/// What a reader at a broadcast's `from` receives.
#[derive(Debug)]
pub(super) enum Payload {
    /// The changes.
    Frames(Arc<[Frame]>),
    /// The whole list: it is shorter than the changes, or the log no longer has them.
    List,
}

impl Broadcast {
    /// What a reader receives that needs this broadcast and nothing else; `None` if it needs more.
    pub(super) fn advance(&self, cursor: &mut Cursor) -> Option<Batch> {
        if cursor.pending_reply != PendingReply::Nothing {
            return None;
        }
        if cursor.seq == Some(self.seq) {
            return Some(Batch::default());
        }
        match &self.payload {
            Payload::Frames(frames) if cursor.seq == Some(self.from) => {
                cursor.seq = Some(self.seq);
                Some(Arc::clone(frames).into())
            }
            _ => None,
        }
    }
}

/// The frames of a difference; all of them but the last leave `seq` at `from`, so that a reader that
/// loses its connection between them resumes before the first.
pub(super) fn changes(from: u64, seq: u64, difference: Difference) -> Vec<Frame> {
    let chunks = split(difference);
    let last = chunks.len().saturating_sub(1);
    let frames = chunks.into_iter().enumerate().map(|(index, difference)| {
        let seq = if index == last { seq } else { from };
        encode(&ServerEvent::Changes(Changes { from, seq, difference }))
    });
    frames.collect()
}
