//! The server's clock, kept as an offset to the browser's clock.

use std::cell::Cell;

/// An estimate of the server's clock.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// Milliseconds by which the server's clock is ahead of the browser's.
    offset: Cell<i64>,
}

impl Clock {
    /// Sets the clock: this is the server's time now, in milliseconds since the Unix epoch.
    pub(super) fn set(&self, server: u64) {
        self.offset.set(server.cast_signed().saturating_sub(browser_now()));
    }

    /// The server's time, in milliseconds since the Unix epoch.
    pub(super) fn now(&self) -> u64 {
        u64::try_from(browser_now().saturating_add(self.offset.get())).unwrap_or_default()
    }
}

/// The browser's time, in milliseconds since the Unix epoch.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "a float that JavaScript keeps within 8.64e15 by definition"
)]
fn browser_now() -> i64 {
    js_sys::Date::now() as i64
}
