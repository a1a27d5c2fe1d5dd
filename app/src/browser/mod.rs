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

use self::{connection::Line, list_renderer::rows_at_first, tab_counter::Siblings};
use crate::{
    client::Replica,
    presence::RoomName,
    state::{RoomPage, command::Command, page_state::Board},
    view::{
        member_list::roster_list,
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
    in_a_task_of_its_own(|| {
        let Some((RoomPage { room, list }, owner)) = read_page() else { return };
        in_a_task_of_its_own(move || {
            let (board, replica) = owner.with(|| Board::of_first_html(list, rows_at_first));
            bring_to_life(".beside", move || beside(board));
            let room_of_page = room.clone();
            in_a_task_of_its_own(move || bring_to_life("main", move || page(board, &room_of_page)));
            in_a_task_of_its_own(move || bring_to_life(".board", move || roster_list(board)));
            in_a_task_of_its_own(move || owner.with(|| connect(board, &room, replica)));
        });
    });
}

/// Reads what the server passed to the page; it goes with the owner that keeps the board and the effects.
fn read_page() -> Option<(RoomPage, Owner)> {
    let answer = Rc::new(Cell::new(None));
    let read = Rc::clone(&answer);
    bring_to_life("html", move || {
        read.set(shared_page().zip(Owner::current()));
        // It can only be read in a pass over the document: this one steps over its head, and ends.
        view! { <head></head> }
    });
    answer.take()
}

/// Hydrates what is within the first element of this kind.
fn bring_to_life<V: IntoView>(selector: &str, view: impl FnOnce() -> V + 'static) {
    let element = document().query_selector(selector).ok().flatten();
    if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        hydrate_from(element, view).forget();
    }
}

/// A page that is not seen keeps nobody waiting, and its timers are slow: there it is done at once.
fn in_a_task_of_its_own(act: impl FnOnce() + 'static) {
    if document().hidden() {
        act();
    } else {
        Timeout::new(0, act).forget();
    }
}

/// All that only a browser can do.
fn connect(board: Board, room: &RoomName, replica: Replica) {
    let line = Line::new(board, room.clone(), replica);
    let siblings = Siblings::new(board, room);
    obey(board, line.clone(), room.clone());
    document_state::follow(board, room.clone());
    document_state::show_new_room(&new_room_address(random::random_bytes()));
    board.desk.update(|desk| {
        desk.is_awake = true;
        desk.remembered_name = storage::remembered_name();
        desk.is_muted = storage::is_muted();
    });
    page_lifecycle::begin(line, siblings);
}

/// What the visitor asks for.
fn obey(board: Board, line: Rc<Line>, room: RoomName) {
    effect(move || match board.command.get() {
        Some(Command::Wish(wish)) => line.want(wish),
        Some(Command::TryNow) => line.try_now(),
        Some(Command::Dismiss) => board.desk.update(|desk| desk.has_missed_something = false),
        Some(Command::Rearrange) => line.rearrange(),
        Some(Command::Mute) => {
            board.desk.update(|desk| desk.is_muted = !desk.is_muted);
            storage::note_muted(board.desk.with_untracked(|desk| desk.is_muted));
        }
        Some(Command::BeSomeoneElse) => switch_person::become_one(&room),
        None => {}
    });
}
