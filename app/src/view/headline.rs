//! How many people are here.

use leptos::prelude::*;

use super::reactive::{first_text, text};
use crate::{
    state::page_state::PageState,
    text::{format::number, strings, texts::Text},
};

/// The number of those who are here, and of those who are away.
pub(crate) fn headline(page_state: PageState) -> impl IntoView + use<> {
    let count = move || number(page_state.here());
    let unit = move || Text::HereNow.form(page_state.here()).into();
    let away = move || strings::and_away(page_state.away.get());
    view! {
        <p class="count">
            <span
                class="number"
                data-testid="count"
                translate="no"
                prop:textContent=text(count)
            >
                {first_text(count)}
            </span>
            " "
            <span class="unit" prop:textContent=text(unit)>
                {first_text(unit)}
            </span>
            <span class="unit" data-testid="away" prop:textContent=text(away)>
                {first_text(away)}
            </span>
        </p>
    }
}
