//! The changing parts of the page, in as few types as possible.
//!
//! Every closure is a type of its own, for which Leptos' generic code is compiled again. Boxed, all texts
//! are one type, and so are all attributes and all effects.

use leptos::{
    prelude::*,
    tachys::{
        html::property::IntoProperty,
        renderer::{Rndr, types::Element},
    },
    wasm_bindgen::JsValue,
};

/// The property of an element with the text that this program shows in it, for `start.js`: extensions and
/// translators change texts and attributes, and replace elements by copies, which do not have the property.
const SHOWN: &str = "shown";

/// A changing text, for `prop:textContent`.
pub(crate) type Text = Box<dyn FnMut() -> TextContent + Send>;
/// A changing attribute; without a value it is absent.
pub(crate) type Attribute = Box<dyn FnMut() -> Option<String> + Send>;
/// A button's click handler.
pub(crate) type OnPress = Box<dyn FnMut(leptos::ev::MouseEvent) + Send>;

/// A text that follows the signals it reads.
pub(crate) fn text(mut read: impl FnMut() -> String + Send + 'static) -> Text {
    Box::new(move || TextContent(read()))
}

/// The text of an element, for `prop:textContent`, beside [`first_text`] or [`first_words`] as its child.
///
/// It is set on the element, and not in its text node as Leptos does by itself: translators and extensions
/// replace text nodes, and what is set in a node that is no longer in the page is not seen.
pub(crate) struct TextContent(pub(crate) String);

impl TextContent {
    fn show(&self, element: &Element) {
        if element.text_content().as_ref() != Some(&self.0) {
            element.set_text_content(Some(&self.0));
        }
        Rndr::set_property(element, SHOWN, &JsValue::from_str(&self.0));
    }
}

impl IntoProperty for TextContent {
    type Cloneable = String;
    type CloneableOwned = String;
    type State = Element;

    fn hydrate<const FROM_SERVER: bool>(self, element: &Element, key: &str) -> Element {
        self.build(element, key)
    }

    fn build(self, element: &Element, _key: &str) -> Element {
        self.show(element);
        element.clone()
    }

    fn rebuild(self, element: &mut Element, _key: &str) {
        self.show(element);
    }

    fn into_cloneable(self) -> String {
        self.0
    }

    fn into_cloneable_owned(self) -> String {
        self.0
    }
}

/// The text of an element in the first HTML, if it changes with signals.
#[cfg(feature = "ssr")]
pub(crate) fn first_text(read: impl FnOnce() -> String) -> Option<String> {
    first_words(&untrack(read))
}

/// Nothing: hydration skips the content of an element that is empty here.
#[cfg(not(feature = "ssr"))]
pub(crate) fn first_text<V>(_text: V) {}

/// The text of an element in the first HTML. For an empty one Leptos would write a space, and the element
/// would be `:empty` only after hydration.
#[cfg(feature = "ssr")]
pub(crate) fn first_words(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Nothing: hydration skips the content of an element that is empty here.
#[cfg(not(feature = "ssr"))]
pub(crate) fn first_words(_text: &str) {}

/// A text of the first HTML that never changes; the browser's program has no need of it.
macro_rules! server_text {
    ($key:ident) => {{
        #[cfg(feature = "ssr")]
        let words = $crate::text::texts::ServerText::$key.get();
        // Hydration skips the content of an element that is empty here, and an attribute without a value.
        #[cfg(not(feature = "ssr"))]
        let words = ();
        words
    }};
}
pub(crate) use server_text;

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
