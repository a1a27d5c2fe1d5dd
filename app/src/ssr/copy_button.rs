//! The button that copies a text; `copy.js` does it, and says on the button what came of it.

use leptos::prelude::*;

use crate::text::texts::ServerText;

/// A button with this label, and with a name of its own for screen readers where the label says too little.
pub(crate) fn copy_button(label: ServerText, text: String, name: Option<String>) -> impl IntoView {
    view! {
        <button
            type="button"
            data-text=text
            data-copied=ServerText::Copied.get()
            data-failed=ServerText::CopyTheTextInstead.get()
            aria-label=name
            disabled
        >
            {label.get()}
        </button>
    }
}
