//! The room's name, how many are here, and what can be done with the room.

use leptos::prelude::*;

use super::{
    reactive::text,
    server_rendered::{copy_button, invitation},
};
use crate::{presence::RoomName, state::page_state::PageState, text::strings};

/// The id of the link to a room that is not there yet; scripts say where it leads.
pub(crate) const NEW_ROOM_LINK: &str = "new-room";

/// The id of what others need to find the room: the browser itself shows it and puts it away.
const INVITATION: &str = "invitation";

/// The top of the page.
pub(crate) fn header(page_state: PageState, room: &RoomName) -> impl IntoView + use<> {
    let count = text(move || page_state.people.with(|people| strings::thousands(people.count)));
    view! {
        <div class="head">
            <h1>{room.to_string()}</h1>
            <p class="count">
                <span class="number" data-testid="count">
                    {count}
                </span>
                " "
                <span class="unit">{strings::HERE_NOW}</span>
            </p>
            <div class="tools">
                {copy_button()}
                <button type="button" popovertarget=INVITATION>
                    {strings::QR_CODE}
                </button>
                <div id=INVITATION class="panel" popover="auto" role="dialog" aria-label=strings::INVITE>
                    {invitation()}
                    <button type="button" popovertarget=INVITATION popovertargetaction="hide">
                        {strings::CLOSE}
                    </button>
                </div>
                <a class="button" id=NEW_ROOM_LINK>
                    {strings::NEW_ROOM}
                </a>
            </div>
        </div>
    }
}
