//! What the tests of lists and of differences make up, and how they read what was written.

use app::presence::{Name, PresenceState, ServerEvent, User};
use proptest::prelude::*;

use crate::encoding::frame::Batch;

/// A row that takes as much as one of its name can.
pub(crate) fn any_user(number: usize, name: &str) -> User {
    User {
        id: format!("{number:011}").parse().unwrap(),
        name: Name::parse(name).unwrap(),
        joined: u64::MAX,
        state: PresenceState::Reconnecting,
    }
}

/// Names of every length, in JSON as well.
pub(crate) fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,40}",
        "\u{1}{1,200}",
        any::<String>().prop_filter("a name", |text| Name::parse(text).is_ok()),
    ]
}

/// Reads back what was written by hand; it keeps that honest.
pub(crate) fn decode(frames: &Batch) -> Vec<ServerEvent> {
    frames.remaining().map(|frame| serde_json::from_str(frame.text()).unwrap()).collect()
}
