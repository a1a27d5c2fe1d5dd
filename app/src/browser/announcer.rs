//! Announces who joins and leaves, about once a second at most.

use std::{
    cell::{RefCell, RefMut},
    rc::Rc,
};

use gloo_timers::callback::Timeout;
use leptos::{prelude::*, web_sys::Element};

use crate::{
    client::removal::Departed,
    presence::{Name, UserId},
    state::page_state::PageState,
    text::{
        announcement::{ChangeSummary, Part, renaming},
        format::{clock_time, number},
        texts::Text,
    },
    view::{
        activity_log::ACTIVITY,
        live_region::ANNOUNCER,
        recent_changes::{MISSED, NEWS},
    },
};

/// How long changes are collected before they are announced together, in milliseconds.
const BATCH_INTERVAL: u32 = 1_000;

/// How long the news line stays visible, in milliseconds.
const NEWS_LIFETIME: u32 = 10_000;

/// How many entries the activity log keeps.
const MOST_ACTIVITY_ENTRIES: u32 = 100;

/// Collects joins and departures and writes them to the live region, the news line and the activity log.
pub(super) struct Announcer {
    page_state: PageState,
    summary: RefCell<ChangeSummary>,
    /// The next entry of the activity log. It mentions nobody twice: who joins and leaves at once is not announced,
    /// and has two entries.
    entry: RefCell<ChangeSummary>,
    /// What the "while you were offline" line shows, until it is dismissed.
    missed: RefCell<ChangeSummary>,
    announcement_timer: RefCell<Option<Timeout>>,
    /// Clears the news line once it is old.
    news_timer: RefCell<Option<Timeout>>,
}

impl Announcer {
    /// An announcer with nothing to announce.
    pub(super) fn new(page_state: PageState) -> Rc<Self> {
        Rc::new(Self {
            page_state,
            summary: RefCell::default(),
            entry: RefCell::default(),
            missed: RefCell::default(),
            announcement_timer: RefCell::default(),
            news_timer: RefCell::default(),
        })
    }

    /// Records joins and departures of other people, to be announced soon.
    pub(super) fn record(self: &Rc<Self>, arrived: Vec<(UserId, Name)>, departed: Vec<Departed>) {
        let (arrived, departed) = self.of_others(arrived, departed);
        if arrived.is_empty() && departed.is_empty() {
            return;
        }
        for departed in &departed {
            self.entry_for(&departed.id).departed(departed.clone());
        }
        for (id, name) in &arrived {
            self.entry_for(id).joined(*id, name.clone());
        }
        self.summary.borrow_mut().add(arrived, departed);
        self.schedule_announcement();
    }

    /// Adds renames to the activity log; they are not announced.
    pub(super) fn record_renames(renamed: Vec<(Name, Name)>) {
        for (before, after) in renamed {
            add_activity(&renaming(&before, &after));
        }
    }

    /// Adds what the visitor did to the activity log.
    pub(super) fn record_own(text: Text) {
        add_activity(&[Part::Words(text.get().to_owned())]);
    }

    /// Announces joins and departures of other people from the time in which the list was not live.
    pub(super) fn announce_missed(&self, arrived: Vec<(UserId, Name)>, departed: Vec<Departed>) {
        let mut summary = ChangeSummary::default();
        let (arrived, departed) = self.of_others(arrived, departed);
        summary.add(arrived, departed);
        let parts = summary.catch_up_parts();
        if !parts.is_empty() {
            let mut missed = self.missed.borrow_mut();
            if !self.page_state.ui.with_untracked(|ui| ui.has_missed_something) {
                *missed = ChangeSummary::default();
            }
            // A second outage before the line was dismissed extends it.
            missed.merge(summary);
            set_parts(MISSED, &missed.catch_up_parts());
            let has_missed = !missed.is_empty();
            add_activity(&parts);
            // It replaces the announcement that the connection is back, so it repeats those words.
            let mut words = vec![Part::Words([Text::ConnectedAgain.get(), " "].concat())];
            words.extend(parts);
            self.announce_unless_muted(&words);
            self.page_state.ui.update(|ui| ui.has_missed_something = has_missed);
        }
    }

    /// The changes without this person's own.
    fn of_others(
        &self,
        mut arrived: Vec<(UserId, Name)>,
        mut departed: Vec<Departed>,
    ) -> (Vec<(UserId, Name)>, Vec<Departed>) {
        let you = self.page_state.people.with_untracked(|people| people.you);
        arrived.retain(|(id, _)| Some(*id) != you);
        departed.retain(|departed| Some(departed.id) != you);
        (arrived, departed)
    }

    /// The entry for the next fact about this person.
    fn entry_for(&self, id: &UserId) -> RefMut<'_, ChangeSummary> {
        let mut entry = self.entry.borrow_mut();
        if entry.mentions(id) {
            add_activity(&std::mem::take(&mut *entry).parts());
        }
        entry
    }

    /// Announces a message about the page itself at once, muted or not.
    pub(super) fn announce_now(words: &str) {
        let parts = [Part::Words(words.to_owned())];
        set_parts(ANNOUNCER, &parts);
        add_activity(&parts);
    }

    fn announce_unless_muted(&self, parts: &[Part]) {
        if !self.page_state.ui.with_untracked(|ui| ui.is_muted) {
            set_parts(ANNOUNCER, parts);
        }
    }

    fn schedule_announcement(self: &Rc<Self>) {
        let mut timer = self.announcement_timer.borrow_mut();
        if timer.is_some() {
            return;
        }
        // A screen reader repeats the same words only if the region was empty in between.
        set_parts(ANNOUNCER, &[]);
        let this = Rc::clone(self);
        *timer = Some(Timeout::new(BATCH_INTERVAL, move || {
            this.announcement_timer.take();
            add_activity(&this.entry.take().parts());
            let mut parts = this.summary.take().parts();
            if parts.is_empty() {
                return;
            }
            set_parts(NEWS, &parts);
            // Those who see the news see the count as well.
            let here = untrack(|| this.page_state.here());
            let count = [Text::Comma.get(), &number(here), " ", Text::HereNow.form(here)].concat();
            parts.push(Part::Words(count));
            this.announce_unless_muted(&parts);
            let clear = Timeout::new(NEWS_LIFETIME, || set_parts(NEWS, &[]));
            this.news_timer.replace(Some(clear));
        }));
    }
}

/// Adds an entry with the time of day at the top of the activity log.
fn add_activity(parts: &[Part]) {
    let document = document();
    let Some(list) = document.get_element_by_id(ACTIVITY) else { return };
    let (Ok(entry), Ok(time)) = (document.create_element("li"), document.create_element("time"))
    else {
        return;
    };
    time.set_text_content(Some(&time_of_day()));
    let words = document.create_element("p");
    // It can't fail: both elements are new.
    let _ = entry.append_child(&time);
    if let Ok(words) = words {
        append_parts(&words, parts);
        let _ = entry.append_child(&words);
    }
    let _ = list.insert_before(&entry, list.first_child().as_ref());
    if list.child_element_count() > MOST_ACTIVITY_ENTRIES
        && let Some(oldest) = list.last_element_child()
    {
        oldest.remove();
    }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and the browser's clock is after 1970"
)]
fn time_of_day() -> String {
    clock_time((js_sys::Date::now() / 1_000.0) as u64)
}

/// Replaces the content of the element with this id.
fn set_parts(id: &str, parts: &[Part]) {
    if let Some(region) = document().get_element_by_id(id) {
        region.set_text_content(None);
        append_parts(&region, parts);
    }
}

/// Appends the parts to an element; names are isolated in a `<bdi>`.
fn append_parts(region: &Element, parts: &[Part]) {
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
