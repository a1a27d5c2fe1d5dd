//! Removes the fields of a frame that differ between clients, so that all clients have the same bytes.

use std::borrow::Cow;

use app::presence::UserId;

/// A frame without its per-client fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NormalisedFrame<'a> {
    /// The same for all clients that receive the same rows or changes.
    pub bytes: Cow<'a, [u8]>,
    /// The id of the client's person, if the frame has one.
    pub you: Option<UserId>,
    /// Whether it says that the list is old (`as_of`).
    pub is_stale: bool,
}

/// The first bytes of the frames with per-client fields. A name can't be mistaken for a field, because a
/// quote in it is escaped as `\"`.
const PER_CLIENT_FRAMES: [&[u8]; 3] =
    [br#"{"event":"existing_users""#, br#"{"event":"resumed""#, br#"{"event":"beat""#];

/// Replaces the client's own id and the server's time by constants.
pub fn strip_per_client_fields(frame: &[u8]) -> NormalisedFrame<'_> {
    if !PER_CLIENT_FRAMES.iter().any(|beginning| frame.starts_with(beginning)) {
        return NormalisedFrame { bytes: Cow::Borrowed(frame), you: None, is_stale: false };
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
    let as_of = value_of(&bytes, br#""as_of":"#);
    let is_stale = as_of.is_some();
    if let Some(value) = as_of {
        bytes.splice(value, *b"0");
    }
    NormalisedFrame { bytes: Cow::Owned(bytes), you, is_stale }
}

/// The range of the value of the first field with this name. The value must not contain a comma.
fn value_of(bytes: &[u8], name: &[u8]) -> Option<std::ops::Range<usize>> {
    let start = bytes.windows(name.len()).position(|window| window == name)? + name.len();
    let length = bytes[start..].iter().position(|byte| matches!(byte, b',' | b'}'))?;
    Some(start..start + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalised(frame: &str) -> (String, Option<String>) {
        let frame = strip_per_client_fields(frame.as_bytes());
        let you = frame.you.map(|you| you.to_string());
        (String::from_utf8(frame.bytes.into_owned()).unwrap(), you)
    }

    #[test]
    fn frames_of_different_clients_become_equal() {
        let list = |you: &str, now: u64| {
            normalised(&format!(
                r#"{{"event":"existing_users","epoch":"e","seq":3,"you":{you},"now":{now},"count":0,"users":[]}}"#
            ))
        };
        let (ours, you) = list("\"AAAAAAAAAAA\"", 12);
        let (theirs, no_id) = list("null", 1_795_421_000_000);
        assert_eq!(ours, theirs);
        assert_eq!(you.as_deref(), Some("AAAAAAAAAAA"));
        assert_eq!(no_id, None);
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
    fn time_since_which_a_list_is_old_is_replaced() {
        let beat = |as_of: &str| {
            let beat =
                format!(r#"{{"event":"beat","seq":1,"count":2,"digest":"d","now":9{as_of}}}"#);
            let frame = strip_per_client_fields(beat.as_bytes());
            (String::from_utf8(frame.bytes.into_owned()).unwrap(), frame.is_stale)
        };
        assert_eq!(beat(r#","as_of":7"#), beat(r#","as_of":12345"#));
        assert!(beat(r#","as_of":7"#).1 && !beat("").1);
    }

    #[test]
    fn shared_frames_are_unchanged() {
        let frame = r#"{"event":"changes","from":1,"seq":2,"now":7,"you":"x"}"#;
        assert_eq!(normalised(frame).0, frame);
        let named = r#"{"event":"beat","name":"\"now\":5","now":6}"#;
        assert_eq!(normalised(named).0, r#"{"event":"beat","name":"\"now\":5","now":0}"#);
    }
}
