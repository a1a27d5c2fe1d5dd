//! What makes no sense on a socket.

use crate::client::websocket::FrameWriter;

/// How many kinds there are.
const KINDS: usize = 8;

/// Some garbage, of another kind each time.
pub(super) fn payload(attempts: usize) -> Vec<u8> {
    let mut writer = FrameWriter::default();
    match attempts % KINDS {
        // A header that announces a gibibyte, and what of it is sent.
        0 => [vec![0x81, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4], vec![7; 4096]].concat(),
        // A frame of a little more than may be.
        1 => writer.text(&"x".repeat(5_000)),
        // Noise, which is no frame.
        2 => noise(attempts),
        // Text that is no UTF-8, without a mask.
        3 => vec![0x81, 4, 0xff, 0xfe, 0xfd, 0xfc],
        // The same with one.
        4 => vec![0x81, 0x84, 0, 0, 0, 0, 0xff, 0xfe, 0xfd, 0xfc],
        // Texts that are no frames of the protocol.
        5 => (0..3).flat_map(|_| writer.text("[[[[[[[[[[[[")).collect(),
        // A flood of pings.
        6 => [0x89, 0x80, 0, 0, 0, 0].repeat(2_000),
        // A text in fragments without end.
        _ => [vec![0x01, 0x80, 0, 0, 0, 0], [0x00, 0x80, 0, 0, 0, 0].repeat(80_000)].concat(),
    }
}

/// Bytes that look like chance, and are the same each time.
fn noise(seed: usize) -> Vec<u8> {
    let mut state = u32::try_from(seed & 0xffff).unwrap_or_default() | 0x9e37_0001;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_be_bytes()[0]
    };
    // Its first byte is one with a reserved bit, so that it is none of the other kinds.
    std::iter::once(0xf1).chain(std::iter::repeat_with(&mut next).take(2_000)).collect()
}
