//! The page's lifecycle: shown, hidden, cached and restored, online and offline.

use std::rc::Rc;

use leptos::{
    prelude::*,
    wasm_bindgen::{JsCast, closure::Closure},
};
use web_sys::{Event, PageTransitionEvent};

use super::{connection::Connection, yield_to_main};

type EventHandler = fn(&Page, &Event);

/// Registers the handlers of the page's lifecycle events, and shows the page unless it is prerendered.
pub(super) fn start(connection: Rc<Connection>) {
    let this = Rc::new(Page { connection });
    let events: [(&str, EventHandler); 8] = [
        ("online", |page, _| page.connection.reconnect_now()),
        ("offline", |page, _| page.connection.on_offline()),
        ("visibilitychange", |page, _| page.connection.sync_environment()),
        // Another tab of this person left or joined.
        ("storage", |page, _| page.connection.sync_environment()),
        ("pagehide", |page, event| page.on_hide(event)),
        ("pageshow", |page, _| page.on_show()),
        ("scroll", |page, _| page.connection.schedule_viewport_update()),
        ("resize", |page, _| page.connection.schedule_viewport_update()),
    ];
    for (name, react) in events {
        let page = Rc::clone(&this);
        let handle = window_event_listener_untyped(name, move |event| react(&page, &event));
        on_cleanup(move || handle.remove());
    }
    if is_prerendering() {
        // The browser loads the page ahead of time, and may never show it.
        let show = Closure::once_into_js(move || this.on_show());
        // It can't fail: the listener is a function.
        let _ =
            document().add_event_listener_with_callback("prerenderingchange", show.unchecked_ref());
    } else {
        // Opening a socket is enough work for one task.
        yield_to_main(move || this.on_show());
    }
}

struct Page {
    connection: Rc<Connection>,
}

impl Page {
    fn on_show(&self) {
        if !is_prerendering() {
            self.connection.resume();
        }
    }

    fn on_hide(&self, event: &Event) {
        let event = event.dyn_ref::<PageTransitionEvent>();
        self.connection.suspend(event.is_some_and(PageTransitionEvent::persisted));
    }
}

fn is_prerendering() -> bool {
    // Not every browser has this property, and web-sys does not have it yet.
    let value = js_sys::Reflect::get(&document(), &"prerendering".into());
    value.is_ok_and(|value| value.is_truthy())
}
