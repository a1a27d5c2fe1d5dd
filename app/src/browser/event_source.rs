//! The live list as Server-Sent Events, where no WebSocket gets through.

use leptos::wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{EventSource, MessageEvent};

use super::document_state::base_path;
use crate::presence::RoomName;

/// The events that update the list; `EventSource` needs a listener for each.
const EVENTS: [&str; 5] = ["existing_users", "more_users", "resumed", "changes", "beat"];

/// A feed of Server-Sent Events; dropping it closes it and ends its events.
pub(super) struct Feed {
    inner: EventSource,
    // The browser calls these, so they must live as long as the feed.
    _on_event: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut()>,
}

/// An event of a feed.
pub(super) enum FeedEvent {
    /// A frame.
    Frame(String),
    /// It broke. The browser may reconnect by itself, and then resumes from the last event's id.
    Broken,
}

impl Feed {
    /// Opens the feed of a room; `None` if the browser rejects the URL.
    pub(super) fn open(
        room: &RoomName,
        handler: impl Fn(FeedEvent) + Clone + 'static,
    ) -> Option<Self> {
        let address = [&base_path(), "/api/rooms/", room.as_str(), "/events"].concat();
        let feed = EventSource::new(&address).ok()?;
        let error_handler = handler.clone();
        let on_event = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(text) = event.data().as_string() {
                handler(FeedEvent::Frame(text));
            }
        });
        let on_error = Closure::<dyn FnMut()>::new(move || error_handler(FeedEvent::Broken));
        for name in EVENTS {
            // It can't fail: the listener is a function.
            let _ = feed.add_event_listener_with_callback(name, on_event.as_ref().unchecked_ref());
        }
        feed.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Some(Self { inner: feed, _on_event: on_event, _on_error: on_error })
    }

    /// Whether the browser has stopped reconnecting.
    pub(super) fn is_closed(&self) -> bool {
        self.inner.ready_state() == EventSource::CLOSED
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.inner.set_onerror(None);
        self.inner.close();
    }
}
