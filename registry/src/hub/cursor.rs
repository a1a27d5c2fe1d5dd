//! Where one reader is in a room's log.

use app::presence::UserId;

/// Where one reader is in the log: all that is kept of what they were told.
#[derive(Debug)]
pub(super) struct Cursor {
    /// Who is told; nobody where there is no person.
    pub(super) you: Option<UserId>,
    /// The last point sent; none while a whole list is owed.
    pub(super) seq: Option<u64>,
    /// What they wait for, news apart.
    pub(super) pending_reply: PendingReply,
}

/// What a reader waits for, news apart.
///
/// An answer has to include what its question did: the point that it led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PendingReply {
    /// Nothing.
    Nothing,
    /// An answer, before which nothing is sent: to a first frame, or a list.
    BeforeUpdates {
        /// The point that it has to include.
        min_seq: u64,
    },
    /// An answer, until which news go on: to a later `got_a_new_user`.
    AmongUpdates {
        /// The point that it has to include.
        min_seq: u64,
    },
}

impl PendingReply {
    /// The point that the next thing sent has to include, if it is an answer.
    pub(super) fn min_seq(self) -> u64 {
        match self {
            Self::Nothing => 0,
            Self::BeforeUpdates { min_seq } | Self::AmongUpdates { min_seq } => min_seq,
        }
    }
}

impl Cursor {
    /// A reader who was told nothing yet.
    pub(super) fn new(you: Option<UserId>) -> Self {
        Self { you, seq: None, pending_reply: PendingReply::Nothing }
    }

    /// The next thing sent is a whole list, which does not go back behind what was sent.
    pub(super) fn request_snapshot(&mut self) {
        let min_seq = self.pending_reply.min_seq().max(self.seq.unwrap_or_default());
        self.pending_reply = PendingReply::BeforeUpdates { min_seq };
        self.seq = None;
    }
}
