//! Where it can be read who came and went; what is said aloud of it has a region of its own.

use leptos::prelude::*;

use super::reactive::{bool_attr, on_press};
use crate::{
    state::{command::Command, page_state::PageState},
    text::strings,
};

/// The id of the line that tells what happened a moment ago; scripts put the words in by hand.
pub(crate) const NEWS: &str = "news";
/// The id of the line that tells what happened while the list was not live.
pub(crate) const MISSED: &str = "missed";

/// What happened a moment ago.
pub(crate) fn recent_changes() -> impl IntoView {
    view! { <p id=NEWS class="news" data-testid="news"></p> }
}

/// What happened while the list was not live, until it is dismissed.
pub(crate) fn missed(page_state: PageState) -> impl IntoView {
    let is_nothing = move || !page_state.ui.with(|ui| ui.has_missed_something);
    view! {
        <div class="missed" hidden=bool_attr(is_nothing) data-testid="missed">
            <p id=MISSED></p>
            <button type="button" on:click=on_press(move || page_state.ask(Command::Dismiss))>
                {strings::DISMISS}
            </button>
        </div>
    }
}
