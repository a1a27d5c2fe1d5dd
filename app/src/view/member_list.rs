//! The list of the people in the room.

use leptos::{either::Either, prelude::*, tachys::view::keyed::keyed};

use super::{
    list_tools::{filters, menu, search},
    member_row::member_row,
    notice::{Notice, notice},
    reactive::{bool_attr, first_text, server_text, text},
    recent_changes::{missed, recent_changes},
    server_rendered::invitation,
};
use crate::{
    state::page_state::{PageState, People},
    text::texts::Text,
};
#[cfg(feature = "ssr")]
use crate::{
    state::server_data::{DisplayMode, ServerRendered},
    text::texts::ServerText,
};

/// The id of the list.
pub(crate) const ROSTER: &str = "roster";

/// The list with its heading, filters, search field and notices.
pub(crate) fn member_list(page_state: PageState) -> impl IntoView {
    let unloaded = move || {
        let is_unfiltered = page_state.ui.with(|ui| ui.options.is_unfiltered());
        let count = page_state.people.with(|people| people.unloaded);
        (count > 0 && is_unfiltered).then(|| Notice {
            class: "and-more",
            words: Text::AndMore.count(count),
            ..Notice::default()
        })
    };
    let count = move || page_state.people.with(|people| people.count);
    let is_alone =
        move || count() == 1 && page_state.people.with(|people| people.own_name.is_some());
    let new_above = move || page_state.ui.with(|ui| ui.new_above);
    let new_above_words = move || Text::NewAbove.count(new_above());
    view! {
        <div class="list-head">
            <h2 class="only-heard">{server_text!(WhoIsHere)}</h2>
            {filters(page_state)}
            {search(page_state)}
        </div>
        {recent_changes()}
        {missed(page_state)}
        // Some browsers don't expose a list without bullets as a list unless it has the role.
        <ul id=ROSTER role="list" aria-label=server_text!(WhoIsHere)>
            {rows(page_state)}
        </ul>
        {notice(unloaded)}
        <p class="empty" data-testid="empty" hidden=bool_attr(move || count() > 0)>
            {nobody_is_here()}
        </p>
        <p class="empty alone" hidden=bool_attr(move || !is_alone())>
            {server_text!(JustYou)}
        </p>
        <div class="invite-here" hidden=bool_attr(move || count() > 0 && !is_alone())>
            {invitation()}
        </div>
        <a
            class="button new-above"
            href="#roster"
            hidden=bool_attr(move || new_above() == 0)
            prop:textContent=text(new_above_words)
        >
            {first_text(new_above_words)}
        </a>
        {menu(page_state)}
    }
}

/// The sentence that an empty list shows. A wall has no form to join with, so it names the code to scan.
#[cfg(feature = "ssr")]
fn nobody_is_here() -> String {
    let server_data = use_context::<ServerRendered>();
    match server_data.map(|data| data.mode).unwrap_or_default() {
        DisplayMode::Page => ServerText::NobodyIsHere.get().to_owned(),
        DisplayMode::Kiosk => {
            [ServerText::NobodyHereYet.get(), Text::FullStop.get(), ServerText::ScanToJoin.get()]
                .concat()
        }
    }
}

/// Nothing: hydration skips the content of an element that is empty here.
#[cfg(not(feature = "ssr"))]
fn nobody_is_here() {}

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
