//! The part of the page that comes to life.

use std::{fmt, str::FromStr};

use leptos::{either::Either, prelude::*};

#[cfg(feature = "ssr")]
use super::member_list::member_list;
use super::{
    activity_log::activity_log,
    connection_banner::connection_banner,
    header::header,
    live_region::live_region,
    member_list::BESIDE,
    name_form::{Purpose, name_form},
    notice::{Notice, notice},
    own_status::own_status,
    server_rendered::aside,
};
use crate::{
    client::codec::json::{ParseError, from_str},
    presence::RoomName,
    state::{RoomPage, connection_status::ConnectionStatus, page_state::PageState},
    text::strings,
};

/// All that is within `<main>`; what comes to life by itself is left out in the browser's pass over it.
pub(crate) fn page(page_state: PageState, room: &RoomName) -> impl IntoView + use<> {
    let is_listed = Memo::new(move |_| page_state.people.with(|people| people.your_name.is_some()));
    let card = move || {
        if is_listed.get() {
            Either::Left(own_status(page_state))
        } else {
            Either::Right(name_form(page_state, Purpose::Join))
        }
    };
    let only_watching = move || {
        let connection = page_state.ui.with(|ui| ui.connection);
        (connection == ConnectionStatus::OnlyWatching).then(|| Notice {
            class: "aside",
            role: Some("status"),
            test_id: Some("only-watching"),
            words: strings::ONLY_WATCHING.into(),
            ..Notice::default()
        })
    };
    let departure_notice = move || {
        page_state.ui.with(|ui| ui.departure_notice).map(|words| Notice {
            class: "aside",
            role: Some("status"),
            test_id: Some("farewell"),
            words: words.into(),
            ..Notice::default()
        })
    };
    view! {
        {connection_banner(page_state)}
        <div class="desk">
            {header(page_state, room)}
            <section class="card">{notice(only_watching)} {notice(departure_notice)} {card}</section>
        </div>
        {part_with_the_list(page_state)}
        {part_beside_the_list(page_state)}
        // A wall is seen once something follows what is beside the list.
        {live_region()}
    }
}

/// What stands beside the list where there is room for it, and else below it.
pub(crate) fn beside(page_state: PageState) -> impl IntoView {
    view! {
        {activity_log(page_state)}
        {aside()}
    }
}

#[cfg(feature = "ssr")]
fn part_with_the_list(page_state: PageState) -> impl IntoView {
    view! { <section class="board">{member_list(page_state)}</section> }
}

#[cfg(feature = "ssr")]
fn part_beside_the_list(page_state: PageState) -> impl IntoView {
    view! {
        <div class="beside" id=BESIDE>
            {beside(page_state)}
        </div>
    }
}

/// It comes to life by itself: the browser's pass over the page steps over an element without content.
#[cfg(not(feature = "ssr"))]
fn part_with_the_list(_board: PageState) -> impl IntoView {
    view! { <section class="board"></section> }
}

/// It comes to life by itself: the browser's pass over the page steps over an element without content.
#[cfg(not(feature = "ssr"))]
fn part_beside_the_list(_board: PageState) -> impl IntoView {
    view! { <div class="beside" id=BESIDE></div> }
}

/// The whole of it as the server sends it; nothing where there is no [`RoomPage`] in the context.
#[cfg(feature = "ssr")]
pub(crate) fn first_html() -> impl IntoView {
    shared_page().map(|RoomPage { room, list }| {
        let (page_state, _) = PageState::of_first_html(list, |known| 0..known);
        page(page_state, &room)
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
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        from_str(text).map(|page| Self(Some(page)))
    }
}
