//! The rows that wait for their person to come back, counted for the address that the last socket came from.
//!
//! A row outlives its sockets for a grace period. Were it nobody's then, one address could fill rooms with people by
//! joining and breaking off again and again, whatever the number of its sockets.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use app::presence::UserId;

use super::client_address::{ClientAddress, release_one};
use crate::presence::{
    log::{Change, Log},
    room::Room,
    tab_key::ConnectionId,
};

/// So many rows may wait in the smallest room: a family reloads its pages at once.
const NEVER_TOO_MANY: usize = 4;

/// How many rows wait, by address and in all rooms of a hub.
#[derive(Debug, Default)]
pub(super) struct WaitingByAddress(Mutex<BTreeMap<ClientAddress, usize>>);

/// The rows of one room that wait.
#[derive(Debug)]
pub(super) struct WaitingRows {
    rows: BTreeMap<UserId, ClientAddress>,
    /// The rows that wait after this change of the room are known.
    seq: u64,
    in_all_rooms: Arc<WaitingByAddress>,
}

impl WaitingRows {
    /// None of a room that begins here.
    pub(super) fn new(in_all_rooms: Arc<WaitingByAddress>) -> Self {
        Self { rows: BTreeMap::new(), seq: 0, in_all_rooms }
    }

    /// A socket has ended, or will when the journal says so. Its row waits if no other socket stands behind it.
    pub(super) fn on_disconnect(
        &mut self,
        room: &Room,
        user_id: UserId,
        connection: ConnectionId,
        from: Option<ClientAddress>,
    ) {
        if let Some(from) = from
            && is_waiting(room, user_id, Some(connection))
        {
            self.remove(user_id);
            self.rows.insert(user_id, from);
            self.in_all_rooms.count(from);
        }
    }

    /// Whether an address has half of a room of so many people with its rows: a small room would be full with far fewer
    /// rows than an address may have in all.
    pub(super) fn are_half(&self, address: ClientAddress, most_people: usize) -> bool {
        let half = most_people.div_ceil(2).max(NEVER_TOO_MANY);
        // Most often there are few.
        self.rows.len() >= half
            && self.rows.values().filter(|from| **from == address).count() >= half
    }

    /// A person has come back.
    pub(super) fn remove(&mut self, user_id: UserId) {
        if let Some(from) = self.rows.remove(&user_id) {
            self.in_all_rooms.release(from);
        }
    }

    /// The room may have changed: rows that were removed wait no longer.
    pub(super) fn follow(&mut self, log: &Log) {
        let changes = log.seq().saturating_sub(std::mem::replace(&mut self.seq, log.seq()));
        if self.rows.is_empty() || changes == 0 {
            return;
        }
        let changes = usize::try_from(changes).unwrap_or(usize::MAX);
        for (_, change) in log.last_changes(changes) {
            if let Change::Departed { id, .. } = change {
                self.remove(*id);
            }
        }
    }

    /// The same for all rows at once: also for people who came back over another server, and after changes that the
    /// log no longer has.
    pub(super) fn compare(&mut self, room: &Room) {
        let back = self.rows.keys().filter(|user_id| !is_waiting(room, **user_id, None));
        for user_id in back.copied().collect::<Vec<_>>() {
            self.remove(user_id);
        }
    }
}

impl Drop for WaitingRows {
    fn drop(&mut self) {
        for from in std::mem::take(&mut self.rows).into_values() {
            self.in_all_rooms.release(from);
        }
    }
}

impl WaitingByAddress {
    /// Those of one address.
    pub(super) fn of(&self, address: ClientAddress) -> usize {
        self.lock().get(&address).copied().unwrap_or_default()
    }

    fn count(&self, address: ClientAddress) {
        *self.lock().entry(address).or_default() += 1;
    }

    fn release(&self, address: ClientAddress) {
        release_one(&mut self.lock(), address);
    }

    /// Locked after a room's state, or alone.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ClientAddress, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether there is a row without a socket, but for one that ends.
fn is_waiting(room: &Room, user_id: UserId, ending: Option<ConnectionId>) -> bool {
    room.roster().contains(&user_id) && !room.members().is_connected_besides(user_id, ending)
}
