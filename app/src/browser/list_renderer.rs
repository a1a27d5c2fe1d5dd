//! The list on the page: as much of it as can be seen, and nothing that shoves what is looked at.

use std::{
    cell::{Cell, RefCell},
    ops::Range,
};

use leptos::{prelude::*, wasm_bindgen::JsCast, web_sys::HtmlElement};

use crate::{
    client::Replica,
    list::{
        name_index::NameIndex,
        sort_filter::ListOptions,
        viewport::{VIRTUALIZE_ABOVE, Viewport},
    },
    presence::UserId,
    state::page_state::{PageState, People, VisibleSlice},
    view::member_list::ROSTER,
};

/// The gap between rows, as the style sheet has it, in pixels.
const GAP: usize = 8;

/// Puts as much of the list on the board as can be seen.
pub(super) struct ListRenderer {
    page_state: PageState,
    /// What is known of everyone's name.
    name_index: RefCell<NameIndex>,
    /// Everyone who is to be shown, in order.
    order: RefCell<Vec<UserId>>,
    /// What that order was made for.
    options: RefCell<ListOptions>,
    /// It is not quite that order: somebody looked at a row.
    is_order_pinned: Cell<bool>,
    /// What is in the page is in that order.
    is_shown: Cell<bool>,
    /// Which of them are in the page.
    rows: RefCell<Range<usize>>,
    sight: Cell<Option<Viewport>>,
    spacers: Cell<[usize; 2]>,
}

impl ListRenderer {
    /// Shows what the first HTML shows.
    pub(super) fn new(page_state: PageState) -> Self {
        Self {
            page_state,
            name_index: RefCell::default(),
            order: RefCell::default(),
            options: RefCell::default(),
            is_order_pinned: Cell::default(),
            is_shown: Cell::new(true),
            rows: RefCell::default(),
            sight: Cell::default(),
            spacers: Cell::default(),
        }
    }

    /// Shows the list as it is now.
    pub(super) fn render(&self, replica: &Replica) {
        if self.sight.get().is_none() {
            // The server may answer before the first frame: what is seen of the first HTML is not taken away.
            self.sight.set(measure());
        }
        self.arrange(replica);
        self.show(replica);
    }

    /// Puts the list in the order that is wanted now; it is shown the next time somebody looks.
    pub(super) fn arrange(&self, replica: &Replica) {
        let wanted = self.page_state.ui.with_untracked(|ui| ui.options.clone());
        let is_same = *self.options.borrow() == wanted;
        self.is_order_pinned.set(is_same && wanted.is_by_name && self.has_attention());
        let order = {
            let old = self.order.borrow();
            let mut name_index = self.name_index.borrow_mut();
            name_index.sync(replica.roster());
            wanted.arrange(&name_index, self.is_order_pinned.get().then_some(&old[..]))
        };
        self.order.replace(order);
        self.options.replace(wanted);
        self.is_shown.set(false);
    }

    /// Shows what can be seen by now, and puts in order what was held while somebody looked.
    pub(super) fn update_viewport(&self, replica: &Replica) {
        let sight = measure();
        self.sight.set(sight.or(self.sight.get()));
        let is_held_no_longer = self.is_order_pinned.get() && !self.has_attention();
        if is_held_no_longer || self.has_unhydrated_in_view() {
            self.render(replica);
        } else if self.is_unfinished() {
            self.show(replica);
        }
    }

    /// No row is in the page only as the first HTML brought it.
    pub(super) fn is_all_alive(&self) -> bool {
        self.page_state.people.with_untracked(People::is_fully_hydrated)
    }

    /// Somebody has scrolled to rows that were out of sight when the page came to life: they come to
    /// life before anybody can come or go, so that none of them is taken for an arrival.
    fn has_unhydrated_in_view(&self) -> bool {
        self.page_state.people.with_untracked(|people| {
            let is_as_it_came =
                |row| people.ids.get(row).is_some_and(|id| people.row(id).is_none());
            !people.is_fully_hydrated()
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
        let rows = self.page_state.people.with_untracked(|people| {
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
        let is_everyone_sought = self.options.borrow().query.is_empty();
        let found = if is_everyone_sought { replica.count() } else { order.len() };
        self.set_spacers(&rows, order.len());
        self.page_state.show(
            replica,
            &VisibleSlice {
                name_index: &self.name_index.borrow(),
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
            None => 0..total.min(VIRTUALIZE_ABOVE),
        }
    }

    fn set_spacers(&self, rows: &Range<usize>, total: usize) {
        let room = self.sight.get().map(|sight| sight.spacers(rows, total)).unwrap_or_default();
        if self.spacers.replace(room) != room
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
    fn has_attention(&self) -> bool {
        let is_pointed_at =
            || list().is_some_and(|list| list.matches(":hover").unwrap_or_default());
        self.sight.get().is_some_and(|sight| sight.scroll_top > 0) || is_pointed_at()
    }
}

/// Which of so many rows of the first HTML can be seen, or will be in a moment.
pub(super) fn rows_at_first(known: usize) -> Range<usize> {
    measure().map_or(0..known.min(VIRTUALIZE_ABOVE), |sight| sight.rows(known))
}

fn list() -> Option<HtmlElement> {
    document().get_element_by_id(ROSTER)?.dyn_into().ok()
}

/// What of the list can be seen; nothing is known before there is a row.
fn measure() -> Option<Viewport> {
    let list = list()?;
    // How large it is in the list, whatever its movement shows: a row that is being put on the board looks larger.
    let row: HtmlElement = list.first_element_child()?.dyn_into().ok()?;
    let row_width = whole(row.offset_width().into()) + GAP;
    let width = whole(list.client_width().into()) + GAP;
    Some(Viewport {
        // Half a row more, as both are rounded.
        columns: (width + row_width / 2) / row_width,
        line_height: whole(row.offset_height().into()) + GAP,
        scroll_top: whole(-list.get_bounding_client_rect().top()),
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
