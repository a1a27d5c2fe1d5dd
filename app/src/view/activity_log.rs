//! The activity log: who came and went.

use leptos::prelude::*;

use super::reactive::server_text;

/// The id of the log's list; the browser adds entries to the DOM directly, newest first.
pub(crate) const ACTIVITY: &str = "activity";

/// The log. The style sheet shows the latest entries, and all of them once they are asked for.
pub(crate) fn activity_log() -> impl IntoView {
    view! {
        <section class="activity">
            <h2>{server_text!(Activity)}</h2>
            {entries()}
            <p class="hint">{server_text!(NoActivity)}</p>
            <details class="all-activity">
                <summary>{server_text!(ShowAllActivity)}</summary>
            </details>
        </section>
    }
}

/// The entries, with those of the last hour in the first HTML; hydration leaves them as they are.
#[cfg(feature = "ssr")]
fn entries() -> impl IntoView {
    let label = server_text!(Activity);
    let past = crate::ssr::activity::past_activity();
    view! {
        <ol
            id=ACTIVITY
            role="list"
            tabindex="0"
            aria-label=label
            data-part="server"
            inner_html=past
        ></ol>
    }
}

/// The entries, with those of the last hour in the first HTML; hydration leaves them as they are.
#[cfg(not(feature = "ssr"))]
fn entries() -> impl IntoView {
    view! { <ol id=ACTIVITY></ol> }
}
