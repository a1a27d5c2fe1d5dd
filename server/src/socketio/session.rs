//! One session of Engine.IO: who it is, its namespaces, and what its client may send.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use app::presence::{CloseCode, DepartureReason};
use tokio::{sync::mpsc, time::Instant};

use super::packet::Namespace;
use crate::{
    admission::SocketPermit,
    identity::person_cookie::Person,
    websocket::budget::{FrameBudget, FrameLimits},
};

/// The most namespaces of one session.
pub(super) const MOST_NAMESPACES: usize = 8;

/// Requests that wait in a namespace. The frame allowance lets few more through at once.
const MOST_WAITING_REQUESTS: usize = 64;

/// Who begins a session, as its first request says. Engine.IO keeps it with that request.
#[derive(Debug)]
pub(super) struct Handshake {
    pub(super) client: IpAddr,
    pub(super) person: Person,
    /// The permit of the first namespace; the session has it while it is in none.
    permit: Mutex<Option<SocketPermit>>,
}

impl Handshake {
    pub(super) fn new(client: IpAddr, person: Person, permit: SocketPermit) -> Self {
        Self { client, person, permit: Mutex::new(Some(permit)) }
    }

    /// Takes the permit, if no namespace has it.
    pub(super) fn take_permit(&self) -> Option<SocketPermit> {
        self.permit.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// A namespace was left: the session keeps a permit, and needs only one.
    pub(super) fn return_permit(&self, permit: SocketPermit) {
        self.permit.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(permit);
    }
}

/// What is known of a session. It exists as long as the session.
#[derive(Debug, Default)]
pub(crate) struct Session(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    namespaces: Vec<Opened>,
    next_number: u32,
    has_been_in_namespace: bool,
    allowance: Option<Allowance>,
    /// The server ends the session for this reason, as metrics know it.
    closed_with: Option<CloseCode>,
    /// What others see of its end.
    ended: Option<DepartureReason>,
}

/// A namespace that is open.
#[derive(Debug)]
struct Opened {
    namespace: Namespace,
    /// Tells it from the same namespace that was closed before.
    number: NamespaceNumber,
    messages: mpsc::Sender<Incoming>,
}

/// Counts the namespaces that a session has opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NamespaceNumber(u32);

/// A message for a namespace: the JSON of an event, and the number of the acknowledgement that its client asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Incoming {
    pub(super) data: Box<str>,
    pub(super) ack: Option<u64>,
    pub(super) is_too_fast: bool,
}

/// Why a namespace was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum OpenError {
    #[error(
        "This connection is in {MOST_NAMESPACES} rooms already: leave one, or open another connection."
    )]
    TooMany,
    /// It is open: clients repeat their packets.
    #[error("The namespace is open already.")]
    Open,
    #[error("The session has ended.")]
    Ended,
}

/// Whether a message may be handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Allowed {
    Yes,
    /// The first one above the allowance: the client is told.
    TooFast,
    /// The client went on: the session is to be closed.
    No,
}

impl Session {
    /// Opens a namespace; the receiver gets its messages, until it ends.
    pub(super) fn open(
        &self,
        namespace: &Namespace,
    ) -> Result<(NamespaceNumber, mpsc::Receiver<Incoming>), OpenError> {
        let mut state = self.lock();
        if state.ended.is_some() {
            return Err(OpenError::Ended);
        }
        if state.namespaces.iter().any(|open| open.namespace == *namespace) {
            return Err(OpenError::Open);
        }
        if state.namespaces.len() >= MOST_NAMESPACES {
            return Err(OpenError::TooMany);
        }
        let (messages, receiver) = mpsc::channel(MOST_WAITING_REQUESTS);
        let number = NamespaceNumber(state.next_number);
        state.next_number = state.next_number.wrapping_add(1);
        state.namespaces.push(Opened { namespace: namespace.clone(), number, messages });
        Ok((number, receiver))
    }

    /// The client closes a namespace: its receiver ends.
    pub(super) fn close(&self, namespace: &Namespace) {
        self.lock().namespaces.retain(|open| open.namespace != *namespace);
    }

    /// The server has closed a namespace. The client may have opened it again meanwhile.
    pub(super) fn on_closed(&self, number: NamespaceNumber) {
        self.lock().namespaces.retain(|open| open.number != number);
    }

    /// A namespace was entered: the session has its first one in time.
    pub(super) fn on_entered(&self) {
        self.lock().has_been_in_namespace = true;
    }

    /// Whether a namespace was ever entered.
    pub(super) fn has_been_in_namespace(&self) -> bool {
        self.lock().has_been_in_namespace
    }

    /// Passes a message on to its namespace; false if too many wait there. One of an unknown namespace is ignored.
    pub(super) fn deliver(&self, namespace: &Namespace, incoming: Incoming) -> bool {
        let sender = {
            let state = self.lock();
            let open = state.namespaces.iter().find(|open| open.namespace == *namespace);
            open.map(|open| open.messages.clone())
        };
        let full = |error| matches!(error, mpsc::error::TrySendError::Full(_));
        sender.is_none_or(|sender| !sender.try_send(incoming).is_err_and(full))
    }

    /// The session has ended: so do its namespaces.
    pub(super) fn end(&self, reason: DepartureReason) {
        let mut state = self.lock();
        state.ended = Some(reason);
        state.namespaces = Vec::new();
    }

    /// The server is about to end the session.
    pub(super) fn on_close(&self, code: CloseCode) {
        self.lock().closed_with.get_or_insert(code);
    }

    /// The code with which the server ended the session, if it did.
    pub(super) fn closed_with(&self) -> Option<CloseCode> {
        self.lock().closed_with
    }

    /// Why a namespace ended whose messages have ended: it was closed by its client, or the session ended.
    pub(super) fn departure(&self) -> DepartureReason {
        self.lock().ended.unwrap_or(DepartureReason::Closed)
    }

    /// Counts a message.
    pub(super) fn count(&self, limits: FrameLimits) -> Allowed {
        let mut state = self.lock();
        state.allowance.get_or_insert_with(|| Allowance::new(limits)).count()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a client may still send, over all of its namespaces: as much as over a WebSocket of the protocol.
#[derive(Debug)]
struct Allowance {
    started: Instant,
    budget: FrameBudget,
    was_too_fast: bool,
}

impl Allowance {
    fn new(limits: FrameLimits) -> Self {
        let budget = FrameBudget::new(limits);
        Self { started: Instant::now(), budget, was_too_fast: false }
    }

    fn count(&mut self) -> Allowed {
        let since_start: Duration = self.started.elapsed();
        if self.budget.take(since_start) {
            self.was_too_fast = false;
            Allowed::Yes
        } else if std::mem::replace(&mut self.was_too_fast, true) {
            Allowed::No
        } else {
            Allowed::TooFast
        }
    }
}

/// What counts a namespace as a socket. The session takes it back.
#[derive(Debug)]
pub(super) struct NamespacePermit {
    handshake: Arc<Handshake>,
    permit: Option<SocketPermit>,
}

impl NamespacePermit {
    pub(super) fn new(handshake: Arc<Handshake>, permit: SocketPermit) -> Self {
        Self { handshake, permit: Some(permit) }
    }
}

impl Drop for NamespacePermit {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take() {
            self.handshake.return_permit(permit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incoming() -> Incoming {
        Incoming { data: "[]".into(), ack: None, is_too_fast: false }
    }

    fn room(name: &str) -> Namespace {
        Namespace::parse(&format!("/r/{name}")).unwrap()
    }

    #[tokio::test]
    async fn messages_reach_the_namespace_until_it_closes() {
        let session = Session::default();
        let (_, mut team) = session.open(&room("team")).unwrap();
        assert_eq!(session.open(&room("team")).unwrap_err(), OpenError::Open);
        assert!(session.deliver(&room("team"), incoming()));
        assert!(session.deliver(&room("other"), incoming()));
        assert_eq!(team.recv().await, Some(incoming()));
        session.close(&room("team"));
        assert_eq!(team.recv().await, None);
        assert_eq!(session.departure(), DepartureReason::Closed);
        // The end of the first one, which is noticed late, does not close the second.
        let (second, mut team) = session.open(&room("team")).unwrap();
        session.on_closed(NamespaceNumber(0));
        assert!(session.deliver(&room("team"), incoming()));
        assert_eq!(team.recv().await, Some(incoming()));
        session.on_closed(second);
        assert_eq!(team.recv().await, None);
    }

    #[tokio::test]
    async fn session_ends_all_of_its_namespaces() {
        let session = Session::default();
        let (_, mut team) = session.open(&room("team")).unwrap();
        session.end(DepartureReason::Lost);
        assert_eq!(team.recv().await, None);
        assert_eq!(session.departure(), DepartureReason::Lost);
        assert_eq!(session.open(&room("team")).unwrap_err(), OpenError::Ended);
    }

    #[test]
    fn session_has_at_most_eight_namespaces() {
        let session = Session::default();
        let opened: Vec<_> = (0..MOST_NAMESPACES)
            .map(|number| session.open(&room(&format!("r{number}"))).unwrap())
            .collect();
        assert_eq!(session.open(&Namespace::Lobby).unwrap_err(), OpenError::TooMany);
        session.close(&room("r3"));
        assert!(session.open(&Namespace::Lobby).is_ok());
        drop(opened);
    }

    #[tokio::test(start_paused = true)]
    async fn client_that_goes_on_above_its_allowance_is_closed() {
        let session = Session::default();
        let count = || session.count(FrameLimits::default());
        assert!((0..40).all(|_| count() == Allowed::Yes));
        assert_eq!([count(), count()], [Allowed::TooFast, Allowed::No]);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!((0..5).all(|_| count() == Allowed::Yes));
        assert_eq!(count(), Allowed::TooFast);
    }

    #[test]
    fn requests_of_one_namespace_that_wait_are_bounded() {
        let session = Session::default();
        let _team = session.open(&room("team")).unwrap();
        let delivered = (0..100).take_while(|_| session.deliver(&room("team"), incoming())).count();
        assert_eq!(delivered, MOST_WAITING_REQUESTS);
    }
}
