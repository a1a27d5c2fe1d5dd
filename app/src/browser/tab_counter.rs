//! Counts the tabs of this browser that show the same room.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use gloo_timers::callback::Timeout;
use leptos::{
    prelude::*,
    wasm_bindgen::{JsCast, JsValue, closure::Closure},
};
use web_sys::{BroadcastChannel, MessageEvent};

use super::tab_id::new_id;
use crate::{
    presence::{RoomName, UserId},
    state::page_state::PageState,
};

/// How long the other tabs have to answer a ping, in milliseconds.
const PONG_TIMEOUT: u32 = 1_000;

/// After how long a visible tab counts again, in milliseconds.
const RECOUNT_INTERVAL: u32 = 10_000;

// Each message is one of these characters, followed by its sender's id.
const PING: char = '?';
const PONG: char = '!';
const BYE: char = '-';

/// Counts this browser's tabs of one room over a `BroadcastChannel`, without the server.
pub(super) struct TabCounter {
    page_state: PageState,
    channel_name: String,
    own_id: String,
    channel: RefCell<Option<Channel>>,
    /// The ids of the other tabs, and whether each has answered the last ping.
    others: RefCell<Vec<(String, bool)>>,
    timer: Cell<Option<Timeout>>,
}

struct Channel {
    inner: BroadcastChannel,
    // The browser calls it, so it must live as long as the channel.
    _on_message: Closure<dyn FnMut(MessageEvent)>,
}

impl TabCounter {
    /// A counter that has not opened its channel yet.
    pub(super) fn new(page_state: PageState, room: &RoomName) -> Rc<Self> {
        // The channel is per person: after a switch of person, older tabs belong to the previous one.
        let you = page_state.people.with_untracked(|people| people.you);
        Rc::new(Self {
            page_state,
            channel_name: [
                "rollcall-",
                room.as_str(),
                "-",
                you.as_ref().map_or("", UserId::as_str),
            ]
            .concat(),
            own_id: new_id().to_string(),
            channel: RefCell::default(),
            others: RefCell::default(),
            timer: Cell::default(),
        })
    }

    /// Pings the other tabs, and answers their pings from now on.
    pub(super) fn count(self: &Rc<Self>) {
        if self.channel.borrow().is_none() {
            self.channel.replace(self.open());
        }
        for (_, has_answered) in self.others.borrow_mut().iter_mut() {
            *has_answered = false;
        }
        self.post(PING);
        let this = Rc::clone(self);
        self.timer.set(Some(Timeout::new(PONG_TIMEOUT, move || {
            // A tab that crashed sent no `BYE`.
            this.others.borrow_mut().retain(|(_, has_answered)| *has_answered);
            this.show_count();
            this.recount_later();
        })));
    }

    /// A visible tab gets no event when one in the background crashes, or when the `BYE` of a closed one gets
    /// lost, as in Firefox. A hidden tab counts when it is shown.
    fn recount_later(self: &Rc<Self>) {
        if !document().hidden() {
            let this = Rc::clone(self);
            self.timer.set(Some(Timeout::new(RECOUNT_INTERVAL, move || this.count())));
        }
    }

    /// Sends `BYE` and closes the channel: an open one would keep the page out of the back/forward cache.
    pub(super) fn close(&self) {
        self.post(BYE);
        self.timer.take();
        self.others.take();
        if let Some(channel) = self.channel.take() {
            channel.inner.close();
        }
    }

    fn open(self: &Rc<Self>) -> Option<Channel> {
        let inner = BroadcastChannel::new(&self.channel_name).ok()?;
        let this = Rc::clone(self);
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(message) = event.data().as_string() {
                this.on_message(&message);
            }
        });
        inner.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        Some(Channel { inner, _on_message: on_message })
    }

    fn on_message(&self, message: &str) {
        let mut characters = message.chars();
        let kind = characters.next();
        let id = characters.as_str();
        let mut others = self.others.borrow_mut();
        others.retain(|(other, _)| other != id);
        if kind != Some(BYE) {
            others.push((id.to_owned(), true));
        }
        drop(others);
        if kind == Some(PING) {
            self.post(PONG);
        }
        self.show_count();
    }

    fn post(&self, kind: char) {
        if let Some(channel) = &*self.channel.borrow() {
            let mut message = String::from(kind);
            message.push_str(&self.own_id);
            // It can't fail: the channel is open, and a string can be cloned.
            let _ = channel.inner.post_message(&JsValue::from_str(&message));
        }
    }

    fn show_count(&self) {
        let count = self.others.borrow().len() + 1;
        if self.page_state.ui.with_untracked(|ui| ui.tabs) != count {
            self.page_state.ui.update(|ui| ui.tabs = count);
        }
    }
}
