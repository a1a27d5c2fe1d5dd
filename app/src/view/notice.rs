//! A sentence that is there only while there is something to say.

use leptos::prelude::*;

/// What is said, and what kind of saying it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Note {
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
pub(crate) fn note(read: impl FnMut() -> Option<Note> + Send + 'static) -> impl IntoView {
    let mut read: Box<dyn FnMut() -> Option<Note> + Send> = Box::new(read);
    move || {
        read().map(|note| {
            view! {
                <p class=note.class id=note.id role=note.role data-testid=note.test_id>
                    {note.words}
                </p>
            }
        })
    }
}
