//! The page that says what is kept of whom: names are personal data.

use leptos::{config::LeptosOptions, prelude::*};

use super::{
    server_data::Look,
    shell::{document, masthead, style_sheet},
    texts,
};

/// The page that says what is kept, where and how long, as text.
pub fn privacy_document(options: &LeptosOptions) -> String {
    Owner::new().with(|| page(options).to_html())
}

fn page(options: &LeptosOptions) -> impl IntoView + use<> {
    let title = [texts::PRIVACY, " · ", texts::PRODUCT].concat();
    let sentences = texts::WHAT_IS_KEPT.into_iter();
    let sentences = sentences.map(|sentence| view! { <p class="why">{sentence}</p> });
    let body = view! {
        {masthead()}
        <main>
            <h1>{texts::PRIVACY}</h1>
            {sentences.collect_view()}
            <p class="ways-on">
                <a class="button" href="/">
                    {texts::GO_TO_THE_LOBBY}
                </a>
            </p>
        </main>
    };
    document(style_sheet(options), title, Look::Page, body.into_any())
}
