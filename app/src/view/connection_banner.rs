//! The banner about a lost connection.

use leptos::prelude::*;

use super::reactive::{TextContent, first_text, first_words, on_press, text};
use crate::{
    state::{command::Command, connection_status::ConnectionStatus, page_state::PageState},
    text::texts::Text,
};

/// The id of the banner.
pub(crate) const BANNER: &str = "connection";

/// Shown while the connection is lost, with the age of the list and a button to reconnect.
pub(crate) fn connection_banner(page_state: PageState) -> impl IntoView {
    let connection = move || page_state.ui.with(|ui| ui.connection);
    let is_lost = Memo::new(move |_| matches!(connection(), ConnectionStatus::Lost(_)));
    let words = move || match connection() {
        ConnectionStatus::Lost(loss) => loss.words(page_state.now.get()),
        _ => String::new(),
    };
    move || {
        is_lost.get().then(|| {
            view! {
                <div id=BANNER class="banner" data-testid="connection">
                    <p prop:textContent=text(words)>{first_text(words)}</p>
                    <button
                        type="button"
                        on:click=on_press(move || page_state.ask(Command::ReconnectNow))
                        prop:textContent=TextContent(Text::RetryNow.get().into())
                    >
                        {first_words(Text::RetryNow.get())}
                    </button>
                </div>
            }
        })
    }
}
