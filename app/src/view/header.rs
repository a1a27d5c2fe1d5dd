//! The room's name, the count, and the actions on the room.

use leptos::prelude::*;

use super::{
    reactive::{first_text, server_text, text},
    server_rendered::{copy_button, invitation},
};
use crate::{
    presence::RoomName,
    state::page_state::PageState,
    text::{format::number, strings, texts::Text},
};

/// The id of the invitation popover, which works without scripts.
const INVITATION: &str = "invitation";

/// The header of the page.
pub(crate) fn header(page_state: PageState, room: &RoomName) -> impl IntoView + use<> {
    let count = move || number(page_state.here());
    let unit = move || Text::HereNow.form(page_state.here()).into();
    let away = move || strings::and_away(page_state.away.get());
    view! {
        <div class="head">
            <h1 translate="no">{room.to_string()}</h1>
            <p class="count">
                <span
                    class="number"
                    data-testid="count"
                    translate="no"
                    prop:textContent=text(count)
                >
                    {first_text(count)}
                </span>
                " "
                <span class="unit" prop:textContent=text(unit)>{first_text(unit)}</span>
                <span class="unit" data-testid="away" prop:textContent=text(away)>
                    {first_text(away)}
                </span>
            </p>
            <div class="tools">
                {copy_button()}
                <button type="button" popovertarget=INVITATION>
                    {server_text!(QrCode)}
                </button>
                <div id=INVITATION class="panel" popover="auto" role="dialog" aria-label=server_text!(Invite)>
                    {invitation()}
                    <button type="button" popovertarget=INVITATION popovertargetaction="hide">
                        {server_text!(Close)}
                    </button>
                </div>
            </div>
        </div>
    }
}
