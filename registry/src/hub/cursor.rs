//! The position of one reader in a room's log.

use app::presence::UserId;

use crate::wake::direct_write::LogPosition;

/// All that is kept of what one reader has received.
#[derive(Debug)]
pub(super) struct Cursor {
    /// The reader's person; `None` for readers that are no person's, as event streams are.
    pub(super) viewer: Option<UserId>,
    /// The epoch of what was sent, as the room counts its epochs.
    pub(super) generation: u32,
    /// The last `seq` sent; `None` while a whole list is to be sent.
    pub(super) seq: Option<u64>,
    /// The reply that the reader waits for.
    pub(super) pending_reply: PendingReply,
    /// So many of its replies do not wait for the rate of the room: to its first frame, and to a join.
    pub(super) lists_ahead: u8,
}

/// The reply that a reader waits for. It includes the changes that its request made: those up to `min_seq`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PendingReply {
    /// The reader only waits for changes.
    Nothing,
    /// A reply before which nothing else is sent: to a first frame, or a whole list.
    BeforeUpdates {
        /// The `seq` that it has to include.
        min_seq: u64,
    },
    /// A reply before which changes may be sent: to a later `got_a_new_user`.
    AmongUpdates {
        /// The `seq` that it has to include.
        min_seq: u64,
    },
}

impl PendingReply {
    /// The `seq` that the reply has to include; zero without a reply.
    pub(super) fn min_seq(self) -> u64 {
        match self {
            Self::Nothing => 0,
            Self::BeforeUpdates { min_seq } | Self::AmongUpdates { min_seq } => min_seq,
        }
    }
}

impl Cursor {
    /// A reader that has not received anything.
    pub(super) fn new(viewer: Option<UserId>) -> Self {
        let pending_reply = PendingReply::Nothing;
        Self { viewer, generation: 0, seq: None, pending_reply, lists_ahead: 2 }
    }

    /// Begins at `from`, or else with a whole list; either includes `min_seq`.
    pub(super) fn start(&mut self, generation: u32, from: Option<u64>, min_seq: u64) {
        self.generation = generation;
        self.seq = from;
        self.pending_reply = PendingReply::BeforeUpdates { min_seq };
    }

    /// A reader that has begun waits for a reply, which includes `min_seq`.
    pub(super) fn expect_reply(&mut self, min_seq: u64) {
        // If the first reply is still pending, it is sent first and is this reply as well.
        self.pending_reply = match self.pending_reply {
            PendingReply::BeforeUpdates { .. } => PendingReply::BeforeUpdates { min_seq },
            PendingReply::Nothing | PendingReply::AmongUpdates { .. } => {
                PendingReply::AmongUpdates { min_seq }
            }
        };
    }

    /// The room has a new epoch, in which the numbers of the old one mean nothing: the list is sent next.
    pub(super) fn begin_generation(&mut self, generation: u32) {
        self.start(generation, None, 0);
    }

    /// The position of a reader that only waits for changes.
    pub(super) fn at_rest(&self) -> Option<LogPosition> {
        let Self { generation, .. } = *self;
        self.seq.filter(|_| !self.is_waiting()).map(|seq| LogPosition { generation, seq })
    }

    /// Changes up to here were written by broadcasts.
    pub(super) fn advance_to(&mut self, at: LogPosition) {
        self.generation = at.generation;
        self.seq = Some(at.seq);
    }

    /// Whether the reader waits for a reply.
    pub(super) fn is_waiting(&self) -> bool {
        self.seq.is_none() || self.pending_reply != PendingReply::Nothing
    }

    /// The `seq` that a list has to include that is sent next.
    pub(super) fn min_seq(&self) -> u64 {
        self.pending_reply.min_seq().max(self.seq.unwrap_or_default())
    }

    /// A whole list is sent next, no older than what was sent before.
    pub(super) fn request_snapshot(&mut self) {
        let min_seq = self.min_seq();
        self.pending_reply = PendingReply::BeforeUpdates { min_seq };
        self.seq = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A broadcast must not write to a reader that is sent something else first.
    #[test]
    fn only_a_reader_that_waits_for_nothing_but_changes_is_at_rest() {
        let mut cursor = Cursor::new(None);
        assert_eq!(cursor.at_rest(), None, "it has no list");
        cursor.start(1, Some(5), 7);
        assert_eq!(cursor.at_rest(), None, "it waits for the reply to its first frame");
        cursor.pending_reply = PendingReply::Nothing;
        let at = LogPosition { generation: 1, seq: 5 };
        assert_eq!(cursor.at_rest(), Some(at));
        cursor.expect_reply(9);
        assert_eq!(cursor.at_rest(), None, "it waits for the reply to a later frame");
        cursor.pending_reply = PendingReply::Nothing;
        cursor.advance_to(LogPosition { seq: 6, ..at });
        assert_eq!(cursor.at_rest(), Some(LogPosition { seq: 6, ..at }));
        cursor.request_snapshot();
        assert_eq!(cursor.at_rest(), None, "its list is to be replaced");
    }
}
