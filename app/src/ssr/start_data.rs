//! What `start.js` needs to hydrate a page, and to go on where it can't be hydrated.

use std::collections::BTreeMap;

use leptos::prelude::*;
use serde::Serialize;

use super::{AssetUrls, BasePath, fingerprint::fingerprints};
use crate::{
    state::{
        RoomPage,
        server_data::{DisplayMode, ServerRendered},
    },
    text::strings,
    view::page::first_html,
};

/// The scripts that handle elements within `<main>`: they run again where it was rendered anew.
pub(super) const MODULES: [&str; 4] =
    ["hour-chart.js", "movement.js", "sticky-columns.js", "copy.js"];

/// The data in the page.
#[derive(Serialize)]
struct StartData<'page> {
    build: &'page str,
    script: &'page str,
    wasm: &'page str,
    modules: [&'static str; 4],
    /// The address of [`room_parts`].
    parts: String,
    socket: String,
    /// Of each part that is hydrated by itself.
    fingerprints: BTreeMap<String, u32>,
    /// Why a page is not hydrated, or what its connection lacks, as sentences for a person.
    causes: BTreeMap<&'static str, &'static str>,
    /// What the WASM gets.
    page: RoomPage,
}

/// The data as text for a `<script>`; `main` is the content of `<main>`.
pub(super) fn json(asset_urls: &AssetUrls, main: &str) -> String {
    let Some(page) = use_context::<RoomPage>() else { return String::new() };
    let room = page.room.clone();
    let wall = match use_context::<ServerRendered>().map(|server_data| server_data.mode) {
        Some(DisplayMode::Kiosk) => "?wall",
        _ => "",
    };
    let base = BasePath::of_context();
    let data = StartData {
        build: &asset_urls.build,
        script: &asset_urls.script,
        wasm: &asset_urls.wasm,
        modules: MODULES,
        parts: base.below(&format!("/r/{room}/parts.json{wall}")),
        socket: base.below(&format!("/r/{room}/socket")),
        fingerprints: fingerprints(main, "main"),
        causes: BTreeMap::from(strings::CAUSES),
        page,
    };
    // A script's text ends at `</script`, whatever it contains.
    serde_json::to_string(&data).unwrap_or_default().replace('<', "\\u003c")
}

/// The hydrated parts of a room's page as JSON, for pages whose HTML was changed on its way: nothing
/// optimises JSON. The [`RoomPage`] and [`ServerRendered`] are taken from the context.
pub fn room_parts() -> String {
    #[derive(Serialize)]
    struct Parts {
        build: String,
        title: String,
        /// The content of `<main>`.
        main: String,
        page: Option<RoomPage>,
    }
    let page = use_context::<RoomPage>();
    let title = page.as_ref().map(RoomPage::title).unwrap_or_default();
    let build = AssetUrls::installed_build();
    let parts = Parts { build, title, main: first_html().to_html(), page };
    serde_json::to_string(&parts).unwrap_or_default()
}
