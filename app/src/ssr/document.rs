//! The documents that the server sends: the page of a room, and the page that is not there.

use leptos::{config::LeptosOptions, hydration::AutoReload, nonce::use_nonce, prelude::*};

use super::AssetUrls;
use crate::{
    presence::RoomName,
    state::{
        RoomPage,
        server_data::{DisplayMode, ServerRendered},
    },
    text::strings,
    view::page::first_html,
};

/// How long the page waits at the most for its first picture before it comes to life, in milliseconds.
const LONGEST_WAIT: u32 = 300;
/// After how long a page that has not come to life is shown as what it is by then, in milliseconds: an
/// old list.
const LONGEST_START: u32 = 10_000;

/// The whole document of a room's page; the [`RoomPage`] is taken from the context.
///
/// Only what is within `<main>` comes to life in the browser: the rest stays as it is here.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let title = use_context::<RoomPage>()
        .map(|page| strings::title(page.list.count, page.room.as_str()))
        .unwrap_or_default();
    let mode = use_context::<ServerRendered>().map(|drawn| drawn.mode).unwrap_or_default();
    let files = AssetUrls::of(&options);
    let style_and_scripts = view! {
        // Before the style sheet, for which every script that is no module has to wait.
        {startup_watchdog()}
        <link rel="stylesheet" href=files.style.clone() />
        <script type="module" src="/past-hour.js" nonce=use_nonce()></script>
        <script type="module" src="/movement.js" nonce=use_nonce()></script>
        <script type="module" src="/desk.js" nonce=use_nonce()></script>
        <script type="module" src="/copy.js" nonce=use_nonce()></script>
        <AutoReload options />
        {hydration(&files)}
    };
    let masthead = match mode {
        DisplayMode::Page => masthead().into_any(),
        DisplayMode::Kiosk => view! {
            <header>
                <span class="mark">{strings::PRODUCT}</span>
            </header>
        }
        .into_any(),
    };
    let footer = (mode == DisplayMode::Page).then(|| {
        view! {
            <footer>
                <a href="/privacy">{strings::PRIVACY}</a>
            </footer>
        }
    });
    let body = view! {
        {masthead}
        <noscript>
            <aside class="without-scripts">{strings::WITHOUT_SCRIPTS}</aside>
        </noscript>
        <main>{first_html()}</main>
        <aside class="banner not-started">
            <p role="alert">{strings::NOT_STARTED}</p>
            <a class="button" href="">
                {strings::LOAD_AGAIN}
            </a>
        </aside>
        {footer}
    };
    document(style_and_scripts.into_any(), title, mode, body.into_any())
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
    let title = [strings::NOTHING_HERE, " · ", strings::PRODUCT].concat();
    let body = view! {
        {masthead()}
        <main>
            <h1>{strings::NOTHING_HERE}</h1>
            <p class="why">{why.to_owned()} " " {strings::GO_ON_FROM_HERE}</p>
            <p class="ways-on">
                {nearest
                    .map(|room| {
                        view! {
                            <a class="button" href=format!("/r/{room}")>
                                {strings::go_to_the_room(room.as_str())}
                            </a>
                        }
                    })}
                <a class="button" href="/">
                    {strings::GO_TO_THE_LOBBY}
                </a>
            </p>
        </main>
    };
    document(style_sheet(options), title, DisplayMode::Page, body.into_any())
}

pub(crate) fn document(
    style_and_scripts: AnyView,
    title: String,
    mode: DisplayMode,
    body: AnyView,
) -> impl IntoView {
    let wall = (mode == DisplayMode::Kiosk).then_some("true");
    // A screen on the wall that runs no scripts shows at least who was here half a minute ago.
    let for_the_wall = wall.map(|_| {
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
                <meta name="description" content=strings::DESCRIPTION />
                <meta name="color-scheme" content="light dark" />
                <meta name="theme-color" content="#f7f2e8" media="(prefers-color-scheme: light)" />
                <meta name="theme-color" content="#131519" media="(prefers-color-scheme: dark)" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <link rel="manifest" href="/site.webmanifest" />
                {for_the_wall}
                {style_and_scripts}
            </head>
            <body>{body}</body>
        </html>
    }
}

pub(crate) fn masthead() -> impl IntoView {
    view! {
        <header>
            <a class="mark" href="/">
                {strings::PRODUCT}
            </a>
        </header>
    }
}

/// The style sheet alone, for a page without scripts.
pub(crate) fn style_sheet(options: &LeptosOptions) -> AnyView {
    view! { <link rel="stylesheet" href=style_address(options) /> }.into_any()
}

/// The address of the style sheet.
pub(crate) fn style_address(options: &LeptosOptions) -> String {
    AssetUrls::of(options).style
}

/// What brings the page to life: the script, fetched ahead, which loads the WASM once the page was seen.
///
/// On a slow line the WASM would hold up the style sheet, without which nothing is seen at all. A page
/// that nobody looks at is never painted, so none waits for long.
///
/// Not Leptos' own component: that reads the files' names from beside the program, at every request.
fn hydration(files: &AssetUrls) -> impl IntoView + use<> {
    let AssetUrls { script, wasm, .. } = files.clone();
    let start = format!(
        "await new Promise(go => {{ requestAnimationFrame(() => setTimeout(go)); setTimeout(go, {LONGEST_WAIT}); }}); \
         try {{ \
         const page = await import({script:?}); \
         await page.default({{module_or_path: {wasm:?}}}); \
         page.hydrate(); \
         }} catch (fault) {{ showAsOld(); throw fault; }}"
    );
    view! {
        <link rel="modulepreload" href=script />
        <script type="module" nonce=use_nonce()>
            {start}
        </script>
    }
}

/// Where a part of the page never comes, it says so, instead of showing an old list as a live one.
///
/// No module, as each of those waits for the one before it.
fn startup_watchdog() -> impl IntoView {
    let script = format!(
        "function showAsOld() {{ const html = document.documentElement; \
         if (!html.hasAttribute('data-hydrated')) html.setAttribute('data-stale', 'true'); }} \
         setTimeout(showAsOld, {LONGEST_START});"
    );
    view! { <script nonce=use_nonce()>{script}</script> }
}
