//! The parts of the page that change, in as few types as possible.
//!
//! Every closure is a type of its own, and Leptos is compiled anew for each. In a box they are one
//! type each: all texts together, all attributes together, all effects together.

use leptos::prelude::*;

/// A text that changes.
pub(crate) type Text = Box<dyn FnMut() -> String + Send>;
/// An attribute that changes, or is not there.
pub(crate) type Attribute = Box<dyn FnMut() -> Option<String> + Send>;
/// Something to do when a button is pressed.
pub(crate) type OnPress = Box<dyn FnMut(leptos::ev::MouseEvent) + Send>;

/// A text that follows the signals it reads.
pub(crate) fn text(read: impl FnMut() -> String + Send + 'static) -> Text {
    Box::new(read)
}

/// An attribute that follows the signals it reads.
pub(crate) fn attribute(read: impl FnMut() -> Option<String> + Send + 'static) -> Attribute {
    Box::new(read)
}

/// An attribute that is there, without a value, while the signals it reads say so.
pub(crate) fn bool_attr(mut read: impl FnMut() -> bool + Send + 'static) -> Attribute {
    Box::new(move || read().then(String::new))
}

/// What an attribute says that has to be either.
pub(crate) fn aria_bool(is_so: bool) -> String {
    if is_so { "true" } else { "false" }.into()
}

/// What a button does.
pub(crate) fn on_press(mut act: impl FnMut() + Send + 'static) -> OnPress {
    Box::new(move |_| act())
}

/// Does something now, in the browser only, and again whenever a signal that it read changes.
pub(crate) fn effect(act: impl FnMut() + 'static) {
    let mut act: Box<dyn FnMut()> = Box::new(act);
    Effect::new(move |_: Option<()>| act());
}
