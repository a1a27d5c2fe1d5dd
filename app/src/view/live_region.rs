//! What a screen reader says by itself.

use leptos::prelude::*;

/// The id of the region.
pub(crate) const ANNOUNCER: &str = "announcer";

/// A region that is there from the first markup on, so that its first words are heard.
///
/// Scripts put the words in by hand: the same words twice are news twice, and a signal that is set
/// to what it was says nothing.
pub(crate) fn live_region() -> impl IntoView {
    view! { <div id=ANNOUNCER class="only-heard" role="status" data-testid="announcer"></div> }
}
