//! Requests of sockets that are under way, and their answers.

use std::{sync::Arc, time::Duration};

use app::presence::{Since, UserId};
use tokio::time::Instant;

use super::{Replicated, Reply};
use crate::{
    hub::{
        cursor::Cursor,
        shared_room::{SharedRoom, State, subscribe::has_issued},
    },
    presence::{
        command::{Command, Outcome},
        join::{Join, JoinKind},
        request_error::RequestError,
        tab_key::ConnectionId,
    },
};

/// How long a client waits for its request to come back. Then it is answered as if it only watched, and its row
/// comes with the changes.
const REPLY_TIMEOUT: Duration = Duration::from_secs(2);

/// Whether a request has its answer at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It was executed.
    Now,
    /// It is under way. [`WakeReasons::REPLY`](crate::wake::wake_flags::WakeReasons::REPLY) says when there is an answer.
    Pending,
}

/// The answer to a request that was under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The `event` of the request.
    pub of: &'static str,
    /// Whether it was executed.
    pub result: Result<(), RequestError>,
}

#[derive(Debug)]
pub(super) struct Awaited {
    pub(super) request: AwaitedRequest,
    until: Instant,
    result: Option<Result<(), RequestError>>,
    /// The client was answered because it took too long.
    is_answered: bool,
}

#[derive(Debug)]
pub(super) enum AwaitedRequest {
    Opening {
        user_id: UserId,
        since: Option<Since>,
    },
    /// Perhaps of a socket that has only watched until now.
    Repeat {
        user_id: UserId,
    },
    Rename,
}

impl AwaitedRequest {
    fn event(&self) -> &'static str {
        match self {
            Self::Opening { .. } | Self::Repeat { .. } => "got_a_new_user",
            Self::Rename => "rename",
        }
    }
}

impl SharedRoom {
    /// A join that has to come back from the journal. `join` has the socket's own number.
    pub(in crate::hub::shared_room) fn submit_join(
        self: &Arc<Self>,
        state: &mut State,
        user_id: UserId,
        mut join: Join,
        kind: JoinKind,
        since: Option<Since>,
    ) -> Result<Accepted, RequestError> {
        let State { room, watchers, waiting_rows, replicated, .. } = state;
        let Some(replicated) = replicated else { return Ok(Accepted::Now) };
        let connection = join.connection;
        join.connection = replicated.in_room(connection);
        watchers.check_join(room, user_id, join.connection, join.tab.as_ref())?;
        waiting_rows.remove(user_id);
        replicated.await_answer(
            connection,
            match kind {
                JoinKind::Opening => AwaitedRequest::Opening { user_id, since },
                JoinKind::Repeat => AwaitedRequest::Repeat { user_id },
            },
        );
        let announced = Command::Announced { user_id, join, kind };
        replicated.submit(announced, Reply::Socket(connection));
        self.wake_for_timeout(connection);
        Ok(Accepted::Pending)
    }

    /// A new name that has to come back from the journal.
    pub(in crate::hub::shared_room) fn submit_rename(
        self: &Arc<Self>,
        replicated: &mut Replicated,
        connection: ConnectionId,
        renamed: Command,
    ) {
        replicated.await_answer(connection, AwaitedRequest::Rename);
        replicated.submit(renamed, Reply::Socket(connection));
        self.wake_for_timeout(connection);
    }

    fn wake_for_timeout(&self, connection: ConnectionId) {
        if let Some(flags) = self.subscribers().flags_of(connection) {
            self.context.timers.insert_at(&flags, Instant::now() + REPLY_TIMEOUT);
        }
    }

    /// The answer to a request that was under way, if there is one.
    pub(in crate::hub) fn take_answer(
        self: &Arc<Self>,
        connection: ConnectionId,
        cursor: &mut Cursor,
    ) -> Option<Answer> {
        let mut state = self.lock();
        let is_muted = state.is_muted();
        let replicated = state.replicated.as_mut()?;
        let awaited = replicated.awaited.get_mut(&connection)?;
        let of = awaited.request.event();
        let is_late = awaited.until <= Instant::now();
        let result = match awaited.result {
            Some(result) if is_late || !is_muted => result,
            None if is_late && !awaited.is_answered => Ok(()),
            _ => return None,
        };
        let was_answered = std::mem::replace(&mut awaited.is_answered, true);
        let is_final = awaited.result.is_some();
        let since = match &mut awaited.request {
            AwaitedRequest::Opening { since, .. } => Some(since.take()),
            AwaitedRequest::Repeat { .. } => None,
            AwaitedRequest::Rename => {
                if is_final {
                    replicated.awaited.remove(&connection);
                }
                return Some(Answer { of, result });
            }
        };
        if is_final {
            replicated.awaited.remove(&connection);
        }
        if result.is_ok() && !was_answered {
            match since {
                Some(since) => {
                    let since = since.filter(|since| has_issued(&state.room, since));
                    self.subscribe(&state, connection, since.as_ref(), cursor);
                }
                None => cursor.expect_reply(state.room.log().seq()),
            }
        }
        Some(Answer { of, result })
    }
}

impl Replicated {
    /// Whether a request of the socket is under way.
    pub(in crate::hub::shared_room) fn is_awaiting(&self, connection: ConnectionId) -> bool {
        self.awaited.contains_key(&connection)
    }

    fn await_answer(&mut self, connection: ConnectionId, request: AwaitedRequest) {
        let until = Instant::now() + REPLY_TIMEOUT;
        let awaited = Awaited { request, until, result: None, is_answered: false };
        self.awaited.insert(connection, awaited);
    }

    /// Says what came of a socket's request. Returns whether the socket is to be woken for it.
    pub(super) fn answer(&mut self, connection: ConnectionId, outcome: Outcome) -> bool {
        let Some(awaited) = self.awaited.get_mut(&connection) else { return false };
        awaited.result = Some(outcome.accepted());
        if awaited.is_answered && outcome.accepted().is_ok() {
            self.awaited.remove(&connection);
            return false;
        }
        true
    }
}
