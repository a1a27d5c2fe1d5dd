//! The part of the page that is hydrated: the content of `<main>`.

use leptos::{either::Either, prelude::*};

#[cfg(feature = "ssr")]
use super::member_list::member_list;
use super::{
    activity_log::activity_log,
    connection_banner::connection_banner,
    headline::headline,
    live_region::live_region,
    name_form::{Purpose, name_form},
    notice::{Notice, notice},
    own_status::own_status,
    server_rendered::{aside, join_intro, why_blocked},
};
use crate::state::page_state::PageState;
#[cfg(feature = "ssr")]
use crate::{
    list::sort_filter::ListOptions,
    state::{
        RoomPage,
        server_data::{DisplayMode, ServerRendered},
    },
};

/// The content of `<main>`. In the browser the list and the sidebar are left out: they are hydrated on
/// their own.
pub(crate) fn page(page_state: PageState) -> impl IntoView {
    let is_listed = Memo::new(move |_| page_state.people.with(|people| people.own_name.is_some()));
    let card = move || {
        if is_listed.get() {
            Either::Left(own_status(page_state))
        } else {
            Either::Right(name_form(page_state, Purpose::Join))
        }
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
        <div class="room-panel">
            {headline(page_state)}
            <section class="card">{join_intro()} {why_blocked()} {notice(departure_notice)} {card}</section>
        </div>
        {list_section(page_state)}
        {sidebar_section()}
        // Kiosk mode's style sheet shows `<main>` once something follows the sidebar: then it is complete.
        {live_region()}
    }
}

/// The sidebar: the activity log and the server-rendered parts.
pub(crate) fn sidebar() -> impl IntoView {
    view! {
        {activity_log()}
        {aside()}
    }
}

#[cfg(feature = "ssr")]
fn list_section(page_state: PageState) -> impl IntoView {
    view! { <section class="list-panel" data-part="list">{member_list(page_state)}</section> }
}

#[cfg(feature = "ssr")]
fn sidebar_section() -> impl IntoView {
    view! {
        <div class="sidebar" data-part="sidebar">
        {sidebar()}
        </div>
    }
}

/// It is hydrated on its own: hydration of the page skips the content of an element that is empty here.
#[cfg(not(feature = "ssr"))]
fn list_section(_page_state: PageState) -> impl IntoView {
    view! { <section class="list-panel"></section> }
}

/// It is hydrated on its own: hydration of the page skips the content of an element that is empty here.
#[cfg(not(feature = "ssr"))]
fn sidebar_section() -> impl IntoView {
    view! { <div class="sidebar"></div> }
}

/// The content of `<main>` as the server sends it; nothing without a [`RoomPage`] in the context.
#[cfg(feature = "ssr")]
pub(crate) fn first_html() -> impl IntoView {
    use_context::<RoomPage>().map(|RoomPage { list, away, .. }| {
        let mode = use_context::<ServerRendered>().map(|data| data.mode).unwrap_or_default();
        let wall = (mode == DisplayMode::Kiosk).then_some(0);
        let options = ListOptions { wall, ..ListOptions::default() };
        let (page_state, _) = PageState::of_first_html(list, away, options, |total| 0..total);
        page(page_state)
    })
}
