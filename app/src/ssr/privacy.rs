//! The privacy page: names are personal data.

use std::time::Duration;

use leptos::{config::LeptosOptions, prelude::*};

use super::{
    BasePath,
    document::{document, masthead, style_sheet},
};
use crate::{
    state::server_data::DisplayMode,
    text::{
        strings::{self, how_long},
        texts::ServerText,
    },
};

/// What keeps the rooms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoomsKeptBy {
    /// One server alone, in a file.
    OneServer,
    /// Several servers, in an engine that they share.
    SeveralServers,
}

/// Whether other programs get the names of people who come and go. Everyone who opens the room sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamesPassedOn {
    /// No other program gets them.
    ToNobody,
    /// The operator's own programs get them, by webhooks.
    ToWebhooks,
}

/// What happens to names on this site.
#[derive(Clone, Copy, Debug)]
pub struct UseOfNames {
    /// What keeps them.
    pub kept_by: RoomsKeptBy,
    /// For how long the rooms remember who came and went, if they do.
    pub keep_attendance: Option<Duration>,
    /// Who gets them.
    pub passed_on: NamesPassedOn,
}

/// The privacy page as text.
pub fn privacy_document(options: &LeptosOptions, names: UseOfNames) -> String {
    page(options, names).to_html()
}

fn page(options: &LeptosOptions, names: UseOfNames) -> impl IntoView + use<> {
    let UseOfNames { kept_by, keep_attendance, passed_on } = names;
    let title = [ServerText::Privacy.get(), " · ", strings::PRODUCT].concat();
    let [changes, storage] = match kept_by {
        RoomsKeptBy::OneServer => [ServerText::PrivacyChanges, ServerText::PrivacyFile],
        RoomsKeptBy::SeveralServers => {
            [ServerText::PrivacyChangesOfSeveralServers, ServerText::PrivacyEngine]
        }
    };
    let attendance = keep_attendance.map(|kept_for| {
        let text = match kept_by {
            RoomsKeptBy::OneServer => ServerText::PrivacyAttendance,
            RoomsKeptBy::SeveralServers => ServerText::PrivacyAttendanceInEngine,
        };
        text.fill(&[&how_long(kept_for)])
    });
    let texts = |texts: &[ServerText]| -> Vec<_> {
        texts.iter().map(|text| text.get().to_owned()).collect()
    };
    let mut seen_by_others = texts(&[ServerText::PrivacyList, ServerText::PrivacyActivity]);
    if passed_on == NamesPassedOn::ToWebhooks {
        seen_by_others.extend(texts(&[ServerText::PrivacyWebhooks]));
    }
    let mut kept = texts(&[changes, storage]);
    kept.extend(attendance);
    kept.extend(texts(&[ServerText::PrivacyAccount]));
    let in_the_browser = texts(&[ServerText::PrivacyBrowser, ServerText::PrivacyHost]);
    let body = view! {
        {masthead()}
        <main>
            <h1>{ServerText::Privacy.get()}</h1>
            {block(ServerText::WhatOthersSee, seen_by_others)}
            {block(ServerText::WhatIsKept, kept)}
            {block(ServerText::WhatStaysInTheBrowser, in_the_browser)}
            <p class="ways-on">
                <a class="button" href=BasePath::of_context().below("/")>
                    {ServerText::GoToTheLobby.get()}
                </a>
            </p>
        </main>
    };
    document(style_sheet(options), title, DisplayMode::Page, body.into_any())
}

fn block(heading: ServerText, paragraphs: Vec<String>) -> impl IntoView {
    view! {
        <section class="why">
            <h2>{heading.get()}</h2>
            {paragraphs.into_iter().map(|paragraph| view! { <p>{paragraph}</p> }).collect_view()}
        </section>
    }
}
