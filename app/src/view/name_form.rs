//! The form for a name, to join or to change it.

use leptos::{ev::SubmitEvent, prelude::*};

use super::{
    focus::{input, take_lost_focus},
    notice::{Notice, notice},
    reactive::{TextContent, attribute, bool_attr, effect, first_words, on_press},
};
use crate::{
    client::intent::Intent,
    list::normalisation::typed_name,
    state::{command::Command, page_state::PageState},
    text::{strings, texts::Text},
};

/// The id of the field; there is one form at a time.
pub(crate) const FIELD: &str = "name";
/// The id of the error message.
const ERROR: &str = "name-error";
/// The id of the hint that somebody else has the name.
const TAKEN: &str = "name-taken";
/// The id of the hint about who sees the name.
const HINT: &str = "name-hint";

/// What the form is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Joining.
    Join,
    /// Changing the name.
    Rename,
}

/// The form.
pub(crate) fn name_form(page_state: PageState, purpose: Purpose) -> impl IntoView {
    let is_join = purpose == Purpose::Join;
    take_lost_focus(page_state, FIELD);
    prefill(page_state, purpose);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        submit(page_state, purpose);
    };
    let label = if is_join { Text::YourName.get() } else { Text::NewName.get() };
    let action = if is_join { Text::Join.get() } else { Text::Save.get() };
    let is_refused = move || page_state.ui.with(|ui| ui.refusal.is_some());
    let refusal = move || {
        let words = page_state.ui.with(|ui| ui.refusal.clone())?;
        Some(Notice { id: Some(ERROR), class: "error", role: Some("alert"), test_id: None, words })
    };
    let is_taken = move || page_state.ui.with(|ui| ui.is_name_taken && ui.refusal.is_none());
    let taken = move || {
        let words = is_taken().then(|| Text::NameIsTaken.get().to_owned())?;
        Some(Notice {
            id: Some(TAKEN),
            class: "hint taken",
            role: Some("status"),
            test_id: None,
            words,
        })
    };
    let description = move || match (is_refused(), is_taken()) {
        (true, _) => ERROR,
        (_, true) => TAKEN,
        _ => HINT,
    };
    view! {
        <form
            class="name-form"
            novalidate=true
            on:submit=submit
            on:keydown=move |event| {
                // Escape in an input method discards what is composed, and nothing else.
                if event.key() == "Escape" && !event.is_composing() {
                    cancel(page_state);
                }
            }
        >
            <label for=FIELD prop:textContent=TextContent(label.into())>
                {first_words(label)}
            </label>
            <div class="field">
                <input
                    id=FIELD
                    name="name"
                    autocomplete="nickname"
                    spellcheck="false"
                    data-1p-ignore="true"
                    data-lpignore="true"
                    data-bwignore="true"
                    data-form-type="other"
                    enterkeyhint="done"
                    maxlength="200"
                    placeholder=is_join.then(|| Text::ExampleName.get())
                    dir="auto"
                    autofocus=is_join && !untrack(move || page_state.is_interactive())
                    aria-invalid=attribute(move || is_refused().then(|| "true".into()))
                    aria-describedby=attribute(move || Some(description().into()))
                    on:input=move |event| {
                        page_state.ask(Command::CheckName(event_target_value(&event)));
                    }
                />
                <button
                    class="primary"
                    disabled=bool_attr(move || !page_state.can_ask())
                    prop:textContent=TextContent(action.into())
                >
                    {first_words(action)}
                </button>
                <button
                    type="button"
                    hidden=is_join
                    on:click=on_press(move || cancel(page_state))
                    prop:textContent=TextContent(Text::Cancel.get().into())
                >
                    {first_words(Text::Cancel.get())}
                </button>
            </div>
            {notice(refusal)}
            {notice(taken)}
            <p id=HINT class="hint">
                {if is_join { Text::EveryoneSeesYourName.get() } else { Text::EveryoneSeesTheChange.get() }}
            </p>
        </form>
    }
}

/// Issues the command for the name in the field, if it is a valid name.
fn submit(page_state: PageState, purpose: Purpose) {
    let typed = input(FIELD).map(|field| field.value()).unwrap_or_default();
    // A name that stays the same gets no answer.
    match typed_name(&typed) {
        Err(error) => {
            page_state.ui.update(|ui| ui.refusal = Some(strings::name_error(error).into()));
        }
        Ok(unchanged)
            if page_state.people.with(|people| people.own_name.as_ref() == Some(&unchanged)) =>
        {
            cancel(page_state);
        }
        Ok(name) => {
            page_state.ui.update(|ui| {
                ui.refusal = None;
                ui.is_name_taken = false;
            });
            page_state.ask(Command::Intent(match purpose {
                Purpose::Join => Intent::Join(name.to_string()),
                Purpose::Rename => Intent::Rename(name.to_string()),
            }));
        }
    }
}

/// Removes the error and closes the form for a new name.
fn cancel(page_state: PageState) {
    page_state.ui.update(|ui| {
        ui.refusal = None;
        ui.is_name_taken = false;
        ui.is_renaming = false;
    });
}

/// Fills an empty field with the last name, selected, so that typing replaces it.
fn prefill(page_state: PageState, purpose: Purpose) {
    let remembered = Memo::new(move |_| page_state.ui.with(|ui| ui.remembered_name.clone()));
    effect(move || {
        let name = match purpose {
            // Only when it becomes known: a field that the visitor emptied stays empty.
            Purpose::Join => remembered.get(),
            Purpose::Rename => page_state
                .people
                .with_untracked(|people| people.own_name.as_ref().map(ToString::to_string)),
        };
        if let (Some(field), Some(name)) = (input(FIELD), name)
            && field.value().is_empty()
        {
            field.set_value(&name);
            field.select();
            page_state.ask(Command::CheckName(name));
        }
    });
}
