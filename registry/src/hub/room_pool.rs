//! All rooms by name: who keeps each of them open, and which one gives way to a new one. Without I/O and time.
//!
//! A room without a reader stays for a while, for those who come back. If there are as many as there may be, the one
//! that has had no reader for the longest time gives way, unless somebody is on its list: so nobody can lock others out
//! with rooms that nobody is in. Rooms in which somebody is never give way, and one address has a share of them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, btree_map::Entry},
    sync::Arc,
};

use app::presence::RoomName;

use super::{
    client_address::{ClientAddress, release_one},
    limits::RoomPoolLimits,
};

/// As many rooms are examined for one that may give way: on the list of those without a reader for long there is
/// nobody any more.
const MOST_CANDIDATES: usize = 16;

/// All rooms by name.
#[derive(Debug)]
pub(super) struct RoomPool<Room> {
    limits: RoomPoolLimits,
    rooms: HashMap<RoomName, RoomEntry<Room>>,
    /// The rooms without a reader, in the order in which they lost the last one.
    vacant: BTreeMap<Turn, RoomName>,
    /// Of addresses that have a reader or are charged for a room.
    shares: BTreeMap<ClientAddress, Share>,
    next_turn: Turn,
}

/// Counts how often a room lost its last reader.
type Turn = u64;

/// A room and its readers.
#[derive(Debug)]
pub(super) struct RoomEntry<Room> {
    pub(super) room: Arc<Room>,
    /// Sockets without a first frame included.
    pub(super) subscribers: usize,
    /// Those of them whose address is known.
    by_address: BTreeMap<ClientAddress, usize>,
    /// Tells two times without subscribers apart.
    subscribed_in_total: u64,
    /// The only address that keeps the room open, or was the last one to leave it.
    charged_to: Option<ClientAddress>,
    /// None while there is a reader.
    vacant_since: Option<Turn>,
}

/// What one address has.
#[derive(Debug, Default)]
struct Share {
    /// Sockets and feeds in all rooms.
    readers: usize,
    /// The rooms that it is charged for.
    rooms: usize,
    /// Those of them that have no reader.
    vacant: BTreeSet<Turn>,
}

/// A room that had no subscribers at some time.
#[derive(Debug)]
pub(super) struct VacantRoom<Room> {
    pub(super) name: RoomName,
    pub(super) room: Arc<Room>,
    subscribed_in_total: u64,
    /// The address that left it last.
    pub(super) charged_to: Option<ClientAddress>,
}

/// Whether there is capacity for a reader in a room.
#[derive(Debug)]
pub(super) enum Capacity<Room> {
    /// The room exists, or may be opened.
    Available,
    /// One of these has to give way, the first that can; if none can, no room is opened.
    AfterEviction(Vec<VacantRoom<Room>>, NoRoomError),
}

/// Why no room is opened. Those that exist can be entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRoomError {
    /// Somebody is in each of as many rooms as there may be.
    #[error("the server has the maximum number of rooms, and somebody is in each of them")]
    TooManyRooms,
    /// The same, of those that only this address keeps open.
    #[error("the address keeps its share of all rooms open")]
    TooManyRoomsOfAddress,
}

impl<Room> RoomPool<Room> {
    /// Without a room.
    pub(super) fn new(limits: RoomPoolLimits) -> Self {
        Self {
            limits,
            rooms: HashMap::new(),
            vacant: BTreeMap::new(),
            shares: BTreeMap::new(),
            next_turn: 0,
        }
    }

    /// Whether a reader of this address may enter a room, which is opened if it does not exist. The lobby always is.
    pub(super) fn capacity_for(
        &self,
        name: &RoomName,
        from: ClientAddress,
    ) -> Result<Capacity<Room>, NoRoomError> {
        if self.rooms.contains_key(name) || *name == RoomName::lobby() {
            return Ok(Capacity::Available);
        }
        let share = self.shares.get(&from);
        let charged = share.map_or(0, |share| share.rooms);
        if self.limits.share().is_some_and(|most| charged >= most) {
            // An address that has its share takes nothing from others.
            let turns = share.into_iter().flat_map(|share| &share.vacant);
            let own = turns.filter_map(|turn| self.vacant.get(turn));
            return self.after_eviction_of(own, NoRoomError::TooManyRoomsOfAddress);
        }
        if self.limits.most.is_some_and(|most| self.rooms.len() >= most.get()) {
            return self.after_eviction_of(self.vacant.values(), NoRoomError::TooManyRooms);
        }
        Ok(Capacity::Available)
    }

    fn after_eviction_of<'names>(
        &self,
        names: impl Iterator<Item = &'names RoomName>,
        otherwise: NoRoomError,
    ) -> Result<Capacity<Room>, NoRoomError> {
        let candidates = names.take(MOST_CANDIDATES).filter_map(|name| self.vacant_room(name));
        let candidates: Vec<_> = candidates.collect();
        if candidates.is_empty() {
            return Err(otherwise);
        }
        Ok(Capacity::AfterEviction(candidates, otherwise))
    }

    /// One more reader of a room, which is made if it does not exist.
    pub(super) fn enter(
        &mut self,
        name: &RoomName,
        from: Option<ClientAddress>,
        make: impl FnOnce() -> Arc<Room>,
    ) -> Arc<Room> {
        self.uncharge(name);
        let entry = self.rooms.entry(name.clone()).or_insert_with(|| RoomEntry::new(make()));
        entry.subscribers += 1;
        entry.subscribed_in_total += 1;
        entry.vacant_since = None;
        if let Some(from) = from {
            *entry.by_address.entry(from).or_default() += 1;
            self.shares.entry(from).or_default().readers += 1;
        }
        entry.charged_to = entry.only_address();
        let room = Arc::clone(&entry.room);
        self.charge(name);
        room
    }

    /// One reader less. Returns the room if that was the last one.
    pub(super) fn leave(
        &mut self,
        name: &RoomName,
        from: Option<ClientAddress>,
    ) -> Option<VacantRoom<Room>> {
        self.uncharge(name);
        let entry = self.rooms.get_mut(name)?;
        entry.subscribers = entry.subscribers.saturating_sub(1);
        if let Some(from) = from {
            release_one(&mut entry.by_address, from);
            self.release_share(from, |share| share.readers = share.readers.saturating_sub(1));
        }
        let entry = self.rooms.get_mut(name)?;
        if entry.subscribers == 0 {
            // It is charged to the last address.
            entry.vacant_since = Some(self.next_turn);
            self.next_turn += 1;
        } else {
            entry.charged_to = entry.only_address();
        }
        self.charge(name);
        self.vacant_room(name)
    }

    /// A room that nobody reads yet, of nobody; nothing happens if there is one with this name.
    pub(super) fn add_vacant(
        &mut self,
        name: &RoomName,
        make: impl FnOnce() -> Arc<Room>,
    ) -> Arc<Room> {
        if let Some(entry) = self.rooms.get(name) {
            return Arc::clone(&entry.room);
        }
        let room = make();
        let mut entry = RoomEntry::new(Arc::clone(&room));
        entry.vacant_since = Some(self.next_turn);
        self.next_turn += 1;
        self.rooms.insert(name.clone(), entry);
        self.charge(name);
        room
    }

    /// Removes a room that nobody has entered since it was found vacant. Returns whether it was there.
    pub(super) fn remove(&mut self, vacant: &VacantRoom<Room>) -> bool {
        let VacantRoom { name, room, subscribed_in_total, .. } = vacant;
        let is_same = self.rooms.get(name).is_some_and(|entry| {
            entry.subscribed_in_total == *subscribed_in_total && Arc::ptr_eq(&entry.room, room)
        });
        if is_same {
            self.uncharge(name);
            self.rooms.remove(name);
        }
        is_same
    }

    /// A room without a reader; `None` if it has one, or does not exist.
    pub(super) fn vacant_room(&self, name: &RoomName) -> Option<VacantRoom<Room>> {
        let entry = self.rooms.get(name).filter(|entry| entry.subscribers == 0)?;
        Some(VacantRoom {
            name: name.clone(),
            room: Arc::clone(&entry.room),
            subscribed_in_total: entry.subscribed_in_total,
            charged_to: entry.charged_to,
        })
    }

    /// The rooms without a reader, in the order in which they lost the last one.
    pub(super) fn vacant(&self) -> impl Iterator<Item = VacantRoom<Room>> {
        self.vacant.values().filter_map(|name| self.vacant_room(name))
    }

    /// A room with its readers.
    pub(super) fn get(&self, name: &RoomName) -> Option<&RoomEntry<Room>> {
        self.rooms.get(name)
    }

    /// All rooms, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&RoomName, &RoomEntry<Room>)> {
        self.rooms.iter()
    }

    /// The number of rooms.
    pub(super) fn len(&self) -> usize {
        self.rooms.len()
    }

    /// The sockets and feeds of an address in all rooms.
    pub(super) fn readers_of(&self, address: ClientAddress) -> usize {
        self.shares.get(&address).map_or(0, |share| share.readers)
    }

    /// Notes what the entry says of a room: whether it has a reader, and whom it is charged to.
    fn charge(&mut self, name: &RoomName) {
        let Some(entry) = self.rooms.get(name) else { return };
        if let Some(turn) = entry.vacant_since {
            self.vacant.insert(turn, name.clone());
        }
        if let Some(address) = entry.charged_to {
            let share = self.shares.entry(address).or_default();
            share.rooms += 1;
            share.vacant.extend(entry.vacant_since);
        }
    }

    /// The opposite, before the entry changes.
    fn uncharge(&mut self, name: &RoomName) {
        let Some(entry) = self.rooms.get(name) else { return };
        let (turn, address) = (entry.vacant_since, entry.charged_to);
        if let Some(turn) = turn {
            self.vacant.remove(&turn);
        }
        if let Some(address) = address {
            self.release_share(address, |share| {
                share.rooms = share.rooms.saturating_sub(1);
                if let Some(turn) = turn {
                    share.vacant.remove(&turn);
                }
            });
        }
    }

    /// Changes what an address has, and forgets it if that is nothing.
    fn release_share(&mut self, address: ClientAddress, release: impl FnOnce(&mut Share)) {
        if let Entry::Occupied(mut share) = self.shares.entry(address) {
            release(share.get_mut());
            if share.get().readers == 0 && share.get().rooms == 0 {
                share.remove();
            }
        }
    }
}

impl<Room> RoomEntry<Room> {
    fn new(room: Arc<Room>) -> Self {
        Self {
            room,
            subscribers: 0,
            by_address: BTreeMap::new(),
            subscribed_in_total: 0,
            charged_to: None,
            vacant_since: None,
        }
    }

    /// The address that all readers have.
    fn only_address(&self) -> Option<ClientAddress> {
        let (address, readers) = self.by_address.first_key_value()?;
        (*readers == self.subscribers).then_some(*address)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address(number: u64) -> ClientAddress {
        ClientAddress::from_bits(number)
    }

    fn name(number: u8) -> RoomName {
        format!("room-{number}").parse().unwrap()
    }

    fn pool(most: usize, most_per_address: usize) -> RoomPool<()> {
        RoomPool::new(RoomPoolLimits {
            most: most.try_into().ok(),
            most_per_address: most_per_address.try_into().ok(),
        })
    }

    impl RoomPool<()> {
        /// As a hub does, whose rooms are all empty but those with a reader. Returns the rooms that gave way.
        fn admit(
            &mut self,
            name: &RoomName,
            from: ClientAddress,
        ) -> Result<Vec<RoomName>, NoRoomError> {
            let mut gone = Vec::new();
            while let Capacity::AfterEviction(candidates, _) = self.capacity_for(name, from)? {
                assert!(self.remove(&candidates[0]));
                gone.push(candidates[0].name.clone());
            }
            self.enter(name, Some(from), Arc::default);
            Ok(gone)
        }

        fn check(&self) {
            let mut shares = BTreeMap::<ClientAddress, (usize, usize, BTreeSet<Turn>)>::new();
            let mut vacant = BTreeMap::new();
            for (name, entry) in &self.rooms {
                assert_eq!(entry.vacant_since.is_some(), entry.subscribers == 0);
                vacant.extend(entry.vacant_since.map(|turn| (turn, name.clone())));
                for (address, readers) in &entry.by_address {
                    shares.entry(*address).or_default().0 += readers;
                }
                if let Some(address) = entry.charged_to {
                    let share = shares.entry(address).or_default();
                    share.1 += 1;
                    share.2.extend(entry.vacant_since);
                }
            }
            assert_eq!(self.vacant, vacant);
            let known = self.shares.iter().map(|(address, share)| {
                (*address, (share.readers, share.rooms, share.vacant.clone()))
            });
            assert_eq!(known.collect::<BTreeMap<_, _>>(), shares);
        }
    }

    #[test]
    fn room_that_has_been_empty_for_the_longest_time_gives_way() {
        let mut rooms = pool(3, 0);
        for (number, from) in [(1, 1), (2, 2), (3, 3)] {
            assert_eq!(rooms.admit(&name(number), address(from)), Ok(vec![]));
        }
        let full = Err(NoRoomError::TooManyRooms);
        assert_eq!(rooms.admit(&name(4), address(4)), full);
        assert_eq!(rooms.admit(&name(1), address(4)), Ok(vec![]), "a room that exists is open");
        assert_eq!(rooms.admit(&RoomName::lobby(), address(4)), Ok(vec![]), "so is the lobby");
        rooms.leave(&RoomName::lobby(), Some(address(4)));
        for (number, from) in [(3, 3), (2, 2)] {
            rooms.leave(&name(number), Some(address(from)));
        }
        // With the lobby there is one more than there may be.
        assert_eq!(rooms.admit(&RoomName::lobby(), address(4)), Ok(vec![]));
        assert_eq!(rooms.admit(&name(4), address(4)), Ok(vec![name(3), name(2)]));
        assert_eq!(rooms.admit(&name(5), address(5)), full);
        rooms.check();
    }

    #[test]
    fn address_with_its_share_takes_the_place_of_its_own_empty_rooms() {
        let mut rooms = pool(10, 2);
        rooms.admit(&name(0), address(9)).unwrap();
        rooms.leave(&name(0), Some(address(9)));
        for number in [1, 2] {
            assert_eq!(rooms.admit(&name(number), address(1)), Ok(vec![]));
        }
        let refused = Err(NoRoomError::TooManyRoomsOfAddress);
        assert_eq!(rooms.admit(&name(3), address(1)), refused);
        assert_eq!(rooms.admit(&name(3), address(2)), Ok(vec![]));
        // What others keep open as well counts for nobody.
        rooms.admit(&name(1), address(2)).unwrap();
        assert_eq!(rooms.admit(&name(4), address(1)), Ok(vec![]));
        // A room that it has left is its own until somebody else comes.
        rooms.leave(&name(2), Some(address(1)));
        assert_eq!(rooms.admit(&name(5), address(1)), Ok(vec![name(2)]));
        rooms.check();
    }

    #[test]
    fn no_address_has_more_than_half_of_few_rooms() {
        for (most, most_per_address, share) in [
            (50_000, 6_250, Some(6_250)),
            (1_000, 6_250, Some(500)),
            (3, 0, Some(2)),
            (0, 7, Some(7)),
        ] {
            assert_eq!(pool(most, most_per_address).limits.share(), share);
        }
        assert_eq!(pool(0, 0).limits.share(), None);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Enter(u8, u64),
        EnterUnknown(u8),
        Leave(prop::sample::Index),
        Sweep(u8),
    }

    fn any_step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => (0..12_u8, 1..4_u64).prop_map(|(room, from)| Step::Enter(room, from)),
            1 => (0..12_u8).prop_map(Step::EnterUnknown),
            4 => any::<prop::sample::Index>().prop_map(Step::Leave),
            1 => (0..12_u8).prop_map(Step::Sweep),
        ]
    }

    proptest! {
        /// Rooms with a reader stay, those that exist can be entered, and there are no more than there may be.
        #[test]
        fn rooms_follow_their_limits(steps in prop::collection::vec(any_step(), 1..120)) {
            let (most, share) = (7, 3);
            let mut rooms = pool(most, share);
            let mut readers: Vec<(RoomName, Option<ClientAddress>)> = Vec::new();
            for step in steps {
                match step {
                    Step::Enter(number, from) => {
                        let (name, from) = (name(number), address(from));
                        let (len, exists) = (rooms.len(), rooms.get(&name).is_some());
                        let charged = rooms.shares.get(&from).map_or(0, |share| share.rooms);
                        match rooms.admit(&name, from) {
                            Ok(gone) if gone.is_empty() => {
                                prop_assert!(exists || (len < most && charged < share));
                            }
                            Ok(gone) => {
                                prop_assert!(!exists && (len >= most || charged >= share));
                                prop_assert!(readers.iter().all(|(name, _)| !gone.contains(name)));
                            }
                            Err(error) => {
                                prop_assert!(!exists);
                                let is_of_address = error == NoRoomError::TooManyRoomsOfAddress;
                                prop_assert_eq!(is_of_address, charged >= share);
                                prop_assert!(is_of_address || rooms.vacant.is_empty());
                                continue;
                            }
                        }
                        readers.push((name, Some(from)));
                    }
                    Step::EnterUnknown(number) if rooms.len() < most => {
                        rooms.enter(&name(number), None, Arc::default);
                        readers.push((name(number), None));
                    }
                    Step::Leave(at) if !readers.is_empty() => {
                        let (name, from) = readers.swap_remove(at.index(readers.len()));
                        let vacant = rooms.leave(&name, from);
                        let is_last = readers.iter().all(|(other, _)| *other != name);
                        prop_assert_eq!(vacant.is_some(), is_last);
                    }
                    Step::Sweep(number) => {
                        if let Some(vacant) = rooms.vacant_room(&name(number)) {
                            prop_assert!(rooms.remove(&vacant));
                        }
                    }
                    Step::EnterUnknown(_) | Step::Leave(_) => {}
                }
                rooms.check();
                prop_assert!(rooms.len() <= most);
                for (name, _) in &readers {
                    prop_assert!(rooms.get(name).is_some());
                }
            }
            for (name, from) in readers {
                rooms.leave(&name, from);
            }
            for vacant in rooms.vacant().collect::<Vec<_>>() {
                rooms.remove(&vacant);
            }
            rooms.check();
            prop_assert!(rooms.shares.is_empty());
        }
    }
}
