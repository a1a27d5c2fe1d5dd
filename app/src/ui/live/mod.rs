//! The browser's part: what brings the page to life once it was hydrated.

mod announcing;
mod clipboard;
mod clock;
mod display;
mod feed;
mod keyboard;
mod line;
mod listing;
mod page_life;
mod page_wide;
mod randomness;
mod siblings;
mod socket;
mod someone_else;
mod storage;
mod tab;

use std::rc::Rc;

use leptos::{mount::hydrate_from, prelude::*, wasm_bindgen::JsCast, web_sys::HtmlElement};

use self::{line::Line, siblings::Siblings};
use super::{
    board::Board, command::Command, dynamic::effect, new_room::new_room_address, page::page,
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
        let line = Line::new(board, room.clone(), replica);
        let siblings = Siblings::new(board, &room);
        obey(board, line.clone(), room.clone());
        page_wide::follow(board, room.clone());
        page_wide::show_new_room(&new_room_address(randomness::random_bytes()));
        board.desk.update(|desk| {
            desk.is_awake = true;
            desk.remembered_name = storage::remembered_name();
            desk.is_muted = storage::is_muted();
        });
        page_life::begin(line, siblings);
    });
}

/// What the visitor asks for.
fn obey(board: Board, line: Rc<Line>, room: RoomName) {
    effect(move || match board.command.get() {
        Some(Command::Wish(wish)) => line.want(wish),
        Some(Command::TryNow) => line.try_now(),
        Some(Command::CopyLink) => clipboard::copy_link(board),
        Some(Command::Dismiss) => board.desk.update(|desk| desk.has_missed_something = false),
        Some(Command::Rearrange) => line.rearrange(),
        Some(Command::Mute) => {
            board.desk.update(|desk| desk.is_muted = !desk.is_muted);
            storage::note_muted(board.desk.with_untracked(|desk| desk.is_muted));
        }
        Some(Command::BeSomeoneElse) => someone_else::become_one(&room),
        None => {}
    });
}
