//! What a connection has been told of its room, by the frames that were written to it.

use app::{
    client::read_frame,
    presence::{ClientEvent, ServerEvent, Since},
};

/// What a connection has been told of its room.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    /// The position that its frames lead to.
    position: Option<Since>,
    /// The first frame of the page has to be answered, with the list or with what it lacks.
    is_first_answer_due: bool,
    /// The beginning of a frame is written, and not its rest.
    is_within_a_frame: bool,
    is_over: bool,
}

impl Told {
    /// The server alone has read a frame, and answers it without asking others.
    pub(crate) fn on_request(&mut self, event: &ClientEvent) {
        let is_first = matches!(event, ClientEvent::Watch { .. } | ClientEvent::GotANewUser { .. });
        self.is_first_answer_due |= is_first && self.position.is_none();
    }

    /// The beginning of a frame is written.
    pub(crate) fn on_part(&mut self) {
        self.is_within_a_frame = true;
    }

    /// A whole frame is written.
    pub(crate) fn on_frame(&mut self, text: &str) {
        self.is_within_a_frame = false;
        match read_frame(text) {
            Ok(ServerEvent::ExistingUsers(list)) => {
                self.position = Some(Since { epoch: list.epoch, seq: list.seq });
            }
            Ok(ServerEvent::Resumed(resumed)) => {
                self.position = Some(Since { epoch: resumed.epoch, seq: resumed.seq });
            }
            Ok(ServerEvent::Changes(changes)) => {
                if let Some(position) = &mut self.position {
                    position.seq = changes.seq;
                }
            }
            // If it was the first frame, the page follows nothing yet.
            Ok(ServerEvent::Refused(_)) => self.is_first_answer_due = false,
            // The page reads the frame as well, and says what is wrong with it.
            Ok(ServerEvent::MoreUsers(_) | ServerEvent::Beat(_) | ServerEvent::Unknown)
            | Err(_) => {}
        }
    }

    /// The connection has ended, is closed, or can't be written to any more.
    pub(crate) fn on_end(&mut self) {
        self.is_over = true;
    }

    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Whether a beginning of a frame is written, and not its rest.
    pub(crate) fn is_within_a_frame(&self) -> bool {
        self.is_within_a_frame
    }

    /// Whether nothing is missing before this position.
    pub(crate) fn is_caught_up(&self, position: &Since) -> bool {
        !self.is_within_a_frame
            && match &self.position {
                Some(own) => own == position,
                None => !self.is_first_answer_due,
            }
    }
}
