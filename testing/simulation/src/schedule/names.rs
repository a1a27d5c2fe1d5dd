//! Names as people have them, and as nobody should.

use app::presence::RoomName;
use fastrand::Rng;

/// Any name: twins are frequent, and so are names that fill a frame.
pub(crate) fn name(rng: &mut Rng) -> String {
    const SHORT: [&str; 6] = ["Ana", "Bo", "Kim", "مريم الحداد", "<b>\"Eve\\</b>", "李小龙"];
    // 25 characters of 8 bytes: the longest name in bytes.
    const LONG: &str = "👩🏽";
    match rng.u8(0..10) {
        0..6 => SHORT[rng.usize(0..SHORT.len())].to_owned(),
        6..9 => LONG.repeat(24) + &rng.u32(10..99).to_string(),
        // Twice as long on the wire as it is.
        _ => "\\".repeat(38) + &rng.u32(10..99).to_string(),
    }
}

/// A room's name.
pub(crate) fn room_name(number: usize) -> RoomName {
    match number {
        0 => RoomName::lobby(),
        _ => "team".parse().unwrap_or_else(|_| RoomName::lobby()),
    }
}
