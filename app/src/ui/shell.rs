//! The documents that the server sends: the page of a room, and the page that is not there.

use leptos::{
    config::LeptosOptions,
    hydration::{AutoReload, HydrationScripts},
    prelude::*,
};

use super::{
    RoomPage,
    page::page,
    server_drawn::{Look, ServerDrawn},
    texts,
};
use crate::presence::RoomName;

/// The whole document of a room's page; the [`RoomPage`] is taken from the context.
///
/// Only what is within `<main>` comes to life in the browser: the rest stays as it is here.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let title = use_context::<RoomPage>()
        .map(|page| texts::title(page.list.count, page.room.as_str()))
        .unwrap_or_default();
    let look = use_context::<ServerDrawn>().map(|drawn| drawn.look).unwrap_or_default();
    let style = style_sheet(&options);
    let scripts = view! {
        <script type="module" src="/past-hour.js" nonce=leptos::nonce::use_nonce()></script>
        <AutoReload options=options.clone() />
        <HydrationScripts options />
    };
    let masthead = match look {
        Look::Page => masthead().into_any(),
        Look::Wall => view! {
            <header>
                <span class="mark">{texts::PRODUCT}</span>
            </header>
        }
        .into_any(),
    };
    let body = view! {
        {masthead}
        <noscript>
            <p class="without-scripts">{texts::WITHOUT_SCRIPTS}</p>
        </noscript>
        <main>{page()}</main>
    };
    document(style, title, look, scripts.into_any(), body.into_any())
}

/// The page that is not there, as text: says why, and where to go. `nearest` is the room that may have
/// been meant.
pub fn not_found_document(
    options: &LeptosOptions,
    why: &str,
    nearest: Option<&RoomName>,
) -> String {
    Owner::new().with(|| not_found(options, why, nearest).to_html())
}

fn not_found(
    options: &LeptosOptions,
    why: &str,
    nearest: Option<&RoomName>,
) -> impl IntoView + use<> {
    let title = [texts::NOTHING_HERE, " · ", texts::PRODUCT].concat();
    let body = view! {
        {masthead()}
        <main>
            <h1>{texts::NOTHING_HERE}</h1>
            <p class="why">{why.to_owned()} " " {texts::GO_ON_FROM_HERE}</p>
            <p class="ways-on">
                {nearest
                    .map(|room| {
                        view! {
                            <a class="button" href=format!("/r/{room}")>
                                {texts::go_to_the_room(room.as_str())}
                            </a>
                        }
                    })}
                <a class="button" href="/">
                    {texts::GO_TO_THE_LOBBY}
                </a>
            </p>
        </main>
    };
    document(style_sheet(options), title, Look::Page, ().into_any(), body.into_any())
}

fn document(
    style: String,
    title: String,
    look: Look,
    scripts: AnyView,
    body: AnyView,
) -> impl IntoView {
    let wall = (look == Look::Wall).then_some("true");
    // A screen on the wall that runs no scripts shows at least who was here half a minute ago.
    let again = wall.map(|_| {
        view! {
            <noscript>
                <meta http-equiv="refresh" content="30" />
            </noscript>
        }
    });
    view! {
        <!DOCTYPE html>
        <html lang="en" data-wall=wall>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <title>{title}</title>
                <meta name="description" content=texts::DESCRIPTION />
                <meta name="color-scheme" content="light dark" />
                <meta name="theme-color" content="#f7f2e8" media="(prefers-color-scheme: light)" />
                <meta name="theme-color" content="#131519" media="(prefers-color-scheme: dark)" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <link rel="manifest" href="/site.webmanifest" />
                <link rel="stylesheet" href=style />
                {again}
                {scripts}
            </head>
            <body>{body}</body>
        </html>
    }
}

fn masthead() -> impl IntoView {
    view! {
        <header>
            <a class="mark" href="/">
                {texts::PRODUCT}
            </a>
        </header>
    }
}

/// The address of the style sheet: with a hash in it, where the release build put one.
pub(crate) fn style_sheet(options: &LeptosOptions) -> String {
    let hash = if options.hash_files { style_hash(options) } else { None };
    let LeptosOptions { site_pkg_dir, output_name, .. } = options;
    match hash {
        Some(hash) => format!("/{site_pkg_dir}/{output_name}.{hash}.css"),
        None => format!("/{site_pkg_dir}/{output_name}.css"),
    }
}

/// The hash stands beside the program in a file that cargo-leptos wrote; it never changes after.
fn style_hash(options: &LeptosOptions) -> Option<String> {
    static HASH: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    let read = || {
        let program = std::env::current_exe().ok()?;
        let hashes = std::fs::read_to_string(program.with_file_name(&*options.hash_file)).ok()?;
        let hash = hashes.lines().find_map(|line| line.trim().strip_prefix("css:"))?;
        Some(hash.trim().to_owned())
    };
    HASH.get_or_init(read).clone()
}
