//! The id of this page instance: kept over a reload, new in a duplicated tab.

use std::cell::RefCell;

use super::{random::random_bytes, storage};
use crate::presence::TabId;

/// The id that distinguishes this page from its person's other pages.
///
/// Browsers copy `sessionStorage` when a tab is duplicated. So a page keeps its id in memory and
/// stores it only while it is unloaded, for the next page in the tab.
pub(super) struct Tab {
    id: RefCell<TabId>,
}

impl Tab {
    /// Takes the id that the previous page in this tab stored, or makes a new one.
    pub(super) fn claim() -> Self {
        let stored = storage::take_tab_id().and_then(|text| text.parse().ok());
        Self { id: RefCell::new(stored.unwrap_or_else(new_id)) }
    }

    /// The current id.
    pub(super) fn id(&self) -> TabId {
        self.id.borrow().clone()
    }

    /// Stores the id while the page is unloaded, for the next page in this tab.
    pub(super) fn release(&self) {
        storage::store_tab_id(self.id.borrow().as_str());
    }

    /// Deletes the stored id after the page was restored, so that a duplicated tab does not copy it.
    pub(super) fn reclaim() {
        storage::take_tab_id();
    }

    /// Makes a new id: another page has the same one.
    pub(super) fn regenerate(&self) {
        self.id.replace(new_id());
    }
}

/// An id of 96 random bits.
pub(super) fn new_id() -> TabId {
    TabId::from_random(random_bytes())
}
