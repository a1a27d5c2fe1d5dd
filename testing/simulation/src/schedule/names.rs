//! Names for people and rooms.

use app::presence::RoomName;
use fastrand::Rng;

/// A random name. Equal names are frequent, and so are names that fill a frame.
pub(crate) fn name(rng: &mut Rng) -> String {
    const SHORT: [&str; 6] = ["Ana", "Bo", "Kim", "مريم الحداد", "<b>\"Eve\\</b>", "李小龙"];
    // Repeated, this gives the longest name in bytes: 25 characters of 8 bytes.
    const LONG: &str = "👩🏽";
    match rng.u8(0..10) {
        0..6 => SHORT[rng.usize(0..SHORT.len())].to_owned(),
        6..9 => LONG.repeat(24) + &rng.u32(10..99).to_string(),
        // Twice as long on the wire, because backslashes are escaped.
        _ => "\\".repeat(38) + &rng.u32(10..99).to_string(),
    }
}

/// The name of a room.
pub(crate) fn room_name(number: usize) -> RoomName {
    match number {
        0 => RoomName::lobby(),
        _ => "team".parse().unwrap_or_else(|_| RoomName::lobby()),
    }
}
