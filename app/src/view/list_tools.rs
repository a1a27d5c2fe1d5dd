//! What chooses the rows of the list: the filters by state, the search, and the choices in the page's menu.

use leptos::prelude::*;

use super::{
    member_list::ROSTER,
    reactive::{aria_bool, attribute, bool_attr, first_text, on_press, server_text, text},
    server_rendered::menu_links,
};
use crate::{
    list::sort_filter::{ListOptions, Shown},
    state::{command::Command, page_state::PageState},
    text::{format::number, strings},
};

/// The id of the search field.
const FIND: &str = "find";
/// The id of the page's menu; a button in the page's header opens it.
pub(crate) const MENU: &str = "menu";
/// From this many rows on the list can be searched.
const SEARCHABLE_FROM: usize = 8;

/// The buttons that show everyone, those who are here, or those who are away; only while somebody is away.
#[cfg_attr(
    not(feature = "ssr"),
    expect(clippy::unit_arg, reason = "the browser's program has none of the server's texts")
)]
pub(crate) fn filters(page_state: PageState) -> impl IntoView {
    let is_useless = move || {
        page_state.away.get() == 0 && page_state.ui.with(|ui| ui.options.shown) == Shown::All
    };
    let everyone = |page_state: PageState| page_state.people.with(|people| people.count);
    view! {
        <div class="chips" hidden=bool_attr(is_useless)>
            {filter(page_state, Shown::All, server_text!(ShowAll), everyone)}
            {filter(page_state, Shown::Here, server_text!(ShowHere), |page_state| page_state.here())}
            {filter(page_state, Shown::Away, server_text!(ShowAway), |page_state| page_state.away.get())}
        </div>
    }
}

/// A button that shows these people, with their number.
fn filter(
    page_state: PageState,
    people: Shown,
    label: impl IntoView,
    count: fn(PageState) -> usize,
) -> impl IntoView {
    let is_pressed = move || page_state.ui.with(|ui| ui.options.shown) == people;
    let choose = move || change_options(page_state, |options| options.shown = people);
    let count = move || number(count(page_state));
    view! {
        <button
            type="button"
            class="chip"
            disabled=bool_attr(move || !page_state.is_interactive())
            aria-pressed=attribute(move || Some(aria_bool(is_pressed())))
            on:click=on_press(choose)
        >
            <span>{label}</span>
            " "
            <span prop:textContent=text(count)>{first_text(count)}</span>
        </button>
    }
}

/// The search field; not in a list that can be read at a glance.
pub(crate) fn search(page_state: PageState) -> impl IntoView {
    // Until the whole list is loaded, a search could miss people.
    let is_disabled = move || {
        !page_state.is_interactive() || page_state.people.with(|people| people.unloaded > 0)
    };
    let is_useless = move || {
        page_state.people.with(|people| people.count) < SEARCHABLE_FROM
            && page_state.ui.with(|ui| ui.options.query.is_empty())
    };
    let search = move |event| {
        let typed = event_target_value(&event);
        change_options(page_state, |options| options.set_query(&typed));
    };
    let found = move || {
        let is_searched = page_state.ui.with(|ui| !ui.options.query.is_empty());
        let (found, count) = page_state.people.with(|people| (people.found, people.count));
        if is_searched { strings::found(found, count) } else { String::new() }
    };
    view! {
        <div class="search" hidden=bool_attr(is_useless)>
            <input
                id=FIND
                type="search"
                placeholder=server_text!(FindAName)
                aria-label=server_text!(FindAName)
                aria-controls=ROSTER
                autocomplete="off"
                spellcheck="false"
                dir="auto"
                disabled=bool_attr(is_disabled)
                on:input=search
            />
            <p class="found" role="status" prop:textContent=text(found)>
                {first_text(found)}
            </p>
        </div>
    }
}

/// The page's menu.
#[cfg_attr(
    not(feature = "ssr"),
    expect(clippy::unit_arg, reason = "the browser's program has none of the server's texts")
)]
pub(crate) fn menu(page_state: PageState) -> impl IntoView {
    let is_newest_first =
        |page_state: PageState| page_state.ui.with(|ui| ui.options.is_newest_first);
    let sort = |page_state| {
        change_options(page_state, |options| options.is_newest_first = !options.is_newest_first);
    };
    let is_announced = |page_state: PageState| page_state.ui.with(|ui| !ui.is_muted);
    let mute = |page_state: PageState| page_state.ask(Command::Mute);
    view! {
        <div id=MENU class="menu" popover="auto">
            {toggle(page_state, server_text!(NewestFirst), is_newest_first, sort)}
            {toggle(page_state, server_text!(Announce), is_announced, mute)}
            {menu_links()}
        </div>
    }
}

/// A button that stays pressed while something is on.
fn toggle(
    page_state: PageState,
    label: impl IntoView,
    is_on: fn(PageState) -> bool,
    press: fn(PageState),
) -> impl IntoView {
    view! {
        <button
            type="button"
            class="toggle"
            aria-pressed=attribute(move || Some(aria_bool(is_on(page_state))))
            disabled=bool_attr(move || !page_state.is_interactive())
            on:click=on_press(move || press(page_state))
        >
            {label}
        </button>
    }
}

fn change_options(page_state: PageState, change: impl FnOnce(&mut ListOptions)) {
    page_state.ui.update(|ui| change(&mut ui.options));
    page_state.ask(Command::Rearrange);
}
