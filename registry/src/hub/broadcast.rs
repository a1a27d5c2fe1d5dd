//! What was told to everyone last, and how it is written.

use std::sync::Arc;

use app::presence::{Changes, Difference, Digest, ServerEvent};

use super::cursor::{Cursor, PendingReply};
use crate::encoding::{
    frame::{Batch, Frame},
    messages::{encode, split},
};

/// What was told to everyone last.
#[derive(Debug)]
pub(super) struct Broadcast {
    pub(super) from: u64,
    pub(super) seq: u64,
    pub(super) payload: Payload,
    pub(super) count: usize,
    pub(super) digest: Digest,
}

/// What those who were at a flush's `from` are told.
#[derive(Debug)]
pub(super) enum Payload {
    /// These frames.
    Frames(Arc<[Frame]>),
    /// The whole list, which is shorter than what happened, or all that can be said.
    List,
}

impl Broadcast {
    /// What brings a reader on who needs nothing but the last flush; none where it takes more than that.
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

/// The frames of what happened next; all chunks but the last leave the count where it was.
pub(super) fn changes(from: u64, seq: u64, difference: Difference) -> Vec<Frame> {
    let chunks = split(difference);
    let last = chunks.len().saturating_sub(1);
    let frames = chunks.into_iter().enumerate().map(|(index, difference)| {
        let seq = if index == last { seq } else { from };
        encode(&ServerEvent::Changes(Changes { from, seq, difference }))
    });
    frames.collect()
}
