//! The privacy page: names are personal data.

use leptos::{config::LeptosOptions, prelude::*};

use super::{
    BasePath,
    document::{document, masthead, style_sheet},
};
use crate::{
    state::server_data::DisplayMode,
    text::{strings, texts::ServerText},
};

/// What keeps the rooms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoomsKeptBy {
    /// One server alone, in a file.
    OneServer,
    /// Several servers, in an engine that they share.
    SeveralServers,
}

/// The privacy page as text.
pub fn privacy_document(options: &LeptosOptions, kept_by: RoomsKeptBy) -> String {
    page(options, kept_by).to_html()
}

fn page(options: &LeptosOptions, kept_by: RoomsKeptBy) -> impl IntoView + use<> {
    let title = [ServerText::Privacy.get(), " · ", strings::PRODUCT].concat();
    let [changes, storage] = match kept_by {
        RoomsKeptBy::OneServer => [ServerText::PrivacyChanges, ServerText::PrivacyFile],
        RoomsKeptBy::SeveralServers => {
            [ServerText::PrivacyChangesOfSeveralServers, ServerText::PrivacyEngine]
        }
    };
    let paragraphs = [
        ServerText::PrivacyList,
        changes,
        storage,
        ServerText::PrivacyBrowser,
        ServerText::PrivacyHost,
        ServerText::PrivacyAccount,
    ];
    let paragraphs = paragraphs.into_iter();
    let paragraphs = paragraphs.map(|paragraph| view! { <p class="why">{paragraph.get()}</p> });
    let body = view! {
        {masthead()}
        <main>
            <h1>{ServerText::Privacy.get()}</h1>
            {paragraphs.collect_view()}
            <p class="ways-on">
                <a class="button" href=BasePath::of_context().below("/")>
                    {ServerText::GoToTheLobby.get()}
                </a>
            </p>
        </main>
    };
    document(style_sheet(options), title, DisplayMode::Page, body.into_any())
}
