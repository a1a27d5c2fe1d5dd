//! The live region, which screen readers announce.

use leptos::prelude::*;

/// The id of the region.
pub(crate) const ANNOUNCER: &str = "announcer";

/// It is in the first HTML, since screen readers only announce changes of a region that they know.
///
/// The browser changes its DOM directly: the same text twice has to be announced twice, and a signal that
/// is set to its current value renders nothing.
pub(crate) fn live_region() -> impl IntoView {
    view! { <div id=ANNOUNCER class="only-heard" role="status" data-testid="announcer"></div> }
}
