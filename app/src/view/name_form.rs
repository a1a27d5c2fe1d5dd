//! Asking for a name, in the page.

use leptos::{ev::SubmitEvent, prelude::*};

use super::{
    focus::{input, take_lost_focus},
    notice::{Note, note},
    reactive::{attribute, effect, flag, press},
};
use crate::{
    client::intent::Wish,
    presence::Name,
    state::{command::Command, page_state::Board},
    text::strings,
};

/// The id of the field; there is one form at a time.
pub(crate) const FIELD: &str = "name";
/// The id of the sentence that says why a name was not taken.
const ERROR: &str = "name-error";
/// The id of the sentence that says what becomes of the name.
const HINT: &str = "name-hint";

/// What a name is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To be listed under it.
    Join,
    /// To be called something else.
    Rename,
}

/// Asks for a name.
pub(crate) fn name_form(board: Board, purpose: Purpose) -> impl IntoView {
    let is_join = purpose == Purpose::Join;
    take_lost_focus(board, FIELD);
    prefill(board, purpose);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        submit(board, purpose);
    };
    let is_refused = move || board.desk.with(|desk| desk.refusal.is_some());
    let refusal = move || {
        let words = board.desk.with(|desk| desk.refusal.clone())?;
        Some(Note { id: Some(ERROR), class: "error", role: Some("alert"), test_id: None, words })
    };
    view! {
        <form
            class="name-form"
            novalidate=true
            on:submit=submit
            on:keydown=move |event| {
                if event.key() == "Escape" {
                    give_up(board);
                }
            }
        >
            <label for=FIELD>
                {if is_join { strings::WHAT_IS_YOUR_NAME } else { strings::YOUR_NEW_NAME }}
            </label>
            <div class="field">
                <input
                    id=FIELD
                    name="name"
                    autocomplete="nickname"
                    spellcheck="false"
                    enterkeyhint="done"
                    dir="auto"
                    autofocus=is_join && !untrack(move || board.is_awake())
                    aria-invalid=attribute(move || is_refused().then(|| "true".into()))
                    aria-describedby=attribute(move || {
                        Some(if is_refused() { ERROR } else { HINT }.into())
                    })
                />
                <button class="primary" disabled=flag(move || !board.is_awake())>
                    {if is_join { strings::JOIN } else { strings::SAVE }}
                </button>
                <button type="button" hidden=is_join on:click=press(move || give_up(board))>
                    {strings::CANCEL}
                </button>
            </div>
            {note(refusal)}
            <p id=HINT class="hint">
                {if is_join { strings::WHO_SEES_IT } else { strings::EVERYONE_SEES_IT }}
            </p>
        </form>
    }
}

/// Asks the server for what stands in the field, if it can be a name at all.
fn submit(board: Board, purpose: Purpose) {
    let name = input(FIELD).map(|field| field.value()).unwrap_or_default();
    match Name::parse(&name) {
        Err(fault) => board.desk.update(|desk| desk.refusal = Some(fault.to_string())),
        Ok(same) if board.people.with(|people| people.your_name.as_ref() == Some(&same)) => {
            give_up(board);
        }
        Ok(_) => {
            board.desk.update(|desk| desk.refusal = None);
            board.ask(Command::Wish(match purpose {
                Purpose::Join => Wish::Join(name),
                Purpose::Rename => Wish::Rename(name),
            }));
        }
    }
}

/// Asks no longer, where that makes sense.
fn give_up(board: Board) {
    board.desk.update(|desk| {
        desk.refusal = None;
        desk.is_renaming = false;
    });
}

/// Puts the name of last time into an empty field, selected, so that typing replaces it.
fn prefill(board: Board, purpose: Purpose) {
    let remembered = Memo::new(move |_| board.desk.with(|desk| desk.remembered_name.clone()));
    effect(move || {
        let name = match purpose {
            // Only when it becomes known: who empties the field wants it empty.
            Purpose::Join => remembered.get(),
            Purpose::Rename => board
                .people
                .with_untracked(|people| people.your_name.as_ref().map(ToString::to_string)),
        };
        if let (Some(field), Some(name)) = (input(FIELD), name)
            && field.value().is_empty()
        {
            field.set_value(&name);
            field.select();
        }
    });
}
