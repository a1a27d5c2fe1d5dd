//! The browser's part: what brings the page to life.

mod announcer;
mod connection;
mod document_state;
mod event_source;
mod focus_restore;
mod list_renderer;
mod page_lifecycle;
mod random;
mod renderer;
mod server_clock;
mod storage;
mod switch_person;
mod tab_counter;
mod tab_id;
mod websocket;

use std::{cell::Cell, rc::Rc};

use gloo_timers::callback::Timeout;
use leptos::{mount::hydrate_from, prelude::*, wasm_bindgen::JsCast, web_sys::HtmlElement};

use self::{connection::Connection, list_renderer::rows_at_first, tab_counter::TabCounter};
use crate::{
    client::Replica,
    presence::RoomName,
    state::{RoomPage, command::Command, page_state::PageState},
    view::{
        member_list::member_list,
        new_room::new_room_address,
        page::{beside, page, shared_page},
        reactive::effect,
    },
};

/// Brings the page to life that the server rendered, part by part, and then does all that only a
/// browser can do.
///
/// It is divided into tasks, so that whoever scrolls or types meanwhile is never kept waiting for all of it.
/// What is beside the list is little, and goes with the making of the board.
pub fn hydrate() {
    yield_to_main(|| {
        let Some((RoomPage { room, list }, owner)) = read_page() else { return };
        yield_to_main(move || {
            let (page_state, replica) =
                owner.with(|| PageState::of_first_html(list, rows_at_first));
            hydrate_element(".beside", move || beside(page_state));
            let room_of_page = room.clone();
            yield_to_main(move || hydrate_element("main", move || page(page_state, &room_of_page)));
            yield_to_main(move || hydrate_element(".board", move || member_list(page_state)));
            yield_to_main(move || owner.with(|| connect(page_state, &room, replica)));
        });
    });
}

/// Reads what the server passed to the page; it goes with the owner that keeps the board and the effects.
fn read_page() -> Option<(RoomPage, Owner)> {
    let answer = Rc::new(Cell::new(None));
    let read = Rc::clone(&answer);
    hydrate_element("html", move || {
        read.set(shared_page().zip(Owner::current()));
        // It can only be read in a pass over the document: this one steps over its head, and ends.
        view! { <head></head> }
    });
    answer.take()
}

/// Hydrates what is within the first element of this kind.
fn hydrate_element<V: IntoView>(selector: &str, view: impl FnOnce() -> V + 'static) {
    let element = document().query_selector(selector).ok().flatten();
    if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        hydrate_from(element, view).forget();
    }
}

/// A page that is not seen keeps nobody waiting, and its timers are slow: there it is done at once.
fn yield_to_main(act: impl FnOnce() + 'static) {
    if document().hidden() {
        act();
    } else {
        Timeout::new(0, act).forget();
    }
}

/// All that only a browser can do.
fn connect(page_state: PageState, room: &RoomName, replica: Replica) {
    let connection = Connection::new(page_state, room.clone(), replica);
    let tab_counter = TabCounter::new(page_state, room);
    dispatch(page_state, connection.clone(), room.clone());
    document_state::bind(page_state, room.clone());
    document_state::show_new_room(&new_room_address(random::random_bytes()));
    page_state.ui.update(|ui| {
        ui.is_interactive = true;
        ui.remembered_name = storage::remembered_name();
        ui.is_muted = storage::is_muted();
    });
    page_lifecycle::begin(connection, tab_counter);
}

/// What the visitor asks for.
fn dispatch(page_state: PageState, connection: Rc<Connection>, room: RoomName) {
    effect(move || match page_state.command.get() {
        Some(Command::Intent(intent)) => connection.request(intent),
        Some(Command::ReconnectNow) => connection.try_now(),
        Some(Command::Dismiss) => page_state.ui.update(|ui| ui.has_missed_something = false),
        Some(Command::Rearrange) => connection.rearrange(),
        Some(Command::Mute) => {
            page_state.ui.update(|ui| ui.is_muted = !ui.is_muted);
            storage::note_muted(page_state.ui.with_untracked(|ui| ui.is_muted));
        }
        Some(Command::SwitchPerson) => switch_person::switch_person(&room),
        None => {}
    });
}
