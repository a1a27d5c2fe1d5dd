//! The privacy page: names are personal data.

use leptos::{config::LeptosOptions, prelude::*};

use super::{
    BasePath,
    document::{document, masthead, style_sheet},
};
use crate::{state::server_data::DisplayMode, text::strings};

/// The privacy page as text.
pub fn privacy_document(options: &LeptosOptions) -> String {
    page(options).to_html()
}

fn page(options: &LeptosOptions) -> impl IntoView + use<> {
    let title = [strings::PRIVACY, " · ", strings::PRODUCT].concat();
    let paragraphs = strings::PRIVACY_PARAGRAPHS.into_iter();
    let paragraphs = paragraphs.map(|paragraph| view! { <p class="why">{paragraph}</p> });
    let body = view! {
        {masthead()}
        <main>
            <h1>{strings::PRIVACY}</h1>
            {paragraphs.collect_view()}
            <p class="ways-on">
                <a class="button" href=BasePath::of_context().below("/")>
                    {strings::GO_TO_THE_LOBBY}
                </a>
            </p>
        </main>
    };
    document(style_sheet(options), title, DisplayMode::Page, body.into_any())
}
