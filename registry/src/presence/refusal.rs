//! Why a frame was not accepted, in words for a person.

use app::presence::{NameError, Refusal, RefusalCode};

use super::name_validation::NameRefused;

/// Why a frame was not accepted. Its text is a sentence that says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The name is none.
    #[error("{0}")]
    Name(#[from] NameRefused),
    /// A rename by someone who is not listed.
    #[error("You are not on the list, so there is no name to change: please join first.")]
    NotListed,
    /// The room takes no more people.
    #[error("This room is full: please try again when somebody has left.")]
    RoomFull,
    /// This person has too many sockets in the room.
    #[error("You have this room open too many times: please close some of its tabs.")]
    TooManyTabs,
    /// More frames than are allowed.
    #[error("That was too fast: please wait a few seconds.")]
    TooFast,
    /// Text that is no frame of the protocol.
    #[error("That is not a frame this server knows: please read the protocol's page.")]
    BadFrame,
    /// `watch` after the first frame.
    #[error("You are watching this room already: watch is only for a socket's first frame.")]
    AlreadyWatching,
    /// Something else before `watch` or `got_a_new_user`.
    #[error("Please send watch or got_a_new_user first.")]
    NotOpened,
}

impl Refused {
    /// The same for programs.
    pub fn code(self) -> RefusalCode {
        match self {
            Self::Name(NameRefused::Fault(NameError::Empty)) => RefusalCode::NameEmpty,
            Self::Name(NameRefused::Fault(NameError::TooLong)) => RefusalCode::NameTooLong,
            Self::Name(NameRefused::NotAllowed) => RefusalCode::NameNotAllowed,
            Self::NotListed => RefusalCode::NotListed,
            Self::RoomFull => RefusalCode::RoomFull,
            Self::TooManyTabs => RefusalCode::TooManyTabs,
            Self::TooFast => RefusalCode::TooFast,
            Self::BadFrame | Self::AlreadyWatching | Self::NotOpened => RefusalCode::BadFrame,
        }
    }

    /// The frame that says so; `of` is the refused frame's `event`, where it had one.
    pub fn of(self, of: Option<&'static str>) -> Refusal {
        Refusal { of: of.map(Into::into), code: self.code(), message: self.to_string().into() }
    }
}
