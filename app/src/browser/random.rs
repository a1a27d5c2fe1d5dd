//! Cryptographic randomness from the browser.

use leptos::prelude::window;

/// Evenly random bytes from the browser's own source.
pub(super) fn random_bytes<const COUNT: usize>() -> [u8; COUNT] {
    let mut bytes = [0; COUNT];
    if let Ok(crypto) = window().crypto() {
        // Every browser that runs WASM has this; it fails for more than 64 KiB only.
        let _ = crypto.get_random_values_with_u8_array(&mut bytes);
    }
    bytes
}

/// An evenly random number.
pub(super) fn random_number() -> u32 {
    u32::from_le_bytes(random_bytes())
}
