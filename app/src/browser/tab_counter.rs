//! The other pages of this browser that show the same room.

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

use super::random::random_bytes;
use crate::{
    presence::{RoomName, UserId},
    state::page_state::PageState,
    view::new_room::random_letters,
};

/// For how long the others may think about an answer, in milliseconds.
const ANSWERS_WITHIN: u32 = 1_000;

// Each message is one of these, and after it the name of its sender.
const PING: char = '?';
const PONG: char = '!';
const BYE: char = '-';

/// Counts this browser's pages of one room, without a server.
pub(super) struct TabCounter {
    page_state: PageState,
    channel_name: String,
    own_name: String,
    channel: RefCell<Option<Channel>>,
    /// Who was heard of, and whether since the last question.
    others: RefCell<Vec<(String, bool)>>,
    timer: Cell<Option<Timeout>>,
}

struct Channel {
    inner: BroadcastChannel,
    // The browser calls it, so it lives as long as the channel.
    _on_message: Closure<dyn FnMut(MessageEvent)>,
}

impl TabCounter {
    /// Knows of nobody yet.
    pub(super) fn new(page_state: PageState, room: &RoomName) -> Rc<Self> {
        // Where the browser became somebody else's, its older pages are still the first one's.
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
            own_name: random_letters(random_bytes()),
            channel: RefCell::default(),
            others: RefCell::default(),
            timer: Cell::default(),
        })
    }

    /// Asks who is there, and answers those who ask, from now on.
    pub(super) fn count(self: &Rc<Self>) {
        if self.channel.borrow().is_none() {
            self.channel.replace(self.open());
        }
        for (_, was_heard) in self.others.borrow_mut().iter_mut() {
            *was_heard = false;
        }
        self.say(PING);
        let this = Rc::clone(self);
        self.timer.set(Some(Timeout::new(ANSWERS_WITHIN, move || {
            // A page that crashed said no goodbye.
            this.others.borrow_mut().retain(|(_, was_heard)| *was_heard);
            this.tell();
        })));
    }

    /// Says goodbye. A page that still listened could not be kept for coming back to.
    pub(super) fn leave(&self) {
        self.say(BYE);
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
                this.hear(&message);
            }
        });
        inner.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        Some(Channel { inner, _on_message: on_message })
    }

    fn hear(&self, message: &str) {
        let mut characters = message.chars();
        let kind = characters.next();
        let name = characters.as_str();
        let mut others = self.others.borrow_mut();
        others.retain(|(other, _)| other != name);
        if kind != Some(BYE) {
            others.push((name.to_owned(), true));
        }
        drop(others);
        if kind == Some(PING) {
            self.say(PONG);
        }
        self.tell();
    }

    fn say(&self, kind: char) {
        if let Some(channel) = &*self.channel.borrow() {
            let mut message = String::from(kind);
            message.push_str(&self.own_name);
            // An open channel takes every text.
            let _ = channel.inner.post_message(&JsValue::from_str(&message));
        }
    }

    fn tell(&self) {
        let count = self.others.borrow().len() + 1;
        if self.page_state.ui.with_untracked(|ui| ui.tabs) != count {
            self.page_state.ui.update(|ui| ui.tabs = count);
        }
    }
}
