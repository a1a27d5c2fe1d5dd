//! The page that makes a room. It works without scripts.

use leptos::{config::LeptosOptions, prelude::*};

use super::{
    BasePath,
    document::{document, masthead, style_sheet},
};
use crate::{
    state::server_data::DisplayMode,
    text::{strings, texts::ServerText},
};

/// The path of the page, and of its form.
pub const NEW_ROOM: &str = "/new";

/// The page as text. A title has at most so many characters.
pub fn new_room_document(options: &LeptosOptions, longest_title: usize) -> String {
    page(options, longest_title).to_html()
}

fn page(options: &LeptosOptions, longest_title: usize) -> impl IntoView + use<> {
    const FIELD: &str = "title";
    const HINT: &str = "title-hint";
    let title = [ServerText::NewRoom.get(), " · ", strings::PRODUCT].concat();
    let body = view! {
        {masthead()}
        <main>
            <h1>{ServerText::NewRoom.get()}</h1>
            <form class="new-room" method="post" action=BasePath::of_context().below(NEW_ROOM)>
                <label for=FIELD>{ServerText::RoomTitle.get()}</label>
                <input
                    id=FIELD
                    name=FIELD
                    maxlength=longest_title
                    placeholder=ServerText::RoomTitleExample.get()
                    autocomplete="off"
                    dir="auto"
                    aria-describedby=HINT
                />
                <p id=HINT class="hint">
                    {ServerText::RoomTitleHint.get()}
                </p>
                <button class="primary">{ServerText::CreateRoom.get()}</button>
            </form>
        </main>
    };
    document(style_sheet(options), title, DisplayMode::Page, body.into_any())
}
