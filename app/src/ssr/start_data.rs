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
    text::{catalog::Catalog, language::Language},
    view::page::first_html,
};

/// The scripts of every page.
pub(super) const MODULES: [&str; 5] =
    ["hour-chart.js", "movement.js", "sticky-columns.js", "copy.js", "roll.js"];

/// Those that begin with elements within `<main>`: they run again where it was rendered anew.
const MODULES_OF_ELEMENTS: [&str; 2] = ["movement.js", "roll.js"];

/// Where the server tells whether a request has the cookie that identifies the browser.
pub const COOKIE_CHECK: &str = "/cookie-check";

/// The data in the page.
#[derive(Serialize)]
struct StartData<'page> {
    build: &'page str,
    script: &'page str,
    wasm: &'page str,
    modules: [&'static str; 2],
    /// The address of [`room_parts`].
    parts: String,
    socket: String,
    /// The address that tells whether the cookie of this page's response comes back; none where it is not in question.
    #[serde(skip_serializing_if = "Option::is_none")]
    cookie_check: Option<String>,
    /// Of each part that is hydrated by itself.
    fingerprints: BTreeMap<String, u32>,
    /// Why a page is not hydrated, or what its connection lacks, as sentences for a person.
    causes: &'static BTreeMap<Box<str>, Box<str>>,
    /// The texts of the page in its language, a line each, which the WASM gets.
    texts: &'static str,
    /// What the WASM gets.
    page: RoomPage,
}

/// The data as text for a `<script>`; `main` is the content of `<main>`.
pub(super) fn json(asset_urls: &AssetUrls, main: &str) -> String {
    let Some(page) = use_context::<RoomPage>() else { return String::new() };
    let room = page.room.clone();
    let server_data = use_context::<ServerRendered>();
    let is_kiosk = server_data.as_ref().is_some_and(|data| data.mode == DisplayMode::Kiosk);
    let language = Language::of_context().tag();
    let wall = if is_kiosk { "&wall" } else { "" };
    let base = BasePath::of_context();
    // Nobody joins from a kiosk screen.
    let is_cookie_in_question = !is_kiosk && server_data.is_some_and(|data| !data.has_cookie);
    let catalog = Catalog::of_context();
    let data = StartData {
        build: &asset_urls.build,
        script: &asset_urls.script,
        wasm: &asset_urls.wasm,
        modules: MODULES_OF_ELEMENTS,
        parts: base.below(&format!("/r/{room}/parts.json?lang={language}{wall}")),
        socket: base.below(&format!("/r/{room}/socket")),
        cookie_check: is_cookie_in_question.then(|| base.below(COOKIE_CHECK)),
        fingerprints: fingerprints(main, "main"),
        causes: catalog.scripts(),
        texts: catalog.page_lines(),
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
