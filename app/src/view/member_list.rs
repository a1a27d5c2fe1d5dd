//! The list of who is here.

use leptos::{either::Either, prelude::*, tachys::view::keyed::keyed};

use super::{
    member_row::user_row,
    notice::{Note, note},
    reactive::{attribute, flag, press, text, yes_or_no},
    recent_changes::{missed, news},
};
use crate::{
    state::{
        command::Command,
        page_state::{Board, People},
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
pub(crate) fn roster_list(board: Board) -> impl IntoView {
    let unlisted = move || {
        let is_everyone_sought = board.desk.with(|desk| desk.arrangement.sought.is_empty());
        let unknown = board.people.with(|people| people.unknown);
        (unknown > 0 && is_everyone_sought).then(|| Note {
            class: "and-more",
            words: strings::and_more(unknown),
            ..Note::default()
        })
    };
    let nobody_else = move || {
        let is_you_here = move || board.people.with(|people| people.your_name.is_some());
        let (class, test_id, words) = match board.people.with(|people| people.count) {
            0 => ("empty", Some("empty"), strings::NOBODY_IS_HERE),
            1 if is_you_here() => ("empty alone", None, strings::ONLY_YOU_ARE_HERE),
            _ => return None,
        };
        Some(Note { class, test_id, words: words.into(), ..Note::default() })
    };
    view! {
        <div class="board-head">
            <h2>{strings::WHO_IS_HERE}</h2>
            <a class="further" href=["#", BESIDE].concat()>
                {strings::ACTIVITY}
            </a>
            {news()}
            {tools(board)}
        </div>
        {missed(board)}
        // Without it a list that shows no bullets is none to some browsers.
        <ul id=ROSTER role="list" aria-label=strings::WHO_IS_HERE>
            {rows(board)}
        </ul>
        {note(unlisted)}
        {note(nobody_else)}
    }
}

/// The rows that are in the page; one that stays is neither made anew nor touched.
///
/// Of a long list the browser brings those to life that can be seen. The others stay as they came, and
/// they go, or are made anew, when the list is drawn for the first time.
///
/// It is what `<For>` does, without an owner for each row: a row holds nothing that needs one, and
/// Leptos 0.8 keeps an entry for every owner that a `<For>` ever made.
fn rows(board: Board) -> impl IntoView {
    move || {
        keyed(
            board.people.with(People::rows_in_the_page),
            |row| *row,
            move |_, (id, _)| {
                let row = match board.row(&id) {
                    Some(row) => Either::Left(user_row(board.is_you(&id), row)),
                    // Hydration steps over an element without content.
                    None => Either::Right(view! { <li></li> }),
                };
                (drop::<usize>, row)
            },
        )
    }
}

/// What finds somebody in a long list.
fn tools(board: Board) -> impl IntoView {
    // Who is not known yet is not to be called missing.
    let is_asleep = move || !board.is_awake() || board.people.with(|people| people.unknown > 0);
    let seek = move |event| {
        let typed = event_target_value(&event);
        board.desk.update(|desk| desk.arrangement.seek(&typed));
        board.ask(Command::Rearrange);
    };
    let sort = move || {
        board.desk.update(|desk| desk.arrangement.is_by_name = !desk.arrangement.is_by_name);
        board.ask(Command::Rearrange);
    };
    let is_by_name = move || board.desk.with(|desk| desk.arrangement.is_by_name);
    let found = move || {
        let sought = board.desk.with(|desk| desk.arrangement.sought.is_empty());
        let (found, count) = board.people.with(|people| (people.found, people.count));
        if sought { String::new() } else { strings::found(found, count) }
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
                disabled=flag(is_asleep)
                on:input=seek
            />
            <button
                type="button"
                class="toggle"
                aria-pressed=attribute(move || Some(yes_or_no(is_by_name())))
                disabled=flag(is_asleep)
                on:click=press(sort)
            >
                {strings::FROM_A_TO_Z}
            </button>
            <p class="found" role="status">
                {text(found)}
            </p>
        </div>
    }
}
