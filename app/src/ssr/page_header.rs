//! The header of a room's page: the room's name, whether the list is live, and the actions on the room.
//!
//! It is not hydrated: its sheets are popovers, which need no script, and the style sheet chooses the words by what the
//! page's program says in the attributes of the root element.

use leptos::prelude::*;

use super::roll_sheet::SHEET;
use crate::{
    presence::RoomName,
    text::texts::{ServerText, Text},
    view::{list_tools::MENU, server_rendered::invitation},
};

/// The id of the invitation.
const INVITATION: &str = "invitation";

/// The header of a visitor's page.
pub(super) fn page_header(room: &RoomName) -> impl IntoView + use<> {
    let heading = ServerText::InviteToTheRoom.fill(&[room.as_str()]);
    view! {
        <a class="skip" href="#roster">
            {ServerText::SkipToTheList.get()}
        </a>
        <header class="page-header">
            {room_name(room)}
            <div class="tools">
                <button type="button" class="take-the-roll" popovertarget=SHEET>
                    {ServerText::Roll.get()}
                </button>
                <button type="button" class="invite" popovertarget=INVITATION>
                    {ServerText::Invite.get()}
                </button>
                <button
                    type="button"
                    class="more"
                    popovertarget=MENU
                    aria-label=Text::More.get()
                    title=Text::More.get()
                ></button>
            </div>
        </header>
        <div id=INVITATION class="panel" popover="auto" role="dialog" aria-label=heading.clone()>
            <div class="sheet-head">
                <h2>{heading.clone()}</h2>
                <button
                    type="button"
                    class="close"
                    popovertarget=INVITATION
                    popovertargetaction="hide"
                    autofocus
                    aria-label=ServerText::Close.get()
                    title=ServerText::Close.get()
                ></button>
            </div>
            {invitation()}
        </div>
    }
}

/// The room's name, beside a dot and a word for whether the list is live.
pub(super) fn room_name(room: &RoomName) -> impl IntoView + use<> {
    view! {
        <h1 translate="no">{room.to_string()}</h1>
        <p class="status">
            <span class="is-live">{ServerText::Live.get()}</span>
            <span class="is-connecting">{ServerText::Connecting.get()}</span>
            <span class="is-offline">{ServerText::Offline.get()}</span>
        </p>
    }
}
