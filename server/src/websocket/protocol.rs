//! The protocol's state machine for one socket, without I/O: what a text means in the current state.

use std::time::Duration;

use app::presence::{ClientEvent, CloseCode, Refusal, Since};
use serde::Deserialize;
use serde_json::Value;

use super::budget::{FrameBudget, FrameLimits};
use registry::presence::{
    join::{JoinKind, JoinRequest},
    request_error::RequestError,
};

/// This many bad frames in a row close the socket.
const MOST_BAD_FRAMES_IN_A_ROW: u32 = 3;

/// The state of the protocol with one client.
#[derive(Debug)]
pub struct ProtocolState {
    stage: Stage,
    tokens: TokenFrames,
    bad_frames_in_a_row: u32,
    budget: FrameBudget,
    was_too_fast: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// No first frame was accepted yet.
    Opening,
    /// The client is subscribed to the room.
    Following,
}

/// Whether a client may replace its token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenFrames {
    /// No token counts: a frame with one is a bad frame.
    #[default]
    Unknown,
    /// Tokens count.
    Known,
}

/// The reaction to a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A request, which may still be refused.
    Request(Request),
    /// A refusal to send.
    Refuse(Refusal),
    /// The code to close the socket with.
    Close(CloseCode),
}

/// A request of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Subscribe without being listed.
    Watch {
        /// The position of the client's list, if it has one.
        since: Option<Since>,
    },
    /// Be listed under a name, which is not validated yet.
    Join(JoinRequest),
    /// Change the name.
    Rename {
        /// As it was typed: not validated yet.
        name: String,
    },
    /// The page was hidden, or shown again.
    SetVisible {
        /// Whether the page is visible.
        is_visible: bool,
    },
    /// Stop being listed.
    Leave,
    /// Get the whole list again.
    Resync,
    /// Use another token from now on.
    RefreshToken {
        /// The new one, which is not verified yet.
        token: String,
    },
}

impl Request {
    /// The `event` of the frame with the request.
    pub fn event(&self) -> &'static str {
        match self {
            Self::Watch { .. } => "watch",
            Self::Join(_) => "got_a_new_user",
            Self::Rename { .. } => "rename",
            Self::SetVisible { .. } => "visible",
            Self::Leave => "leave",
            Self::Resync => "resync",
            Self::RefreshToken { .. } => "token",
        }
    }
}

impl ProtocolState {
    /// The state of a socket that was just opened.
    pub fn new(limits: FrameLimits, tokens: TokenFrames) -> Self {
        Self {
            stage: Stage::Opening,
            tokens,
            bad_frames_in_a_row: 0,
            budget: FrameBudget::new(limits),
            was_too_fast: false,
        }
    }

    /// Handles a text frame that arrived `since_opening` after the socket was opened.
    pub fn on_text(&mut self, text: &str, since_opening: Duration) -> Action {
        if let Some(too_fast) = self.count(since_opening, || known_event(text)) {
            return too_fast;
        }
        let request = match (parse(text), self.stage, self.tokens) {
            (Some(event), ..) => self.interpret(event),
            // It is no event of `ClientEvent`, whose reader is a part of the page.
            (None, Stage::Following, TokenFrames::Known) => {
                let token = parse(text).map(|TokenFrame::Token { token }| token);
                token.map(|token| Request::RefreshToken { token }).ok_or(RequestError::BadFrame)
            }
            (None, Stage::Following, TokenFrames::Unknown) | (None, Stage::Opening, _) => {
                Err(RequestError::BadFrame)
            }
        };
        match request {
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

    /// Handles a ping or pong. It counts as a frame, since it costs as much: each is read, and pings are answered.
    pub fn on_control_frame(&mut self, since_opening: Duration) -> Option<Action> {
        self.count(since_opening, || None)
    }

    /// Counts a frame; above the rate it returns a refusal the first time, and then closes the socket.
    fn count(
        &mut self,
        since_opening: Duration,
        event: impl FnOnce() -> Option<&'static str>,
    ) -> Option<Action> {
        if self.budget.take(since_opening) {
            self.was_too_fast = false;
            None
        } else if std::mem::replace(&mut self.was_too_fast, true) {
            Some(Action::Close(CloseCode::TooFast))
        } else {
            Some(Action::Refuse(RequestError::TooFast.to_refusal(event())))
        }
    }

    /// The first frame was accepted: the client is subscribed from now on.
    pub fn on_accepted(&mut self) {
        self.stage = Stage::Following;
    }

    /// Whether the client is subscribed to the room.
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
        Self::new(FrameLimits::default(), TokenFrames::default())
    }
}

/// The frame with which a client replaces its token.
#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum TokenFrame {
    Token { token: String },
}

/// The field `token` of a first frame that was understood, if it has one; of several, what is no valid token.
pub(super) fn token_of(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct WithToken {
        token: Option<Value>,
    }
    match parse(text) {
        Some(WithToken { token }) => token.and_then(token_text),
        None => Some(String::new()),
    }
}

/// The token in a field; `null` is none. Of anything but a text it is the JSON, which is no valid token: who sends one
/// means to be somebody, and must not be taken for anybody.
pub(crate) fn token_text(field: Value) -> Option<String> {
    match field {
        Value::Null => None,
        Value::String(token) => Some(token),
        other => Some(other.to_string()),
    }
}

fn parse<'text, T: Deserialize<'text>>(text: &'text str) -> Option<T> {
    // Serde would also accept an array for an enum or a struct.
    if !text.trim_start().starts_with('{') {
        return None;
    }
    serde_json::from_str(text).ok()
}

/// The `event` of a text, if it is one of the protocol: refusals must not echo arbitrary text.
fn known_event(text: &str) -> Option<&'static str> {
    const EVENTS: [&str; 7] =
        ["watch", "got_a_new_user", "rename", "visible", "leave", "resync", "token"];

    #[derive(Deserialize)]
    struct Named {
        event: String,
    }
    let Named { event } = parse(text)?;
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
        let mut protocol = ProtocolState::new(FrameLimits::default(), TokenFrames::Known);
        protocol.on_accepted();
        protocol
    }

    fn join(name: &str, kind: JoinKind) -> Request {
        let (name, is_visible) = (name.into(), true);
        Request::Join(JoinRequest { name, tab: None, is_visible, kind, since: None })
    }

    fn refusal(action: Action) -> (RefusalCode, Option<String>) {
        let Action::Refuse(refusal) = action else { panic!("{action:?} is not a refusal") };
        (refusal.code, refusal.of.map(Into::into))
    }

    #[test]
    fn the_first_frame_watches_or_joins() {
        let first = |text: &str| ProtocolState::default().on_text(text, START);
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
    fn later_frames_may_be_anything_but_watch() {
        let later = |text: &str| following().on_text(text, START);
        assert_eq!(refusal(later(WATCH)), (RefusalCode::BadFrame, Some("watch".to_owned())));
        assert_eq!(later(JOIN), Action::Request(join("Ana", JoinKind::Repeat)));
        assert_eq!(later(r#"{"event":"leave"}"#), Action::Request(Request::Leave));
        assert_eq!(later(r#"{"event":"resync"}"#), Action::Request(Request::Resync));
        let hidden = Action::Request(Request::SetVisible { is_visible: false });
        assert_eq!(later(r#"{"event":"visible","visible":false}"#), hidden);
    }

    #[test]
    fn token_is_a_field_of_first_frames_and_a_frame_later_on() {
        let first = r#"{"event":"watch","token":"a.b.c"}"#;
        let watch = Action::Request(Request::Watch { since: None });
        assert_eq!(ProtocolState::default().on_text(first, START), watch);
        assert_eq!(token_of(first).as_deref(), Some("a.b.c"));
        for text in [WATCH, r#"{"event":"watch","token":null}"#] {
            assert_eq!(token_of(text), None, "{text}");
        }
        for (text, token) in [
            (r#"{"event":"watch","token":5}"#, "5"),
            (r#"{"event":"watch","token":["a.b.c"]}"#, r#"["a.b.c"]"#),
            (r#"{"event":"watch","token":"a.b.c","token":null}"#, ""),
        ] {
            assert_eq!(token_of(text).as_deref(), Some(token), "{text}");
        }
        let refresh = r#"{"event":"token","token":"a.b.c"}"#;
        let token = "a.b.c".to_owned();
        let expected = Action::Request(Request::RefreshToken { token });
        assert_eq!(following().on_text(refresh, START), expected);
        let early = ProtocolState::default().on_text(refresh, START);
        assert_eq!(refusal(early), (RefusalCode::BadFrame, Some("token".to_owned())));
        let without = refusal(following().on_text(r#"{"event":"token"}"#, START));
        assert_eq!(without, (RefusalCode::BadFrame, Some("token".to_owned())));
    }

    #[test]
    fn malformed_text_is_refused_as_bad_frame() {
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
                refusal(ProtocolState::default().on_text(text, START)).0,
                RefusalCode::BadFrame,
                "{text}"
            );
        }
    }

    #[test]
    fn three_bad_frames_in_a_row_close_the_socket() {
        let mut protocol = following();
        for text in ["?", "?", r#"{"event":"leave"}"#, "?", "?"] {
            assert!(!matches!(protocol.on_text(text, START), Action::Close(_)));
        }
        assert_eq!(protocol.on_text("?", START), Action::Close(CloseCode::BadFrames));
    }

    #[test]
    fn token_frame_is_a_bad_frame_where_no_token_counts() {
        let mut protocol = ProtocolState::default();
        protocol.on_accepted();
        let token = r#"{"event":"token","token":"a.b.c"}"#;
        for _ in 0..2 {
            let refused = refusal(protocol.on_text(token, START));
            assert_eq!(refused, (RefusalCode::BadFrame, Some("token".to_owned())));
        }
        assert_eq!(protocol.on_text(token, START), Action::Close(CloseCode::BadFrames));
    }

    #[test]
    fn a_frame_right_after_too_fast_closes_the_socket() {
        let leave = r#"{"event":"leave"}"#;
        let mut protocol = following();
        for _ in 0..40 {
            assert_eq!(protocol.on_text(leave, START), Action::Request(Request::Leave));
        }
        assert_eq!(refusal(protocol.on_text(leave, START)).0, RefusalCode::TooFast);
        assert_eq!(
            protocol.clone_for_test().on_text(leave, START),
            Action::Close(CloseCode::TooFast)
        );
        let a_second_later = Duration::from_secs(1);
        for _ in 0..5 {
            let action = protocol.on_text(leave, a_second_later);
            assert_eq!(action, Action::Request(Request::Leave));
        }
        assert_eq!(refusal(protocol.on_text(leave, a_second_later)).0, RefusalCode::TooFast);
    }

    impl ProtocolState {
        fn clone_for_test(&self) -> Self {
            Self { budget: self.budget.clone(), ..*self }
        }
    }
}
