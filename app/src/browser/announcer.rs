//! Telling who comes and goes, not more than about once a second.

use std::{cell::RefCell, rc::Rc};

use gloo_timers::callback::Timeout;
use leptos::{prelude::*, web_sys::Element};

use crate::{
    client::removal::Departed,
    presence::{Name, UserId},
    state::page_state::PageState,
    text::{
        announcement::{ChangeSummary, Part},
        strings,
    },
    view::{
        activity_log::ACTIVITY,
        live_region::ANNOUNCER,
        recent_changes::{MISSED, NEWS},
    },
};

/// For how long news gather before they are said, in milliseconds.
const GATHERING_TIME: u32 = 1_000;

/// For how long news can be read, in milliseconds.
const TIME_TO_READ: u32 = 10_000;

/// How many happenings the panel holds.
const MOST_HAPPENINGS: u32 = 100;

/// Gathers what happens, and puts it where it is read and heard.
pub(super) struct Announcer {
    page_state: PageState,
    summary: RefCell<ChangeSummary>,
    /// What the line says that tells what was missed, as long as it is there.
    missed: RefCell<ChangeSummary>,
    timer: RefCell<Option<Timeout>>,
    /// Takes the news away once they are old.
    reading: RefCell<Option<Timeout>>,
}

impl Announcer {
    /// Says nothing yet.
    pub(super) fn new(page_state: PageState) -> Rc<Self> {
        Rc::new(Self {
            page_state,
            summary: RefCell::default(),
            missed: RefCell::default(),
            timer: RefCell::default(),
            reading: RefCell::default(),
        })
    }

    /// Takes note of others who came and went.
    pub(super) fn record(self: &Rc<Self>, arrived: Vec<(UserId, Name)>, departed: Vec<Departed>) {
        self.gather(&mut self.summary.borrow_mut(), arrived, departed);
        if !self.summary.borrow().is_empty() {
            self.say_soon();
        }
    }

    /// Tells of others who came and went while the list was not live.
    pub(super) fn tell_what_was_missed(
        &self,
        arrived: Vec<(UserId, Name)>,
        departed: Vec<Departed>,
    ) {
        let mut summary = ChangeSummary::default();
        self.gather(&mut summary, arrived, departed);
        let parts = summary.catch_up_parts();
        if !parts.is_empty() {
            let mut missed = self.missed.borrow_mut();
            if !self.page_state.ui.with_untracked(|ui| ui.has_missed_something) {
                *missed = ChangeSummary::default();
            }
            // Who was away twice, and has not read the line in between, is told of both.
            missed.merge(summary);
            set_parts(MISSED, &missed.catch_up_parts());
            let is_something = !missed.is_empty();
            note_activity(&parts);
            // In the place of what was said when the connection came back.
            let mut words = vec![Part::Words([strings::CONNECTED_AGAIN, " "].concat())];
            words.extend(parts);
            self.say_unless_muted(&words);
            self.page_state.ui.update(|ui| ui.has_missed_something = is_something);
        }
    }

    fn gather(
        &self,
        summary: &mut ChangeSummary,
        arrived: Vec<(UserId, Name)>,
        departed: Vec<Departed>,
    ) {
        let you = self.page_state.people.with_untracked(|people| people.you);
        for departed in departed.into_iter().filter(|departed| Some(departed.id) != you) {
            summary.departed(departed);
        }
        for (id, name) in arrived.into_iter().filter(|(id, _)| Some(*id) != you) {
            summary.joined(id, name);
        }
    }

    /// Says something of the page itself at once, muted or not.
    pub(super) fn announce_now(words: &str) {
        let parts = [Part::Words(words.to_owned())];
        set_parts(ANNOUNCER, &parts);
        note_activity(&parts);
    }

    fn say_unless_muted(&self, parts: &[Part]) {
        if !self.page_state.ui.with_untracked(|ui| ui.is_muted) {
            set_parts(ANNOUNCER, parts);
        }
    }

    fn say_soon(self: &Rc<Self>) {
        let mut timer = self.timer.borrow_mut();
        if timer.is_some() {
            return;
        }
        // The same words twice in a row are heard twice only if they were gone in between.
        set_parts(ANNOUNCER, &[]);
        let this = Rc::clone(self);
        *timer = Some(Timeout::new(GATHERING_TIME, move || {
            this.timer.take();
            let parts = this.summary.take().parts();
            this.say_unless_muted(&parts);
            set_parts(NEWS, &parts);
            note_activity(&parts);
            let forget = Timeout::new(TIME_TO_READ, || set_parts(NEWS, &[]));
            this.reading.replace(Some(forget));
        }));
    }
}

/// Adds a happening to the panel, above the older ones, with the time of day.
fn note_activity(parts: &[Part]) {
    let document = document();
    let Some(list) = document.get_element_by_id(ACTIVITY) else { return };
    let (Ok(happening), Ok(time)) =
        (document.create_element("li"), document.create_element("time"))
    else {
        return;
    };
    // "16:03:23 GMT+0000": the seconds are nothing that anybody asks for.
    let now = js_sys::Date::new_0().to_time_string().as_string().unwrap_or_default();
    time.set_text_content(now.get(..5));
    let words = document.create_element("p");
    // Elements that were just made can stand anywhere.
    let _ = happening.append_child(&time);
    if let Ok(words) = words {
        fill(&words, parts);
        let _ = happening.append_child(&words);
    }
    let _ = list.insert_before(&happening, list.first_child().as_ref());
    if list.child_element_count() > MOST_HAPPENINGS
        && let Some(oldest) = list.last_element_child()
    {
        oldest.remove();
    }
}

/// Puts this into an element of the page, in place of what was there.
fn set_parts(id: &str, parts: &[Part]) {
    if let Some(region) = document().get_element_by_id(id) {
        region.set_text_content(None);
        fill(&region, parts);
    }
}

/// Puts this into an element, behind what is there.
fn fill(region: &Element, parts: &[Part]) {
    let document = document();
    for part in parts {
        let (element, words) = match part {
            Part::Words(words) => ("span", words.as_str()),
            Part::Name(name) => ("bdi", name.as_str()),
        };
        if let Ok(element) = document.create_element(element) {
            element.set_text_content(Some(words));
            let _ = region.append_child(&element);
        }
    }
}
