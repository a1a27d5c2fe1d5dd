//! The documents of a room's page and of "Page not found".

use leptos::{config::LeptosOptions, hydration::AutoReload, nonce::use_nonce, prelude::*};

use super::{
    AssetUrls, BasePath,
    link_preview::link_preview,
    new_room::NEW_ROOM,
    page_header::{page_header, room_name},
    start_data,
};
use crate::{
    presence::{RoomName, RoomNameError},
    state::{
        RoomPage,
        server_data::{DisplayMode, ServerRendered},
    },
    text::{
        language::Language,
        strings,
        texts::{ServerText, Text},
    },
    view::page::first_html,
};

/// The id of the script that hydrates the page.
const START_SCRIPT: &str = "start-script";
/// After how long a page that is not hydrated is marked as stale, in milliseconds.
const STARTUP_TIMEOUT: u32 = 10_000;

/// The document of a room's page; the [`RoomPage`] is taken from the context.
///
/// Only the content of `<main>` is hydrated: the rest stays as it is here.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let title = use_context::<RoomPage>().map(|page| page.title()).unwrap_or_default();
    let mode =
        use_context::<ServerRendered>().map(|server_data| server_data.mode).unwrap_or_default();
    let asset_urls = AssetUrls::of(&options);
    let start_script = asset_urls.script_of_this_build("start.js");
    let modules = start_data::MODULES.map(|module| {
        let url = asset_urls.script_of_this_build(module);
        view! { <script type="module" src=url nonce=use_nonce()></script> }
    });
    let style_and_scripts = view! {
        {link_preview()}
        // Before the style sheet, which classic scripts after it would have to wait for.
        {startup_watchdog()}
        <link rel="stylesheet" href=asset_urls.style.clone() />
        {modules}
        <AutoReload options />
        // On a slow connection the WASM would delay the style sheet, without which nothing is painted:
        // only the script is preloaded.
        <link rel="modulepreload" href=asset_urls.script.clone() />
        <link rel="modulepreload" href=asset_urls.script_of_this_build("format.js") />
        <script type="module" id=START_SCRIPT src=start_script nonce=use_nonce()></script>
    };
    let main = first_html().to_html();
    let start_data = start_data::json(&asset_urls, &main);
    let room = use_context::<RoomPage>().map_or_else(RoomName::lobby, |page| page.room);
    let page_header = match mode {
        DisplayMode::Page => page_header(&room).into_any(),
        DisplayMode::Kiosk => {
            view! { <header class="page-header">{room_name(&room)}</header> }.into_any()
        }
    };
    let footer = match mode {
        DisplayMode::Page => page_footer().into_any(),
        DisplayMode::Kiosk => wall_footer().into_any(),
    };
    // The region is there from the start, and `start.js` shows what it says: screen readers announce changes alone.
    let without_cookies = (mode == DisplayMode::Page).then(|| {
        view! {
            <div class="without-cookies" role="status">
                <p>{ServerText::WithoutCookies.get()}</p>
            </div>
        }
    });
    let body = view! {
        {page_header}
        <noscript>
            <aside class="without-scripts">{ServerText::WithoutScripts.get()}</aside>
        </noscript>
        {without_cookies}
        <main inner_html=main></main>
        <aside class="banner not-started">
            <p role="alert">{ServerText::NotLoaded.get()}</p>
            <a class="button" href="">
                {ServerText::Reload.get()}
            </a>
        </aside>
        {footer}
        <script type="application/json" id="start-data" nonce=use_nonce() inner_html=start_data></script>
    };
    document(style_and_scripts.into_any(), title, mode, body.into_any())
}

fn page_footer() -> impl IntoView {
    let base = BasePath::of_context();
    view! {
        // In tabs of their own: a visitor who left this page would leave this room.
        <footer>
            <a class="mark" href=base.below("/") target="_blank" rel="noopener">
                {strings::PRODUCT}
            </a>
            <a href=base.below(NEW_ROOM) target="_blank" rel="noopener">
                {ServerText::NewRoom.get()}
            </a>
            <a href=base.below("/privacy") target="_blank" rel="noopener">
                {ServerText::Privacy.get()}
            </a>
        </footer>
    }
}

/// How many people are not in sight, and what greets the newest: `wall.js` gets its words from here.
fn wall_footer() -> impl IntoView {
    let list = use_context::<RoomPage>().map(|page| page.list);
    let others = list.map_or(0, |list| list.count.saturating_sub(list.users.len()));
    view! {
        <footer>
            <p class="others" data-words=Text::AndMore.get() hidden=others == 0>
                {Text::AndMore.count(others)}
            </p>
        </footer>
        <div class="welcome" data-words=ServerText::Welcome.get() aria-hidden="true" hidden></div>
    }
}

/// Why there is no page at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotFound {
    /// No route has this path.
    NoPage,
    /// The path is that of a room, whose name is invalid.
    Room(RoomNameError),
}

impl NotFound {
    fn words(self) -> &'static str {
        let text = match self {
            Self::NoPage => ServerText::NoPageHere,
            Self::Room(RoomNameError::UpperCase) => ServerText::RoomNamesAreLowerCase,
            Self::Room(RoomNameError::Length) => ServerText::RoomNameLength,
            Self::Room(RoomNameError::Characters) => ServerText::RoomNameCharacters,
        };
        text.get()
    }
}

/// The document of a page that does not exist, as text, with the reason and links. `suggestion` is the
/// room that may have been meant. In a frame the links open a new tab: the pages to which they lead can't be framed.
pub fn not_found_document(
    options: &LeptosOptions,
    reason: NotFound,
    suggestion: Option<&RoomName>,
    is_in_frame: bool,
) -> String {
    not_found(options, reason, suggestion, is_in_frame).to_html()
}

fn not_found(
    options: &LeptosOptions,
    reason: NotFound,
    suggestion: Option<&RoomName>,
    is_in_frame: bool,
) -> impl IntoView + use<> {
    let base = BasePath::of_context();
    let title = [ServerText::PageNotFound.get(), " · ", strings::PRODUCT].concat();
    let body = view! {
        {masthead()}
        <main>
            <h1>{ServerText::PageNotFound.get()}</h1>
            <p class="why">{reason.words()} " " {ServerText::CheckTheAddress.get()}</p>
            <p class="ways-on">
                {suggestion
                    .map(|room| {
                        view! {
                            <a class="button" href=base.room(room)>
                                {ServerText::GoToTheRoom.fill(&[room.as_str()])}
                            </a>
                        }
                    })}
                <a class="button" href=base.below("/")>
                    {ServerText::GoToTheLobby.get()}
                </a>
            </p>
        </main>
    };
    let head = view! {
        {is_in_frame.then(|| view! { <base target="_blank" /> })}
        {style_sheet(options)}
    };
    document(head.into_any(), title, DisplayMode::Page, body.into_any())
}

pub(crate) fn document(
    style_and_scripts: AnyView,
    title: String,
    mode: DisplayMode,
    body: AnyView,
) -> impl IntoView {
    let base = BasePath::of_context();
    let language = Language::of_context();
    let wall = (mode == DisplayMode::Kiosk).then_some("true");
    // Without scripts a kiosk screen reloads every 30 s.
    let kiosk_refresh = wall.map(|_| {
        view! {
            <noscript>
                <meta http-equiv="refresh" content="30" />
            </noscript>
        }
    });
    view! {
        <!DOCTYPE html>
        <html lang=language.tag() dir=language.direction() data-wall=wall data-base=base.as_attribute()>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <title>{title}</title>
                <meta name="description" content=ServerText::Description.get() />
                <meta name="color-scheme" content="light dark" />
                <meta name="theme-color" content="#f7f2e8" media="(prefers-color-scheme: light)" />
                <meta name="theme-color" content="#131519" media="(prefers-color-scheme: dark)" />
                <link rel="icon" href=base.below("/favicon.svg") type="image/svg+xml" />
                <link rel="manifest" href=base.below("/site.webmanifest") />
                {kiosk_refresh}
                {style_and_scripts}
            </head>
            <body>{body}</body>
        </html>
    }
}

pub(crate) fn masthead() -> impl IntoView {
    view! {
        <header>
            <a class="mark" href=BasePath::of_context().below("/")>
                {strings::PRODUCT}
            </a>
        </header>
    }
}

/// The style sheet alone, for a page without scripts.
pub(crate) fn style_sheet(options: &LeptosOptions) -> AnyView {
    view! { <link rel="stylesheet" href=AssetUrls::of(options).style /> }.into_any()
}

/// Marks a page as stale that is not hydrated in time, or whose script does not load, so that an old list is
/// not shown as live.
///
/// It is a classic script: modules run only after the ones before them are loaded.
fn startup_watchdog() -> impl IntoView {
    let script = format!(
        "function markStale() {{ const html = document.documentElement; \
         if (!html.matches('[data-hydrated], [data-live]')) html.setAttribute('data-stale', 'true'); }} \
         setTimeout(markStale, {STARTUP_TIMEOUT}); \
         addEventListener('error', ({{ target }}) => target.id === '{START_SCRIPT}' && markStale(), true);"
    );
    view! { <script nonce=use_nonce()>{script}</script> }
}
