//! The part of the page that comes to life.

use std::{fmt, str::FromStr};

use leptos::{either::Either, prelude::*};

use super::{
    RoomPage,
    activity::activity,
    announcer::announcer,
    banner::banner,
    board::Board,
    connection::Connection,
    head::head,
    json::{Unreadable, read},
    name_form::{Purpose, name_form},
    note::{Note, note},
    roster_list::{BESIDE, roster_section},
    server_drawn::margin,
    texts,
    you::you,
};
use crate::presence::Replica;

/// All that is within `<main>`; in the browser's first pass the list is left out.
///
/// The server passes the page it serves; the browser passes nothing, and gets the server's.
pub(crate) fn page() -> impl IntoView {
    SharedValue::new_str(|| SharedPage(use_context())).into_inner().0.map(room)
}

fn room(page: RoomPage) -> impl IntoView {
    let RoomPage { room, list } = page;
    let now = list.now;
    // A list that holds someone twice is none; the socket brings a better one.
    let replica = Replica::from_first_html(list).unwrap_or_default();
    let board = Board::new(now, &replica);
    let head = head(board, &room);
    #[cfg(feature = "hydrate")]
    super::live::start(board, room, replica);
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
            words: texts::ONLY_WATCHING.into(),
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
            {head}
            <section class="card">{note(only_watching)} {note(farewell)} {card}</section>
        </div>
        {roster_section(board)}
        <div class="beside" id=BESIDE>
            {activity(board)}
            {margin()}
        </div>
        // A wall is seen once something follows what is beside the list.
        {announcer()}
    }
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
