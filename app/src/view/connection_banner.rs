//! What the visitor should know of the page's own connection.

use leptos::prelude::*;

use super::reactive::{press, text};
use crate::{
    state::{command::Command, connection_status::Connection, page_state::Board},
    text::strings,
};

/// The id of the banner.
pub(crate) const BANNER: &str = "connection";

/// Says that the connection is lost, how old the list is, and what happens next; else nothing.
pub(crate) fn banner(board: Board) -> impl IntoView {
    let connection = move || board.desk.with(|desk| desk.connection);
    let is_lost = Memo::new(move |_| matches!(connection(), Connection::Lost(_)));
    let words = move || match connection() {
        Connection::Lost(loss) => loss.words(board.moment.get()),
        _ => String::new(),
    };
    move || {
        is_lost.get().then(|| {
            view! {
                <div id=BANNER class="banner" data-testid="connection">
                    <p>{text(words)}</p>
                    <button type="button" on:click=press(move || board.ask(Command::TryNow))>
                        {strings::TRY_NOW}
                    </button>
                </div>
            }
        })
    }
}
