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
    pub(super) owed: Owed,
}

/// What a reader waits for, news apart.
///
/// An answer has to include what its question did: the point that it led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owed {
    /// Nothing.
    Nothing,
    /// An answer, before which nothing is sent: to a first frame, or a list.
    AnswerFirst {
        /// The point that it has to include.
        not_before: u64,
    },
    /// An answer, until which news go on: to a later `got_a_new_user`.
    AnswerAmongNews {
        /// The point that it has to include.
        not_before: u64,
    },
}

impl Owed {
    /// The point that the next thing sent has to include, if it is an answer.
    pub(super) fn not_before(self) -> u64 {
        match self {
            Self::Nothing => 0,
            Self::AnswerFirst { not_before } | Self::AnswerAmongNews { not_before } => not_before,
        }
    }
}

impl Cursor {
    /// A reader who was told nothing yet.
    pub(super) fn new(you: Option<UserId>) -> Self {
        Self { you, seq: None, owed: Owed::Nothing }
    }

    /// The next thing sent is a whole list, which does not go back behind what was sent.
    pub(super) fn owe_list(&mut self) {
        let not_before = self.owed.not_before().max(self.seq.unwrap_or_default());
        self.owed = Owed::AnswerFirst { not_before };
        self.seq = None;
    }
}
