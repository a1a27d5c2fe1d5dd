//! What happened since the page was opened, to be read.

use leptos::prelude::*;

use super::reactive::{attribute, flag, press, yes_or_no};
use crate::{
    state::{command::Command, page_state::Board},
    text::strings,
};

/// The id of the list of happenings; scripts put them in by hand, the newest first.
pub(crate) const ACTIVITY: &str = "activity";

/// The panel, closed at first; whether what happens is said aloud as well is decided here.
pub(crate) fn activity(board: Board) -> impl IntoView {
    let is_muted = move || board.desk.with(|desk| desk.is_muted);
    view! {
        <details class="activity">
            <summary>{strings::ACTIVITY}</summary>
            <ol id=ACTIVITY role="list" tabindex="0" aria-label=strings::ACTIVITY></ol>
            <p class="hint">{strings::NOTHING_HAPPENED}</p>
            <button
                type="button"
                class="toggle"
                aria-pressed=attribute(move || Some(yes_or_no(is_muted())))
                disabled=flag(move || !board.is_awake())
                on:click=press(move || board.ask(Command::Mute))
            >
                {strings::MUTE}
            </button>
        </details>
    }
}
