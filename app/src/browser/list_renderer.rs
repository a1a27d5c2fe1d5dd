//! The list on the page: as much of it as can be seen, and nothing that shoves what is looked at.

use std::{
    cell::{Cell, RefCell},
    ops::Range,
};

use leptos::{prelude::*, wasm_bindgen::JsCast, web_sys::HtmlElement};

use crate::{
    client::Replica,
    list::{
        name_index::Register,
        sort_filter::Arrangement,
        viewport::{SHOWN_WHOLE, Sight},
    },
    presence::UserId,
    state::page_state::{Board, Excerpt, People},
    view::member_list::ROSTER,
};

/// The gap between rows, as the style sheet has it, in pixels.
const GAP: usize = 8;

/// Puts as much of the list on the board as can be seen.
pub(super) struct Listing {
    board: Board,
    /// What is known of everyone's name.
    register: RefCell<Register>,
    /// Everyone who is to be shown, in order.
    order: RefCell<Vec<UserId>>,
    /// What that order was made for.
    arrangement: RefCell<Arrangement>,
    /// It is not quite that order: somebody looked at a row.
    is_held: Cell<bool>,
    /// What is in the page is in that order.
    is_shown: Cell<bool>,
    /// Which of them are in the page.
    rows: RefCell<Range<usize>>,
    sight: Cell<Option<Sight>>,
    room_around: Cell<[usize; 2]>,
}

impl Listing {
    /// Shows what the first HTML shows.
    pub(super) fn new(board: Board) -> Self {
        Self {
            board,
            register: RefCell::default(),
            order: RefCell::default(),
            arrangement: RefCell::default(),
            is_held: Cell::default(),
            is_shown: Cell::new(true),
            rows: RefCell::default(),
            sight: Cell::default(),
            room_around: Cell::default(),
        }
    }

    /// Shows the list as it is now.
    pub(super) fn draw(&self, replica: &Replica) {
        if self.sight.get().is_none() {
            // The server may answer before the first frame: what is seen of the first HTML is not taken away.
            self.sight.set(measure());
        }
        self.arrange(replica);
        self.show(replica);
    }

    /// Puts the list in the order that is wanted now; it is shown the next time somebody looks.
    pub(super) fn arrange(&self, replica: &Replica) {
        let wanted = self.board.desk.with_untracked(|desk| desk.arrangement.clone());
        let is_same = *self.arrangement.borrow() == wanted;
        self.is_held.set(is_same && wanted.is_by_name && self.is_looked_at());
        let order = {
            let old = self.order.borrow();
            let mut register = self.register.borrow_mut();
            register.follow(replica.roster());
            wanted.arrange(&register, self.is_held.get().then_some(&old[..]))
        };
        self.order.replace(order);
        self.arrangement.replace(wanted);
        self.is_shown.set(false);
    }

    /// Shows what can be seen by now, and puts in order what was held while somebody looked.
    pub(super) fn look(&self, replica: &Replica) {
        let sight = measure();
        self.sight.set(sight.or(self.sight.get()));
        let is_held_no_longer = self.is_held.get() && !self.is_looked_at();
        if is_held_no_longer || self.is_something_seen_as_it_came() {
            self.draw(replica);
        } else if self.is_unfinished() {
            self.show(replica);
        }
    }

    /// No row is in the page only as the first HTML brought it.
    pub(super) fn is_all_alive(&self) -> bool {
        self.board.people.with_untracked(People::are_all_alive)
    }

    /// Somebody has scrolled to rows that were out of sight when the page came to life: they come to
    /// life before anybody can come or go, so that none of them is taken for an arrival.
    fn is_something_seen_as_it_came(&self) -> bool {
        self.board.people.with_untracked(|people| {
            let is_as_it_came =
                |row| people.ids.get(row).is_some_and(|id| people.row(id).is_none());
            !people.are_all_alive()
                && self
                    .sight
                    .get()
                    .is_some_and(|sight| sight.rows(people.ids.len()).any(is_as_it_came))
        })
    }

    /// Not all of what can be seen is in the page yet.
    pub(super) fn is_unfinished(&self) -> bool {
        !self.is_shown.get() || self.rows_in_sight() != *self.rows.borrow()
    }

    fn show(&self, replica: &Replica) {
        let wanted = self.rows_in_sight();
        let order = self.order.borrow();
        let rows = self.board.people.with_untracked(|people| {
            let is_there = |row| {
                order
                    .get(row)
                    .is_some_and(|id| people.ids.contains(id) || replica.roster().get(id).is_none())
            };
            match self.sight.get() {
                Some(sight) => sight.rows_for_one_frame(&wanted, is_there),
                None => wanted.clone(),
            }
        });
        let is_everyone_sought = self.arrangement.borrow().sought.is_empty();
        let found = if is_everyone_sought { replica.count() } else { order.len() };
        self.make_room(&rows, order.len());
        self.board.show(
            replica,
            &Excerpt {
                register: &self.register.borrow(),
                order: &order,
                rows: rows.clone(),
                is_whole: wanted.len() == found,
                found,
            },
        );
        self.rows.replace(rows);
        self.is_shown.set(true);
    }

    fn rows_in_sight(&self) -> Range<usize> {
        let total = self.order.borrow().len();
        match self.sight.get() {
            Some(sight) => sight.rows(total),
            None => 0..total.min(SHOWN_WHOLE),
        }
    }

    fn make_room(&self, rows: &Range<usize>, total: usize) {
        let room = self.sight.get().map(|sight| sight.room_around(rows, total)).unwrap_or_default();
        if self.room_around.replace(room) != room
            && let Some(list) = list()
        {
            let [before, after] = room.map(|pixels| pixels.to_string());
            // The name and the value are valid.
            let _ = list
                .style()
                .set_property("padding-block", &[&before, "px ", &after, "px"].concat());
        }
    }

    /// The pointer is on the list, or the visitor has scrolled into it.
    fn is_looked_at(&self) -> bool {
        let is_pointed_at =
            || list().is_some_and(|list| list.matches(":hover").unwrap_or_default());
        self.sight.get().is_some_and(|sight| sight.above > 0) || is_pointed_at()
    }
}

/// Which of so many rows of the first HTML can be seen, or will be in a moment.
pub(super) fn rows_at_first(known: usize) -> Range<usize> {
    measure().map_or(0..known.min(SHOWN_WHOLE), |sight| sight.rows(known))
}

fn list() -> Option<HtmlElement> {
    document().get_element_by_id(ROSTER)?.dyn_into().ok()
}

/// What of the list can be seen; nothing is known before there is a row.
fn measure() -> Option<Sight> {
    let list = list()?;
    // How large it is in the list, whatever its movement shows: a row that is being put on the board looks larger.
    let row: HtmlElement = list.first_element_child()?.dyn_into().ok()?;
    let row_width = whole(row.offset_width().into()) + GAP;
    let width = whole(list.client_width().into()) + GAP;
    Some(Sight {
        // Half a row more, as both are rounded.
        columns: (width + row_width / 2) / row_width,
        line: whole(row.offset_height().into()) + GAP,
        above: whole(-list.get_bounding_client_rect().top()),
        height: whole(window().inner_height().ok()?.as_f64()?),
    })
}

/// A length in whole pixels; none where there is less than nothing.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float becomes the nearest number that there is, and no window is that large"
)]
fn whole(length: f64) -> usize {
    length.round() as usize
}
