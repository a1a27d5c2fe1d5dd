//! The card of a listed visitor.

use leptos::{either::Either, prelude::*};

use super::{
    focus::take_lost_focus,
    name_form::{Purpose, name_form},
    notice::{Notice, notice},
    reactive::{TextContent, bool_attr, first_text, first_words, on_press, server_text, text},
};
use crate::{
    client::intent::Intent,
    state::{command::Command, page_state::PageState},
    text::texts::Text,
};

/// The id of the sentence with the name, which is focused when the form is removed.
pub(crate) const SENTENCE: &str = "you-are-here";
/// The id of the button that is focused when the form for a new name is removed.
const RENAME: &str = "rename";

/// Shows the name under which the visitor is listed, with buttons to change it and to leave.
pub(crate) fn own_status(page_state: PageState) -> impl IntoView {
    take_lost_focus(page_state, SENTENCE);
    let name = move || {
        let name =
            page_state.people.with(|people| people.own_name.as_ref().map(ToString::to_string));
        name.unwrap_or_default()
    };
    let is_one_tab = move || page_state.ui.with(|ui| ui.tabs) < 2;
    let is_renaming = Memo::new(move |_| page_state.ui.with(|ui| ui.is_renaming));
    let controls = move || {
        if is_renaming.get() {
            Either::Left(name_form(page_state, Purpose::Rename))
        } else {
            Either::Right(buttons(page_state))
        }
    };
    view! {
        <div class="you-are-here" data-testid="you">
            <p id=SENTENCE tabindex="-1">
                {Text::OnTheList.get()}
                <bdi translate="no" prop:textContent=text(name)>
                    {first_text(name)}
                </bdi>
            </p>
            {controls}
            <div class="someone-else" hidden=bool_attr(is_one_tab)>
                <p class="hint">{server_text!(TabsAreOnePerson)}</p>
                <button
                    type="button"
                    on:click=on_press(move || page_state.ask(Command::SwitchPerson))
                    prop:textContent=TextContent(Text::JoinUnderAnotherName.get().into())
                >
                    {first_words(Text::JoinUnderAnotherName.get())}
                </button>
            </div>
        </div>
    }
}

fn buttons(page_state: PageState) -> impl IntoView {
    take_lost_focus(page_state, RENAME);
    let is_disabled = move || !page_state.can_ask();
    let rename = move || {
        page_state.ui.update(|ui| {
            ui.refusal = None;
            ui.is_renaming = true;
        });
    };
    let refusal = move || {
        let words = page_state.ui.with(|ui| ui.refusal.clone())?;
        Some(Notice { class: "error", role: Some("alert"), words, ..Notice::default() })
    };
    view! {
        {notice(refusal)}
        <div class="buttons">
            <button
                id=RENAME
                type="button"
                disabled=bool_attr(is_disabled)
                on:click=on_press(rename)
                prop:textContent=TextContent(Text::ChangeName.get().into())
            >
                {first_words(Text::ChangeName.get())}
            </button>
            <button
                type="button"
                disabled=bool_attr(is_disabled)
                on:click=on_press(move || page_state.ask(Command::Intent(Intent::Leave)))
                prop:textContent=TextContent(Text::Leave.get().into())
            >
                {first_words(Text::Leave.get())}
            </button>
        </div>
    }
}
