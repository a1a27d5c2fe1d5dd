//! Where it can be read who came and went; what is said aloud of it has a region of its own.

use leptos::prelude::*;

use super::reactive::{flag, press};
use crate::{
    state::{command::Command, page_state::Board},
    text::strings,
};

/// The id of the line that tells what happened a moment ago; scripts put the words in by hand.
pub(crate) const NEWS: &str = "news";
/// The id of the line that tells what happened while the list was not live.
pub(crate) const MISSED: &str = "missed";

/// What happened a moment ago.
pub(crate) fn news() -> impl IntoView {
    view! { <p id=NEWS class="news" data-testid="news"></p> }
}

/// What happened while the list was not live, until it is dismissed.
pub(crate) fn missed(board: Board) -> impl IntoView {
    let is_nothing = move || !board.desk.with(|desk| desk.has_missed_something);
    view! {
        <div class="missed" hidden=flag(is_nothing) data-testid="missed">
            <p id=MISSED></p>
            <button type="button" on:click=press(move || board.ask(Command::Dismiss))>
                {strings::DISMISS}
            </button>
        </div>
    }
}
