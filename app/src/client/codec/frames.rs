//! Frames to and from text, for the browser: compatible with `serde_json`, in fewer bytes of WASM.

use serde::Deserialize;

use super::json::{ParseError, from_str};
use crate::presence::{Changes, ClientEvent, Epoch, Resumed, ServerEvent, Since, UserId};

/// Parses a frame of the server.
///
/// Serde's internally tagged enums buffer every frame as a tree before they know its type; here the
/// text is parsed twice instead.
pub fn read_frame(text: &str) -> Result<ServerEvent, ParseError> {
    #[derive(Deserialize)]
    struct Kind {
        event: String,
    }

    #[derive(Deserialize)]
    struct Position {
        from: u64,
        seq: u64,
    }

    #[derive(Deserialize)]
    struct Answer {
        epoch: Epoch,
        you: Option<UserId>,
        now: u64,
    }

    let Kind { event } = from_str(text)?;
    Ok(match &*event {
        "existing_users" => ServerEvent::ExistingUsers(from_str(text)?),
        "more_users" => ServerEvent::MoreUsers(from_str(text)?),
        "beat" => ServerEvent::Beat(from_str(text)?),
        "refused" => ServerEvent::Refused(from_str(text)?),
        "changes" => {
            let Position { from, seq } = from_str(text)?;
            ServerEvent::Changes(Changes { from, seq, difference: from_str(text)? })
        }
        "resumed" => {
            let Position { from, seq } = from_str(text)?;
            let Answer { epoch, you, now } = from_str(text)?;
            ServerEvent::Resumed(Resumed {
                epoch,
                from,
                seq,
                you,
                now,
                difference: from_str(text)?,
            })
        }
        _ => ServerEvent::Unknown,
    })
}

/// The build of the server that wrote a first frame. Within a JSON string a quotation mark has a backslash before
/// it, so only the field itself is found.
pub fn read_build(frame: &str) -> Option<&str> {
    frame.split_once(r#""build":""#)?.1.split('"').next()
}

/// Writes a frame for the server.
pub fn write_frame(event: &ClientEvent) -> String {
    match event {
        ClientEvent::Watch { since } => Writer::new("watch").since(since.as_ref()),
        ClientEvent::GotANewUser { name, tab, visible, since } => {
            let mut writer = Writer::new("got_a_new_user").text("name", name);
            if let Some(tab) = tab {
                writer = writer.text("tab", tab.as_str());
            }
            if let Some(visible) = visible {
                writer = writer.plain("visible", if *visible { "true" } else { "false" });
            }
            writer.since(since.as_ref())
        }
        ClientEvent::Rename { name } => Writer::new("rename").text("name", name),
        ClientEvent::Visible { visible } => {
            Writer::new("visible").plain("visible", if *visible { "true" } else { "false" })
        }
        ClientEvent::Leave {} => Writer::new("leave"),
        ClientEvent::Resync {} => Writer::new("resync"),
    }
    .end()
}

/// Writes one JSON object.
struct Writer(String);

impl Writer {
    fn new(event: &str) -> Self {
        Self("{".into()).member_text("event", event)
    }

    fn text(mut self, key: &str, text: &str) -> Self {
        self.0.push(',');
        self.member_text(key, text)
    }

    fn plain(mut self, key: &str, value: &str) -> Self {
        self.0.extend([",\"", key, "\":", value]);
        self
    }

    fn since(self, since: Option<&Since>) -> Self {
        match since {
            None => self,
            Some(since) => {
                let inner = Self("{".into()).member_text("epoch", since.epoch.as_str());
                let inner = inner.plain("seq", &since.seq.to_string()).end();
                self.plain("since", &inner)
            }
        }
    }

    fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }

    fn member_text(mut self, key: &str, text: &str) -> Self {
        self.0.extend(["\"", key, "\":\""]);
        for character in text.chars() {
            match character {
                '"' | '\\' => self.0.extend(['\\', character]),
                '\0'..='\u{1f}' => {
                    let number = u32::from(character);
                    let digits =
                        [number / 16, number % 16].map(|digit| char::from_digit(digit, 16));
                    self.0.push_str("\\u00");
                    self.0.extend(digits.into_iter().flatten());
                }
                _ => self.0.push(character),
            }
        }
        self.0.push('"');
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn build_is_read_from_its_field_only() {
        let frame = |name: &str| {
            let name = serde_json::to_string(name).unwrap();
            format!(
                r#"{{"event":"existing_users","build":"0123abcd","users":[{{"name":{name}}}]}}"#
            )
        };
        assert_eq!(read_build(&frame("Ana")), Some("0123abcd"));
        let without = frame(r#""build":"no""#).replace(r#""build":"0123abcd","#, "");
        assert_eq!(read_build(&without), None, "{without}");
    }

    fn any_client_event() -> impl Strategy<Value = ClientEvent> {
        let since = prop::option::of(
            ("[A-Za-z0-9_-]{1,32}", any::<u64>())
                .prop_map(|(epoch, seq)| Since { epoch: epoch.parse().unwrap(), seq }),
        );
        let tab = prop::option::of("[A-Za-z0-9_-]{1,64}".prop_map(|tab| tab.parse().unwrap()));
        let visible = any::<Option<bool>>();
        prop_oneof![
            since.clone().prop_map(|since| ClientEvent::Watch { since }),
            (any::<String>(), tab, visible, since).prop_map(|(name, tab, visible, since)| {
                ClientEvent::GotANewUser { name, tab, visible, since }
            }),
            any::<String>().prop_map(|name| ClientEvent::Rename { name }),
            any::<bool>().prop_map(|visible| ClientEvent::Visible { visible }),
            Just(ClientEvent::Leave {}),
            Just(ClientEvent::Resync {}),
        ]
    }

    /// Every frame of the server in `docs/protocol.md`, and frames that are newer than this program.
    const FRAMES: [&str; 12] = [
        r#"{"event":"existing_users","epoch":"e1","seq":4,"you":null,"now":1,"count":0,"users":[]}"#,
        r#"{"event":"existing_users","epoch":"e1","seq":4,"you":"AAAAAAAAAAA","now":1700000000123,
            "count":2,"users":[{"id":"AAAAAAAAAAA","name":"\"A\\n\u0061\ud83d\ude42🙂","joined":5},
            {"id":"BBBBBBBBBBB","name":"Bo","joined":6,"state":"away","newer":[1.5e3,{"a":null}]}]}"#,
        r#"{"users":[{"id":"AAAAAAAAAAA","name":"Ana","joined":5}],"event":"more_users"}"#,
        r#"{"event":"changes","from":4,"seq":5}"#,
        r#"{"event":"changes","from":4,"seq":9,"disconnect_user":{"left":["AAAAAAAAAAA"],
            "closed":["BBBBBBBBBBB"],"lost":[],"removed":["CCCCCCCCCCC"]},
            "user_changed":{"here":["DDDDDDDDDDD"],"away":[],"reconnecting":["EEEEEEEEEEE"],
            "renamed":[{"id":"DDDDDDDDDDD","name":"Dee","look":"dee"}]},
            "new_user":[{"id":"FFFFFFFFFFF","name":"Fay","joined":7,"state":"reconnecting","look":"fay"}]}"#,
        r#"{"event":"changes","from":4,"seq":5,"newer":-1.5,"newest":true,"user_changed":{"newer":{}}}"#,
        r#"{"event":"resumed","epoch":"e1","from":4,"seq":4,"you":"AAAAAAAAAAA","now":17}"#,
        r#"{"event":"resumed","epoch":"e1","from":4,"seq":6,"you":null,"now":17,
            "new_user":[{"id":"FFFFFFFFFFF","name":"Fay","joined":7}]}"#,
        r#"{"event":"beat","seq":4,"count":2,"digest":"00000000000000ff","now":1700000000123}"#,
        r#"{"event":"refused","of":"rename","code":"too_fast","message":"Slow down."}"#,
        r#"{"event":"refused","code":"something_newer","message":"No."}"#,
        r#"{"event":"something_newer","from":"here"}"#,
    ];

    #[test]
    fn frames_are_read_as_serde_json_reads_them() {
        for frame in FRAMES {
            let expected: ServerEvent = serde_json::from_str(frame).unwrap();
            assert_eq!(read_frame(frame), Ok(expected), "{frame}");
        }
    }

    #[test]
    fn a_truncated_or_malformed_frame_is_rejected() {
        for frame in FRAMES.map(|frame| &frame[..frame.len() - 1]) {
            assert_eq!(read_frame(frame), Err(ParseError), "{frame}");
        }
        for frame in [
            r#"{"event":"changes","from":"4","seq":5}"#,
            r#"{"event":"changes","from":-4,"seq":5}"#,
            r#"{"event":"more_users","users":[{"id":"short","name":"Ana","joined":5}]}"#,
            r#"{"event":"more_users"}"#,
            r#"{"event":"beat"} and more"#,
            "[]",
            "",
        ] {
            assert_eq!(read_frame(frame), Err(ParseError), "{frame}");
        }
    }

    proptest! {
        #[test]
        fn frames_are_written_as_serde_json_reads_them(event in any_client_event()) {
            let text = write_frame(&event);
            prop_assert_eq!(serde_json::from_str::<ClientEvent>(&text).unwrap(), event);
        }

        #[test]
        fn arbitrary_text_never_panics(text in any::<String>()) {
            let _ = read_frame(&text);
        }

        /// Damaged frames, which reach more of the parser than random text does.
        #[test]
        fn a_broken_frame_never_panics(
            frame in prop::sample::select(&FRAMES[..]),
            at in any::<prop::sample::Index>(),
            noise in "[\\[\\]{}:,\"\\\\u0-9a-f. -]{0,6}",
        ) {
            let at = (0..=at.index(frame.len())).rev().find(|at| frame.is_char_boundary(*at));
            let (before, after) = frame.split_at(at.unwrap());
            let broken = [before, &noise, after].concat();
            // Where both parsers accept a text, they agree; serde_json is stricter about numbers.
            if let (Ok(ours), Ok(theirs)) = (read_frame(&broken), serde_json::from_str(&broken)) {
                prop_assert_eq!(ours, theirs);
            }
        }
    }
}
