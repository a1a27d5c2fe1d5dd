//! What one socket holds of a room.

use super::{Accepted, Answer, Subscription};
use crate::presence::{
    command::Command,
    join::{Join, JoinRequest},
    name_validation,
    request_error::RequestError,
    tab_key::ConnectionId,
};
use app::presence::{DepartureReason, Name, Since, UserId};

/// What one socket holds of a room. Dropping it ends the socket for the room, also when the socket's task
/// panics or is aborted.
#[derive(Debug)]
pub struct Membership {
    subscription: Subscription,
    user_id: UserId,
    /// The reason that the room records when the socket ends: lost, unless a better one is known.
    departure: DepartureReason,
}

impl Membership {
    pub(super) fn new(subscription: Subscription, user_id: UserId) -> Self {
        Self { subscription, user_id, departure: DepartureReason::Lost }
    }

    /// The socket is another person's. Only before a first frame is accepted, when the room knows nobody of it.
    pub fn identify(&mut self, user_id: UserId) {
        self.user_id = user_id;
        self.subscription.cursor.viewer = Some(user_id);
    }

    /// The socket ends by the server's decision, and its client is expected to come back: when this is dropped, the
    /// row waits as for a page that loads, and nobody sees anything meanwhile.
    pub fn departs_for_return(&mut self) {
        self.departure = DepartureReason::Closed;
        self.subscription.permit.room.note_page_load(self.user_id);
    }

    /// What the socket reads, and what wakes it.
    pub fn subscription(&self) -> &Subscription {
        &self.subscription
    }

    /// The same, to move its position.
    pub fn subscription_mut(&mut self) -> &mut Subscription {
        &mut self.subscription
    }

    /// Reads the room without being listed. The next [`Subscription::poll_updates`] returns the reply.
    pub fn watch(&mut self, since: Option<&Since>) -> Result<(), RequestError> {
        let Subscription { permit, connection, cursor, .. } = &mut self.subscription;
        permit.room.watch(self.user_id, *connection, since, cursor)
    }

    /// Lists the person, and reads the room. Once it is accepted, the next [`Subscription::poll_updates`] returns
    /// the reply.
    pub fn join(&mut self, mut request: JoinRequest) -> Result<Accepted, RequestError> {
        self.subscription.permit.check_new_row(self.user_id)?;
        let Subscription { permit, connection, cursor, .. } = &mut self.subscription;
        let (since, kind) = (request.since.take(), request.kind);
        let join = Join::from_request(request, *connection)?;
        permit.room.join(self.user_id, join, kind, since.as_ref(), cursor)
    }

    /// Changes the person's name and keeps the row.
    pub fn rename(&mut self, name: &str) -> Result<Accepted, RequestError> {
        let name = name_validation::validate(name)?;
        self.subscription.permit.room.rename(self.user_id, name, self.connection())
    }

    /// The answer to a request that was [`Accepted::Pending`], if there is one. A request that takes too long is
    /// answered as if it was executed; if it is refused in the end, there is a second answer.
    pub fn take_answer(&mut self) -> Option<Answer> {
        let Subscription { permit, connection, cursor, .. } = &mut self.subscription;
        permit.room.take_answer(*connection, cursor)
    }

    /// The name under which the person is listed, if no socket stands behind the row: it waits for one to come back.
    pub fn waiting_name(&self) -> Option<Name> {
        self.subscription.permit.room.waiting_name(self.user_id)
    }

    /// The name under which the person is listed, if they are.
    pub fn listed_name(&self) -> Option<Name> {
        self.subscription.permit.room.listed_name(self.user_id)
    }

    /// The position of the list of this moment: who begins there is sent only what changes from now on.
    pub fn list_position(&self) -> Since {
        self.subscription.permit.room.list_position()
    }

    /// The person.
    pub fn user_id(&self) -> UserId {
        self.user_id
    }

    /// Records that the page was hidden or shown.
    pub fn set_visible(&mut self, is_visible: bool) {
        self.subscription.permit.room.set_visible(self.user_id, self.connection(), is_visible);
    }

    /// Removes the person's row. The socket goes on reading.
    pub fn leave(&mut self) {
        let left = Command::RowRemoved { user_id: self.user_id, reason: DepartureReason::Left };
        self.subscription.permit.room.submit(left);
    }

    fn connection(&self) -> ConnectionId {
        self.subscription.connection
    }

    /// Sets the reason that the room records when this is dropped.
    pub fn departs_as(&mut self, departure: DepartureReason) {
        self.departure = departure;
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        if !self.subscription.is_closing() {
            self.subscription.permit.disconnect(self.user_id, self.connection(), self.departure);
        }
    }
}
