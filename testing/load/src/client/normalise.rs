//! What is one client's alone is taken out of a frame, so that all clients read the same bytes.

use std::borrow::Cow;

use app::presence::UserId;

/// A frame without what is one client's alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NormalisedFrame<'a> {
    /// The same bytes for all who are told the same.
    pub bytes: Cow<'a, [u8]>,
    /// The id that the client was told to be its own, if the frame says so.
    pub you: Option<UserId>,
}

/// The beginnings of the frames that speak to one client. What stands in a name can't be taken for a
/// field: a quote in it is written `\"`.
const PER_CLIENT_FRAMES: [&[u8]; 3] =
    [br#"{"event":"existing_users""#, br#"{"event":"resumed""#, br#"{"event":"beat""#];

/// Blanks out the client's own id and the server's clock.
pub fn strip_per_client_fields(frame: &[u8]) -> NormalisedFrame<'_> {
    if !PER_CLIENT_FRAMES.iter().any(|beginning| frame.starts_with(beginning)) {
        return NormalisedFrame { bytes: Cow::Borrowed(frame), you: None };
    }
    let mut bytes = frame.to_vec();
    let mut you = None;
    if let Some(value) = value_of(&bytes, br#""you":"#) {
        you = std::str::from_utf8(&bytes[value.clone()])
            .ok()
            .and_then(|text| text.trim_matches('"').parse().ok());
        bytes.splice(value, *b"null");
    }
    if let Some(value) = value_of(&bytes, br#""now":"#) {
        bytes.splice(value, *b"0");
    }
    NormalisedFrame { bytes: Cow::Owned(bytes), you }
}

/// Where the value of the first field of this name is; it holds no comma.
fn value_of(bytes: &[u8], name: &[u8]) -> Option<std::ops::Range<usize>> {
    let start = bytes.windows(name.len()).position(|window| window == name)? + name.len();
    let length = bytes[start..].iter().position(|byte| matches!(byte, b',' | b'}'))?;
    Some(start..start + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalised(frame: &str) -> (String, Option<String>) {
        let common = strip_per_client_fields(frame.as_bytes());
        let you = common.you.map(|you| you.to_string());
        (String::from_utf8(common.bytes.into_owned()).unwrap(), you)
    }

    #[test]
    fn two_clients_first_frames_become_the_same() {
        let list = |you: &str, now: u64| {
            normalised(&format!(
                r#"{{"event":"existing_users","epoch":"e","seq":3,"you":{you},"now":{now},"count":0,"users":[]}}"#
            ))
        };
        let (ours, you) = list("\"AAAAAAAAAAA\"", 12);
        let (theirs, nobody) = list("null", 1_795_421_000_000);
        assert_eq!(ours, theirs);
        assert_eq!(you.as_deref(), Some("AAAAAAAAAAA"));
        assert_eq!(nobody, None);
        let beat = |now| {
            normalised(&format!(r#"{{"event":"beat","seq":1,"count":2,"digest":"d","now":{now}}}"#))
        };
        assert_eq!(beat(1), beat(22));
        let (resumed, you) = normalised(
            r#"{"event":"resumed","epoch":"e","from":1,"seq":1,"you":"BBBBBBBBBBB","now":5}"#,
        );
        assert_eq!(
            resumed,
            r#"{"event":"resumed","epoch":"e","from":1,"seq":1,"you":null,"now":0}"#
        );
        assert_eq!(you.as_deref(), Some("BBBBBBBBBBB"));
    }

    #[test]
    fn what_is_for_all_stays_as_it_is() {
        let frame = r#"{"event":"changes","from":1,"seq":2,"now":7,"you":"x"}"#;
        assert_eq!(normalised(frame).0, frame);
        let named = r#"{"event":"beat","name":"\"now\":5","now":6}"#;
        assert_eq!(normalised(named).0, r#"{"event":"beat","name":"\"now\":5","now":0}"#);
    }
}
