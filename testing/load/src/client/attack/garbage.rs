//! Invalid frames for a WebSocket.

use crate::client::websocket::FrameWriter;

/// The number of kinds of garbage.
const KINDS: usize = 8;

/// The garbage of an attempt: the kinds take turns.
pub(super) fn payload(attempts: usize) -> Vec<u8> {
    let mut writer = FrameWriter::default();
    match attempts % KINDS {
        // A header that announces a gibibyte, and 4 KiB of it.
        0 => [vec![0x81, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4], vec![7; 4096]].concat(),
        // A frame that is a little too long.
        1 => writer.text(&"x".repeat(5_000)),
        // Noise.
        2 => noise(attempts),
        // Text that is not UTF-8, unmasked.
        3 => vec![0x81, 4, 0xff, 0xfe, 0xfd, 0xfc],
        // The same, masked.
        4 => vec![0x81, 0x84, 0, 0, 0, 0, 0xff, 0xfe, 0xfd, 0xfc],
        // Texts that are not JSON.
        5 => (0..3).flat_map(|_| writer.text("[[[[[[[[[[[[")).collect(),
        // A flood of pings.
        6 => [0x89, 0x80, 0, 0, 0, 0].repeat(2_000),
        // A text in fragments that never end.
        _ => [vec![0x01, 0x80, 0, 0, 0, 0], [0x00, 0x80, 0, 0, 0, 0].repeat(80_000)].concat(),
    }
}

/// Pseudo-random bytes.
fn noise(seed: usize) -> Vec<u8> {
    let mut state = u32::try_from(seed & 0xffff).unwrap_or_default() | 0x9e37_0001;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_be_bytes()[0]
    };
    // The first byte has reserved bits, so that this is not one of the other kinds.
    std::iter::once(0xf1).chain(std::iter::repeat_with(&mut next).take(2_000)).collect()
}
