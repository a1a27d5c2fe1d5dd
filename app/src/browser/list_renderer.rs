//! Renders the visible part of the list, without moving rows under the visitor's eyes or pointer.

use std::{
    cell::{Cell, RefCell},
    ops::Range,
};

use leptos::{prelude::*, wasm_bindgen::JsCast, web_sys::HtmlElement};

use super::document_state::is_kiosk;
use crate::{
    client::Replica,
    list::{
        name_index::NameIndex,
        sort_filter::{ListOptions, MOST_ON_WALL},
        virtual_scroll::Viewport,
    },
    presence::UserId,
    state::page_state::{PageState, People, VisibleSlice},
    view::member_list::ROSTER,
};

/// The gap between rows in pixels; the same as in the style sheet.
const GAP: usize = 6;

/// Chooses which rows are in the page, and in which order.
pub(super) struct ListRenderer {
    page_state: PageState,
    name_index: RefCell<NameIndex>,
    /// Everyone who matches the options, in order.
    order: RefCell<Vec<UserId>>,
    /// The options that `order` was made for.
    options: RefCell<ListOptions>,
    /// `order` deviates from the options: rows under attention kept their places.
    is_order_pinned: Cell<bool>,
    /// The rows in the page are in that order.
    is_order_rendered: Cell<bool>,
    /// The part of `order` that is in the page.
    rows: RefCell<Range<usize>>,
    viewport: Cell<Option<Viewport>>,
    spacers: Cell<[usize; 2]>,
}

impl ListRenderer {
    /// A renderer for the page as the first HTML shows it.
    pub(super) fn new(page_state: PageState) -> Self {
        Self {
            page_state,
            name_index: RefCell::default(),
            order: RefCell::default(),
            options: RefCell::default(),
            is_order_pinned: Cell::default(),
            is_order_rendered: Cell::new(true),
            rows: RefCell::default(),
            viewport: Cell::default(),
            spacers: Cell::default(),
        }
    }

    /// Sorts, filters and renders the list.
    pub(super) fn render(&self, replica: &Replica) {
        if self.viewport.get().is_none() {
            // The server may answer before the first animation frame; the visible rows must stay.
            self.viewport.set(measure_viewport());
        }
        self.arrange(replica);
        self.show(replica);
    }

    /// Sorts and filters the list by the current options; the next viewport update renders it.
    pub(super) fn arrange(&self, replica: &Replica) {
        let wanted = self.page_state.ui.with_untracked(|ui| ui.options.clone());
        let is_same = *self.options.borrow() == wanted;
        self.is_order_pinned.set(is_same && self.has_attention());
        if self.order.borrow().is_empty() {
            // The rows of the first HTML have places to keep as well.
            self.order.replace(self.page_state.people.with_untracked(|people| people.ids.clone()));
        }
        let order = {
            let old = self.order.borrow();
            let mut name_index = self.name_index.borrow_mut();
            name_index.sync(replica.roster());
            let pinned = self.is_order_pinned.get().then_some(&old[..]);
            wanted.arrange(&name_index, replica.you(), pinned)
        };
        self.order.replace(order);
        self.options.replace(wanted);
        self.is_order_rendered.set(false);
    }

    /// Whether somebody other than the visitor has this name, in any case and with any spaces.
    pub(super) fn has_other(&self, replica: &Replica, typed: &str) -> bool {
        let mut name_index = self.name_index.borrow_mut();
        name_index.sync(replica.roster());
        name_index.has_other(typed, replica.you())
    }

    /// Renders the rows that are visible now, and restores the order once nothing pins it.
    pub(super) fn update_viewport(&self, replica: &Replica) {
        let viewport = measure_viewport();
        self.viewport.set(viewport.or(self.viewport.get()));
        let must_unpin = self.is_order_pinned.get() && !self.has_attention();
        if must_unpin || self.has_unhydrated_in_view() {
            self.render(replica);
        } else if self.is_incomplete() {
            self.show(replica);
        }
    }

    /// Whether every row in the page is hydrated.
    pub(super) fn is_fully_hydrated(&self) -> bool {
        self.page_state.people.with_untracked(People::is_fully_hydrated)
    }

    /// Whether the visitor has scrolled to rows that are not hydrated yet. They are hydrated before the
    /// list changes, so that none of them is animated as an arrival.
    fn has_unhydrated_in_view(&self) -> bool {
        self.page_state.people.with_untracked(|people| {
            let is_unhydrated =
                |row| people.ids.get(row).is_some_and(|id| people.row(id).is_none());
            !people.is_fully_hydrated()
                && self
                    .viewport
                    .get()
                    .is_some_and(|viewport| viewport.rows(people.ids.len()).any(is_unhydrated))
        })
    }

    /// Whether visible rows are still missing from the page.
    pub(super) fn is_incomplete(&self) -> bool {
        !self.is_order_rendered.get() || self.visible_rows() != *self.rows.borrow()
    }

    fn show(&self, replica: &Replica) {
        let wanted = self.visible_rows();
        let order = self.order.borrow();
        let rows = self.page_state.people.with_untracked(|people| {
            let is_rendered = |row| {
                order
                    .get(row)
                    .is_some_and(|id| people.ids.contains(id) || replica.roster().get(id).is_none())
            };
            match self.viewport.get() {
                Some(viewport) => viewport.rows_for_one_frame(&wanted, is_rendered),
                None => wanted.clone(),
            }
        });
        let is_unfiltered = self.options.borrow().is_unfiltered();
        let found = if is_unfiltered { replica.count() } else { order.len() };
        self.set_spacers(&rows, order.len());
        self.page_state.show(
            replica,
            &VisibleSlice {
                name_index: &self.name_index.borrow(),
                order: &order,
                rows: rows.clone(),
                // A wall turns its pages, so a place in the order is no place in the list.
                is_whole: wanted.len() == found || is_kiosk(),
                found,
            },
        );
        self.rows.replace(rows);
        self.is_order_rendered.set(true);
    }

    fn visible_rows(&self) -> Range<usize> {
        let total = self.order.borrow().len();
        match self.viewport.get() {
            Some(viewport) => viewport.rows(total),
            None => 0..total.min(MOST_ON_WALL),
        }
    }

    fn set_spacers(&self, rows: &Range<usize>, total: usize) {
        let spacers =
            self.viewport.get().map(|viewport| viewport.spacers(rows, total)).unwrap_or_default();
        if self.spacers.replace(spacers) != spacers
            && let Some(list) = list()
        {
            let [before, after] = spacers.map(|pixels| pixels.to_string());
            // It can't fail: the name and the value are valid.
            let _ = list
                .style()
                .set_property("padding-block", &[&before, "px ", &after, "px"].concat());
        }
    }

    /// Whether the pointer is on the list, or the visitor has scrolled into it.
    fn has_attention(&self) -> bool {
        let is_pointed_at =
            || list().is_some_and(|list| list.matches(":hover").unwrap_or_default());
        self.viewport.get().is_some_and(|viewport| viewport.scroll_top > 0 || is_pointed_at())
    }

    /// Whether the visitor has scrolled into the list.
    pub(super) fn is_scrolled(&self) -> bool {
        self.viewport.get().is_some_and(|viewport| viewport.scroll_top > 0)
    }
}

/// Which of the first HTML's `total` rows are hydrated at once: those in and around the viewport.
pub(super) fn initial_rows(total: usize) -> Range<usize> {
    measure_viewport().map_or(0..total.min(MOST_ON_WALL), |viewport| viewport.rows(total))
}

fn list() -> Option<HtmlElement> {
    document().get_element_by_id(ROSTER)?.dyn_into().ok()
}

/// The visible part of the list; `None` while there is no row to measure, and on a wall.
fn measure_viewport() -> Option<Viewport> {
    if is_kiosk() {
        return None;
    }
    let list = list()?;
    // The layout size, without transforms: a row that is being animated in looks larger than it is.
    let row: HtmlElement = list.first_element_child()?.dyn_into().ok()?;
    let row_width = to_pixels(row.offset_width().into()) + GAP;
    let width = to_pixels(list.client_width().into()) + GAP;
    Some(Viewport {
        // Half a row is added since both widths are rounded.
        columns: (width + row_width / 2) / row_width,
        line_height: to_pixels(row.offset_height().into()) + GAP,
        scroll_top: to_pixels(-list.get_bounding_client_rect().top()),
        height: to_pixels(window().inner_height().ok()?.as_f64()?),
    })
}

/// A length in whole pixels; 0 if it is negative.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and no window is that large"
)]
fn to_pixels(length: f64) -> usize {
    length.round() as usize
}
