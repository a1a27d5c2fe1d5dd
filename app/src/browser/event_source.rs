//! The live list as Server-Sent Events, where no WebSocket gets through.

use leptos::wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{EventSource, MessageEvent};

use crate::presence::RoomName;

/// The events that bring a list.
const EVENTS: [&str; 5] = ["existing_users", "more_users", "resumed", "changes", "beat"];

/// A feed; it is closed, and says nothing more, when this is dropped.
pub(super) struct Feed {
    inner: EventSource,
    // The browser calls these, so they live as long as the feed.
    _on_event: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut()>,
}

/// What happens on a feed.
pub(super) enum FeedEvent {
    /// A frame came.
    Frame(String),
    /// It broke. The browser may try again by itself, and then goes on from where it was.
    Broken,
}

impl Feed {
    /// Begins to listen to the feed of a room; none where the browser refuses the very address.
    pub(super) fn open(
        room: &RoomName,
        react: impl Fn(FeedEvent) + Clone + 'static,
    ) -> Option<Self> {
        let address = ["/api/rooms/", room.as_str(), "/events"].concat();
        let feed = EventSource::new(&address).ok()?;
        let react_to_error = react.clone();
        let on_event = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(text) = event.data().as_string() {
                react(FeedEvent::Frame(text));
            }
        });
        let on_error = Closure::<dyn FnMut()>::new(move || react_to_error(FeedEvent::Broken));
        for name in EVENTS {
            // It does not fail.
            let _ = feed.add_event_listener_with_callback(name, on_event.as_ref().unchecked_ref());
        }
        feed.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Some(Self { inner: feed, _on_event: on_event, _on_error: on_error })
    }

    /// Whether the browser has given it up.
    pub(super) fn is_over(&self) -> bool {
        self.inner.ready_state() == EventSource::CLOSED
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.inner.set_onerror(None);
        self.inner.close();
    }
}
