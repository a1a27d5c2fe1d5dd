//! What the journal of a room says, and what follows from it for this server's sockets and requests.

use std::sync::{Arc, MutexGuard, atomic::Ordering};

use app::presence::{Epoch, Since};

use super::{Replicated, Reply, answers::AwaitedRequest};
use crate::{
    hub::{
        new_epoch,
        shared_room::{SharedRoom, State},
    },
    presence::{
        entry::Entry,
        members::Moment,
        room::{Room, RoomSnapshot},
        server_id::ServerId,
        tab_key::ConnectionId,
    },
    replication::{
        engine::{EntryTime, Founding, Opened, ROOM_LIFETIME, RunId},
        handle::ClusterRequest,
        replica::{Applied, OpenError, Received},
    },
    wake::wake_flags::WakeReasons,
};

/// What came of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Receipt {
    /// It was applied, or is known.
    Applied,
    /// It does not follow what is known, or what is known is wrong: the room has to be opened again.
    Gap,
}

impl SharedRoom {
    /// An entry has arrived.
    pub(crate) fn on_entry(self: &Arc<Self>, previous_nonce: u64, entry: Entry) -> Receipt {
        let now = self.moment();
        let mut state = self.lock();
        let before = ListPosition::of(&state.room);
        let State { room, replicated, .. } = &mut *state;
        let Some(replicated) = replicated else { return Receipt::Applied };
        let commands = u64::try_from(entry.batch.commands.len()).unwrap_or_default();
        let is_connected = |number| self.subscribers().contains(ConnectionId(u64::from(number)));
        match replicated.replica.receive(room, previous_nonce, entry, now, is_connected) {
            Received::Known => Receipt::Applied,
            Received::Gap => Receipt::Gap,
            Received::Applied(applied) => {
                let counters = replicated.cluster.stats();
                counters.entries.count();
                counters.commands.add(commands);
                if before.epoch != *room.epoch() {
                    counters.epoch_changes.count();
                }
                let is_wrong = replicated.replica.is_to_be_reloaded();
                self.follow_entries(state, &before, applied);
                if is_wrong { Receipt::Gap } else { Receipt::Applied }
            }
        }
    }

    /// The room was opened, for the first time or over another link.
    pub(crate) fn on_open(self: &Arc<Self>, opened: Opened, run: &RunId) -> Result<(), OpenError> {
        let now = self.moment();
        let mut state = self.lock();
        let before = ListPosition::of(&state.room);
        let State { room, replicated, .. } = &mut *state;
        let Some(replicated) = replicated else { return Ok(()) };
        let is_connected = |number| self.subscribers().contains(ConnectionId(u64::from(number)));
        let Replicated { replica, .. } = &mut **replicated;
        let applied = replica.open(room, opened, run, new_epoch, now, is_connected)?;
        replica.reconcile(room);
        state.next_wakeup = None;
        self.follow_entries(state, &before, applied);
        Ok(())
    }

    /// What to open the room with: how far it is known, and a state to found it with anew.
    pub(crate) fn founding(&self) -> Founding {
        let state = self.lock();
        let room = &state.room;
        let known = state.replicated.as_ref().filter(|known| known.replica.position().is_some());
        if let Some(replicated) = known {
            return replicated.replica.founding(room, new_epoch(), self.moment());
        }
        let empty = Room::new(room.limits(), new_epoch(), self.context.clocks.now());
        Founding {
            snapshot: RoomSnapshot::of(&empty),
            moment: Moment::ZERO,
            lifetime: ROOM_LIFETIME,
        }
    }

    /// Whether entries arrive.
    pub(crate) fn is_open(&self) -> bool {
        self.read_replica(|replica, _| replica.is_open()).unwrap_or_default()
    }

    /// The link is over.
    pub(crate) fn interrupt(&self) {
        if let Some(replicated) = &mut self.lock().replicated {
            replicated.replica.interrupt();
        }
    }

    /// This server goes on under another id.
    pub(crate) fn begin_incarnation(&self, server: ServerId) {
        let mut state = self.lock();
        let State { room, watchers, replicated, .. } = &mut *state;
        if let Some(replicated) = replicated {
            watchers.begin_incarnation(server);
            replicated.replica.begin_incarnation(room, server);
            replicated.request_append();
        }
    }

    /// The state to store in the engine, if the journal has grown enough.
    pub(crate) fn take_due_snapshot(&self) -> Option<(EntryTime, RoomSnapshot)> {
        let mut state = self.lock();
        let State { room, replicated, .. } = &mut *state;
        replicated.as_mut()?.replica.take_due_snapshot(room)
    }

    /// What entries mean for this server's sockets and requests.
    fn follow_entries(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State>,
        before: &ListPosition,
        applied: Applied<Reply>,
    ) {
        let Applied { replies, replaced, is_cleared, is_fenced, has_diverged } = applied;
        let State { watchers, replicated, .. } = &mut *state;
        let Some(replicated) = replicated else { return };
        self.set_present(replicated.replica.present(self.moment()));
        if has_diverged {
            replicated.cluster.stats().divergences.count();
            tracing::error!(
                "a list differs from that of another server, which is a fault of this program: please report it"
            );
        }
        let subscribers = self.subscribers();
        for number in replaced {
            subscribers.notify(ConnectionId(u64::from(number)), WakeReasons::REPLACED);
        }
        for (reply, outcome) in replies {
            match reply {
                Reply::Nobody => {}
                Reply::Operator(operator) => drop(operator.send(outcome)),
                Reply::Socket(connection) => {
                    let in_room = replicated.replica.connection(connection.number());
                    match replicated
                        .awaited
                        .get_mut(&connection)
                        .map(|awaited| &mut awaited.request)
                    {
                        Some(AwaitedRequest::Opening { user_id, since }) => {
                            // By now this server has all that any server issued before the client left it.
                            *since = since.take().filter(|since| before.has_issued(since));
                            if outcome.accepted().is_ok() {
                                watchers.remove(*user_id, in_room);
                            }
                        }
                        Some(AwaitedRequest::Repeat { user_id }) if outcome.accepted().is_ok() => {
                            watchers.remove(*user_id, in_room);
                        }
                        Some(AwaitedRequest::Repeat { .. } | AwaitedRequest::Rename) | None => {}
                    }
                    if replicated.answer(connection, outcome) {
                        subscribers.notify(connection, WakeReasons::REPLY);
                    }
                }
            }
        }
        drop(subscribers);
        if is_fenced {
            replicated.cluster.request(ClusterRequest::Fenced(replicated.cluster.server()));
        } else if !replicated.replica.is_idle() {
            replicated.request_append();
        }
        let announcement = self.follow_up(&mut state);
        if is_cleared {
            self.end_subscriptions(&mut state);
        }
        self.unlock_and_announce(state, announcement, None);
    }

    /// What readers are shown as the present: the room's, which no server's own clock decides.
    fn set_present(&self, present: Option<Moment>) {
        if let Some(present) = present {
            let origin = present.saturating_sub(self.moment()).as_millis();
            self.origin.store(u64::try_from(origin).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }
}

/// Where the list was before an entry.
struct ListPosition {
    epoch: Epoch,
    seq: u64,
}

impl ListPosition {
    fn of(room: &Room) -> Self {
        Self { epoch: room.epoch().clone(), seq: room.log().seq() }
    }

    fn has_issued(&self, since: &Since) -> bool {
        since.epoch == self.epoch && since.seq <= self.seq
    }
}
