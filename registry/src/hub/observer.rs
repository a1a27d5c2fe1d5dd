//! Who comes and goes in all rooms, for one reader that follows them all.
//!
//! A subscription keeps its room open, so a reader with one for each room would keep all rooms for ever. This one keeps a
//! position in each room's log, and ends with the room.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use app::presence::{DepartureReason, Epoch, RoomName, User, UserId};
use tokio::sync::Notify;

use super::{Hub, shared_room::SharedRoom};
use crate::presence::log::{Change, Log};

/// Follows who comes and goes in all rooms. It holds a position in each room's log, and nothing that grows.
#[derive(Debug, Default)]
pub struct Observer {
    /// The rooms with changes that were not read yet, each once, in the order in which they changed.
    changed: Mutex<VecDeque<Arc<SharedRoom>>>,
    wake: Notify,
}

/// What happened in a room since it was read before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedRoom {
    /// The room.
    pub room: RoomName,
    /// The epoch of all numbers.
    pub epoch: Epoch,
    /// What happened.
    pub changes: ObservedChanges,
}

/// Who came and went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObservedChanges {
    /// All of it, in order.
    All(Vec<ObservedChange>),
    /// The log no longer has all of it: the list says who is here.
    Incomplete,
}

/// Somebody came or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedChange {
    /// The `seq` of the one before; that at which the room was read first for the first one.
    pub from: u64,
    /// The position after it.
    pub seq: u64,
    /// How many rows the list has then.
    pub people: usize,
    /// What happened.
    pub kind: ObservedKind,
}

/// Whether somebody came or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObservedKind {
    /// A row was added.
    Joined(User),
    /// A row was removed.
    Departed {
        /// Whose.
        id: UserId,
        /// Why.
        reason: DepartureReason,
    },
}

/// What a room keeps for the observer.
#[derive(Debug)]
pub(super) struct ObservedState {
    name: RoomName,
    is_marked: AtomicBool,
    position: Mutex<ObservedPosition>,
}

#[derive(Debug)]
struct ObservedPosition {
    /// All changes up to here were read.
    read: u64,
    /// The last of them that was reported.
    reported: u64,
}

impl Hub {
    /// Begins to observe all rooms, from their present state on. There is one observer.
    ///
    /// Only a server alone can: rooms of several servers are followed by all of them.
    pub fn observe(&self) -> Arc<Observer> {
        let observer = Arc::clone(self.context.observer.get_or_init(Arc::default));
        for (name, room, ()) in self.rooms_with(|_| ()) {
            room.begin_observation(&name);
        }
        observer
    }
}

impl Observer {
    /// Waits until there is something to [`read`](Self::read).
    pub async fn changed(&self) {
        self.wake.notified().await;
    }

    /// What happened since the last call.
    pub fn read(&self) -> Vec<ObservedRoom> {
        let changed = std::mem::take(&mut *self.lock());
        changed.iter().filter_map(|room| room.read_observed()).collect()
    }

    /// A room has changed.
    pub(super) fn mark(&self, room: &Arc<SharedRoom>, state: &ObservedState) {
        if !state.is_marked.swap(true, Ordering::AcqRel) {
            self.lock().push_back(Arc::clone(room));
            self.wake.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<SharedRoom>>> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ObservedState {
    /// A room that is observed from the end of its log on.
    pub(super) fn new(name: RoomName, log: &Log) -> Self {
        let position = Mutex::new(ObservedPosition { read: log.seq(), reported: log.seq() });
        Self { name, is_marked: AtomicBool::new(false), position }
    }

    /// What happened since the last call. The room is locked: no change is missed, and none read twice.
    pub(super) fn read(&self, epoch: &Epoch, log: &Log, people: usize) -> Option<ObservedRoom> {
        self.is_marked.store(false, Ordering::Release);
        let mut position = self.position.lock().unwrap_or_else(PoisonError::into_inner);
        let changes = position.advance(log, people)?;
        Some(ObservedRoom { room: self.name.clone(), epoch: epoch.clone(), changes })
    }
}

impl ObservedPosition {
    /// What leads from here to the end of the log, at which the list has so many rows.
    fn advance(&mut self, log: &Log, people: usize) -> Option<ObservedChanges> {
        let from = std::mem::replace(&mut self.read, log.seq());
        let Some(changes) = log.changes_since(from) else {
            self.reported = self.read;
            return Some(ObservedChanges::Incomplete);
        };
        let kinds: Vec<(u64, ObservedKind)> = (from + 1..)
            .zip(changes)
            .filter_map(|(seq, change)| Some((seq, kind(change)?)))
            .collect();
        // The present number of people is known: that before the changes follows from them.
        let joined =
            kinds.iter().filter(|(_, kind)| matches!(kind, ObservedKind::Joined(_))).count();
        let mut people = (people + (kinds.len() - joined)).saturating_sub(joined);
        let reported: Vec<_> = kinds
            .into_iter()
            .map(|(seq, kind)| {
                people = match kind {
                    ObservedKind::Joined(_) => people + 1,
                    ObservedKind::Departed { .. } => people.saturating_sub(1),
                };
                let from = std::mem::replace(&mut self.reported, seq);
                ObservedChange { from, seq, people, kind }
            })
            .collect();
        (!reported.is_empty()).then_some(ObservedChanges::All(reported))
    }
}

fn kind(change: &Change) -> Option<ObservedKind> {
    match change {
        Change::Joined(user) => Some(ObservedKind::Joined(user.clone())),
        Change::Departed { id, reason } => {
            Some(ObservedKind::Departed { id: *id, reason: *reason })
        }
        Change::Renamed { .. } | Change::StateChanged { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use app::presence::RoomName;

    use super::*;
    use crate::{
        hub::Membership,
        presence::{
            join::{JoinKind, JoinRequest},
            room::RoomLimits,
        },
    };

    fn hub() -> Arc<Hub> {
        Hub::new(RoomLimits {
            most_people: 10_000,
            most_connections_per_person: 8,
            keep_attendance: None,
        })
    }

    fn room(name: &str) -> RoomName {
        name.parse().unwrap()
    }

    fn join(hub: &Arc<Hub>, room_name: &str, person: u128) -> Membership {
        let mut socket = hub.enter(&room(room_name), UserId::from_leading_bits(person << 100));
        let (name, kind) = (format!("Person {person}"), JoinKind::Opening);
        socket.join(JoinRequest { name, tab: None, is_visible: true, kind, since: None }).unwrap();
        socket
    }

    /// The steps as `(from, seq, people)`, those of joins with a plus.
    fn steps(observed: &ObservedRoom) -> Vec<(u64, u64, usize, bool)> {
        let ObservedChanges::All(changes) = &observed.changes else { panic!("{observed:?}") };
        let is_join = |change: &ObservedChange| matches!(change.kind, ObservedKind::Joined(_));
        changes.iter().map(|step| (step.from, step.seq, step.people, is_join(step))).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn all_rooms_are_followed_without_a_gap_and_without_being_kept() {
        let hub = hub();
        let early = join(&hub, "early", 1);
        let observer = hub.observe();
        // What was there before is not reported.
        assert_eq!(observer.read(), []);
        let mut ana = join(&hub, "team", 1);
        observer.changed().await;
        let bo = join(&hub, "team", 2);
        let read = observer.read();
        assert_eq!(read.len(), 1);
        assert_eq!(steps(&read[0]), [(0, 1, 1, true), (1, 2, 2, true)]);
        // A new name moves `seq`, and the next step begins at what was reported.
        ana.rename("Ann").unwrap();
        assert_eq!(observer.read(), []);
        ana.leave();
        let read = observer.read();
        assert_eq!(steps(&read[0]), [(2, 4, 1, false)]);
        drop((bo, early));
        tokio::time::sleep(Duration::from_secs(30)).await;
        let read = observer.read();
        let mut rooms: Vec<_> = read.iter().map(|read| read.room.as_str()).collect();
        rooms.sort_unstable();
        assert_eq!(rooms, ["early", "team"]);
        assert!(read.iter().all(|read| steps(read)[0].2 == 0), "{read:?}");
        drop(ana);
        tokio::time::sleep(Duration::from_mins(3)).await;
        hub.sweep();
        assert_eq!(hub.room_stats(), []);
        // The same name again is another room.
        let _again = join(&hub, "team", 3);
        let again = observer.read();
        assert_eq!(steps(&again[0]), [(0, 1, 1, true)]);
    }

    #[tokio::test(start_paused = true)]
    async fn observer_that_is_behind_the_log_is_told_so_once() {
        let hub = hub();
        let observer = hub.observe();
        let _ana = join(&hub, "team", 1);
        hub.find(&room("team")).unwrap().trim_log(0);
        let read = observer.read();
        assert_eq!(read[0].changes, ObservedChanges::Incomplete);
        let _bo = join(&hub, "team", 2);
        assert_eq!(steps(&observer.read()[0]), [(1, 2, 2, true)]);
    }

    #[tokio::test(start_paused = true)]
    async fn room_that_is_saved_for_the_next_process_tells_nothing_more() {
        let hub = hub();
        let observer = hub.observe();
        let mut ana = join(&hub, "team", 1);
        observer.read();
        hub.freeze();
        ana.leave();
        assert_eq!(observer.read(), []);
    }
}
