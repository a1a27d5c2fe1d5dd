//! The browser's part: what brings the page to life once it was hydrated.

mod announcing;
mod clipboard;
mod clock;
mod keyboard;
mod line;
mod page_wide;
mod randomness;
mod socket;
mod storage;

use std::rc::Rc;

use leptos::{mount::hydrate_from, prelude::*, wasm_bindgen::JsCast, web_sys::HtmlElement};

use self::line::Line;
use super::{
    board::{Board, Command},
    dynamic::effect,
    new_room::new_room_address,
    page::page,
};
use crate::presence::{Replica, RoomName};

/// Brings the page to life that the server rendered.
pub fn hydrate() {
    let main = document().query_selector("main").ok().flatten();
    if let Some(main) = main.and_then(|main| main.dyn_into::<HtmlElement>().ok()) {
        hydrate_from(main, page).forget();
    }
}

/// Starts all that only a browser can do; nothing of it happens before the first pass is over.
pub(crate) fn start(board: Board, room: RoomName, replica: Replica) {
    let mut replica = Some(replica);
    effect(move || {
        // There is nothing to track in here, so this runs once.
        let replica = replica.take().unwrap_or_default();
        let line = Line::new(board, socket::address_of(&room), replica);
        listen(&line);
        obey(board, line.clone());
        page_wide::follow(board, room.clone());
        page_wide::show_new_room(&new_room_address(randomness::random_bytes()));
        board.desk.update(|desk| {
            desk.is_awake = true;
            desk.remembered_name = storage::remembered_name();
        });
        line.open();
    });
}

/// What the browser says of the network, and of the page's being seen.
fn listen(line: &Rc<Line>) {
    type Reaction = fn(&Rc<Line>);
    let events: [(&str, Reaction); 3] = [
        ("online", Line::came_online),
        ("offline", Line::went_offline),
        ("visibilitychange", Line::was_seen),
    ];
    for (name, react) in events {
        let line = line.clone();
        let handle = window_event_listener_untyped(name, move |_| react(&line));
        on_cleanup(move || handle.remove());
    }
}

/// What the visitor asks for.
fn obey(board: Board, line: Rc<Line>) {
    effect(move || match board.command.get() {
        Some(Command::Wish(wish)) => line.want(wish),
        Some(Command::TryNow) => line.try_now(),
        Some(Command::CopyLink) => clipboard::copy_link(board),
        None => {}
    });
}
