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
pub(crate) fn filters(page_state: PageState) -> impl IntoView {
    let all = move || page_state.people.with(|people| people.count);
    let away = move || page_state.away.get();
    let shown = move || page_state.ui.with(|ui| ui.options.shown);
    let is_pressed = move |value| attribute(move || Some(aria_bool(shown() == value)));
    let choose =
        move |value| on_press(move || change_options(page_state, |options| options.shown = value));
    let is_waiting = move || bool_attr(move || !page_state.is_interactive());
    let is_useless = move || away() == 0 && shown() == Shown::All;
    let all_number = move || number(all());
    let here_number = move || number(page_state.here());
    let away_number = move || number(away());
    view! {
        <div class="chips" hidden=bool_attr(is_useless)>
            <button type="button" class="chip" disabled=is_waiting() aria-pressed=is_pressed(Shown::All) on:click=choose(Shown::All)>
                <span>{server_text!(ShowAll)}</span>
                " "
                <span prop:textContent=text(all_number)>{first_text(all_number)}</span>
            </button>
            <button type="button" class="chip" disabled=is_waiting() aria-pressed=is_pressed(Shown::Here) on:click=choose(Shown::Here)>
                <span>{server_text!(ShowHere)}</span>
                " "
                <span prop:textContent=text(here_number)>{first_text(here_number)}</span>
            </button>
            <button type="button" class="chip" disabled=is_waiting() aria-pressed=is_pressed(Shown::Away) on:click=choose(Shown::Away)>
                <span>{server_text!(ShowAway)}</span>
                " "
                <span prop:textContent=text(away_number)>{first_text(away_number)}</span>
            </button>
        </div>
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
pub(crate) fn menu(page_state: PageState) -> impl IntoView {
    let is_waiting = move || !page_state.is_interactive();
    let is_newest_first = move || page_state.ui.with(|ui| ui.options.is_newest_first);
    let is_announced = move || page_state.ui.with(|ui| !ui.is_muted);
    let sort = move || {
        change_options(page_state, |options| options.is_newest_first = !options.is_newest_first);
    };
    view! {
        <div id=MENU class="menu" popover="auto">
            <button
                type="button"
                class="toggle"
                aria-pressed=attribute(move || Some(aria_bool(is_newest_first())))
                disabled=bool_attr(is_waiting)
                on:click=on_press(sort)
            >
                {server_text!(NewestFirst)}
            </button>
            <button
                type="button"
                class="toggle"
                aria-pressed=attribute(move || Some(aria_bool(is_announced())))
                disabled=bool_attr(is_waiting)
                on:click=on_press(move || page_state.ask(Command::Mute))
            >
                {server_text!(Announce)}
            </button>
            {menu_links()}
        </div>
    }
}

fn change_options(page_state: PageState, change: impl FnOnce(&mut ListOptions)) {
    page_state.ui.update(|ui| change(&mut ui.options));
    page_state.ask(Command::Rearrange);
}
