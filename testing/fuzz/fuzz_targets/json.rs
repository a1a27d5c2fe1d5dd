//! Fuzzes the browser's JSON parser: a frame that `serde_json` reads is read to the same event, and no text
//! makes the parser panic.
//!
//! The parser may read more than `serde_json`: it skips values of unknown fields without looking into them.

#![no_main]

use app::{client::read_frame, presence::ServerEvent};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let event = read_frame(text);
    if let Ok(expected) = serde_json::from_str::<ServerEvent>(text) {
        assert_eq!(event.ok(), Some(expected));
    }
});
