//! The list of who is here.

use leptos::prelude::*;

use super::{
    avatar::{initials, tint_class},
    board::{Board, Command, Row},
    dynamic::{attribute, flag, press, text, yes_or_no},
    elapsed::Elapsed,
    namesakes::twin_mark,
    news::{missed, news},
    note::{Note, note},
    texts,
};
use crate::presence::{PresenceState, UserId};

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
        let (found, known) = board.people.with(|people| (people.found, people.known));
        (found > known && is_everyone_sought).then(|| Note {
            class: "and-more",
            words: texts::and_more(found - known),
            ..Note::default()
        })
    };
    let nobody_else = move || {
        let is_you_here = move || board.people.with(|people| people.your_name.is_some());
        let (class, test_id, words) = match board.people.with(|people| people.count) {
            0 => ("empty", Some("empty"), texts::NOBODY_IS_HERE),
            1 if is_you_here() => ("empty alone", None, texts::ONLY_YOU_ARE_HERE),
            _ => return None,
        };
        Some(Note { class, test_id, words: words.into(), ..Note::default() })
    };
    view! {
        <section class="board">
            <div class="board-head">
                <h2>{texts::WHO_IS_HERE}</h2>
                <a class="further" href=["#", BESIDE].concat()>
                    {texts::ACTIVITY}
                </a>
                {news()}
                {tools(board)}
            </div>
            {missed(board)}
            <ul id=ROSTER aria-label=texts::WHO_IS_HERE>
                <For
                    each=move || board.people.with(|people| people.ids.clone())
                    key=|id| *id
                    children=move |id| board.row(&id).map(|row| user_row(board, id, row))
                />
            </ul>
            {note(unlisted)}
            {note(nobody_else)}
        </section>
    }
}

/// What finds somebody in a long list.
fn tools(board: Board) -> impl IntoView {
    let is_asleep = move || !board.is_awake();
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
        if sought { String::new() } else { texts::found(found, count) }
    };
    view! {
        <div class="finding">
            <input
                id=FIND
                type="search"
                placeholder=texts::FIND_A_NAME
                aria-label=texts::FIND_A_NAME
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
                {texts::FROM_A_TO_Z}
            </button>
            <p class="found" role="status">
                {text(found)}
            </p>
        </div>
    }
}

/// One row. It changes in place, and only when something about this very person does.
///
/// One effect draws all of it: with one for each part, bringing a list of 200 to life is a long task.
fn user_row(board: Board, id: UserId, row: ArcRwSignal<Row>) -> impl IntoView {
    let is_you = board.people.with_untracked(|people| people.you == Some(id));
    move || {
        let Row { user, has_twin, place } = row.get();
        let now = board.now.get();
        let place = |read: fn((usize, usize)) -> usize| place.map(|place| read(place).to_string());
        view! {
            <li
                class=if is_you { "row is-you" } else { "row" }
                data-user-id=id.to_string()
                aria-posinset=place(|(number, _)| number)
                aria-setsize=place(|(_, total)| total)
                data-state=user.state.as_str()
            >
                <span class=tint_class(&id) aria-hidden="true">
                    {initials(user.name.as_str())}
                </span>
                <span class="who">
                    <bdi class="user-name">{user.name.to_string()}</bdi>
                    " "
                    <span class="twin" hidden=!has_twin>
                        {twin_mark(&id)}
                    </span>
                    " "
                    <span class="you" hidden=!is_you>
                        {texts::YOU}
                    </span>
                </span>
                " "
                <span class="since">{since(user.state, user.joined, now)}</span>
            </li>
        }
    }
}

fn since(state: PresenceState, joined: u64, now: u64) -> String {
    match state {
        PresenceState::Here => texts::here_for(Elapsed::between(joined, now / 1_000)),
        PresenceState::Away => texts::AWAY.into(),
        PresenceState::Reconnecting => texts::RECONNECTING.into(),
    }
}
