//! What the visitor sees of the line to the server.

use std::{cell::Cell, rc::Rc};

use leptos::prelude::*;

use super::{
    announcer::Announcing, focus_restore, list_renderer::Listing, server_clock::Clock, storage,
};
use crate::{
    client::{
        Replica,
        removal::Absence,
        session::{Outcome, Unlisted},
    },
    presence::{DepartureReason, Name, RoomName, ServerEvent},
    state::{
        connection_status::{Connection, Loss},
        page_state::Board,
    },
    text::strings,
};

/// How often the rows are told the time, in milliseconds.
const ROWS_HEAR_THE_TIME: u64 = 10_000;
/// A list of so many is drawn only so often: each time costs a look at every row.
const LONG_LIST: usize = 500;
/// How long to wait at least between two drawings of a long list, in milliseconds.
const BETWEEN_DRAWINGS: u64 = 100;
/// How many times as long as a drawing takes the page does something else, on a machine that is slow or busy.
const REST_AFTER_A_DRAWING: u64 = 9;
/// How old what is shown of a long list gets at most, in milliseconds.
const LONGEST_REST: u64 = 1_000;
/// What happened in a shorter loss is told like any other news, in milliseconds.
const SHORTEST_ABSENCE: u64 = 5_000;

/// Puts onto the board what the server says, and how things stand with the connection.
pub(super) struct Display {
    board: Board,
    room: RoomName,
    clock: Clock,
    announcing: Rc<Announcing>,
    listing: Listing,
    /// When the list was drawn last.
    drawn_at: Cell<u64>,
    /// How long that took, in milliseconds.
    drawing_took: Cell<u64>,
    /// The list has changed since.
    owes_a_drawing: Cell<bool>,
}

impl Display {
    /// Shows nothing new yet.
    pub(super) fn new(board: Board, room: RoomName) -> Self {
        let clock = Clock::default();
        // Until the server says what time it is, the page does.
        clock.set(board.told_time());
        Self {
            board,
            room,
            clock,
            announcing: Announcing::new(board),
            listing: Listing::new(board),
            drawn_at: Cell::default(),
            drawing_took: Cell::default(),
            owes_a_drawing: Cell::default(),
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
    pub(super) fn tell_the_time(&self) {
        let now = self.now();
        match self.connection() {
            Connection::Lost(_) => self.board.moment.set(now),
            // While the list stands still, so does the time that it tells.
            connection => {
                let told = self.board.told_time();
                if connection.is_live() && now.abs_diff(told) >= ROWS_HEAR_THE_TIME {
                    self.board.tell_the_time(now);
                }
            }
        }
    }

    /// Shows what a frame led to; `connection` is what it is if the list is live.
    pub(super) fn show(&self, replica: &Replica, outcome: Outcome, connection: Connection) {
        if outcome.is_changed {
            let since = self.now().abs_diff(self.drawn_at.get());
            if replica.count() < LONG_LIST || since >= self.between_drawings() {
                self.draw(replica);
            } else {
                self.owes_a_drawing.set(true);
            }
        } else if outcome.is_live && !self.listing.is_all_alive() {
            // What can't be seen has time until the page is no longer busy with becoming live.
            self.owes_a_drawing.set(true);
        }
        let was_absent = outcome.is_catching_up && self.absence() >= SHORTEST_ABSENCE;
        if let Some(unlisted) = outcome.was_unlisted {
            self.say_farewell(unlisted);
        }
        if let Some(refusal) = outcome.refusal {
            let sentence = Some(refusal.message.into_owned());
            self.board.desk.update(|desk| desk.refusal = sentence);
        }
        if outcome.is_live {
            self.live(connection);
        } else if self.connection().is_live() {
            self.connect(Connection::Doubtful);
        }
        // After what was said of the connection: only the last words are heard.
        if was_absent {
            self.announcing.tell_what_was_missed(outcome.arrived, outcome.departed);
        } else {
            self.announcing.note(outcome.arrived, outcome.departed);
        }
    }

    /// The list is the server's list.
    pub(super) fn live(&self, new: Connection) {
        let old = self.connection();
        if old == new {
            return;
        }
        if let Connection::Lost(_) = old {
            Announcing::say(strings::CONNECTED_AGAIN);
            focus_restore::leave_the_banner();
        }
        self.connect(new);
        self.board.tell_the_time(self.now());
    }

    /// The list was right until then, and the next attempt is due at that time, or was begun.
    pub(super) fn lost(&self, right_until: u64, try_at: Option<u64>) {
        let old = self.connection();
        let list_as_of = match old {
            Connection::Starting => self.board.told_time(),
            Connection::Lost(loss) => loss.list_as_of,
            _ => right_until,
        };
        let loss = Loss { list_as_of, try_at, is_offline: is_offline() };
        if !matches!(old, Connection::Lost(old) if old.is_offline == loss.is_offline) {
            Announcing::say(loss.headline());
        }
        self.board.moment.set(self.now());
        self.connect(Connection::Lost(loss));
    }

    /// How things stand with the connection, as the visitor sees it.
    pub(super) fn connection(&self) -> Connection {
        self.board.desk.with_untracked(|desk| desk.connection)
    }

    /// What was said of an end is no news any more.
    pub(super) fn forget_farewell(&self) {
        self.board.desk.update(|desk| desk.farewell = None);
    }

    /// The list has changed since it was drawn.
    pub(super) fn owes_a_drawing(&self) -> bool {
        self.owes_a_drawing.get()
    }

    /// How long to wait between two drawings of a long list, in milliseconds.
    pub(super) fn between_drawings(&self) -> u64 {
        let rest = self.drawing_took.get().saturating_mul(REST_AFTER_A_DRAWING);
        rest.clamp(BETWEEN_DRAWINGS, LONGEST_REST)
    }

    /// What of the list can be seen may be something else by now. Answers whether some of it is yet to come.
    pub(super) fn look(&self, replica: &Replica) -> bool {
        self.listing.look(replica);
        self.listing.is_unfinished()
    }

    /// The visitor wants another order, or looks for somebody: shown the next time that they look.
    pub(super) fn arrange(&self, replica: &Replica) {
        self.listing.arrange(replica);
    }

    /// Shows the list as it is now.
    pub(super) fn draw(&self, replica: &Replica) {
        let begun = self.now();
        self.drawn_at.set(begun);
        self.owes_a_drawing.set(false);
        let old_name = self.your_name();
        self.listing.draw(replica);
        self.drawing_took.set(self.now().abs_diff(begun));
        let name = self.your_name();
        if old_name == name {
            return;
        }
        self.board.desk.update(|desk| {
            // What was asked for has come true, or never will.
            desk.is_renaming = false;
            desk.refusal = None;
            if let Some(name) = name {
                storage::remember_name(name.as_str());
                desk.remembered_name = Some(name.to_string());
                desk.farewell = None;
            }
        });
    }

    fn say_farewell(&self, Unlisted { reason, end }: Unlisted) {
        let farewell = match reason {
            DepartureReason::Left => strings::YOU_LEFT_ELSEWHERE,
            DepartureReason::Removed => strings::YOU_WERE_REMOVED,
            // Another page of this person was the last that took part; this one only watched.
            DepartureReason::Closed | DepartureReason::Lost => return,
        };
        // Where they left, the page on which they did has noted it; they may have joined again by now.
        let known = storage::absence(&self.room);
        if reason == DepartureReason::Removed && Absence::is_news(&end, known.as_ref()) {
            storage::note_absence(&self.room, Some(&Absence::Removed(end)));
        }
        self.board.desk.update(|desk| desk.farewell = Some(farewell));
    }

    fn your_name(&self) -> Option<Name> {
        self.board.people.with_untracked(|people| people.your_name.clone())
    }

    /// For how long the list has not been live, in milliseconds.
    fn absence(&self) -> u64 {
        match self.connection() {
            Connection::Lost(loss) => self.now().saturating_sub(loss.list_as_of),
            _ => 0,
        }
    }

    fn connect(&self, connection: Connection) {
        self.board.desk.update(|desk| desk.connection = connection);
    }
}

/// Whether the browser says that it has no network.
pub(super) fn is_offline() -> bool {
    !window().navigator().on_line()
}
