//! Asking for a name, in the page.

use leptos::{ev::SubmitEvent, prelude::*};

use super::{
    focus::{input, take_lost_focus},
    notice::{Notice, notice},
    reactive::{attribute, bool_attr, effect, on_press},
};
use crate::{
    client::intent::Intent,
    presence::Name,
    state::{command::Command, page_state::PageState},
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
pub(crate) fn name_form(page_state: PageState, purpose: Purpose) -> impl IntoView {
    let is_join = purpose == Purpose::Join;
    take_lost_focus(page_state, FIELD);
    prefill(page_state, purpose);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        submit(page_state, purpose);
    };
    let is_refused = move || page_state.ui.with(|ui| ui.refusal.is_some());
    let refusal = move || {
        let words = page_state.ui.with(|ui| ui.refusal.clone())?;
        Some(Notice { id: Some(ERROR), class: "error", role: Some("alert"), test_id: None, words })
    };
    view! {
        <form
            class="name-form"
            novalidate=true
            on:submit=submit
            on:keydown=move |event| {
                if event.key() == "Escape" {
                    give_up(page_state);
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
                    autofocus=is_join && !untrack(move || page_state.is_interactive())
                    aria-invalid=attribute(move || is_refused().then(|| "true".into()))
                    aria-describedby=attribute(move || {
                        Some(if is_refused() { ERROR } else { HINT }.into())
                    })
                />
                <button class="primary" disabled=bool_attr(move || !page_state.is_interactive())>
                    {if is_join { strings::JOIN } else { strings::SAVE }}
                </button>
                <button type="button" hidden=is_join on:click=on_press(move || give_up(page_state))>
                    {strings::CANCEL}
                </button>
            </div>
            {notice(refusal)}
            <p id=HINT class="hint">
                {if is_join { strings::WHO_SEES_IT } else { strings::EVERYONE_SEES_IT }}
            </p>
        </form>
    }
}

/// Asks the server for what stands in the field, if it can be a name at all.
fn submit(page_state: PageState, purpose: Purpose) {
    let name = input(FIELD).map(|field| field.value()).unwrap_or_default();
    match Name::parse(&name) {
        Err(fault) => page_state.ui.update(|ui| ui.refusal = Some(fault.to_string())),
        Ok(same) if page_state.people.with(|people| people.your_name.as_ref() == Some(&same)) => {
            give_up(page_state);
        }
        Ok(_) => {
            page_state.ui.update(|ui| ui.refusal = None);
            page_state.ask(Command::Intent(match purpose {
                Purpose::Join => Intent::Join(name),
                Purpose::Rename => Intent::Rename(name),
            }));
        }
    }
}

/// Asks no longer, where that makes sense.
fn give_up(page_state: PageState) {
    page_state.ui.update(|ui| {
        ui.refusal = None;
        ui.is_renaming = false;
    });
}

/// Puts the name of last time into an empty field, selected, so that typing replaces it.
fn prefill(page_state: PageState, purpose: Purpose) {
    let remembered = Memo::new(move |_| page_state.ui.with(|ui| ui.remembered_name.clone()));
    effect(move || {
        let name = match purpose {
            // Only when it becomes known: who empties the field wants it empty.
            Purpose::Join => remembered.get(),
            Purpose::Rename => page_state
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
