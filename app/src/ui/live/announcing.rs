//! Saying aloud who comes and goes, not more than about once a second.

use std::{cell::RefCell, rc::Rc};

use gloo_timers::callback::Timeout;
use leptos::prelude::*;

use super::super::{
    announcements::{Gathering, Part},
    announcer::ANNOUNCER,
    board::Board,
};
use crate::presence::{Name, UserId};

/// For how long news gather before they are said, in milliseconds.
const GATHERING_TIME: u32 = 1_000;

/// Gathers what happens, and puts it into the page's live region.
pub(super) struct Announcing {
    board: Board,
    gathering: RefCell<Gathering>,
    timer: RefCell<Option<Timeout>>,
}

impl Announcing {
    /// Says nothing yet.
    pub(super) fn new(board: Board) -> Rc<Self> {
        Rc::new(Self { board, gathering: RefCell::default(), timer: RefCell::default() })
    }

    /// Takes note of others who came and went.
    pub(super) fn note(
        self: &Rc<Self>,
        arrived: Vec<(UserId, Name)>,
        departed: Vec<(UserId, Name)>,
    ) {
        let you = self.board.people.with_untracked(|people| people.you);
        let mut gathering = self.gathering.borrow_mut();
        for (id, name) in departed.into_iter().filter(|(id, _)| Some(*id) != you) {
            gathering.left(id, name);
        }
        for (id, name) in arrived.into_iter().filter(|(id, _)| Some(*id) != you) {
            gathering.joined(id, name);
        }
        if !gathering.is_empty() {
            self.say_soon();
        }
    }

    /// Says something at once.
    pub(super) fn say(words: &str) {
        put(&[Part::Words(words.to_owned())]);
    }

    fn say_soon(self: &Rc<Self>) {
        let mut timer = self.timer.borrow_mut();
        if timer.is_some() {
            return;
        }
        // The same words twice in a row are heard twice only if they were gone in between.
        put(&[]);
        let this = Rc::clone(self);
        *timer = Some(Timeout::new(GATHERING_TIME, move || {
            this.timer.take();
            let gathering = this.gathering.take();
            put(&gathering.parts());
        }));
    }
}

/// Puts this into the region, in place of what was there.
fn put(parts: &[Part]) {
    let document = document();
    let Some(region) = document.get_element_by_id(ANNOUNCER) else { return };
    region.set_text_content(None);
    for part in parts {
        let (element, words) = match part {
            Part::Words(words) => ("span", words.as_str()),
            Part::Name(name) => ("bdi", name.as_str()),
        };
        if let Ok(element) = document.create_element(element) {
            element.set_text_content(Some(words));
            // An element that was just made can stand anywhere.
            let _ = region.append_child(&element);
        }
    }
}
