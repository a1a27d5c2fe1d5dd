//! How a reader begins: its position, its subscription and its pending reply, set under one lock.

use std::sync::Arc;

use app::presence::{Since, UserId};

use super::{SharedRoom, State, replicated::Accepted};
use crate::{
    hub::cursor::Cursor,
    presence::{
        command::{Command, Outcome},
        join::{Join, JoinKind},
        request_error::RequestError,
        room::Room,
        tab_key::ConnectionId,
    },
    wake::wake_flags::WakeReasons,
};

impl SharedRoom {
    /// A reader begins at `since` if the log covers it, else with the list.
    pub(in crate::hub) fn start_from(
        &self,
        connection: ConnectionId,
        since: Option<&Since>,
        cursor: &mut Cursor,
    ) {
        self.subscribe(&self.lock(), connection, since, cursor);
    }

    /// A socket watches: its person is not listed for it.
    pub(in crate::hub) fn watch(
        self: &Arc<Self>,
        user_id: UserId,
        connection: ConnectionId,
        since: Option<&Since>,
        cursor: &mut Cursor,
    ) -> Result<(), RequestError> {
        let mut state = self.lock();
        let in_room = state.in_room(connection);
        let State { room, watchers, .. } = &mut *state;
        let watching = watchers.watch(room, user_id, in_room);
        if watching.is_ok() && room.members().is_page_loading(user_id) {
            let now = self.context.clocks.now();
            state.submit_unanswered(Command::PageConnected { user_id }, now);
        }
        let announcement = self.follow_up(&mut state);
        if watching.is_ok() {
            self.subscribe(&state, connection, since, cursor);
        }
        self.unlock_and_announce(state, announcement, Some(connection));
        watching
    }

    /// A tab joins; the socket that had the tab until now is notified.
    pub(in crate::hub) fn join(
        self: &Arc<Self>,
        user_id: UserId,
        join: Join,
        kind: JoinKind,
        since: Option<&Since>,
        cursor: &mut Cursor,
    ) -> Result<Accepted, RequestError> {
        let connection = join.connection;
        let mut state = self.lock();
        if state.replicated.is_some() {
            return self.submit_join(&mut state, user_id, join, kind, since.cloned());
        }
        // Before the join itself moves `seq`: the number that it leads to was not sent to any client.
        let since = since.filter(|since| has_issued(&state.room, since));
        let outcome = self.announce(&mut state, user_id, join, kind);
        // If it is closing already, its id is not found.
        if let Outcome::Replaced(replaced) = outcome {
            self.subscribers().notify(replaced, WakeReasons::REPLACED);
        }
        let joined = outcome.accepted();
        let announcement = self.follow_up(&mut state);
        let new_subscriber = match (&joined, kind) {
            (Err(_), _) => None,
            (Ok(()), JoinKind::Opening) => {
                self.subscribe(&state, connection, since, cursor);
                Some(connection)
            }
            (Ok(()), JoinKind::Repeat) => {
                cursor.expect_reply(state.room.log().seq());
                None
            }
        };
        self.unlock_and_announce(state, announcement, new_subscriber);
        joined.map(|()| Accepted::Now)
    }

    fn announce(&self, state: &mut State, user_id: UserId, join: Join, kind: JoinKind) -> Outcome {
        let State { room, watchers, waiting_rows, .. } = state;
        let connection = join.connection;
        // The room counts only the sockets that it knows, and not who watches.
        if let Err(error) = watchers.check_join(room, user_id, connection, join.tab.as_ref()) {
            return Outcome::Refused(error);
        }
        let announced = Command::Announced { user_id, join, kind };
        let outcome = room.apply(announced, self.context.clocks.now());
        if outcome.accepted().is_ok() {
            watchers.remove(user_id, connection);
            waiting_rows.remove(user_id);
        }
        outcome
    }

    /// Sets position, subscription and pending reply while the state is locked: every later change comes
    /// after the position, and its broadcast wakes the subscriber.
    pub(super) fn subscribe(
        &self,
        state: &State,
        connection: ConnectionId,
        since: Option<&Since>,
        cursor: &mut Cursor,
    ) {
        let (epoch, log) = (state.room.epoch(), state.room.log());
        let since = since.filter(|since| since.epoch == *epoch && log.covers(since.seq));
        let generation = state.last_broadcast.generation;
        if *state.last_broadcast.epoch == *epoch {
            cursor.start(generation, since.map(|since| since.seq), log.seq());
        } else {
            // Until the epoch is broadcast, its numbers look like those of the last one.
            cursor.begin_generation(generation);
        }
        self.subscribers().activate(connection);
    }
}

/// Whether this position may have been sent to a client.
pub(super) fn has_issued(room: &Room, since: &Since) -> bool {
    since.epoch == *room.epoch() && since.seq <= room.log().seq()
}
