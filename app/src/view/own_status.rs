//! The card of a listed visitor.

use leptos::{either::Either, prelude::*};

use super::{
    focus::take_lost_focus,
    name_form::{Purpose, name_form},
    notice::{Notice, notice},
    reactive::{TextContent, attribute, bool_attr, first_text, first_words, on_press, text},
};
use crate::{
    client::intent::Intent,
    state::{command::Command, page_state::PageState},
    text::{
        avatar::{initials, tint_class},
        texts::Text,
    },
};

/// The id of the sentence with the name, which is focused when the form is removed.
pub(crate) const SENTENCE: &str = "you-are-here";
/// The id of the button that opens the menu, and is focused when the form for a new name is removed.
const OWN_MENU_BUTTON: &str = "own-menu-button";
/// The id of the menu.
const OWN_MENU: &str = "own-menu";

/// Shows the name under which the visitor is listed, with a menu to change it and to leave.
pub(crate) fn own_status(page_state: PageState) -> impl IntoView {
    take_lost_focus(page_state, SENTENCE);
    let name = move || {
        let name =
            page_state.people.with(|people| people.own_name.as_ref().map(ToString::to_string));
        name.unwrap_or_default()
    };
    let own_initials = move || initials(&name());
    let tint = move || {
        page_state.people.with(|people| people.you.as_ref().map(tint_class)).map(Into::into)
    };
    let is_renaming = Memo::new(move |_| page_state.ui.with(|ui| ui.is_renaming));
    let controls = move || {
        if is_renaming.get() {
            Either::Left(name_form(page_state, Purpose::Rename))
        } else {
            Either::Right(own_menu(page_state))
        }
    };
    view! {
        <div class="you-are-here" data-testid="you">
            <span
                class=attribute(tint)
                aria-hidden="true"
                translate="no"
                prop:textContent=text(own_initials)
            >
                {first_text(own_initials)}
            </span>
            <p id=SENTENCE tabindex="-1">
                <bdi translate="no" prop:textContent=text(name)>
                    {first_text(name)}
                </bdi>
                " "
                <span class="hint" prop:textContent=TextContent(Text::OnTheList.get().into())>
                    {first_words(Text::OnTheList.get())}
                </span>
            </p>
            {controls}
        </div>
    }
}

/// Changing the name, leaving, and joining again as another person.
fn own_menu(page_state: PageState) -> impl IntoView {
    take_lost_focus(page_state, OWN_MENU_BUTTON);
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
        <button
            id=OWN_MENU_BUTTON
            type="button"
            class="more"
            popovertarget=OWN_MENU
            aria-label=Text::More.get()
            // The page's header has a button of that name, too.
            aria-labelledby=[OWN_MENU_BUTTON, " ", SENTENCE].concat()
            title=Text::More.get()
        ></button>
        {notice(refusal)}
        <div id=OWN_MENU class="menu" popover="auto">
            <button
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
            <button
                type="button"
                disabled=bool_attr(is_disabled)
                on:click=on_press(move || page_state.ask(Command::SwitchPerson))
                prop:textContent=TextContent(Text::JoinUnderAnotherName.get().into())
            >
                {first_words(Text::JoinUnderAnotherName.get())}
            </button>
        </div>
    }
}
