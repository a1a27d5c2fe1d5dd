//! A person: one browser on one machine, what its pages share, and what it wants.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use app::{client::RemovalNote, presence::UserId};
use tokio::sync::mpsc::UnboundedSender;

use crate::client::command::Command;
use crate::sync::lock;

/// A person: one browser on one machine, in one room.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) number: usize,
    pub(crate) room: usize,
    pub(crate) user_id: UserId,
    /// A client of somebody else's making, which names no tab.
    pub(crate) is_third_party: bool,
    state: Mutex<PersonState>,
}

/// What changes of a person.
#[derive(Debug)]
pub(crate) struct PersonState {
    pub(crate) network: NetworkConditions,
    pub(crate) pages: BTreeMap<u64, PageHandle>,
    pub(crate) expected: Expected,
    /// What all pages of a browser know of a row that was taken off the list.
    pub(crate) removal: Option<RemovalNote>,
}

/// How the machine's network is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NetworkConditions {
    pub(crate) latency: Duration,
    pub(crate) jitter: Duration,
    pub(crate) capacity: usize,
    pub(crate) is_offline: bool,
}

/// A page, as the others of its browser know it.
pub(crate) struct PageHandle {
    pub(crate) commands: UnboundedSender<Command>,
    /// Nothing that it asked for is still on its way.
    pub(crate) is_idle: bool,
}

impl fmt::Debug for PageHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.is_idle { "calm" } else { "busy" })
    }
}

/// What has to be true in the end, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Nobody asked for a row.
    Nothing,
    /// This page asked for a row, and nobody took it back.
    Listed { by: u64 },
    /// This page took it back.
    Unlisted { by: u64 },
    /// Two wishes crossed, or what asked is gone.
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
            removal: None,
        };
        Self { number, room, user_id, is_third_party, state: Mutex::new(state) }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, PersonState> {
        lock(&self.state)
    }

    /// Lets all pages know what became of a row that was taken off the list; the others hear of it.
    pub(crate) fn note_absence(&self, page: u64, removal: Option<RemovalNote>) {
        let mut state = self.state();
        if state.removal == removal {
            return;
        }
        state.removal = removal;
        for (_, other) in state.pages.iter().filter(|(other, _)| **other != page) {
            // A page that is gone does not listen.
            let _ = other.commands.send(Command::SyncEnvironment);
        }
    }

    /// A page asks for a row.
    pub(crate) fn on_join(&self, page: u64) {
        let mut state = self.state();
        let is_clear = state.others_are_idle(page);
        state.expected = if is_clear { Expected::Listed { by: page } } else { Expected::Either };
    }

    /// A page takes the row back.
    pub(crate) fn on_leave(&self, page: u64) {
        let mut state = self.state();
        let is_clear = state.others_are_idle(page);
        state.expected = if is_clear { Expected::Unlisted { by: page } } else { Expected::Either };
    }

    /// A page gives the row another name, which may cross what takes it back.
    pub(crate) fn on_rename(&self) {
        let mut state = self.state();
        if let Expected::Unlisted { .. } = state.expected {
            state.expected = Expected::Either;
        }
    }

    /// Somebody else took the row away: whoever has not heard of it may ask for it again.
    pub(crate) fn on_removed(&self) {
        self.state().expected = Expected::Either;
    }

    /// A page ends; `is_done` is whether the server did what it asked.
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
    fn others_are_idle(&self, page: u64) -> bool {
        self.pages.iter().all(|(other, handle)| *other == page || handle.is_idle)
    }
}
