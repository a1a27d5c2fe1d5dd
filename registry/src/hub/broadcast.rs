//! The last broadcast of a room, and how it is written.

use std::sync::Arc;

use app::presence::{Changes, Difference, Digest, Epoch, ServerEvent};
use bytes::Bytes;

use super::cursor::{Cursor, PendingReply};
use crate::{
    encoding::{
        frame::{Batch, Frame},
        messages::{encode, split},
    },
    presence::room::Room,
    wake::direct_write::LogPosition,
};

/// All changes after `from` and up to `seq`, encoded once for all subscribers, and the list that they lead to.
#[derive(Debug)]
pub(super) struct Broadcast {
    /// Counts the epochs that the room has had on this server: cheaper to compare than the epoch.
    pub(super) generation: u32,
    pub(super) epoch: Arc<Epoch>,
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

/// A frame that can be written to every reader at one position.
#[derive(Clone, Debug)]
pub(super) struct DirectFrame {
    pub(super) from: LogPosition,
    pub(super) to: LogPosition,
    pub(super) bytes: Bytes,
}

impl Broadcast {
    /// A broadcast to no subscriber: a room begins with it.
    pub(super) fn initial(room: &Room) -> Self {
        Self::of(room, 0, Arc::new(room.epoch().clone()), room.log().seq())
    }

    /// The next broadcast of the room, with the whole list: in a new epoch nothing else leads to it.
    pub(super) fn next(&self, room: &Room) -> Self {
        if *self.epoch == *room.epoch() {
            Self::of(room, self.generation, Arc::clone(&self.epoch), self.seq)
        } else {
            let epoch = Arc::new(room.epoch().clone());
            Self::of(room, self.generation + 1, epoch, room.log().seq())
        }
    }

    fn of(room: &Room, generation: u32, epoch: Arc<Epoch>, from: u64) -> Self {
        let (seq, roster) = (room.log().seq(), room.roster());
        let (count, digest) = (roster.len(), roster.digest());
        Self { generation, epoch, from, seq, payload: Payload::List, count, digest }
    }

    /// Whether the room has not changed since.
    pub(super) fn is_current(&self, room: &Room) -> bool {
        self.seq == room.log().seq() && *self.epoch == *room.epoch()
    }

    /// The only frame of the changes, and the positions that it leads from and to. Longer changes are written by the
    /// readers' tasks, several frames at a time.
    pub(super) fn single_frame(&self) -> Option<DirectFrame> {
        let Payload::Frames(frames) = &self.payload else { return None };
        let [frame] = &**frames else { return None };
        let Self { generation, from, seq, .. } = *self;
        Some(DirectFrame {
            from: LogPosition { generation, seq: from },
            to: LogPosition { generation, seq },
            bytes: frame.bytes().clone(),
        })
    }

    /// What a reader receives that needs this broadcast and nothing else; `None` if it needs more.
    pub(super) fn advance(&self, cursor: &mut Cursor) -> Option<Batch> {
        if cursor.generation != self.generation || cursor.pending_reply != PendingReply::Nothing {
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
