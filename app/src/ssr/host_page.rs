//! The page with the links of a room, which only its host gets. It works without scripts.

use leptos::{config::LeptosOptions, prelude::*};

use super::{
    AssetUrls, BasePath,
    copy_button::copy_button,
    document::{document, masthead, style_sheet},
};
use crate::{
    presence::RoomName,
    state::{HostPanel, server_data::DisplayMode},
    text::{strings, texts::ServerText},
};

/// The page with the links of a room, as text. `address` is the one for everybody.
pub fn host_document(
    options: &LeptosOptions,
    room: &RoomName,
    address: String,
    host: HostPanel,
) -> String {
    links(options, room, address, host).to_html()
}

/// The page for a browser that is not the room's host, as text.
pub fn not_the_host_document(options: &LeptosOptions, room: &RoomName) -> String {
    let title = ServerText::ForTheHostOnly.get();
    let content = view! {
        <h1>{title}</h1>
        <p class="why">{ServerText::ForTheHostOnlyHint.get()}</p>
        {way_to(room)}
    };
    page(style_sheet(options), title, content.into_any()).to_html()
}

fn links(
    options: &LeptosOptions,
    room: &RoomName,
    address: String,
    host: HostPanel,
) -> impl IntoView + use<> {
    let asset_urls = AssetUrls::of(options);
    let script = asset_urls.script_of_this_build("copy.js");
    let head = view! {
        <link rel="stylesheet" href=asset_urls.style.clone() />
        <script type="module" src=script></script>
    };
    let content = view! {
        <h1>{ServerText::YourRoom.get()}</h1>
        <dl class="links">
            {link(ServerText::LinkForEverybody, ServerText::LinkForEverybodyHint, address)}
            {link(ServerText::HostLink, ServerText::HostLinkHint, host.link)}
        </dl>
        {way_to(room)}
    };
    page(head.into_any(), ServerText::YourRoom.get(), content.into_any())
}

fn page(head: AnyView, title: &str, content: AnyView) -> impl IntoView + use<> {
    let title = [title, " · ", strings::PRODUCT].concat();
    let body = view! {
        {masthead()}
        <main class="host-page">{content}</main>
    };
    document(head, title, DisplayMode::Page, body.into_any())
}

fn link(name: ServerText, purpose: ServerText, address: String) -> impl IntoView {
    let name = name.get();
    let label = [ServerText::Copy.get(), ": ", name].concat();
    view! {
        <dt>{name}</dt>
        <dd>
            <p class="address" translate="no">
                {address.clone()}
            </p>
            {copy_button(ServerText::Copy, address, Some(label))}
            <p class="hint">{purpose.get()}</p>
        </dd>
    }
}

fn way_to(room: &RoomName) -> impl IntoView + use<> {
    view! {
        <p class="ways-on">
            <a class="button primary" href=BasePath::of_context().room(room)>
                {ServerText::OpenTheRoom.get()}
            </a>
        </p>
    }
}
