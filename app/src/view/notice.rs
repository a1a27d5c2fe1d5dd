//! A paragraph that is only rendered while it has a text.

use leptos::prelude::*;

use super::reactive::{TextContent, first_words};

/// The text and attributes of a notice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Notice {
    /// The class, for the style sheet.
    pub(crate) class: &'static str,
    /// The id, for references to it.
    pub(crate) id: Option<&'static str>,
    /// The ARIA role, which decides whether and how it is announced.
    pub(crate) role: Option<&'static str>,
    /// The test id.
    pub(crate) test_id: Option<&'static str>,
    /// The text.
    pub(crate) words: String,
}

/// Shows the notice while there is one.
pub(crate) fn notice(read: impl FnMut() -> Option<Notice> + Send + 'static) -> impl IntoView {
    let mut read: Box<dyn FnMut() -> Option<Notice> + Send> = Box::new(read);
    move || {
        read().map(|notice| {
            view! {
                <p
                    class=notice.class
                    id=notice.id
                    role=notice.role
                    data-testid=notice.test_id
                    prop:textContent=TextContent(notice.words.clone())
                >
                    {first_words(&notice.words)}
                </p>
            }
        })
    }
}
