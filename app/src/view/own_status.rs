//! What a visitor who is listed sees of themselves.

use leptos::{either::Either, prelude::*};

use super::{
    focus::take_lost_focus,
    name_form::{Purpose, name_form},
    notice::{Note, note},
    reactive::{flag, press, text},
};
use crate::{
    client::intent::Wish,
    state::{command::Command, page_state::Board},
    text::strings,
};

/// The id of the sentence, which takes the keyboard when the form before it is gone.
pub(crate) const SENTENCE: &str = "you-are-here";
/// The id of the button, which takes it when the field for another name is gone.
const RENAME: &str = "rename";

/// Says under which name this person is listed, and lets them change it or leave.
pub(crate) fn you(board: Board) -> impl IntoView {
    take_lost_focus(board, SENTENCE);
    let name = text(move || {
        let name = board.people.with(|people| people.your_name.as_ref().map(ToString::to_string));
        name.unwrap_or_default()
    });
    let tabs = text(move || strings::in_tabs(board.desk.with(|desk| desk.tabs)));
    let is_one_tab = move || board.desk.with(|desk| desk.tabs) < 2;
    let is_renaming = Memo::new(move |_| board.desk.with(|desk| desk.is_renaming));
    let controls = move || {
        if is_renaming.get() {
            Either::Left(name_form(board, Purpose::Rename))
        } else {
            Either::Right(buttons(board))
        }
    };
    view! {
        <div class="you-are-here" data-testid="you">
            <p id=SENTENCE tabindex="-1">
                {strings::YOU_ARE_HERE_AS}
                <bdi>{name}</bdi>
                <span>{tabs}</span>
            </p>
            {controls}
            <div class="someone-else" hidden=flag(is_one_tab)>
                <p class="hint">{strings::TRY_A_SECOND_PERSON}</p>
                <button type="button" on:click=press(move || board.ask(Command::BeSomeoneElse))>
                    {strings::BE_SOMEONE_ELSE}
                </button>
            </div>
        </div>
    }
}

fn buttons(board: Board) -> impl IntoView {
    take_lost_focus(board, RENAME);
    let is_asleep = move || !board.is_awake();
    let rename = move || {
        board.desk.update(|desk| {
            desk.refusal = None;
            desk.is_renaming = true;
        });
    };
    let refusal = move || {
        let words = board.desk.with(|desk| desk.refusal.clone())?;
        Some(Note { class: "error", role: Some("alert"), words, ..Note::default() })
    };
    view! {
        {note(refusal)}
        <div class="buttons">
            <button id=RENAME type="button" disabled=flag(is_asleep) on:click=press(rename)>
                {strings::RENAME}
            </button>
            <button
                type="button"
                disabled=flag(is_asleep)
                on:click=press(move || board.ask(Command::Wish(Wish::Leave)))
            >
                {strings::LEAVE}
            </button>
        </div>
    }
}
