//! The list of who is here.

use leptos::{either::Either, prelude::*, tachys::view::keyed::keyed};

use super::{
    member_row::member_row,
    notice::{Notice, notice},
    reactive::{aria_bool, attribute, bool_attr, on_press, text},
    recent_changes::{missed, recent_changes},
};
use crate::{
    state::{
        command::Command,
        page_state::{PageState, People},
    },
    text::strings,
};

/// The id of the list.
pub(crate) const ROSTER: &str = "roster";
/// The id of what stands beside the list where there is room for it, and else below it.
pub(crate) const BESIDE: &str = "beside";
/// The id of the field in which a name is looked for.
const FIND: &str = "find";

/// Everyone, in the order that the visitor chose.
pub(crate) fn member_list(page_state: PageState) -> impl IntoView {
    let unloaded = move || {
        let is_everyone_sought = page_state.ui.with(|ui| ui.options.query.is_empty());
        let unknown = page_state.people.with(|people| people.unknown);
        (unknown > 0 && is_everyone_sought).then(|| Notice {
            class: "and-more",
            words: strings::and_more(unknown),
            ..Notice::default()
        })
    };
    let nobody_else = move || {
        let is_you_here = move || page_state.people.with(|people| people.your_name.is_some());
        let (class, test_id, words) = match page_state.people.with(|people| people.count) {
            0 => ("empty", Some("empty"), strings::NOBODY_IS_HERE),
            1 if is_you_here() => ("empty alone", None, strings::ONLY_YOU_ARE_HERE),
            _ => return None,
        };
        Some(Notice { class, test_id, words: words.into(), ..Notice::default() })
    };
    view! {
        <div class="board-head">
            <h2>{strings::WHO_IS_HERE}</h2>
            <a class="further" href=["#", BESIDE].concat()>
                {strings::ACTIVITY}
            </a>
            {recent_changes()}
            {tools(page_state)}
        </div>
        {missed(page_state)}
        // Without it a list that shows no bullets is none to some browsers.
        <ul id=ROSTER role="list" aria-label=strings::WHO_IS_HERE>
            {rows(page_state)}
        </ul>
        {notice(unloaded)}
        {notice(nobody_else)}
    }
}

/// The rows that are in the page; one that stays is neither made anew nor touched.
///
/// Of a long list the browser brings those to life that can be seen. The others stay as they came, and
/// they go, or are made anew, when the list is drawn for the first time.
///
/// It is what `<For>` does, without an owner for each row: a row holds nothing that needs one, and
/// Leptos 0.8 keeps an entry for every owner that a `<For>` ever made.
fn rows(page_state: PageState) -> impl IntoView {
    move || {
        keyed(
            page_state.people.with(People::rendered_rows),
            |row| *row,
            move |_, (id, _)| {
                let row = match page_state.row(&id) {
                    Some(row) => Either::Left(member_row(page_state.is_you(&id), row)),
                    // Hydration steps over an element without content.
                    None => Either::Right(view! { <li></li> }),
                };
                (drop::<usize>, row)
            },
        )
    }
}

/// What finds somebody in a long list.
fn tools(page_state: PageState) -> impl IntoView {
    // Who is not known yet is not to be called missing.
    let is_asleep =
        move || !page_state.is_interactive() || page_state.people.with(|people| people.unknown > 0);
    let seek = move |event| {
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
        let query = page_state.ui.with(|ui| ui.options.query.is_empty());
        let (found, count) = page_state.people.with(|people| (people.found, people.count));
        if query { String::new() } else { strings::found(found, count) }
    };
    view! {
        <div class="finding">
            <input
                id=FIND
                type="search"
                placeholder=strings::FIND_A_NAME
                aria-label=strings::FIND_A_NAME
                aria-controls=ROSTER
                autocomplete="off"
                spellcheck="false"
                dir="auto"
                disabled=bool_attr(is_asleep)
                on:input=seek
            />
            <button
                type="button"
                class="toggle"
                aria-pressed=attribute(move || Some(aria_bool(is_by_name())))
                disabled=bool_attr(is_asleep)
                on:click=on_press(sort)
            >
                {strings::FROM_A_TO_Z}
            </button>
            <p class="found" role="status">
                {text(found)}
            </p>
        </div>
    }
}
