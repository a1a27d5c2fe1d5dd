//! Which page instance this is: the same after a reload, another one in a duplicated tab.

use std::cell::RefCell;

use super::{random::random_bytes, storage};
use crate::presence::TabId;

/// The name that this page goes by among its person's pages.
///
/// Browsers copy `sessionStorage` when a tab is duplicated. So a page keeps its name to itself
/// while it lives, and puts it there only when it goes, for the page that comes after it.
pub(super) struct Tab {
    id: RefCell<TabId>,
}

impl Tab {
    /// The name that the page before this one left, or a new one.
    pub(super) fn claim() -> Self {
        let left = storage::take_tab().and_then(|text| text.parse().ok());
        Self { id: RefCell::new(left.unwrap_or_else(new_id)) }
    }

    /// The name.
    pub(super) fn id(&self) -> TabId {
        self.id.borrow().clone()
    }

    /// The page goes: another one may take its place.
    pub(super) fn release(&self) {
        storage::leave_tab(self.id.borrow().as_str());
    }

    /// The page is back: what it left, or a page after it, is not for a copy of it to find.
    pub(super) fn reclaim() {
        storage::take_tab();
    }

    /// Somebody else goes by that name.
    pub(super) fn regenerate(&self) {
        self.id.replace(new_id());
    }
}

fn new_id() -> TabId {
    TabId::from_random(random_bytes())
}
