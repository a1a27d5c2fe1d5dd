//! One room: who is listed, who is connected, and the log of what happened.

use app::presence::{DepartureReason, Name, PresenceState, Roster, User, UserId};

use super::{
    log::{Change, Log},
    people::{ConnectionId, People, Remainder},
    refused::Refused,
};

/// One room: a pure state machine.
///
/// Every change of the list goes through [`Room::record`]: the log and the list can't disagree.
#[derive(Debug)]
pub struct Room {
    limits: RoomLimits,
    roster: Roster,
    people: People,
    log: Log,
}

/// How many a room takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoomLimits {
    /// The most people listed at the same time.
    pub most_people: usize,
    /// The most sockets of one person at the same time.
    pub most_connections_per_person: usize,
}

/// Whether `got_a_new_user` came as a socket's first frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announcement {
    /// It did: it never renames somebody who is listed.
    First,
    /// It came later: it renames.
    Later,
}

impl Room {
    /// An empty room.
    pub fn new(limits: RoomLimits) -> Self {
        Self { limits, roster: Roster::default(), people: People::default(), log: Log::default() }
    }

    /// The list.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// What happened.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Whether the room takes no more people.
    pub fn is_full(&self) -> bool {
        self.roster.len() >= self.limits.most_people
    }

    /// Whether there is neither a socket nor a row in it.
    pub fn is_deserted(&self) -> bool {
        self.people.is_empty() && self.roster.is_empty()
    }

    /// A socket follows the room without being listed.
    pub fn watch(&mut self, who: UserId, connection: ConnectionId) -> Result<(), Refused> {
        self.people.connect(who, connection, self.limits.most_connections_per_person)
    }

    /// A socket announces its person under `name`, which lists them or changes nothing but, perhaps, the name.
    ///
    /// `now` is in whole seconds since the Unix epoch.
    pub fn announce(
        &mut self,
        who: UserId,
        connection: ConnectionId,
        name: Name,
        announcement: Announcement,
        now: u64,
    ) -> Result<(), Refused> {
        let is_listed = self.roster.contains(&who);
        if !is_listed && self.is_full() {
            return Err(Refused::RoomFull);
        }
        self.people.connect(who, connection, self.limits.most_connections_per_person)?;
        self.people.announce(who, connection);
        match (is_listed, announcement) {
            (false, _) => self.record(Change::Joined(User {
                id: who,
                name,
                joined: now,
                state: PresenceState::Here,
            })),
            (true, Announcement::First) => {}
            (true, Announcement::Later) => self.set_name(who, name),
        }
        Ok(())
    }

    /// A listed person changes their name and keeps their row.
    pub fn rename(&mut self, who: UserId, name: Name) -> Result<(), Refused> {
        if !self.roster.contains(&who) {
            return Err(Refused::NotListed);
        }
        self.set_name(who, name);
        Ok(())
    }

    /// A person is no longer listed; their sockets go on watching.
    pub fn leave(&mut self, who: UserId) {
        self.people.leave(who);
        self.depart(who, DepartureReason::Left);
    }

    /// A socket is gone; the last one behind a row takes the row with it, for `reason`.
    pub fn disconnect(&mut self, who: UserId, connection: ConnectionId, reason: DepartureReason) {
        match self.people.disconnect(who, connection) {
            Remainder::NothingAnnounced => self.depart(who, reason),
            Remainder::StillAnnounced => {}
        }
    }

    fn depart(&mut self, who: UserId, reason: DepartureReason) {
        if self.roster.contains(&who) {
            self.record(Change::Departed { id: who, reason });
        }
    }

    fn set_name(&mut self, who: UserId, after: Name) {
        let before = self.roster.get(&who).map(|user| user.name.clone());
        if let Some(before) = before
            && before != after
        {
            self.record(Change::Renamed { id: who, before, after });
        }
    }

    fn record(&mut self, change: Change) {
        let applied = self.roster.apply(&change.as_difference());
        debug_assert_eq!(applied, Ok(()), "{change:?}");
        // What the list did not take did not happen: the log holds only what every replica can follow.
        if applied.is_ok() {
            self.log.push(change);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: RoomLimits = RoomLimits { most_people: 3, most_connections_per_person: 2 };

    fn id(number: u8) -> UserId {
        format!("user-----{number:02}").parse().unwrap()
    }

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn join(room: &mut Room, who: u8, connection: u64, called: &str) -> Result<(), Refused> {
        room.announce(id(who), ConnectionId(connection), name(called), Announcement::First, 7)
    }

    fn names(room: &Room) -> Vec<&str> {
        room.roster().users().map(|user| user.name.as_str()).collect()
    }

    #[test]
    fn all_sockets_of_a_person_are_one_row() {
        let mut room = Room::new(LIMITS);
        join(&mut room, 1, 10, "Ana").unwrap();
        join(&mut room, 1, 11, "Annie").unwrap();
        assert_eq!((names(&room), room.log().seq()), (vec!["Ana"], 1));
        room.disconnect(id(1), ConnectionId(10), DepartureReason::Closed);
        assert_eq!((names(&room), room.log().seq()), (vec!["Ana"], 1));
        room.disconnect(id(1), ConnectionId(11), DepartureReason::Lost);
        assert_eq!((names(&room), room.log().seq()), (vec![], 2));
        assert!(room.is_deserted());
    }

    #[test]
    fn a_watching_socket_keeps_no_row() {
        let mut room = Room::new(LIMITS);
        room.watch(id(1), ConnectionId(10)).unwrap();
        join(&mut room, 1, 11, "Ana").unwrap();
        room.disconnect(id(1), ConnectionId(11), DepartureReason::Closed);
        assert!(names(&room).is_empty());
        assert!(!room.is_deserted());
    }

    #[test]
    fn only_a_later_announcement_renames() {
        let mut room = Room::new(LIMITS);
        join(&mut room, 1, 10, "Ana").unwrap();
        let later = Announcement::Later;
        room.announce(id(1), ConnectionId(10), name("Ann"), later, 9).unwrap();
        assert_eq!((names(&room), room.log().seq()), (vec!["Ann"], 2));
        room.announce(id(1), ConnectionId(10), name("Ann"), later, 9).unwrap();
        assert_eq!(room.log().seq(), 2);
        assert_eq!(room.roster().get(&id(1)).unwrap().joined, 7);
    }

    #[test]
    fn goodbye_is_the_persons_and_not_the_sockets() {
        let mut room = Room::new(LIMITS);
        join(&mut room, 1, 10, "Ana").unwrap();
        join(&mut room, 1, 11, "Ana").unwrap();
        room.leave(id(1));
        assert!(names(&room).is_empty());
        room.leave(id(1));
        room.disconnect(id(1), ConnectionId(10), DepartureReason::Closed);
        assert_eq!(room.log().seq(), 2);
        assert_eq!(room.rename(id(1), name("Ann")), Err(Refused::NotListed));
    }

    #[test]
    fn a_full_room_and_a_person_with_too_many_sockets_are_refused() {
        let mut room = Room::new(LIMITS);
        for who in 1..=3 {
            join(&mut room, who, u64::from(who), "Kim").unwrap();
        }
        assert_eq!(join(&mut room, 4, 4, "Kim"), Err(Refused::RoomFull));
        assert_eq!(join(&mut room, 1, 5, "Kim"), Ok(()));
        assert_eq!(join(&mut room, 1, 6, "Kim"), Err(Refused::TooManyTabs));
        assert_eq!(room.watch(id(1), ConnectionId(7)), Err(Refused::TooManyTabs));
        room.disconnect(id(2), ConnectionId(2), DepartureReason::Closed);
        assert_eq!(join(&mut room, 4, 4, "Kim"), Ok(()));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Watch(u8, u64),
        Announce(u8, u64, Announcement, u8),
        Rename(u8, u8),
        Leave(u8),
        Disconnect(u8, u64, DepartureReason),
    }

    fn any_step() -> impl Strategy<Value = Step> {
        let who = || 0..5_u8;
        let connection = || 0..3_u64;
        let announcement = prop_oneof![Just(Announcement::First), Just(Announcement::Later)];
        let reason = prop_oneof![Just(DepartureReason::Closed), Just(DepartureReason::Lost)];
        prop_oneof![
            (who(), connection()).prop_map(|(who, socket)| Step::Watch(who, socket)),
            (who(), connection(), announcement, 0..3_u8)
                .prop_map(|(who, socket, first, name)| Step::Announce(who, socket, first, name)),
            (who(), 0..3_u8).prop_map(|(who, name)| Step::Rename(who, name)),
            who().prop_map(Step::Leave),
            (who(), connection(), reason)
                .prop_map(|(who, socket, reason)| Step::Disconnect(who, socket, reason)),
        ]
    }

    proptest! {
        /// After any steps: a list from any earlier point, brought forward by the log, is the room's list,
        /// and every row has a socket behind it.
        #[test]
        fn every_replica_can_follow(steps in prop::collection::vec(any_step(), 0..80)) {
            let mut room = Room::new(LIMITS);
            let mut snapshots = vec![(0, Roster::default())];
            for step in steps {
                // A socket is one person's: its number tells whose.
                let socket = |who: u8, number: u64| ConnectionId(u64::from(who) * 10 + number);
                let called = |number: u8| name(&format!("Kim {number}"));
                match step {
                    Step::Watch(who, number) => {
                        let _ = room.watch(id(who), socket(who, number));
                    }
                    Step::Announce(who, number, announcement, called_number) => {
                        let _ = room.announce(
                            id(who), socket(who, number), called(called_number), announcement, 7,
                        );
                    }
                    Step::Rename(who, number) => {
                        let _ = room.rename(id(who), called(number));
                    }
                    Step::Leave(who) => room.leave(id(who)),
                    Step::Disconnect(who, number, reason) => {
                        room.disconnect(id(who), socket(who, number), reason);
                    }
                }
                snapshots.push((room.log().seq(), room.roster().clone()));
                prop_assert!(room.roster().len() <= LIMITS.most_people);
                prop_assert!(!room.people.is_empty() || room.roster().is_empty());
            }
            for (seq, mut replica) in snapshots {
                replica.apply(&room.log().difference(seq, room.log().seq()).unwrap()).unwrap();
                prop_assert_eq!(&replica, room.roster());
                prop_assert_eq!(replica.digest(), room.roster().digest());
            }
        }
    }
}
