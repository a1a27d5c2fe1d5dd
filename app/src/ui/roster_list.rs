//! The list of who is here.

use leptos::prelude::*;

use super::{
    avatar::{initials, tint_class},
    board::{Board, Row},
    dynamic::{attribute, flag, text},
    elapsed::Elapsed,
    namesakes::twin_mark,
    news::{missed, news},
    note::{Note, note},
    texts,
};
use crate::presence::{PresenceState, UserId};

/// Everyone, in order of arrival.
pub(crate) fn roster_list(board: Board) -> impl IntoView {
    let unlisted = move || {
        let unlisted = board.people.with(|people| people.count.saturating_sub(people.ids.len()));
        (unlisted > 0).then(|| Note {
            class: "and-more",
            words: texts::and_more(unlisted),
            ..Note::default()
        })
    };
    let nobody = move || {
        board.people.with(|people| people.count == 0).then(|| Note {
            class: "empty",
            test_id: Some("empty"),
            words: texts::NOBODY_IS_HERE.into(),
            ..Note::default()
        })
    };
    view! {
        <section class="board">
            <div class="board-head">
                <h2>{texts::WHO_IS_HERE}</h2>
                {news()}
            </div>
            {missed(board)}
            <ul id="roster" aria-label=texts::WHO_IS_HERE>
                <For
                    each=move || board.people.with(|people| people.ids.clone())
                    key=|id| *id
                    children=move |id| board.row(&id).map(|row| user_row(board, id, row))
                />
            </ul>
            {note(unlisted)}
            {note(nobody)}
        </section>
    }
}

/// One row. Each of its parts changes in place, and only when something about this very person does.
fn user_row(board: Board, id: UserId, row: ArcRwSignal<Row>) -> impl IntoView {
    let is_you = board.people.with_untracked(|people| people.you == Some(id));
    let [initials_of, name_of, twin_of, since_of] = std::array::from_fn(|_| row.clone());
    let since = text(move || {
        let (state, joined) = since_of.with(|row| (row.user.state, row.user.joined));
        since(state, joined, board.now.get())
    });
    view! {
        <li
            class=if is_you { "row is-you" } else { "row" }
            data-user-id=id.to_string()
            data-state=attribute(move || Some(row.with(|row| row.user.state.as_str().into())))
        >
            <span class=tint_class(&id) aria-hidden="true">
                {text(move || initials_of.with(|row| initials(row.user.name.as_str())))}
            </span>
            <span class="who">
                <bdi class="user-name">
                    {text(move || name_of.with(|row| row.user.name.to_string()))}
                </bdi>
                " "
                <span class="twin" hidden=flag(move || !twin_of.with(|row| row.has_twin))>
                    {twin_mark(&id)}
                </span>
                " "
                <span class="you" hidden=!is_you>
                    {texts::YOU}
                </span>
            </span>
            " "
            <span class="since">{since}</span>
        </li>
    }
}

fn since(state: PresenceState, joined: u64, now: u64) -> String {
    match state {
        PresenceState::Here => texts::here_for(Elapsed::between(joined, now / 1_000)),
        PresenceState::Away => texts::AWAY.into(),
        PresenceState::Reconnecting => texts::RECONNECTING.into(),
    }
}
