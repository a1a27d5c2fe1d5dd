//! The list of the people in the room.

use leptos::{either::Either, prelude::*, tachys::view::keyed::keyed};

use super::{
    activity_log::ACTIVITY,
    member_row::member_row,
    notice::{Notice, notice},
    reactive::{aria_bool, attribute, bool_attr, first_text, on_press, server_text, text},
    recent_changes::{missed, recent_changes},
};
use crate::{
    state::{
        command::Command,
        page_state::{PageState, People},
    },
    text::{strings, texts::Text},
};

/// The id of the list.
pub(crate) const ROSTER: &str = "roster";
/// The id of the search field.
const FIND: &str = "find";

/// The list with its heading, search field and notices.
pub(crate) fn member_list(page_state: PageState) -> impl IntoView {
    let unloaded = move || {
        let is_unfiltered = page_state.ui.with(|ui| ui.options.query.is_empty());
        let count = page_state.people.with(|people| people.unloaded);
        (count > 0 && is_unfiltered).then(|| Notice {
            class: "and-more",
            words: Text::AndMore.count(count),
            ..Notice::default()
        })
    };
    let count = move || page_state.people.with(|people| people.count);
    let is_listed = move || page_state.people.with(|people| people.own_name.is_some());
    view! {
        <div class="list-head">
            <h2>{server_text!(WhoIsHere)}</h2>
            <a class="further" href=["#", ACTIVITY].concat()>
                {server_text!(Activity)}
            </a>
            {recent_changes()}
            {tools(page_state)}
        </div>
        {missed(page_state)}
        // Some browsers don't expose a list without bullets as a list unless it has the role.
        <ul id=ROSTER role="list" aria-label=server_text!(WhoIsHere)>
            {rows(page_state)}
        </ul>
        {notice(unloaded)}
        <p class="empty" data-testid="empty" hidden=bool_attr(move || count() > 0)>
            {server_text!(NobodyIsHere)}
        </p>
        <p class="empty alone" hidden=bool_attr(move || count() != 1 || !is_listed())>
            {server_text!(JustYou)}
        </p>
    }
}

/// The rows in the page; a row that stays keeps its DOM nodes.
///
/// Of a long list only the visible rows are hydrated. The others stay as the server rendered them until
/// the first rendering removes or replaces them.
///
/// It does what `<For>` does, without an owner for each row: a row holds nothing that needs one, and
/// Leptos 0.8 keeps an entry for every owner that a `<For>` ever made.
fn rows(page_state: PageState) -> impl IntoView {
    move || {
        keyed(
            page_state.people.with(People::rendered_rows),
            |row| *row,
            move |_, (id, _)| {
                let row = match page_state.row(&id) {
                    Some(row) => Either::Left(member_row(page_state.is_you(&id), row)),
                    // Hydration skips the content of an element that is empty here.
                    None => Either::Right(view! { <li></li> }),
                };
                (drop::<usize>, row)
            },
        )
    }
}

/// The search field and the sort button.
fn tools(page_state: PageState) -> impl IntoView {
    // Until the whole list is loaded, a search could miss people.
    let is_disabled = move || {
        !page_state.is_interactive() || page_state.people.with(|people| people.unloaded > 0)
    };
    let search = move |event| {
        let typed = event_target_value(&event);
        page_state.ui.update(|ui| ui.options.set_query(&typed));
        page_state.ask(Command::Rearrange);
    };
    let sort = move || {
        page_state.ui.update(|ui| ui.options.is_by_name = !ui.options.is_by_name);
        page_state.ask(Command::Rearrange);
    };
    let is_by_name = move || page_state.ui.with(|ui| ui.options.is_by_name);
    let found = move || {
        let is_unfiltered = page_state.ui.with(|ui| ui.options.query.is_empty());
        let (found, count) = page_state.people.with(|people| (people.found, people.count));
        if is_unfiltered { String::new() } else { strings::found(found, count) }
    };
    view! {
        <div class="search">
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
            <button
                type="button"
                class="toggle"
                aria-pressed=attribute(move || Some(aria_bool(is_by_name())))
                disabled=bool_attr(is_disabled)
                on:click=on_press(sort)
            >
                {server_text!(FromAToZ)}
            </button>
            <p class="found" role="status" prop:textContent=text(found)>
                {first_text(found)}
            </p>
        </div>
    }
}
