//! A sentence that is there only while there is something to say.

use leptos::prelude::*;

/// What is said, and what kind of saying it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Notice {
    /// The class, for the style sheet.
    pub(crate) class: &'static str,
    /// The id, for those who refer to it.
    pub(crate) id: Option<&'static str>,
    /// How urgently it is read aloud.
    pub(crate) role: Option<&'static str>,
    /// What tests find it by.
    pub(crate) test_id: Option<&'static str>,
    /// The sentence.
    pub(crate) words: String,
}

/// Shows a note, while there is one.
pub(crate) fn notice(read: impl FnMut() -> Option<Notice> + Send + 'static) -> impl IntoView {
    let mut read: Box<dyn FnMut() -> Option<Notice> + Send> = Box::new(read);
    move || {
        read().map(|notice| {
            view! {
                <p class=notice.class id=notice.id role=notice.role data-testid=notice.test_id>
                    {notice.words}
                </p>
            }
        })
    }
}
