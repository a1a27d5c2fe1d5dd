//! What the visitor sees of the line to the server.

use std::{cell::Cell, rc::Rc};

use leptos::prelude::*;

use super::{
    announcer::Announcer, focus_restore, list_renderer::ListRenderer, server_clock::Clock, storage,
};
use crate::{
    client::{
        Replica,
        removal::RemovalNote,
        session::{Outcome, Unlisted},
    },
    presence::{DepartureReason, Name, RoomName, ServerEvent},
    state::{
        connection_status::{ConnectionStatus, Loss},
        page_state::PageState,
    },
    text::strings,
};

/// How often the rows are told the time, in milliseconds.
const ROWS_HEAR_THE_TIME: u64 = 10_000;
/// A list of so many is drawn only so often: each time costs a look at every row.
const LONG_LIST: usize = 500;
/// How long to wait at least between two drawings of a long list, in milliseconds.
const MIN_RENDER_INTERVAL: u64 = 100;
/// How many times as long as a drawing takes the page does something else, on a machine that is slow or busy.
const THROTTLE_FACTOR: u64 = 9;
/// How old what is shown of a long list gets at most, in milliseconds.
const LONGEST_REST: u64 = 1_000;
/// What happened in a shorter loss is told like any other news, in milliseconds.
const SHORTEST_ABSENCE: u64 = 5_000;

/// Puts onto the board what the server says, and how things stand with the connection.
pub(super) struct Renderer {
    page_state: PageState,
    room: RoomName,
    clock: Clock,
    announcer: Rc<Announcer>,
    list_renderer: ListRenderer,
    /// When the list was drawn last.
    drawn_at: Cell<u64>,
    /// How long that took, in milliseconds.
    render_duration: Cell<u64>,
    /// The list has changed since.
    needs_render: Cell<bool>,
}

impl Renderer {
    /// Shows nothing new yet.
    pub(super) fn new(page_state: PageState, room: RoomName) -> Self {
        let clock = Clock::default();
        // Until the server says what time it is, the page does.
        clock.set(page_state.displayed_now());
        Self {
            page_state,
            room,
            clock,
            announcer: Announcer::new(page_state),
            list_renderer: ListRenderer::new(page_state),
            drawn_at: Cell::default(),
            render_duration: Cell::default(),
            needs_render: Cell::default(),
        }
    }

    /// What the server's clock says, in milliseconds since the Unix epoch.
    pub(super) fn now(&self) -> u64 {
        self.clock.now()
    }

    /// Sets the clock by a frame that tells the time.
    pub(super) fn read_clock(&self, event: &ServerEvent) {
        let now = match event {
            ServerEvent::ExistingUsers(list) => list.now,
            ServerEvent::Resumed(resumed) => resumed.now,
            ServerEvent::Beat(beat) => beat.now,
            _ => return,
        };
        self.clock.set(now);
    }

    /// Shows the time that passes.
    pub(super) fn set_now(&self) {
        let now = self.now();
        match self.connection() {
            ConnectionStatus::Lost(_) => self.page_state.moment.set(now),
            // While the list stands still, so does the time that it tells.
            connection => {
                let told = self.page_state.displayed_now();
                if connection.is_live() && now.abs_diff(told) >= ROWS_HEAR_THE_TIME {
                    self.page_state.set_now(now);
                }
            }
        }
    }

    /// Shows what a frame led to; `connection` is what it is if the list is live.
    pub(super) fn show(&self, replica: &Replica, outcome: Outcome, connection: ConnectionStatus) {
        if outcome.is_changed {
            let since = self.now().abs_diff(self.drawn_at.get());
            if replica.count() < LONG_LIST || since >= self.render_interval() {
                self.render(replica);
            } else {
                self.needs_render.set(true);
            }
        } else if outcome.is_live && !self.list_renderer.is_all_alive() {
            // What can't be seen has time until the page is no longer busy with becoming live.
            self.needs_render.set(true);
        }
        let was_absent = outcome.is_catching_up && self.removal() >= SHORTEST_ABSENCE;
        if let Some(unloaded) = outcome.was_unlisted {
            self.show_departure_notice(unloaded);
        }
        if let Some(refusal) = outcome.refusal {
            let sentence = Some(refusal.message.into_owned());
            self.page_state.ui.update(|ui| ui.refusal = sentence);
        }
        if outcome.is_live {
            self.live(connection);
        } else if self.connection().is_live() {
            self.connect(ConnectionStatus::Doubtful);
        }
        // After what was said of the connection: only the last words are heard.
        if was_absent {
            self.announcer.tell_what_was_missed(outcome.arrived, outcome.departed);
        } else {
            self.announcer.record(outcome.arrived, outcome.departed);
        }
    }

    /// The list is the server's list.
    pub(super) fn live(&self, new: ConnectionStatus) {
        let old = self.connection();
        if old == new {
            return;
        }
        if let ConnectionStatus::Lost(_) = old {
            Announcer::announce_now(strings::CONNECTED_AGAIN);
            focus_restore::restore_focus();
        }
        self.connect(new);
        self.page_state.set_now(self.now());
    }

    /// The list was right until then, and the next attempt is due at that time, or was begun.
    pub(super) fn lost(&self, right_until: u64, try_at: Option<u64>) {
        let old = self.connection();
        let list_as_of = match old {
            ConnectionStatus::Starting => self.page_state.displayed_now(),
            ConnectionStatus::Lost(loss) => loss.list_as_of,
            _ => right_until,
        };
        let loss = Loss { list_as_of, try_at, is_offline: is_offline() };
        if !matches!(old, ConnectionStatus::Lost(old) if old.is_offline == loss.is_offline) {
            Announcer::announce_now(loss.headline());
        }
        self.page_state.moment.set(self.now());
        self.connect(ConnectionStatus::Lost(loss));
    }

    /// How things stand with the connection, as the visitor sees it.
    pub(super) fn connection(&self) -> ConnectionStatus {
        self.page_state.ui.with_untracked(|ui| ui.connection)
    }

    /// What was said of an end is no news any more.
    pub(super) fn forget_departure_notice(&self) {
        self.page_state.ui.update(|ui| ui.departure_notice = None);
    }

    /// The list has changed since it was drawn.
    pub(super) fn needs_render(&self) -> bool {
        self.needs_render.get()
    }

    /// How long to wait between two drawings of a long list, in milliseconds.
    pub(super) fn render_interval(&self) -> u64 {
        let rest = self.render_duration.get().saturating_mul(THROTTLE_FACTOR);
        rest.clamp(MIN_RENDER_INTERVAL, LONGEST_REST)
    }

    /// What of the list can be seen may be something else by now. Answers whether some of it is yet to come.
    pub(super) fn update_viewport(&self, replica: &Replica) -> bool {
        self.list_renderer.update_viewport(replica);
        self.list_renderer.is_unfinished()
    }

    /// The visitor wants another order, or looks for somebody: shown the next time that they look.
    pub(super) fn arrange(&self, replica: &Replica) {
        self.list_renderer.arrange(replica);
    }

    /// Shows the list as it is now.
    pub(super) fn render(&self, replica: &Replica) {
        let begun = self.now();
        self.drawn_at.set(begun);
        self.needs_render.set(false);
        let old_name = self.your_name();
        self.list_renderer.render(replica);
        self.render_duration.set(self.now().abs_diff(begun));
        let name = self.your_name();
        if old_name == name {
            return;
        }
        self.page_state.ui.update(|ui| {
            // What was asked for has come true, or never will.
            ui.is_renaming = false;
            ui.refusal = None;
            if let Some(name) = name {
                storage::remember_name(name.as_str());
                ui.remembered_name = Some(name.to_string());
                ui.departure_notice = None;
            }
        });
    }

    fn show_departure_notice(&self, Unlisted { reason, end }: Unlisted) {
        let departure_notice = match reason {
            DepartureReason::Left => strings::YOU_LEFT_ELSEWHERE,
            DepartureReason::Removed => strings::YOU_WERE_REMOVED,
            // Another page of this person was the last that took part; this one only watched.
            DepartureReason::Closed | DepartureReason::Lost => return,
        };
        // Where they left, the page on which they did has noted it; they may have joined again by now.
        let known = storage::removal(&self.room);
        if reason == DepartureReason::Removed && RemovalNote::supersedes(&end, known.as_ref()) {
            storage::note_absence(&self.room, Some(&RemovalNote::Removed(end)));
        }
        self.page_state.ui.update(|ui| ui.departure_notice = Some(departure_notice));
    }

    fn your_name(&self) -> Option<Name> {
        self.page_state.people.with_untracked(|people| people.your_name.clone())
    }

    /// For how long the list has not been live, in milliseconds.
    fn removal(&self) -> u64 {
        match self.connection() {
            ConnectionStatus::Lost(loss) => self.now().saturating_sub(loss.list_as_of),
            _ => 0,
        }
    }

    fn connect(&self, connection: ConnectionStatus) {
        self.page_state.ui.update(|ui| ui.connection = connection);
    }
}

/// Whether the browser says that it has no network.
pub(super) fn is_offline() -> bool {
    !window().navigator().on_line()
}
