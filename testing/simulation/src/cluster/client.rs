//! A client of one server: a socket and its list, without a page and without a network.

use std::{
    sync::Arc,
    task::{Context, Waker},
    time::Duration,
};

use app::{
    client::{Progress, Replica},
    presence::{DepartureReason, Epoch, RoomName, ServerEvent, TabId, UserId},
};
use registry::{
    hub::{Accepted, Hub, Membership},
    presence::join::{JoinKind, JoinRequest},
    wake::wake_flags::WakeReasons,
};
use tokio::time::Instant;

use super::lists::Lists;

/// An answer within this time is the journal's; a later one only says that it took too long.
const PROMPT: Duration = Duration::from_millis(1_900);

/// Far more than what a client may have to read at once.
const MOST_BATCHES: u32 = 100;

/// The interval of beats, as in the server.
const BEAT: Duration = Duration::from_secs(10);

/// A socket, and the list that it leads to.
pub(super) struct Client {
    pub(super) person: usize,
    pub(super) room: usize,
    pub(super) server: usize,
    tab: TabId,
    membership: Membership,
    replica: Replica,
    /// The epoch of the list that it brought from another server, until this one has sent a whole list.
    brought: Option<Epoch>,
    /// When it asked for what is not answered yet.
    asked_at: Option<Instant>,
    is_following: bool,
    has_joined: bool,
    /// The doubts of its person when it asked to be listed; `None` if the request crossed a removal.
    doubts: Option<u64>,
    last_beat: Instant,
}

/// What became of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It is listed by what the journal says.
    Listed,
    /// What became of its request is not known, or it was refused.
    Uncertain,
    /// Its socket is closed by the server.
    Ended,
}

impl Client {
    pub(super) fn open(
        hub: &Arc<Hub>,
        (server, room, name): (usize, usize, &RoomName),
        (person, user_id): (usize, UserId),
        tab: TabId,
    ) -> Self {
        Self {
            person,
            room,
            server,
            tab,
            membership: hub.enter(name, user_id),
            replica: Replica::default(),
            brought: None,
            asked_at: None,
            is_following: false,
            has_joined: false,
            doubts: None,
            last_beat: Instant::now(),
        }
    }

    /// Goes on over another socket, with the list that it has.
    pub(super) fn move_to(
        self,
        server: usize,
        hub: &Arc<Hub>,
        name: &RoomName,
        user_id: UserId,
    ) -> Self {
        let Self { person, room, tab, membership, mut replica, .. } = self;
        drop(membership);
        replica.disconnected();
        let mut client = Self::open(hub, (server, room, name), (person, user_id), tab);
        client.brought = replica.position().map(|position| position.epoch.clone());
        client.replica = replica;
        client
    }

    pub(super) fn tab(&self) -> TabId {
        self.tab.clone()
    }

    pub(super) fn has_joined(&self) -> bool {
        self.has_joined
    }

    pub(super) fn doubts(&self) -> Option<u64> {
        self.doubts
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.asked_at.is_some()
    }

    /// Watches, as a page does before its visitor has a name. Whoever is waiting can't ask.
    pub(super) fn watch(&mut self) {
        if !self.is_following && !self.is_waiting() {
            let since = self.replica.position().cloned();
            self.is_following = self.membership.watch(since.as_ref()).is_ok();
        }
    }

    /// Asks to be listed. Returns what is known at once.
    pub(super) fn join(&mut self, name: &str, doubts: Option<u64>) -> Option<Change> {
        if self.is_waiting() {
            return None;
        }
        self.doubts = doubts;
        let kind = if self.is_following { JoinKind::Repeat } else { JoinKind::Opening };
        let since = self.replica.position().cloned().filter(|_| kind == JoinKind::Opening);
        let (name, tab) = (name.to_owned(), Some(self.tab()));
        let request = JoinRequest { name, tab, is_visible: true, kind, since };
        match self.membership.join(request) {
            Ok(Accepted::Pending) => self.asked_at = Some(Instant::now()),
            Ok(Accepted::Now) => return Some(self.accepted()),
            Err(_) => return Some(Change::Uncertain),
        }
        None
    }

    pub(super) fn rename(&mut self, name: &str) {
        if self.is_following
            && !self.is_waiting()
            && self.membership.rename(name) == Ok(Accepted::Pending)
        {
            self.asked_at = Some(Instant::now());
        }
    }

    /// Returns whether it did.
    pub(super) fn leave(&mut self) -> bool {
        let may_leave = self.is_following && !self.is_waiting();
        if may_leave {
            self.membership.leave();
        }
        may_leave
    }

    pub(super) fn set_visible(&mut self, is_visible: bool) {
        if self.is_following && !self.is_waiting() {
            self.membership.set_visible(is_visible);
        }
    }

    pub(super) fn resync(&mut self) {
        if self.is_following {
            self.membership.subscription_mut().resync();
        }
    }

    pub(super) fn close(mut self, reason: DepartureReason) {
        self.membership.departs_as(reason);
    }

    /// The person's row was removed on purpose.
    pub(super) fn note_removal(&mut self) {
        self.has_joined = false;
    }

    fn accepted(&mut self) -> Change {
        self.is_following = true;
        self.has_joined = true;
        Change::Listed
    }

    /// Reads what has arrived, and checks it.
    pub(super) fn read(&mut self, lists: &mut Lists) -> Result<Option<Change>, String> {
        let mut context = Context::from_waker(Waker::noop());
        let mut change = None;
        while let std::task::Poll::Ready(reasons) =
            self.membership.subscription().flags().poll(&mut context)
        {
            if reasons.contains(WakeReasons::REPLACED) || reasons.contains(WakeReasons::ROOM_CLOSED)
            {
                return Ok(Some(Change::Ended));
            }
        }
        if let Some(answer) = self.membership.take_answer() {
            let waited = self.asked_at.take().map(|asked_at| asked_at.elapsed());
            let is_join = answer.of == "got_a_new_user";
            change = match (answer.result, waited) {
                (Ok(()), Some(waited)) if is_join && waited < PROMPT => Some(self.accepted()),
                (Ok(()), _) => {
                    self.is_following = true;
                    is_join.then_some(Change::Uncertain)
                }
                (Err(_), _) => Some(Change::Uncertain),
            };
        }
        // As the connection does: nothing is sent before the first frame was accepted.
        let mut batches = 0;
        while self.is_following {
            batches += 1;
            if batches > MOST_BATCHES {
                return Err(format!("it never has read everything: {:?}", self.replica));
            }
            let batch = self.membership.subscription_mut().poll_updates();
            if batch.is_empty() {
                break;
            }
            for frame in batch {
                self.receive(frame.text(), lists)?;
            }
        }
        if self.is_following && BEAT <= self.last_beat.elapsed() {
            self.last_beat = Instant::now();
            if let Some(beat) = self.membership.subscription().beat() {
                self.receive(beat.text(), lists)?;
            }
        }
        Ok(change)
    }

    fn receive(&mut self, text: &str, lists: &mut Lists) -> Result<(), String> {
        let event: ServerEvent =
            serde_json::from_str(text).map_err(|error| format!("{error} in {text}"))?;
        match self.replica.receive(event) {
            Ok(Progress::Replaced) => self.brought = None,
            Ok(_) => {}
            // Numbers that the engine has lost may mean something else on another server, for a moment.
            Err(_) if self.brought.as_ref().is_some_and(|epoch| lists.has_fallen(epoch)) => {
                self.resync();
            }
            Err(gap) => return Err(format!("{gap:?} by {text}")),
        }
        match self.replica.position().filter(|_| self.replica.is_synced()) {
            Some(point) => lists.note(point, self.replica.roster().users()),
            None => Ok(()),
        }
    }

    /// Checks that its list is the server's.
    pub(super) fn check_final(&self, hub: &Hub, name: &RoomName) -> Result<(), String> {
        let list = hub.snapshot(name, None, usize::MAX);
        let position = self.replica.position();
        let is_same = position
            .is_some_and(|point| point.epoch == list.epoch && point.seq == list.seq)
            && self.replica.roster().users().eq(&list.users);
        if !self.is_following || is_same {
            return Ok(());
        }
        Err(format!("the list of a client differs: {:?} and {list:?}", self.replica))
    }
}
