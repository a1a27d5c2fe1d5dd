//! Shows what the connection delivers: the list, its status, refusals and announcements.

use std::{cell::Cell, rc::Rc};

use leptos::prelude::*;

use super::{
    announcer::Announcer, document_state::is_blocked, focus_restore, list_renderer::ListRenderer,
    server_clock::Clock, storage,
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
    text::{strings, texts::Text},
};

/// From this many rows on rendering is throttled: each time it visits every row.
const LONG_LIST: usize = 500;
/// The shortest interval between two renderings of a long list, in milliseconds.
const MIN_RENDER_INTERVAL: u64 = 100;
/// The interval as a multiple of the last rendering's duration: a slow machine spends at most a tenth of
/// its time on rendering.
const THROTTLE_FACTOR: u64 = 9;
/// The longest interval between two renderings, in milliseconds.
const MAX_RENDER_INTERVAL: u64 = 1_000;
/// After a shorter outage changes are announced as if they had just happened, in milliseconds.
const CATCH_UP_AFTER: u64 = 5_000;

/// Puts the server's list and the connection's status into the page's state.
pub(super) struct Renderer {
    page_state: PageState,
    room: RoomName,
    clock: Clock,
    announcer: Rc<Announcer>,
    list: ListRenderer,
    /// When the list was last rendered, in milliseconds on the server's clock.
    rendered_at: Cell<u64>,
    /// How long that took, in milliseconds.
    render_duration: Cell<u64>,
    /// The list has changed since the last rendering.
    needs_render: Cell<bool>,
    /// The list was live.
    was_live: Cell<bool>,
}

impl Renderer {
    /// A renderer for the page as the first HTML shows it.
    pub(super) fn new(page_state: PageState, room: RoomName) -> Self {
        let clock = Clock::default();
        // Until a frame tells the time, the first HTML's time counts.
        clock.set(page_state.now.get_untracked());
        Self {
            page_state,
            room,
            clock,
            announcer: Announcer::new(page_state),
            list: ListRenderer::new(page_state),
            rendered_at: Cell::default(),
            render_duration: Cell::default(),
            needs_render: Cell::default(),
            was_live: Cell::default(),
        }
    }

    /// The server's time, in milliseconds since the Unix epoch.
    pub(super) fn now(&self) -> u64 {
        self.clock.now()
    }

    /// Sets the clock from a frame that has the server's time.
    pub(super) fn read_clock(&self, event: &ServerEvent) {
        let now = match event {
            ServerEvent::ExistingUsers(list) => list.now,
            ServerEvent::Resumed(resumed) => resumed.now,
            ServerEvent::Beat(beat) => beat.now,
            _ => return,
        };
        self.clock.set(now);
    }

    /// Updates the displayed age of a list that is not live.
    pub(super) fn set_now(&self) {
        if let ConnectionStatus::Lost(_) = self.connection() {
            self.page_state.now.set(self.now());
        }
    }

    /// Shows the outcome of a frame; `connection` is the status to show if the list is live.
    pub(super) fn show(&self, replica: &Replica, outcome: Outcome, connection: ConnectionStatus) {
        // Before the list: a row that is gone without a notice was left by this page.
        if let Some(unlisted) = outcome.was_unlisted {
            self.show_departure_notice(unlisted);
        }
        if outcome.is_changed {
            let since = self.now().abs_diff(self.rendered_at.get());
            if replica.count() < LONG_LIST || since >= self.render_interval() {
                self.render(replica);
            } else {
                self.needs_render.set(true);
            }
        } else if outcome.is_live && !self.list.is_fully_hydrated() {
            // Rows out of view are hydrated later, when the page is less busy.
            self.needs_render.set(true);
        }
        let is_after_outage = outcome.is_catching_up && self.outage() >= CATCH_UP_AFTER;
        if let Some(refusal) = outcome.refusal {
            let sentence = Some(strings::refusal(refusal));
            self.page_state.ui.update(|ui| ui.refusal = sentence);
        }
        if outcome.is_live {
            self.live(connection);
        } else if self.connection().is_live() {
            self.set_connection(ConnectionStatus::Doubtful);
        }
        if self.list.is_scrolled() && !outcome.arrived.is_empty() {
            self.page_state.ui.update(|ui| ui.new_above += outcome.arrived.len());
        }
        Announcer::record_renames(outcome.renamed);
        // After the connection's announcement: a screen reader reads only the last one.
        if is_after_outage {
            self.announcer.announce_missed(outcome.arrived, outcome.departed);
        } else {
            self.announcer.record(outcome.arrived, outcome.departed);
        }
    }

    /// The list is live.
    pub(super) fn live(&self, new: ConnectionStatus) {
        let old = self.connection();
        if old == new {
            return;
        }
        let is_first = !self.was_live.replace(true);
        if let ConnectionStatus::Lost(_) = old {
            // A page for which no socket ever got through says instead why it only watches.
            if !(is_first && is_blocked()) {
                Announcer::announce_now(Text::ConnectedAgain.get());
            }
            focus_restore::restore_focus();
        }
        self.set_connection(new);
    }

    /// The connection is lost; the list was right until `right_until`, the next attempt starts at `try_at`.
    pub(super) fn lost(&self, right_until: u64, try_at: Option<u64>) {
        let old = self.connection();
        let list_as_of = match old {
            ConnectionStatus::Starting => self.page_state.now.get_untracked(),
            ConnectionStatus::Lost(loss) => loss.list_as_of,
            _ => right_until,
        };
        let loss = Loss { list_as_of, try_at, is_offline: is_offline() };
        if !matches!(old, ConnectionStatus::Lost(old) if old.is_offline == loss.is_offline) {
            Announcer::announce_now(loss.headline());
        }
        self.page_state.now.set(self.now());
        self.set_connection(ConnectionStatus::Lost(loss));
    }

    /// The connection's status as the page shows it.
    pub(super) fn connection(&self) -> ConnectionStatus {
        self.page_state.ui.with_untracked(|ui| ui.connection)
    }

    /// Removes the notice that says why this person is not listed any more.
    pub(super) fn clear_departure_notice(&self) {
        self.page_state.ui.update(|ui| ui.departure_notice = None);
    }

    /// Whether the list has changed since it was rendered.
    pub(super) fn needs_render(&self) -> bool {
        self.needs_render.get()
    }

    /// How long to wait between two renderings of a long list, in milliseconds.
    pub(super) fn render_interval(&self) -> u64 {
        let interval = self.render_duration.get().saturating_mul(THROTTLE_FACTOR);
        interval.clamp(MIN_RENDER_INTERVAL, MAX_RENDER_INTERVAL)
    }

    /// Renders the rows that are visible now, and returns whether some of them are still missing.
    pub(super) fn update_viewport(&self, replica: &Replica) -> bool {
        self.list.update_viewport(replica);
        if !self.list.is_scrolled() && self.page_state.ui.with_untracked(|ui| ui.new_above > 0) {
            self.page_state.ui.update(|ui| ui.new_above = 0);
        }
        self.list.is_incomplete()
    }

    /// Sorts and filters the list by the current options; the next viewport update renders it.
    pub(super) fn arrange(&self, replica: &Replica) {
        self.list.arrange(replica);
    }

    /// Shows whether somebody else in this list has this name.
    pub(super) fn check_name(&self, replica: &Replica, typed: &str) {
        let is_taken = self.list.has_other(replica, typed);
        if self.page_state.ui.with_untracked(|ui| ui.is_name_taken) != is_taken {
            self.page_state.ui.update(|ui| ui.is_name_taken = is_taken);
        }
    }

    /// Renders the list.
    pub(super) fn render(&self, replica: &Replica) {
        let started_at = self.now();
        self.rendered_at.set(started_at);
        self.needs_render.set(false);
        let old_name = self.own_name();
        self.list.render(replica);
        self.render_duration.set(self.now().abs_diff(started_at));
        let name = self.own_name();
        if old_name == name {
            return;
        }
        match (&old_name, &name) {
            (None, Some(_)) => Announcer::record_own(Text::YouJoined),
            (Some(_), None) if !self.has_departure_notice() => {
                Announcer::record_own(Text::YouLeft);
            }
            _ => {}
        }
        self.page_state.ui.update(|ui| {
            // The join, rename or leave is done, or the row is gone.
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
            DepartureReason::Left => Text::YouLeftInAnotherTab.get(),
            DepartureReason::Removed => Text::HostRemovedYou.get(),
            // Another tab of this person was the last one that was joined; this one only watched.
            DepartureReason::Closed | DepartureReason::Lost => return,
        };
        // A leave is noted by the tab in which the visitor left; they may have joined again since.
        let known = storage::removal_note(&self.room);
        if reason == DepartureReason::Removed && RemovalNote::supersedes(&end, known.as_ref()) {
            storage::set_removal_note(&self.room, Some(&RemovalNote::Removed(end)));
        }
        self.page_state.ui.update(|ui| ui.departure_notice = Some(departure_notice));
    }

    fn has_departure_notice(&self) -> bool {
        self.page_state.ui.with_untracked(|ui| ui.departure_notice.is_some())
    }

    fn own_name(&self) -> Option<Name> {
        self.page_state.people.with_untracked(|people| people.own_name.clone())
    }

    /// How long the list has not been live, in milliseconds.
    fn outage(&self) -> u64 {
        match self.connection() {
            ConnectionStatus::Lost(loss) => self.now().saturating_sub(loss.list_as_of),
            _ => 0,
        }
    }

    fn set_connection(&self, connection: ConnectionStatus) {
        self.page_state.ui.update(|ui| ui.connection = connection);
    }
}

/// Whether the browser reports that it has no network.
pub(super) fn is_offline() -> bool {
    !window().navigator().on_line()
}
