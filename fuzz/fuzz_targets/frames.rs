//! What a client sends over a socket, one frame a line, as one conversation.

#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use server::conversation::{Conversation, Heard};

fuzz_target!(|text: &str| {
    let mut conversation = Conversation::new();
    for (second, frame) in (0_u64..).zip(text.lines()) {
        match conversation.hear(frame, Duration::from_secs(second)) {
            Heard::Request(_) => conversation.accepted(),
            Heard::Refuse(_) => {}
            Heard::Close(_) => break,
        }
    }
});
