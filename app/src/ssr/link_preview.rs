//! What a link to a room looks like in a chat or a social network.

use leptos::{html::meta, prelude::*};

use crate::{
    state::{RoomPage, server_data::ServerRendered},
    text::{strings, texts::ServerText},
};

/// The Open Graph tags (<https://ogp.me>) of a room's page: how many people are here, and no names, which the
/// operators of chats would keep.
pub(super) fn link_preview() -> impl IntoView {
    let room_page = use_context::<RoomPage>()?;
    let url = use_context::<ServerRendered>().map(|server_data| tag("og:url", server_data.address));
    Some((
        tag("og:type", "website".into()),
        tag("og:site_name", strings::PRODUCT.into()),
        tag("og:title", ServerText::JoinTheRoom.fill(&[room_page.room.as_str()])),
        tag("og:description", strings::preview_text(room_page.here())),
        url,
    ))
}

/// One tag. Leptos has no method for `property`, which is no attribute of HTML itself.
fn tag(property: &'static str, content: String) -> impl IntoView {
    meta().attr("property", property).content(content)
}
