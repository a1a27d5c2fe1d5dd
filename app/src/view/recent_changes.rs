//! Visible lines about recent changes; announcements have a region of their own.

use leptos::prelude::*;

use super::reactive::{TextContent, bool_attr, first_words, on_press};
use crate::{
    state::{command::Command, page_state::PageState},
    text::texts::Text,
};

/// The id of the line with the latest changes; the browser changes its DOM directly.
pub(crate) const NEWS: &str = "news";
/// The id of the line with the changes of the last outage.
pub(crate) const MISSED: &str = "missed";

/// The line with the latest changes.
pub(crate) fn recent_changes() -> impl IntoView {
    view! { <p id=NEWS class="news" data-testid="news"></p> }
}

/// The line with the changes of the last outage, until it is dismissed.
pub(crate) fn missed(page_state: PageState) -> impl IntoView {
    let is_empty = move || !page_state.ui.with(|ui| ui.has_missed_something);
    view! {
        <div class="missed" hidden=bool_attr(is_empty) data-testid="missed">
            <p id=MISSED></p>
            <button
                type="button"
                on:click=on_press(move || page_state.ask(Command::Dismiss))
                prop:textContent=TextContent(Text::Dismiss.get().into())
            >
                {first_words(Text::Dismiss.get())}
            </button>
        </div>
    }
}
