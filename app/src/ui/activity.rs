//! What happened since the page was opened, to be read.

use leptos::prelude::*;

use super::{
    board::Board,
    command::Command,
    dynamic::{attribute, flag, press, yes_or_no},
    texts,
};

/// The id of the list of happenings; scripts put them in by hand, the newest first.
pub(crate) const ACTIVITY: &str = "activity";

/// The panel, closed at first; whether what happens is said aloud as well is decided here.
pub(crate) fn activity(board: Board) -> impl IntoView {
    let is_muted = move || board.desk.with(|desk| desk.is_muted);
    view! {
        <details class="activity">
            <summary>{texts::ACTIVITY}</summary>
            <ol id=ACTIVITY role="list" tabindex="0" aria-label=texts::ACTIVITY></ol>
            <p class="hint">{texts::NOTHING_HAPPENED}</p>
            <button
                type="button"
                class="toggle"
                aria-pressed=attribute(move || Some(yes_or_no(is_muted())))
                disabled=flag(move || !board.is_awake())
                on:click=press(move || board.ask(Command::Mute))
            >
                {texts::MUTE}
            </button>
        </details>
    }
}
