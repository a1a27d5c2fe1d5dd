//! The rules of one socket's side of the talk, without the socket: what a text means at this point.

use std::time::Duration;

use app::presence::{ClientEvent, CloseCode, Refusal, Since};
use serde::Deserialize;

use super::budget::{FrameBudget, FrameLimits};
use registry::presence::{
    join::{JoinKind, JoinRequest},
    request_error::RequestError,
};

/// How many bad frames in a row end the talk.
const MOST_BAD_FRAMES_IN_A_ROW: u32 = 3;

/// What one client has said so far, as far as it matters for what it may say next.
#[derive(Debug)]
pub struct ProtocolState {
    stage: Stage,
    bad_frames_in_a_row: u32,
    bucket: FrameBudget,
    was_too_fast: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// No first frame was accepted yet.
    Opening,
    /// The client follows the room.
    Following,
}

/// What a text means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Something to do; it may still be refused.
    Request(Request),
    /// Something to refuse, and to carry on.
    Refuse(Refusal),
    /// The end of the talk.
    Close(CloseCode),
}

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Follow the room without being listed.
    Watch {
        /// Where the client's list is.
        since: Option<Since>,
    },
    /// Be listed under a name that is still to be vetted.
    Join(JoinRequest),
    /// Change the name.
    Rename {
        /// As it was typed.
        name: String,
    },
    /// Say that the page is hidden, or shown again.
    SetVisible {
        /// Whether it is shown.
        is_visible: bool,
    },
    /// No longer be listed.
    Leave,
    /// Have the whole list again.
    Resync,
}

impl Request {
    /// The `event` of the frame that asked for it.
    pub fn event(&self) -> &'static str {
        match self {
            Self::Watch { .. } => "watch",
            Self::Join(_) => "got_a_new_user",
            Self::Rename { .. } => "rename",
            Self::SetVisible { .. } => "visible",
            Self::Leave => "leave",
            Self::Resync => "resync",
        }
    }
}

impl ProtocolState {
    /// A socket that was just opened, and may say so much.
    pub fn new(limits: FrameLimits) -> Self {
        Self {
            stage: Stage::Opening,
            bad_frames_in_a_row: 0,
            bucket: FrameBudget::new(limits),
            was_too_fast: false,
        }
    }

    /// Takes in a text frame that came `since_opening` after the socket was opened.
    pub fn hear(&mut self, text: &str, since_opening: Duration) -> Action {
        if let Some(too_fast) = self.count(since_opening, || known_event(text)) {
            return too_fast;
        }
        let understood = read(text).ok_or(RequestError::BadFrame);
        match understood.and_then(|event| self.interpret(event)) {
            Ok(request) => {
                self.bad_frames_in_a_row = 0;
                Action::Request(request)
            }
            Err(
                error @ (RequestError::BadFrame
                | RequestError::AlreadyWatching
                | RequestError::NotOpened),
            ) => {
                self.bad_frames_in_a_row += 1;
                if self.bad_frames_in_a_row >= MOST_BAD_FRAMES_IN_A_ROW {
                    return Action::Close(CloseCode::BadFrames);
                }
                Action::Refuse(error.to_refusal(known_event(text)))
            }
            Err(error) => {
                self.bad_frames_in_a_row = 0;
                Action::Refuse(error.to_refusal(known_event(text)))
            }
        }
    }

    /// Takes in a ping or a pong, which asks for nothing and is counted all the same: each is read, and most
    /// are answered.
    pub fn on_control_frame(&mut self, since_opening: Duration) -> Option<Action> {
        self.count(since_opening, || None)
    }

    /// Counts a frame; where there are too many, says what comes of it.
    fn count(
        &mut self,
        since_opening: Duration,
        event: impl FnOnce() -> Option<&'static str>,
    ) -> Option<Action> {
        if self.bucket.take(since_opening) {
            self.was_too_fast = false;
            None
        } else if std::mem::replace(&mut self.was_too_fast, true) {
            Some(Action::Close(CloseCode::TooFast))
        } else {
            Some(Action::Refuse(RequestError::TooFast.to_refusal(event())))
        }
    }

    /// The first frame was accepted: the client follows the room from here on.
    pub fn accepted(&mut self) {
        self.stage = Stage::Following;
    }

    /// Whether the client follows the room.
    pub fn is_following(&self) -> bool {
        self.stage == Stage::Following
    }

    fn interpret(&self, event: ClientEvent) -> Result<Request, RequestError> {
        match (self.stage, event) {
            (Stage::Opening, ClientEvent::Watch { since }) => Ok(Request::Watch { since }),
            (Stage::Opening, ClientEvent::GotANewUser { name, tab, visible, since }) => {
                let is_visible = visible.unwrap_or(true);
                let kind = JoinKind::Opening;
                Ok(Request::Join(JoinRequest { name, tab, is_visible, kind, since }))
            }
            (Stage::Opening, ClientEvent::Rename { .. }) => Err(RequestError::NotListed),
            (Stage::Opening, _) => Err(RequestError::NotOpened),
            (Stage::Following, ClientEvent::Watch { .. }) => Err(RequestError::AlreadyWatching),
            (Stage::Following, ClientEvent::GotANewUser { name, tab, visible, .. }) => {
                let is_visible = visible.unwrap_or(true);
                let kind = JoinKind::Repeat;
                Ok(Request::Join(JoinRequest { name, tab, is_visible, kind, since: None }))
            }
            (Stage::Following, ClientEvent::Rename { name }) => Ok(Request::Rename { name }),
            (Stage::Following, ClientEvent::Leave {}) => Ok(Request::Leave),
            (Stage::Following, ClientEvent::Resync {}) => Ok(Request::Resync),
            (Stage::Following, ClientEvent::Visible { visible }) => {
                Ok(Request::SetVisible { is_visible: visible })
            }
        }
    }
}

impl Default for ProtocolState {
    fn default() -> Self {
        Self::new(FrameLimits::default())
    }
}

fn read<'text, T: Deserialize<'text>>(text: &'text str) -> Option<T> {
    // Serde would also read an enumeration or a struct from an array, which is no frame.
    if !text.trim_start().starts_with('{') {
        return None;
    }
    serde_json::from_str(text).ok()
}

/// The `event` of a text, if it is one that clients send: nothing else is ever sent back.
fn known_event(text: &str) -> Option<&'static str> {
    const EVENTS: [&str; 6] = ["watch", "got_a_new_user", "rename", "visible", "leave", "resync"];

    #[derive(Deserialize)]
    struct Named {
        event: String,
    }
    let Named { event } = read(text)?;
    EVENTS.into_iter().find(|known| *known == event)
}

#[cfg(test)]
mod tests {
    use app::presence::RefusalCode;

    use super::*;

    const START: Duration = Duration::ZERO;
    const WATCH: &str = r#"{"event":"watch"}"#;
    const JOIN: &str = r#"{"event":"got_a_new_user","name":"Ana"}"#;

    fn following() -> ProtocolState {
        let mut protocol = ProtocolState::default();
        protocol.accepted();
        protocol
    }

    fn join(name: &str, kind: JoinKind) -> Request {
        let (name, is_visible) = (name.into(), true);
        Request::Join(JoinRequest { name, tab: None, is_visible, kind, since: None })
    }

    fn refusal(action: Action) -> (RefusalCode, Option<String>) {
        let Action::Refuse(refusal) = action else { panic!("{action:?} is no refusal") };
        (refusal.code, refusal.of.map(Into::into))
    }

    #[test]
    fn the_first_frame_watches_or_joins() {
        let first = |text: &str| ProtocolState::default().hear(text, START);
        assert_eq!(first(WATCH), Action::Request(Request::Watch { since: None }));
        assert_eq!(first(JOIN), Action::Request(join("Ana", JoinKind::Opening)));
        let all = r#"{"event":"got_a_new_user","name":"Ana","tab":"t","visible":false,"since":{"epoch":"e","seq":5}}"#;
        let expected = Request::Join(JoinRequest {
            name: "Ana".into(),
            tab: Some("t".parse().unwrap()),
            is_visible: false,
            kind: JoinKind::Opening,
            since: Some(Since { epoch: "e".parse().unwrap(), seq: 5 }),
        });
        assert_eq!(first(all), Action::Request(expected));
        for event in ["leave", "resync"] {
            let action = first(&format!(r#"{{"event":"{event}"}}"#));
            assert_eq!(refusal(action), (RefusalCode::BadFrame, Some(event.to_owned())));
        }
        let renamed = refusal(first(r#"{"event":"rename","name":"Ann"}"#));
        assert_eq!(renamed, (RefusalCode::NotListed, Some("rename".to_owned())));
    }

    #[test]
    fn later_frames_do_all_but_watch() {
        let later = |text: &str| following().hear(text, START);
        assert_eq!(refusal(later(WATCH)), (RefusalCode::BadFrame, Some("watch".to_owned())));
        assert_eq!(later(JOIN), Action::Request(join("Ana", JoinKind::Repeat)));
        assert_eq!(later(r#"{"event":"leave"}"#), Action::Request(Request::Leave));
        assert_eq!(later(r#"{"event":"resync"}"#), Action::Request(Request::Resync));
        let hidden = Action::Request(Request::SetVisible { is_visible: false });
        assert_eq!(later(r#"{"event":"visible","visible":false}"#), hidden);
    }

    #[test]
    fn what_is_no_frame_is_bad() {
        for text in [
            "",
            "hello",
            "[]",
            r#"["watch"]"#,
            "5",
            r#"{"event":"dance"}"#,
            r#"{"name":"Ana"}"#,
            r#"{"event":"got_a_new_user"}"#,
            r#"{"event":"got_a_new_user","name":5}"#,
            r#"{"event":"got_a_new_user","name":"Ana","tab":"not a tab"}"#,
            r#"{"event":"watch"} {"event":"watch"}"#,
        ] {
            assert_eq!(
                refusal(ProtocolState::default().hear(text, START)).0,
                RefusalCode::BadFrame,
                "{text}"
            );
        }
    }

    #[test]
    fn three_bad_frames_in_a_row_end_it() {
        let mut protocol = following();
        for text in ["?", "?", r#"{"event":"leave"}"#, "?", "?"] {
            assert!(!matches!(protocol.hear(text, START), Action::Close(_)));
        }
        assert_eq!(protocol.hear("?", START), Action::Close(CloseCode::BadFrames));
    }

    #[test]
    fn going_on_after_too_fast_ends_it() {
        let leave = r#"{"event":"leave"}"#;
        let mut protocol = following();
        for _ in 0..40 {
            assert_eq!(protocol.hear(leave, START), Action::Request(Request::Leave));
        }
        assert_eq!(refusal(protocol.hear(leave, START)).0, RefusalCode::TooFast);
        assert_eq!(protocol.clone_for_test().hear(leave, START), Action::Close(CloseCode::TooFast));
        let a_second_later = Duration::from_secs(1);
        for _ in 0..5 {
            let action = protocol.hear(leave, a_second_later);
            assert_eq!(action, Action::Request(Request::Leave));
        }
        assert_eq!(refusal(protocol.hear(leave, a_second_later)).0, RefusalCode::TooFast);
    }

    impl ProtocolState {
        fn clone_for_test(&self) -> Self {
            Self { bucket: self.bucket.clone(), ..*self }
        }
    }
}
