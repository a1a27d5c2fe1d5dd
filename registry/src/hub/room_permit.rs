//! Permits of readers to be in a room: who gets one, and which room gives way for it.

use std::sync::Arc;

use app::presence::{DepartureReason, RoomName, UserId};

use super::{
    Hub, Membership, NoRoomError, Subscription,
    client_address::ClientAddress,
    room_pool::{Capacity, RoomPool, VacantRoom},
    shared_room::SharedRoom,
};
use crate::{
    presence::{request_error::RequestError, tab_key::ConnectionId},
    replication::handle::{ClusterRequest, OpenRequest},
};

/// How often a room is evicted for a reader, if others take what became free.
const MOST_ATTEMPTS: usize = 4;

/// Lets one reader into a room. It is counted, and keeps the room open, until it is dropped.
#[derive(Debug)]
pub struct RoomPermit {
    pub(super) hub: Arc<Hub>,
    pub(super) room: Arc<SharedRoom>,
    room_name: RoomName,
    /// Of a reader whose address is known.
    pub(super) from: Option<ClientAddress>,
}

impl RoomPermit {
    pub(super) fn new(
        hub: Arc<Hub>,
        room_name: RoomName,
        room: Arc<SharedRoom>,
        from: Option<ClientAddress>,
    ) -> Self {
        Self { hub, room, room_name, from }
    }

    /// A person's socket uses the permit.
    pub fn enter(self, user_id: UserId) -> Membership {
        Membership::new(self.subscribe(Some(user_id)), user_id)
    }

    /// A reader uses the permit. `viewer` is the reader's person.
    pub fn subscribe(self, viewer: Option<UserId>) -> Subscription {
        let connection = self.hub.next_connection();
        Subscription::new(self, connection, viewer)
    }

    /// Whether a person with this permit can be listed: is listed already, or the address has not made as many rows as it
    /// may. This is decided here and not in the room, because servers that share it each know their own sockets.
    pub(super) fn check_new_row(&self, user_id: UserId) -> Result<(), RequestError> {
        let Some((from, most)) = self.from.zip(self.hub.limits.most_rows_per_address) else {
            return Ok(());
        };
        let readers = self.hub.lock().readers_of(from);
        let rows = readers + self.hub.context.waiting_rows.of(from);
        let is_over = rows > most.get() || self.room.is_half_waiting(from);
        if is_over && !self.room.is_listed(user_id) {
            return Err(RequestError::TooManyFromAddress);
        }
        Ok(())
    }

    /// A person's socket with this permit has ended.
    pub(super) fn disconnect(
        &self,
        user_id: UserId,
        connection: ConnectionId,
        reason: DepartureReason,
    ) {
        self.room.disconnect(user_id, connection, reason, self.from);
    }
}

impl Hub {
    /// Lets a reader of this address into a room, if it exists or may be opened. The lobby always may.
    ///
    /// If there are as many rooms as there may be, one that nobody is in gives way, the one that has been without a
    /// reader for the longest time.
    pub fn admit(
        self: &Arc<Self>,
        room_name: &RoomName,
        from: ClientAddress,
    ) -> Result<RoomPermit, NoRoomError> {
        let mut refused = NoRoomError::TooManyRooms;
        // Others may take what became free.
        for _ in 0..MOST_ATTEMPTS {
            let candidates = {
                let mut rooms = self.lock();
                match rooms.capacity_for(room_name, from)? {
                    Capacity::Available => {
                        return Ok(self.permit(&mut rooms, room_name, Some(from)));
                    }
                    Capacity::AfterEviction(candidates, otherwise) => {
                        refused = otherwise;
                        candidates
                    }
                }
            };
            if !candidates.iter().any(|vacant| self.remove_if_empty(vacant)) {
                self.vacate(&candidates);
                break;
            }
        }
        Err(refused)
    }

    /// Whether [`Hub::admit`] would let a reader in, as far as is known: nothing gives way.
    pub fn would_admit(
        &self,
        room_name: &RoomName,
        from: ClientAddress,
    ) -> Result<(), NoRoomError> {
        self.lock().capacity_for(room_name, from).map(|_| ())
    }

    /// Lets a reader of no known address in, to whom no limit applies.
    pub(super) fn admit_unlimited(self: &Arc<Self>, room_name: &RoomName) -> RoomPermit {
        let mut rooms = self.lock();
        self.permit(&mut rooms, room_name, None)
    }

    /// One more reader of the room.
    fn permit(
        self: &Arc<Self>,
        rooms: &mut RoomPool<SharedRoom>,
        room_name: &RoomName,
        from: Option<ClientAddress>,
    ) -> RoomPermit {
        let room = rooms.enter(room_name, from, || {
            if let Some(cluster) = &self.context.cluster {
                // The task that opens it waits for the lock of all rooms until it is there.
                cluster.request(ClusterRequest::Open(OpenRequest::of(room_name.clone())));
            }
            self.new_room(room_name)
        });
        RoomPermit::new(Arc::clone(self), room_name.clone(), room, from)
    }

    /// The room gives way if nobody is in it. Returns whether it did.
    fn remove_if_empty(&self, vacant: &VacantRoom<SharedRoom>) -> bool {
        vacant.room.is_empty() && self.remove_unless_entered(vacant)
    }

    /// Rooms of several servers can't give way at once: this server has to leave them in the journal first.
    fn vacate(&self, candidates: &[VacantRoom<SharedRoom>]) {
        let Some(cluster) = &self.context.cluster else { return };
        for vacant in candidates {
            cluster.request(ClusterRequest::Vacate(vacant.name.clone()));
        }
    }
}

impl Drop for RoomPermit {
    fn drop(&mut self) {
        self.hub.close(&self.room_name, self.from);
    }
}
