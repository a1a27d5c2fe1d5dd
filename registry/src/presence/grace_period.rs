//! How long a row waits for a tab to come back, and for a hidden one to be shown.

use std::time::Duration;

use app::presence::DepartureReason;

/// The grace period of a tab that was closed cleanly.
pub const RELOAD_GRACE: Duration = Duration::from_secs(2);

/// The grace period of a tab whose page was loaded again, or whose connection was lost.
pub const RECONNECT_GRACE: Duration = Duration::from_secs(15);

/// A row is away when all its connected tabs have been hidden for so long.
pub const HIDDEN_UNTIL_AWAY: Duration = Duration::from_secs(30);

/// The grace period of a tab that has ended. A page that is loading may take as long as a lost connection.
pub fn grace_period(reason: DepartureReason, is_page_loading: bool) -> Duration {
    match reason {
        DepartureReason::Closed if !is_page_loading => RELOAD_GRACE,
        _ => RECONNECT_GRACE,
    }
}
