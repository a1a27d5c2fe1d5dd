//! The part of the page that comes to life.

use std::{fmt, str::FromStr};

use leptos::{either::Either, prelude::*};

#[cfg(feature = "ssr")]
use super::member_list::roster_list;
use super::{
    activity_log::activity,
    connection_banner::banner,
    header::head,
    live_region::announcer,
    member_list::BESIDE,
    name_form::{Purpose, name_form},
    notice::{Note, note},
    own_status::you,
    server_rendered::margin,
};
use crate::{
    client::codec::json::{Unreadable, read},
    presence::RoomName,
    state::{RoomPage, connection_status::Connection, page_state::Board},
    text::strings,
};

/// All that is within `<main>`; what comes to life by itself is left out in the browser's pass over it.
pub(crate) fn page(board: Board, room: &RoomName) -> impl IntoView + use<> {
    let is_listed = Memo::new(move |_| board.people.with(|people| people.your_name.is_some()));
    let card = move || {
        if is_listed.get() {
            Either::Left(you(board))
        } else {
            Either::Right(name_form(board, Purpose::Join))
        }
    };
    let only_watching = move || {
        let connection = board.desk.with(|desk| desk.connection);
        (connection == Connection::OnlyWatching).then(|| Note {
            class: "aside",
            role: Some("status"),
            test_id: Some("only-watching"),
            words: strings::ONLY_WATCHING.into(),
            ..Note::default()
        })
    };
    let farewell = move || {
        board.desk.with(|desk| desk.farewell).map(|words| Note {
            class: "aside",
            role: Some("status"),
            test_id: Some("farewell"),
            words: words.into(),
            ..Note::default()
        })
    };
    view! {
        {banner(board)}
        <div class="desk">
            {head(board, room)}
            <section class="card">{note(only_watching)} {note(farewell)} {card}</section>
        </div>
        {part_with_the_list(board)}
        {part_beside_the_list(board)}
        // A wall is seen once something follows what is beside the list.
        {announcer()}
    }
}

/// What stands beside the list where there is room for it, and else below it.
pub(crate) fn beside(board: Board) -> impl IntoView {
    view! {
        {activity(board)}
        {margin()}
    }
}

#[cfg(feature = "ssr")]
fn part_with_the_list(board: Board) -> impl IntoView {
    view! { <section class="board">{roster_list(board)}</section> }
}

#[cfg(feature = "ssr")]
fn part_beside_the_list(board: Board) -> impl IntoView {
    view! {
        <div class="beside" id=BESIDE>
            {beside(board)}
        </div>
    }
}

/// It comes to life by itself: the browser's pass over the page steps over an element without content.
#[cfg(not(feature = "ssr"))]
fn part_with_the_list(_board: Board) -> impl IntoView {
    view! { <section class="board"></section> }
}

/// It comes to life by itself: the browser's pass over the page steps over an element without content.
#[cfg(not(feature = "ssr"))]
fn part_beside_the_list(_board: Board) -> impl IntoView {
    view! { <div class="beside" id=BESIDE></div> }
}

/// The whole of it as the server sends it; nothing where there is no [`RoomPage`] in the context.
#[cfg(feature = "ssr")]
pub(crate) fn first_html() -> impl IntoView {
    shared_page().map(|RoomPage { room, list }| {
        let (board, _) = Board::of_first_html(list, |known| 0..known);
        page(board, &room)
    })
}

/// What the page is made of: the server passes it on, and the browser gets what the server passed.
pub(crate) fn shared_page() -> Option<RoomPage> {
    SharedValue::new_str(|| SharedPage(use_context())).into_inner().0
}

/// The page's data on its way to the browser, as text.
#[derive(Clone)]
struct SharedPage(Option<RoomPage>);

impl fmt::Display for SharedPage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[cfg(feature = "ssr")]
        if let Some(page) = &self.0 {
            formatter.write_str(&serde_json::to_string(page).map_err(|_| fmt::Error)?)?;
        }
        // The browser never writes it.
        let _ = formatter;
        Ok(())
    }
}

impl FromStr for SharedPage {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        read(text).map(|page| Self(Some(page)))
    }
}
