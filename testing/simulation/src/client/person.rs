//! A person: one browser on one machine, the state that its pages share, and what it expects.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use app::{client::RemovalNote, presence::UserId};
use tokio::sync::mpsc::UnboundedSender;

use crate::{client::command::Command, sync::lock};

/// A person: one browser on one machine, in one room.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) number: usize,
    pub(crate) room: usize,
    pub(crate) user_id: UserId,
    /// A third-party client, which sends no tab id.
    pub(crate) is_third_party: bool,
    state: Mutex<PersonState>,
}

/// The mutable state of a person.
#[derive(Debug)]
pub(crate) struct PersonState {
    pub(crate) network: NetworkConditions,
    pub(crate) pages: BTreeMap<u64, PageHandle>,
    pub(crate) expected: Expected,
    /// What is asked for now may be executed in another order.
    pub(crate) is_uncertain: bool,
    /// What all pages of the browser know of the removal of their row.
    pub(crate) absence: Option<RemovalNote>,
}

/// The condition of a machine's network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NetworkConditions {
    pub(crate) latency: Duration,
    pub(crate) jitter: Duration,
    pub(crate) capacity: usize,
    pub(crate) is_offline: bool,
}

/// A handle of a page.
pub(crate) struct PageHandle {
    pub(crate) commands: UnboundedSender<Command>,
    /// Whether all its requests have been answered.
    pub(crate) is_idle: bool,
}

impl fmt::Debug for PageHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.is_idle { "idle" } else { "busy" })
    }
}

/// What is expected at the end, as far as it is determined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// No page asked for a row.
    Nothing,
    /// This page asked for a row, and none has revoked it.
    Listed { by: u64 },
    /// This page revoked it.
    Unlisted { by: u64 },
    /// Undetermined: two requests crossed, or the page that asked is gone.
    Either,
}

impl Person {
    pub(crate) fn new(
        number: usize,
        room: usize,
        user_id: UserId,
        is_third_party: bool,
        network: NetworkConditions,
    ) -> Self {
        let state = PersonState {
            network,
            pages: BTreeMap::new(),
            expected: Expected::Nothing,
            is_uncertain: false,
            absence: None,
        };
        Self { number, room, user_id, is_third_party, state: Mutex::new(state) }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, PersonState> {
        lock(&self.state)
    }

    /// Shares the removal of a row with all pages, and notifies the other ones.
    pub(crate) fn note_absence(&self, page: u64, absence: Option<RemovalNote>) {
        let mut state = self.state();
        if state.absence == absence {
            return;
        }
        state.absence = absence;
        for (_, other) in state.pages.iter().filter(|(other, _)| **other != page) {
            // Sending to a page that has ended fails, which is fine.
            let _ = other.commands.send(Command::SyncEnvironment);
        }
    }

    /// A page asks for a row.
    pub(crate) fn on_join(&self, page: u64) {
        let mut state = self.state();
        let is_clear = state.is_clear(page);
        state.expected = if is_clear { Expected::Listed { by: page } } else { Expected::Either };
    }

    /// A page revokes the row.
    pub(crate) fn on_leave(&self, page: u64) {
        let mut state = self.state();
        let is_clear = state.is_clear(page);
        state.expected = if is_clear { Expected::Unlisted { by: page } } else { Expected::Either };
    }

    /// A page renames the row, which may cross a leave of another page.
    pub(crate) fn on_rename(&self) {
        let mut state = self.state();
        if let Expected::Unlisted { .. } = state.expected {
            state.expected = Expected::Either;
        }
    }

    /// The operator removed the row. A page that does not know it yet may ask for it again.
    pub(crate) fn on_removed(&self) {
        self.state().expected = Expected::Either;
    }

    /// A page was refused a row, or a fault may have met what it asked for.
    pub(crate) fn doubt(&self) {
        let mut state = self.state();
        if state.expected != Expected::Nothing {
            state.expected = Expected::Either;
        }
    }

    /// A page has ended; `is_done` is whether the server has done what it asked for.
    pub(crate) fn on_page_closed(&self, page: u64, is_done: bool) {
        let mut state = self.state();
        match state.expected {
            Expected::Listed { by } if by == page => state.expected = Expected::Either,
            Expected::Unlisted { by } if by == page && !is_done => {
                state.expected = Expected::Either;
            }
            _ => {}
        }
    }
}

impl PersonState {
    fn is_clear(&self, page: u64) -> bool {
        let others_are_idle =
            self.pages.iter().all(|(other, handle)| *other == page || handle.is_idle);
        others_are_idle && !self.is_uncertain
    }
}
