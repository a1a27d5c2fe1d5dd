//! Why a client's frame is refused.

use app::presence::{NameError, Refusal, RefusalCode};

use super::name_validation::NameValidationError;

/// Why a client's frame is refused. The text is shown to a person: it names the cause and what helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The name is invalid.
    #[error("{0}")]
    Name(#[from] NameValidationError),
    /// A rename of a person who is not listed.
    #[error("You are not on the list, so there is no name to change. Please join first.")]
    NotListed,
    /// The room's limit of listed people is reached.
    #[error("This room is full. Please try again later.")]
    RoomFull,
    /// The address of the person has made as many rows as it may.
    #[error("Too many people from your network are listed. Please try again in half a minute.")]
    TooManyFromAddress,
    /// A host has closed the room to people who are not listed.
    #[error("The host has closed this room. You can join when it is open again.")]
    RoomClosed,
    /// The person's limit of sockets in the room is reached.
    #[error("You have this room open in too many tabs. Please close some of them.")]
    TooManyTabs,
    /// A rename by somebody whose token has the name.
    #[error("Your name comes from the site that you entered from, and can't be changed here.")]
    NameFixed,
    /// A join by somebody who may only watch.
    #[error("You may see who is here, and not be on the list.")]
    JoinNotAllowed,
    /// The socket's rate limit is exceeded.
    #[error("That was too fast. Please wait a few seconds.")]
    TooFast,
    /// The text is no frame of the protocol.
    #[error("The server does not know this frame. Please see the documentation of the protocol.")]
    BadFrame,
    /// A `watch` after the first frame.
    #[error("This socket watches the room already: watch is valid as its first frame only.")]
    AlreadyWatching,
    /// A first frame that is neither `watch` nor `got_a_new_user`.
    #[error("Please send watch or got_a_new_user first.")]
    NotOpened,
}

impl RequestError {
    /// The code of the wire protocol; several errors share a code.
    pub fn code(self) -> RefusalCode {
        match self {
            Self::Name(NameValidationError::Invalid(NameError::Empty)) => RefusalCode::NameEmpty,
            Self::Name(
                NameValidationError::TooLong
                | NameValidationError::Invalid(NameError::TooManyBytes),
            ) => RefusalCode::NameTooLong,
            Self::Name(
                NameValidationError::ReversesText
                | NameValidationError::Marks
                | NameValidationError::NotAllowed,
            ) => RefusalCode::NameNotAllowed,
            Self::NotListed => RefusalCode::NotListed,
            Self::RoomFull | Self::TooManyFromAddress => RefusalCode::RoomFull,
            Self::RoomClosed => RefusalCode::RoomClosed,
            Self::TooManyTabs => RefusalCode::TooManyTabs,
            Self::NameFixed => RefusalCode::NameFixed,
            Self::JoinNotAllowed => RefusalCode::JoinNotAllowed,
            Self::TooFast => RefusalCode::TooFast,
            Self::BadFrame | Self::AlreadyWatching | Self::NotOpened => RefusalCode::BadFrame,
        }
    }

    /// The event that the client receives; `of` is the `event` of its own frame, if it had one.
    pub fn to_refusal(self, of: Option<&'static str>) -> Refusal {
        Refusal { of: of.map(Into::into), code: self.code(), message: self.to_string().into() }
    }
}
