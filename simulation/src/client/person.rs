//! A person: one browser on one machine, what its pages share, and what it wants.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use app::{presence::UserId, ui::client::Absence};
use tokio::sync::mpsc::UnboundedSender;

use crate::client::command::Command;
use crate::sync::lock;

/// A person: one browser on one machine, in one room.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) number: usize,
    pub(crate) room: usize,
    pub(crate) who: UserId,
    /// A client of somebody else's making, which names no tab.
    pub(crate) is_foreign: bool,
    state: Mutex<PersonState>,
}

/// What changes of a person.
#[derive(Debug)]
pub(crate) struct PersonState {
    pub(crate) weather: Weather,
    pub(crate) pages: BTreeMap<u64, PageHandle>,
    pub(crate) wanted: Wanted,
    /// What all pages of a browser know of a row that was taken off the list.
    pub(crate) absence: Option<Absence>,
}

/// How the machine's network is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    pub(crate) latency: Duration,
    pub(crate) jitter: Duration,
    pub(crate) capacity: usize,
    pub(crate) is_offline: bool,
}

/// A page, as the others of its browser know it.
pub(crate) struct PageHandle {
    pub(crate) commands: UnboundedSender<Command>,
    /// Nothing that it asked for is still on its way.
    pub(crate) is_calm: bool,
}

impl fmt::Debug for PageHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.is_calm { "calm" } else { "busy" })
    }
}

/// What has to be true in the end, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
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
        who: UserId,
        is_foreign: bool,
        weather: Weather,
    ) -> Self {
        let state =
            PersonState { weather, pages: BTreeMap::new(), wanted: Wanted::Nothing, absence: None };
        Self { number, room, who, is_foreign, state: Mutex::new(state) }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, PersonState> {
        lock(&self.state)
    }

    /// Lets all pages know what became of a row that was taken off the list; the others hear of it.
    pub(crate) fn note_absence(&self, page: u64, absence: Option<Absence>) {
        let mut state = self.state();
        if state.absence == absence {
            return;
        }
        state.absence = absence;
        for (_, other) in state.pages.iter().filter(|(other, _)| **other != page) {
            // A page that is gone does not listen.
            let _ = other.commands.send(Command::LookAround);
        }
    }

    /// A page asks for a row.
    pub(crate) fn joins(&self, page: u64) {
        let mut state = self.state();
        let is_clear = state.others_are_calm(page);
        state.wanted = if is_clear { Wanted::Listed { by: page } } else { Wanted::Either };
    }

    /// A page takes the row back.
    pub(crate) fn leaves(&self, page: u64) {
        let mut state = self.state();
        let is_clear = state.others_are_calm(page);
        state.wanted = if is_clear { Wanted::Unlisted { by: page } } else { Wanted::Either };
    }

    /// A page gives the row another name, which may cross what takes it back.
    pub(crate) fn renames(&self) {
        let mut state = self.state();
        if let Wanted::Unlisted { .. } = state.wanted {
            state.wanted = Wanted::Either;
        }
    }

    /// Somebody else took the row away: whoever has not heard of it may ask for it again.
    pub(crate) fn is_removed(&self) {
        self.state().wanted = Wanted::Either;
    }

    /// A page ends; `is_done` is whether the server did what it asked.
    pub(crate) fn page_ends(&self, page: u64, is_done: bool) {
        let mut state = self.state();
        match state.wanted {
            Wanted::Listed { by } if by == page => state.wanted = Wanted::Either,
            Wanted::Unlisted { by } if by == page && !is_done => state.wanted = Wanted::Either,
            _ => {}
        }
    }
}

impl PersonState {
    fn others_are_calm(&self, page: u64) -> bool {
        self.pages.iter().all(|(other, handle)| *other == page || handle.is_calm)
    }
}
