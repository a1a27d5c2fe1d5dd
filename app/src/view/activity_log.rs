//! The activity log: joins and departures since the page was opened.

use leptos::prelude::*;

use super::reactive::{aria_bool, attribute, bool_attr, on_press, server_text};
use crate::state::{command::Command, page_state::PageState};

/// The id of the log's list; the browser adds entries to the DOM directly, newest first.
pub(crate) const ACTIVITY: &str = "activity";

/// The log, closed at first, with the button that mutes announcements.
pub(crate) fn activity_log(page_state: PageState) -> impl IntoView {
    let is_muted = move || page_state.ui.with(|ui| ui.is_muted);
    view! {
        <details class="activity">
            <summary>{server_text!(Activity)}</summary>
            <ol id=ACTIVITY role="list" tabindex="0" aria-label=server_text!(Activity)></ol>
            <p class="hint">{server_text!(NoActivity)}</p>
            <button
                type="button"
                class="toggle"
                aria-pressed=attribute(move || Some(aria_bool(is_muted())))
                disabled=bool_attr(move || !page_state.is_interactive())
                on:click=on_press(move || page_state.ask(Command::Mute))
            >
                {server_text!(Mute)}
            </button>
        </details>
    }
}
