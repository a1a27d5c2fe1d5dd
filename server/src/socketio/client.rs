//! One client in one namespace: the loop between its queue and the room.
//!
//! It pulls: what the client is to be sent is computed from its position, when its queue has room for it. A slow client
//! costs its position and the update that is being sent, which it shares with others.

mod end;

use std::{sync::Arc, time::Duration};

use app::presence::{Name, Refusal, Since};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use self::end::End;
use super::{
    EngineSocket,
    feed::FeedHandle,
    list_pace::{ListPace, ListReason},
    outgoing::{Outgoing, Queue, QueueError},
    packet::{self, Namespace},
    payload,
    request::{self, UnknownEvent},
    session::{Incoming, NamespacePermit},
};
use crate::{
    lifecycle::graceful_shutdown::DrainGuard, room_access::Permission, telemetry::metrics::METRICS,
    websocket::protocol::Request,
};
use registry::{
    hub::{Accepted, Answer, Membership},
    presence::{
        join::{JoinKind, JoinRequest},
        name_validation,
        request_error::RequestError,
    },
    wake::wake_flags::WakeReasons,
};

/// So many events in a row that mean nothing end the session.
const MOST_BAD_EVENTS_IN_A_ROW: u8 = 3;

/// A client whose queue stays full for so long is disconnected: it comes back to a new list.
const LONGEST_FULL: Duration = Duration::from_secs(10);

/// How soon a full queue is tried again. The pause doubles up to the longest one.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// What a client is served with.
pub(super) struct Entered {
    pub(super) membership: Membership,
    pub(super) permission: Permission,
    pub(super) feed: FeedHandle,
    pub(super) guard: DrainGuard,
    pub(super) permit: NamespacePermit,
}

/// Serves a client that has entered, until it ends.
pub(super) async fn serve(
    socket: &Arc<EngineSocket>,
    namespace: &Namespace,
    requests: mpsc::Receiver<Incoming>,
    entered: Entered,
) {
    let Entered { membership, permission, feed, guard, permit } = entered;
    guard.notify(membership.subscription().flags());
    METRICS.sockets_opened.count();
    let mut client =
        Client::new(Arc::clone(socket), namespace.clone(), membership, permission, feed, requests);
    client.begin();
    let end = client.run(&guard).await;
    tracing::debug!(?end, "a client leaves a namespace");
    client.end(end, guard.close_delay()).await;
    drop(permit);
}

struct Client<Q> {
    socket: Arc<Q>,
    namespace: Namespace,
    outgoing: Outgoing,
    membership: Membership,
    permission: Permission,
    feed: FeedHandle,
    requests: mpsc::Receiver<Incoming>,
    /// A request that is under way between the servers.
    answering: Option<Answering>,
    /// The join with which the client begins is under way between the servers: it follows the room from this position.
    beginning: Option<Since>,
    /// A list that the client is to be sent.
    list: Option<ListRequest>,
    pace: ListPace,
    full: Option<Full>,
    is_room_closed: bool,
    bad_events_in_a_row: u8,
}

/// A request whose answer the client waits for.
#[derive(Debug)]
struct Answering {
    request: Answered,
    ack: Option<u64>,
}

/// A request that is answered when the servers have agreed.
#[derive(Debug)]
enum Answered {
    Join,
    Rename { name: String },
}

#[derive(Debug)]
struct ListRequest {
    due: Instant,
    /// The room's reply to a join comes first: the list has the own row then.
    is_after_reply: bool,
    acks: Vec<u64>,
}

/// The queue has no room.
#[derive(Clone, Copy, Debug)]
struct Full {
    since: Instant,
    pause: Duration,
    retry_at: Instant,
}

impl<Q: Queue> Client<Q> {
    fn new(
        socket: Arc<Q>,
        namespace: Namespace,
        membership: Membership,
        permission: Permission,
        feed: FeedHandle,
        requests: mpsc::Receiver<Incoming>,
    ) -> Self {
        Self {
            socket,
            namespace,
            outgoing: Outgoing::default(),
            membership,
            permission,
            feed,
            requests,
            answering: None,
            beginning: None,
            list: None,
            pace: ListPace::default(),
            full: None,
            is_room_closed: false,
            bad_events_in_a_row: 0,
        }
    }

    /// Follows the room from its present position. Somebody whose row waits is listed again under its name.
    fn begin(&mut self) {
        let position = self.membership.list_position();
        if self.permission.may_join()
            && let Some(name) = self.membership.waiting_name()
        {
            let name = self.permission.fixed_name().unwrap_or(&name);
            let request = JoinRequest {
                name: name.as_str().to_owned(),
                tab: None,
                is_visible: true,
                kind: JoinKind::Opening,
                since: Some(position.clone()),
            };
            match self.membership.join(request) {
                Ok(Accepted::Now) => return self.list_under_fixed_name(),
                // A further request now would take the place of this one, whose answer lets the client follow the room.
                Ok(Accepted::Pending) => return self.beginning = Some(position),
                Err(_) => {}
            }
        }
        self.follow_from(&position);
    }

    /// Follows the room unlisted.
    fn follow_from(&mut self, position: &Since) {
        if let Err(error) = self.membership.watch(Some(position)) {
            self.refuse(&error.to_refusal(None), None);
        }
    }

    async fn run(&mut self, guard: &DrainGuard) -> End {
        loop {
            if self.permission.ends_at().is_some_and(|ends_at| ends_at <= Instant::now()) {
                return End::TokenExpired;
            }
            if let Err(end) = self.send_pending() {
                return end;
            }
            let can_read = self.outgoing.is_empty()
                && self.answering.is_none()
                && self.beginning.is_none()
                && !self.list.as_ref().is_some_and(|list| list.is_after_reply);
            let deadline = self.deadline();
            tokio::select! {
                biased;
                reasons = self.membership.subscription_mut().woken() => {
                    if guard.is_closing() {
                        return End::Restart;
                    }
                    self.is_room_closed |= reasons.contains(WakeReasons::ROOM_CLOSED);
                    self.take_answer();
                }
                incoming = self.requests.recv(), if can_read => {
                    let Some(incoming) = incoming else { return End::Gone };
                    if let Err(end) = self.on_incoming(&incoming) {
                        return end;
                    }
                }
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {}
            }
        }
    }

    /// When there is something to do without being woken.
    fn deadline(&self) -> Option<Instant> {
        let work = match (&self.full, &self.list) {
            (Some(full), _) => Some(full.retry_at),
            (None, Some(list)) if !list.is_after_reply => {
                Some(list.due).filter(|due| Instant::now() < *due)
            }
            _ => None,
        };
        [work, self.permission.ends_at()].into_iter().flatten().min()
    }

    /// Sends what waits, then updates, then a list that is due, until nothing is left or the queue is full.
    fn send_pending(&mut self) -> Result<(), End> {
        loop {
            match self.outgoing.send_to(&*self.socket) {
                Ok(()) => self.full = None,
                Err(QueueError::Full) => return self.on_full(Instant::now()),
                Err(QueueError::Closed) => return Err(End::Gone),
            }
            let batch = self.membership.subscription_mut().poll_updates();
            if !batch.is_empty() {
                let position = self.membership.subscription().position();
                let translated = self.feed.translate(&batch, position.as_ref());
                if translated.is_reply
                    && let Some(list) = &mut self.list
                {
                    list.is_after_reply = false;
                }
                self.outgoing.add_update(translated.packets);
                continue;
            }
            if self.is_room_closed {
                return Err(End::RoomClosed);
            }
            if !self.send_list() {
                return Ok(());
            }
        }
    }

    fn on_full(&mut self, now: Instant) -> Result<(), End> {
        let full = match self.full {
            None => Full { since: now, pause: FIRST_PAUSE, retry_at: now + FIRST_PAUSE },
            Some(full) if now < full.retry_at => full,
            Some(Full { since, pause, .. }) => {
                let pause = (2 * pause).min(LONGEST_PAUSE);
                Full { since, pause, retry_at: now + pause }
            }
        };
        self.full = Some(full);
        if now < full.since + LONGEST_FULL { Ok(()) } else { Err(End::Slow) }
    }

    /// Adds a list that is due, with the answers to those who asked for it.
    fn send_list(&mut self) -> bool {
        let now = Instant::now();
        let is_due = self.list.as_ref().is_some_and(|list| !list.is_after_reply && list.due <= now);
        let position = is_due.then(|| self.membership.subscription().position()).flatten();
        let Some(packet) = position.and_then(|position| self.feed.list_at(&position)) else {
            return false;
        };
        let Some(list) = self.list.take() else { return false };
        self.pace.on_sent(now);
        self.outgoing.push(packet);
        for ack in list.acks {
            self.accept(ack, None);
        }
        true
    }

    fn on_incoming(&mut self, incoming: &Incoming) -> Result<(), End> {
        let Incoming { data, ack, is_too_fast } = incoming;
        let request = request::parse(data);
        if *is_too_fast {
            let of = request.as_ref().map_or_else(|unknown| unknown.of, |it| Some(it.event()));
            self.refuse(&RequestError::TooFast.to_refusal(of), *ack);
            return Ok(());
        }
        match request {
            Ok(request) => {
                self.bad_events_in_a_row = 0;
                self.on_request(request, *ack);
            }
            Err(unknown) => {
                self.bad_events_in_a_row += 1;
                if self.bad_events_in_a_row >= MOST_BAD_EVENTS_IN_A_ROW {
                    return Err(End::BadEvents);
                }
                let UnknownEvent { of } = unknown;
                let message = unknown.to_string().into();
                let refusal = Refusal { message, ..RequestError::BadFrame.to_refusal(of) };
                self.refuse(&refusal, *ack);
            }
        }
        Ok(())
    }

    fn on_request(&mut self, request: Request, ack: Option<u64>) {
        let of = Some(request.event());
        let request = match self.permission.permit(request) {
            Ok(request) => request,
            Err(error) => return self.refuse(&error.to_refusal(of), ack),
        };
        let (outcome, answered) = match request {
            // No event of Socket.IO is one.
            Request::RefreshToken { .. } => {
                return self.refuse(&RequestError::BadFrame.to_refusal(of), ack);
            }
            Request::Watch { .. } => return self.request_list(ListReason::Answer, false, ack),
            Request::Resync => return self.request_list(ListReason::Resync, false, ack),
            Request::Join(request) => (self.membership.join(request), Answered::Join),
            Request::Rename { name } => (self.membership.rename(&name), Answered::Rename { name }),
            Request::SetVisible { is_visible } => {
                self.membership.set_visible(is_visible);
                return self.accept_if_asked(ack, None);
            }
            Request::Leave => {
                self.membership.leave();
                return self.accept_if_asked(ack, None);
            }
        };
        let answering = Answering { request: answered, ack };
        match outcome {
            Ok(Accepted::Now) => self.on_accepted(answering),
            Ok(Accepted::Pending) => self.answering = Some(answering),
            Err(error) => self.refuse(&error.to_refusal(of), ack),
        }
    }

    fn on_accepted(&mut self, Answering { request, ack }: Answering) {
        match request {
            Answered::Join => {
                self.list_under_fixed_name();
                self.request_list(ListReason::Answer, true, ack);
            }
            Answered::Rename { name } => {
                let name = name_validation::validate(&name).ok();
                self.accept_if_asked(ack, name.as_ref().map(Name::as_str));
            }
        }
    }

    /// A request was under way. It may be refused after it was answered, if that took too long.
    fn take_answer(&mut self) {
        let Some(Answer { of, result }) = self.membership.take_answer() else { return };
        let (answering, beginning) = (self.answering.take(), self.beginning.take());
        match (result, answering, beginning) {
            (Ok(()), Some(answering), _) => self.on_accepted(answering),
            (Ok(()), None, Some(_)) => self.list_under_fixed_name(),
            (Ok(()), None, None) => {}
            // Nobody has asked for it.
            (Err(_), None, Some(position)) => self.follow_from(&position),
            (Err(error), answering, _) => {
                let ack = answering.and_then(|answering| answering.ack);
                self.refuse(&error.to_refusal(Some(of)), ack);
            }
        }
    }

    /// The name of a token counts, whatever the row was called before.
    fn list_under_fixed_name(&mut self) {
        let Some(name) = self.permission.fixed_name() else { return };
        if self.membership.listed_name().is_some_and(|listed| listed != *name) {
            // In a cluster the answer comes later, and nobody waits for it.
            let _ = self.membership.rename(name.as_str());
        }
    }

    fn request_list(&mut self, reason: ListReason, is_after_reply: bool, ack: Option<u64>) {
        let due = self.pace.next(reason, Instant::now());
        let list = self.list.get_or_insert(ListRequest { due, is_after_reply, acks: Vec::new() });
        list.due = list.due.min(due);
        list.is_after_reply |= is_after_reply;
        list.acks.extend(ack);
    }

    fn accept_if_asked(&mut self, ack: Option<u64>, name: Option<&str>) {
        if let Some(ack) = ack {
            self.accept(ack, name);
        }
    }

    /// Acknowledges a request. The name is that on the list, unless another one is accepted already.
    fn accept(&mut self, ack: u64, name: Option<&str>) {
        let you = self.membership.user_id();
        let (listed, count) = self.feed.summary(you);
        let name = name.or_else(|| listed.as_ref().map(Name::as_str));
        let accepted = payload::Accepted::new(you, name, count);
        self.outgoing.push(packet::acknowledgement(&self.namespace, ack, &accepted));
    }

    fn refuse(&mut self, refusal: &Refusal, ack: Option<u64>) {
        METRICS.refusals.count();
        self.outgoing.push(match ack {
            Some(ack) => {
                packet::acknowledgement(&self.namespace, ack, &payload::Refused::new(refusal))
            }
            None => packet::event(&self.namespace, &payload::refused(refusal)),
        });
    }
}

#[cfg(test)]
mod tests;
