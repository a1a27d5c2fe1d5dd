//! The server's clock, as the browser's clock tells it.

use std::cell::Cell;

/// Knows how far the server's clock is ahead of the browser's.
#[derive(Debug, Default)]
pub(super) struct Clock {
    ahead: Cell<i64>,
}

impl Clock {
    /// The server's clock says this, now.
    pub(super) fn set(&self, server: u64) {
        self.ahead.set(server.cast_signed().saturating_sub(browser()));
    }

    /// What the server's clock says, in milliseconds since the Unix epoch.
    pub(super) fn now(&self) -> u64 {
        u64::try_from(browser().saturating_add(self.ahead.get())).unwrap_or_default()
    }
}

/// What the browser's clock says, in milliseconds since the Unix epoch.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "a float that JavaScript keeps within 8.64e15 by definition"
)]
fn browser() -> i64 {
    js_sys::Date::now() as i64
}
