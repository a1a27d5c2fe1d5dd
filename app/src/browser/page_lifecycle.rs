//! What the browser does with the page: shows and hides it, keeps it, brings it back.

use std::rc::Rc;

use leptos::{
    prelude::*,
    wasm_bindgen::{JsCast, closure::Closure},
};
use web_sys::{Event, PageTransitionEvent};

use super::{
    connection::Line, document_state::is_wall, in_a_task_of_its_own, tab_counter::Siblings,
};

type Reaction = fn(&Page, &Event);

/// Follows the life of the page, from its first moment in front of somebody.
pub(super) fn begin(line: Rc<Line>, siblings: Rc<Siblings>) {
    let this = Rc::new(Page { line, siblings });
    let events: [(&str, Reaction); 8] = [
        ("online", |page, _| page.line.try_now()),
        ("offline", |page, _| page.line.went_offline()),
        ("visibilitychange", |page, _| page.look_around()),
        // Another page of this person left or joined.
        ("storage", |page, _| page.line.look_around()),
        ("pagehide", |page, event| page.goes(event)),
        ("pageshow", |page, _| page.comes()),
        ("scroll", |page, _| page.line.look_at_the_list()),
        ("resize", |page, _| page.line.look_at_the_list()),
    ];
    for (name, react) in events {
        let page = Rc::clone(&this);
        let handle = window_event_listener_untyped(name, move |event| react(&page, &event));
        on_cleanup(move || handle.remove());
    }
    if is_prerendering() {
        // Nobody has asked for this page yet, and perhaps nobody will.
        let begin = Closure::once_into_js(move || this.comes());
        // It can't fail: it is a function.
        let _ = document()
            .add_event_listener_with_callback("prerenderingchange", begin.unchecked_ref());
    } else {
        // To open a socket is work enough for one task.
        in_a_task_of_its_own(move || this.comes());
    }
}

struct Page {
    line: Rc<Line>,
    siblings: Rc<Siblings>,
}

impl Page {
    fn comes(&self) {
        if !is_prerendering() {
            self.line.wake();
            self.count_the_tabs();
        }
    }

    fn goes(&self, event: &Event) {
        let event = event.dyn_ref::<PageTransitionEvent>();
        self.line.fall_asleep(event.is_some_and(PageTransitionEvent::persisted));
        self.siblings.leave();
    }

    fn look_around(&self) {
        self.line.look_around();
        if !document().hidden() {
            self.count_the_tabs();
        }
    }

    /// A screen on the wall is nobody's tab.
    fn count_the_tabs(&self) {
        if !is_wall() {
            self.siblings.count();
        }
    }
}

fn is_prerendering() -> bool {
    // Not every browser knows this, and web-sys not yet.
    let answer = js_sys::Reflect::get(&document(), &"prerendering".into());
    answer.is_ok_and(|answer| answer.is_truthy())
}
