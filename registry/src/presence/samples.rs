//! Sample rows and names for the tests of lists and differences, and a decoder of frames.

use app::presence::{Name, PresenceState, ServerEvent, User};
use proptest::prelude::*;

use crate::encoding::frame::Batch;

/// The longest row with this name.
pub(crate) fn any_user(number: usize, name: &str) -> User {
    User {
        id: format!("{number:011}").parse().unwrap(),
        name: Name::parse(name).unwrap(),
        joined: u64::MAX,
        state: PresenceState::Reconnecting,
    }
}

/// Names of every length, also of every length in JSON.
pub(crate) fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,40}",
        "\u{1}{1,400}",
        any::<String>().prop_filter("a name", |text| Name::parse(text).is_ok()),
    ]
}

/// Reads frames with `serde_json`, as a check of the hand-written JSON.
pub(crate) fn decode(frames: &Batch) -> Vec<ServerEvent> {
    frames.remaining().map(|frame| serde_json::from_str(frame.text()).unwrap()).collect()
}
