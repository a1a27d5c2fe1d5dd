//! What the browser does with the page: shows and hides it, keeps it, brings it back.

use std::rc::Rc;

use leptos::{
    prelude::*,
    wasm_bindgen::{JsCast, closure::Closure},
};
use web_sys::{Event, PageTransitionEvent};

use super::{
    connection::Connection, document_state::is_wall, tab_counter::TabCounter, yield_to_main,
};

type Reaction = fn(&Page, &Event);

/// Follows the life of the page, from its first moment in front of somebody.
pub(super) fn begin(connection: Rc<Connection>, tab_counter: Rc<TabCounter>) {
    let this = Rc::new(Page { connection, tab_counter });
    let events: [(&str, Reaction); 8] = [
        ("online", |page, _| page.connection.try_now()),
        ("offline", |page, _| page.connection.went_offline()),
        ("visibilitychange", |page, _| page.sync_environment()),
        // Another page of this person left or joined.
        ("storage", |page, _| page.connection.sync_environment()),
        ("pagehide", |page, event| page.on_hide(event)),
        ("pageshow", |page, _| page.on_show()),
        ("scroll", |page, _| page.connection.look_at_the_list()),
        ("resize", |page, _| page.connection.look_at_the_list()),
    ];
    for (name, react) in events {
        let page = Rc::clone(&this);
        let handle = window_event_listener_untyped(name, move |event| react(&page, &event));
        on_cleanup(move || handle.remove());
    }
    if is_prerendering() {
        // Nobody has asked for this page yet, and perhaps nobody will.
        let begin = Closure::once_into_js(move || this.on_show());
        // It can't fail: it is a function.
        let _ = document()
            .add_event_listener_with_callback("prerenderingchange", begin.unchecked_ref());
    } else {
        // To open a socket is work enough for one task.
        yield_to_main(move || this.on_show());
    }
}

struct Page {
    connection: Rc<Connection>,
    tab_counter: Rc<TabCounter>,
}

impl Page {
    fn on_show(&self) {
        if !is_prerendering() {
            self.connection.resume();
            self.count_the_tabs();
        }
    }

    fn on_hide(&self, event: &Event) {
        let event = event.dyn_ref::<PageTransitionEvent>();
        self.connection.suspend(event.is_some_and(PageTransitionEvent::persisted));
        self.tab_counter.leave();
    }

    fn sync_environment(&self) {
        self.connection.sync_environment();
        if !document().hidden() {
            self.count_the_tabs();
        }
    }

    /// A screen on the wall is nobody's tab.
    fn count_the_tabs(&self) {
        if !is_wall() {
            self.tab_counter.count();
        }
    }
}

fn is_prerendering() -> bool {
    // Not every browser knows this, and web-sys not yet.
    let answer = js_sys::Reflect::get(&document(), &"prerendering".into());
    answer.is_ok_and(|answer| answer.is_truthy())
}
