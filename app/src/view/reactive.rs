//! The changing parts of the page, in as few types as possible.
//!
//! Every closure is a type of its own, for which Leptos' generic code is compiled again. Boxed, all texts
//! are one type, and so are all attributes and all effects.

use leptos::prelude::*;

/// A changing text.
pub(crate) type Text = Box<dyn FnMut() -> String + Send>;
/// A changing attribute; without a value it is absent.
pub(crate) type Attribute = Box<dyn FnMut() -> Option<String> + Send>;
/// A button's click handler.
pub(crate) type OnPress = Box<dyn FnMut(leptos::ev::MouseEvent) + Send>;

/// A text that follows the signals it reads.
pub(crate) fn text(read: impl FnMut() -> String + Send + 'static) -> Text {
    Box::new(read)
}

/// An attribute that follows the signals it reads.
pub(crate) fn attribute(read: impl FnMut() -> Option<String> + Send + 'static) -> Attribute {
    Box::new(read)
}

/// A boolean attribute that follows the signals it reads.
pub(crate) fn bool_attr(mut read: impl FnMut() -> bool + Send + 'static) -> Attribute {
    Box::new(move || read().then(String::new))
}

/// The value of an ARIA attribute that is `true` or `false`.
pub(crate) fn aria_bool(is_so: bool) -> String {
    if is_so { "true" } else { "false" }.into()
}

/// A click handler that ignores the event.
pub(crate) fn on_press(mut act: impl FnMut() + Send + 'static) -> OnPress {
    Box::new(move |_| act())
}

/// Runs now, and again whenever a signal that it read changes; in the browser only.
pub(crate) fn effect(act: impl FnMut() + 'static) {
    let mut act: Box<dyn FnMut()> = Box::new(act);
    Effect::new(move |_: Option<()>| act());
}
