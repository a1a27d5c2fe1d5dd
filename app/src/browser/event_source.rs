//! The live list as Server-Sent Events, where no WebSocket gets through.
//!
//! The element `<rollcall-feed>` provides them: all pages of a browser share one event stream. `start.js` loads
//! its script, `page-feed.js`, when there is such an element.

use leptos::{
    prelude::document,
    wasm_bindgen::{JsCast, closure::Closure},
    web_sys::Element,
};
use web_sys::MessageEvent;

use crate::presence::RoomName;

/// A feed of Server-Sent Events; dropping it closes it and ends its events.
pub(super) struct Feed {
    element: Element,
    // The browser calls it, so it must live as long as the feed.
    _on_message: Closure<dyn FnMut(MessageEvent)>,
}

/// An event of a feed.
pub(super) enum FeedEvent {
    /// A frame.
    Frame(String),
    /// It broke. It reconnects by itself, and then begins with the list.
    Broken,
}

impl Feed {
    /// Opens the feed of a room; `None` if the browser creates no element.
    pub(super) fn open(room: &RoomName, handler: impl Fn(FeedEvent) + 'static) -> Option<Self> {
        let document = document();
        let element = document.create_element("rollcall-feed").ok()?;
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            handler(event.data().as_string().map_or(FeedEvent::Broken, FeedEvent::Frame));
        });
        // None of these can fail: the name is valid, the listener is a function, and the element is new.
        let _ = element.set_attribute("room", room.as_str());
        let _ = element
            .add_event_listener_with_callback("message", on_message.as_ref().unchecked_ref());
        let _ = document.body()?.append_child(&element);
        Some(Self { element, _on_message: on_message })
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.element.remove();
    }
}
