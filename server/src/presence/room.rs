//! One room: who is listed, who is connected, and the log of what happened.

use std::collections::BTreeSet;

use app::presence::{DepartureReason, Name, PresenceState, Roster, User, UserId};
use serde::{Deserialize, Serialize};

use super::{
    log::{Change, Log},
    people::{Announced, ConnectionId, Moment, People, SavedPerson, Standing},
    refused::Refused,
};

/// One room: a pure state machine.
///
/// Every change of the list goes through `record`: the log and the list can't disagree.
/// After everything that happens to a person, `settle` makes their row what it should be.
#[derive(Debug)]
pub struct Room {
    limits: RoomLimits,
    roster: Roster,
    people: People,
    log: Log,
    /// The bytes of all names in the list.
    names_in_bytes: usize,
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

/// The time, on the two clocks that a room needs; the caller reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// For what is due: it never goes back.
    pub moment: Moment,
    /// For people: whole seconds since the Unix epoch.
    pub unix_seconds: u64,
}

/// A room as it is kept over a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedRoom {
    /// The number of changes so far.
    pub seq: u64,
    /// The rows, in order of arrival.
    pub users: Vec<User>,
    /// Who stands behind them.
    pub people: Vec<SavedPerson>,
    /// The last changes; empty where the next process begins a new epoch.
    pub changes: Vec<Change>,
}

/// What was kept does not make a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its rows and the people behind them do not match")]
pub struct NotARoom;

impl Room {
    /// An empty room.
    pub fn new(limits: RoomLimits) -> Self {
        Self {
            limits,
            roster: Roster::default(),
            people: People::default(),
            log: Log::default(),
            names_in_bytes: 0,
        }
    }

    /// The list.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// What happened.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// About how long the list is on the wire.
    pub fn list_size_in_bytes(&self) -> usize {
        // What stands around a name in a row, and around the rows in a frame.
        const AROUND_A_NAME: usize = 52;
        const AROUND_THE_ROWS: usize = 150;
        AROUND_THE_ROWS + self.roster.len() * AROUND_A_NAME + self.names_in_bytes
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
        self.people.watch(who, connection, self.limits.most_connections_per_person)
    }

    /// A socket announces a tab of its person under `name`, which lists them
    /// or changes nothing but, perhaps, the name.
    ///
    /// Returns the socket that had the tab until now, which is replaced.
    pub fn announce(
        &mut self,
        who: UserId,
        announced: Announced,
        name: Name,
        announcement: Announcement,
        now: Now,
    ) -> Result<Option<ConnectionId>, Refused> {
        let is_listed = self.roster.contains(&who);
        if !is_listed && self.is_full() {
            return Err(Refused::RoomFull);
        }
        let most_connections = self.limits.most_connections_per_person;
        let replaced = self.people.announce(who, announced, most_connections, now.moment)?;
        match (is_listed, announcement) {
            (false, _) => {
                let joined = now.unix_seconds;
                let state = PresenceState::Here;
                self.record(Change::Joined(User { id: who, name, joined, state }), now.moment);
            }
            (true, Announcement::First) => {}
            (true, Announcement::Later) => self.set_name(who, name, now.moment),
        }
        self.settle(who, now.moment);
        Ok(replaced)
    }

    /// A listed person changes their name and keeps their row.
    pub fn rename(&mut self, who: UserId, name: Name, now: Moment) -> Result<(), Refused> {
        if !self.roster.contains(&who) {
            return Err(Refused::NotListed);
        }
        self.set_name(who, name, now);
        Ok(())
    }

    /// A tab was hidden, or shown again.
    pub fn set_visible(
        &mut self,
        who: UserId,
        connection: ConnectionId,
        is_visible: bool,
        now: Moment,
    ) {
        self.people.set_visible(who, connection, is_visible, now);
        self.settle(who, now);
    }

    /// A person is no longer listed, because they said goodbye or were removed; their sockets go on watching.
    pub fn unlist(&mut self, who: UserId, reason: DepartureReason, now: Moment) {
        self.people.unlist(who);
        if self.roster.contains(&who) {
            self.record(Change::Departed { id: who, reason }, now);
        }
        self.settle(who, now);
    }

    /// A socket is gone: cleanly ([`DepartureReason::Closed`]) or not ([`DepartureReason::Lost`]).
    pub fn disconnect(
        &mut self,
        who: UserId,
        connection: ConnectionId,
        reason: DepartureReason,
        now: Moment,
    ) {
        self.people.disconnect(who, connection, reason, now);
        self.settle(who, now);
    }

    /// The room's page is on its way to this person.
    pub fn page_served(&mut self, who: UserId, now: Moment) {
        self.people.page_served(who, now);
        self.settle(who, now);
    }

    /// When [`Room::let_time_pass`] has something to do next.
    pub fn next_deadline(&self) -> Option<Moment> {
        self.people.next_deadline()
    }

    /// Does what is due at `now`.
    pub fn let_time_pass(&mut self, now: Moment) {
        while let Some(who) = self.people.take_due(now) {
            self.settle(who, now);
        }
    }

    /// All that the next process needs to go on where this one stops.
    pub fn save(&self) -> SavedRoom {
        SavedRoom {
            seq: self.log.seq(),
            users: self.roster.users().cloned().collect(),
            people: self.people.save(),
            changes: self.log.changes().cloned().collect(),
        }
    }

    /// The room as it was before a restart; every row is held for its owner to come back unseen.
    pub fn restore(saved: SavedRoom, limits: RoomLimits, now: Moment) -> Result<Self, NotARoom> {
        let SavedRoom { seq, users, people, changes } = saved;
        let roster = Roster::from_users(users).map_err(|_| NotARoom)?;
        // A row without anybody behind it would stay for ever.
        let behind: BTreeSet<UserId> = people
            .iter()
            .filter(|person| !person.tabs.is_empty())
            .map(|person| person.id)
            .collect();
        let listed: BTreeSet<UserId> = roster.users().map(|user| user.id).collect();
        if behind != listed {
            return Err(NotARoom);
        }
        let log = Log::restore(seq, changes, now).ok_or(NotARoom)?;
        let names_in_bytes = roster.users().map(|user| user.name.as_str().len()).sum();
        Ok(Self { limits, roster, people: People::restore(people, now), log, names_in_bytes })
    }

    /// Makes a person's row what it should be.
    fn settle(&mut self, who: UserId, now: Moment) {
        let state = self.roster.get(&who).map(|user| user.state);
        match (self.people.standing(who, now), state) {
            (Standing::Listed(after), Some(before)) if before != after => {
                self.record(Change::Stirred { id: who, before, after }, now);
            }
            (Standing::Unlisted(reason), Some(_)) => {
                self.record(Change::Departed { id: who, reason }, now);
            }
            _ => {}
        }
        self.people.settle(who, now);
    }

    fn set_name(&mut self, who: UserId, after: Name, now: Moment) {
        let before = self.roster.get(&who).map(|user| user.name.clone());
        if let Some(before) = before
            && before != after
        {
            self.record(Change::Renamed { id: who, before, after }, now);
        }
    }

    fn record(&mut self, change: Change, now: Moment) {
        let id = change.id();
        let name_in_bytes =
            |room: &Self| room.roster.get(&id).map_or(0, |user| user.name.as_str().len());
        let before = name_in_bytes(self);
        let applied = self.roster.apply(&change.as_difference());
        debug_assert_eq!(applied, Ok(()), "{change:?}");
        // What the list did not take did not happen: the log holds only what every replica can follow.
        if applied.is_ok() {
            self.names_in_bytes = self.names_in_bytes + name_in_bytes(self) - before;
            self.log.push(change, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LIMITS: RoomLimits = RoomLimits { most_people: 3, most_connections_per_person: 2 };

    fn id(number: u8) -> UserId {
        format!("user-----{number:02}").parse().unwrap()
    }

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    /// A room, and a clock that a test moves.
    struct Scene {
        room: Room,
        now: Moment,
    }

    impl Scene {
        fn new() -> Self {
            Self { room: Room::new(LIMITS), now: Moment::ZERO }
        }

        fn announce(
            &mut self,
            who: u8,
            tab: &str,
            connection: u64,
        ) -> Result<Option<ConnectionId>, Refused> {
            self.announce_as(who, tab, connection, "Kim", true)
        }

        fn announce_as(
            &mut self,
            who: u8,
            tab: &str,
            connection: u64,
            called: &str,
            is_visible: bool,
        ) -> Result<Option<ConnectionId>, Refused> {
            let connection = ConnectionId(connection);
            let tab = TabKey::Named(tab.parse().unwrap());
            let announced = Announced { tab, connection, is_visible };
            let now = Now { moment: self.now, unix_seconds: 7 };
            self.room.announce(id(who), announced, name(called), Announcement::First, now)
        }

        fn end(&mut self, who: u8, connection: u64, reason: DepartureReason) {
            self.room.disconnect(id(who), ConnectionId(connection), reason, self.now);
        }

        fn close(&mut self, who: u8, connection: u64) {
            self.end(who, connection, DepartureReason::Closed);
        }

        fn break_off(&mut self, who: u8, connection: u64) {
            self.end(who, connection, DepartureReason::Lost);
        }

        fn set_visible(&mut self, who: u8, connection: u64, is_visible: bool) {
            self.room.set_visible(id(who), ConnectionId(connection), is_visible, self.now);
        }

        /// Lets time pass, and everything happen at its own moment.
        fn wait(&mut self, milliseconds: u64) {
            let until = self.now + Duration::from_millis(milliseconds);
            while let Some(deadline) = self.room.next_deadline().filter(|moment| *moment <= until) {
                self.now = self.now.max(deadline);
                self.room.let_time_pass(self.now);
            }
            self.now = until;
        }

        fn state(&self, who: u8) -> Option<PresenceState> {
            self.room.roster().get(&id(who)).map(|user| user.state)
        }

        fn last_departure(&self) -> Option<DepartureReason> {
            let seq = self.room.log().seq();
            let last = self.room.log().difference(seq - 1, seq)?;
            last.disconnect_user.iter().next().map(|(reason, _)| reason)
        }

        /// What everyone was told so far, counted.
        fn told(&self) -> u64 {
            self.room.log().seq()
        }
    }

    use super::super::people::TabKey;

    const HERE: Option<PresenceState> = Some(PresenceState::Here);
    const AWAY: Option<PresenceState> = Some(PresenceState::Away);
    const RECONNECTING: Option<PresenceState> = Some(PresenceState::Reconnecting);

    #[test]
    fn a_second_tab_is_nothing_to_the_others() {
        let mut scene = Scene::new();
        scene.announce(1, "a", 10).unwrap();
        scene.announce_as(1, "b", 11, "Other", true).unwrap();
        assert_eq!(scene.told(), 1);
        scene.close(1, 10);
        scene.wait(60_000);
        assert_eq!((scene.state(1), scene.told()), (HERE, 1));
    }

    #[test]
    fn a_reload_is_nothing_to_the_others() {
        let mut scene = Scene::new();
        scene.announce(1, "a", 10).unwrap();
        for round in 0..10 {
            scene.close(1, 10 + round);
            scene.wait(1_999);
            scene.announce(1, "a", 11 + round).unwrap();
        }
        scene.wait(60_000);
        assert_eq!((scene.state(1), scene.told()), (HERE, 1));
    }

    #[test]
    fn a_clean_close_is_told_after_two_seconds() {
        let mut scene = Scene::new();
        scene.announce(1, "a", 10).unwrap();
        scene.close(1, 10);
        scene.wait(1_999);
        assert_eq!(scene.state(1), HERE);
        scene.wait(1);
        assert_eq!((scene.state(1), scene.last_departure()), (None, Some(DepartureReason::Closed)));
        assert!(scene.room.is_deserted());
    }

    #[test]
    fn a_slow_reload_has_fifteen_seconds_once_its_page_was_served() {
        for served_before_the_close in [true, false] {
            let mut scene = Scene::new();
            scene.announce(1, "a", 10).unwrap();
            scene.wait(1_000);
            if served_before_the_close {
                scene.room.page_served(id(1), scene.now);
            }
            scene.close(1, 10);
            if served_before_the_close {
                scene.wait(14_999);
            } else {
                scene.wait(1_000);
                scene.room.page_served(id(1), scene.now);
                scene.wait(13_999);
            }
            assert_eq!(scene.state(1), HERE);
            scene.announce(1, "a", 11).unwrap();
            assert_eq!(scene.told(), 1);
            // The page that came is no reason to wait for another.
            scene.close(1, 11);
            scene.wait(2_000);
            assert_eq!(scene.state(1), None);
        }
    }

    #[test]
    fn a_page_that_was_served_and_did_not_come_ends_as_a_close() {
        let mut scene = Scene::new();
        scene.announce(1, "a", 10).unwrap();
        scene.close(1, 10);
        scene.room.page_served(id(1), scene.now);
        scene.wait(15_000);
        assert_eq!(scene.last_departure(), Some(DepartureReason::Closed));
    }

    #[test]
    fn a_break_shows_at_once_and_is_lost_after_fifteen_seconds() {
        let mut scene = Scene::new();
        scene.announce(1, "a", 10).unwrap();
        scene.break_off(1, 10);
        assert_eq!(scene.state(1), RECONNECTING);
        scene.wait(14_999);
        assert_eq!(scene.state(1), RECONNECTING);
        scene.wait(1);
        assert_eq!((scene.state(1), scene.last_departure()), (None, Some(DepartureReason::Lost)));
        assert_eq!(scene.told(), 3);
    }

    #[test]
    fn who_comes_back_in_time_is_here() {
        let mut scene = Scene::new();
        scene.announce(1, "a", 10).unwrap();
        scene.break_off(1, 10);
        scene.wait(14_999);
        scene.announce(1, "a", 11).unwrap();
        assert_eq!((scene.state(1), scene.told()), (HERE, 3));
        // The deadline of the break is stale now.
        scene.wait(60_000);
        assert_eq!((scene.state(1), scene.told()), (HERE, 3));
    }

    #[test]
    fn one_of_two_tabs_may_break_unseen() {
        let mut scene = Scene::new();
        scene.announce(1, "a", 10).unwrap();
        scene.announce(1, "b", 11).unwrap();
        scene.break_off(1, 10);
        scene.wait(1_000);
        assert_eq!((scene.state(1), scene.told()), (HERE, 1));
        // The other closes cleanly: the state stays, and the row ends at the later deadline, as lost.
        scene.close(1, 11);
        scene.wait(13_999);
        assert_eq!((scene.state(1), scene.told()), (HERE, 1));
        scene.wait(1);
        assert_eq!((scene.state(1), scene.last_departure()), (None, Some(DepartureReason::Lost)));
    }

    #[test]
    fn all_tabs_hidden_for_thirty_seconds_are_away() {
        let mut scene = Scene::new();
        scene.announce(1, "a", 10).unwrap();
        scene.announce_as(1, "b", 11, "Kim", false).unwrap();
        scene.wait(60_000);
        assert_eq!(scene.state(1), HERE);
        scene.set_visible(1, 10, false);
        scene.set_visible(1, 10, false);
        scene.wait(29_999);
        assert_eq!(scene.state(1), HERE);
        scene.wait(1);
        assert_eq!(scene.state(1), AWAY);
        scene.set_visible(1, 11, true);
        assert_eq!((scene.state(1), scene.told()), (HERE, 3));
    }

    #[test]
    fn shown_for_a_moment_begins_the_thirty_seconds_anew() {
        let mut scene = Scene::new();
        scene.announce_as(1, "a", 10, "Kim", false).unwrap();
        scene.wait(29_000);
        scene.set_visible(1, 10, true);
        scene.set_visible(1, 10, false);
        scene.wait(29_999);
        assert_eq!(scene.state(1), HERE);
        scene.wait(1);
        assert_eq!(scene.state(1), AWAY);
    }

    #[test]
    fn only_connected_tabs_vote() {
        let mut scene = Scene::new();
        scene.announce(1, "a", 10).unwrap();
        scene.announce_as(1, "b", 11, "Kim", false).unwrap();
        scene.wait(60_000);
        // The visible one goes, and the hidden one has been hidden for long.
        scene.close(1, 10);
        assert_eq!(scene.state(1), AWAY);
        // A clean close of the last leaves the state as it was.
        scene.close(1, 11);
        assert_eq!(scene.state(1), AWAY);
        scene.announce(1, "b", 12).unwrap();
        assert_eq!(scene.state(1), HERE);
    }

    #[test]
    fn an_away_row_that_breaks_comes_back_here() {
        let mut scene = Scene::new();
        scene.announce_as(1, "a", 10, "Kim", false).unwrap();
        scene.wait(40_000);
        scene.break_off(1, 10);
        assert_eq!(scene.state(1), RECONNECTING);
        scene.announce_as(1, "a", 11, "Kim", false).unwrap();
        assert_eq!(scene.state(1), HERE);
        scene.wait(30_000);
        assert_eq!(scene.state(1), AWAY);
    }

    #[test]
    fn a_socket_that_announces_a_connected_tab_replaces_the_old_one() {
        let mut scene = Scene::new();
        assert_eq!(scene.announce(1, "a", 10), Ok(None));
        assert_eq!(scene.announce(1, "a", 10), Ok(None));
        assert_eq!(scene.announce(1, "a", 11), Ok(Some(ConnectionId(10))));
        // The end of the one that was replaced is nothing.
        scene.break_off(1, 10);
        scene.wait(60_000);
        assert_eq!((scene.state(1), scene.told()), (HERE, 1));
        // A tab's name is its person's own.
        assert_eq!(scene.announce(2, "a", 12), Ok(None));
    }

    #[test]
    fn goodbye_is_the_persons_and_leaves_no_way_back_unseen() {
        let mut scene = Scene::new();
        scene.announce(1, "a", 10).unwrap();
        scene.announce(1, "b", 11).unwrap();
        scene.break_off(1, 11);
        scene.room.unlist(id(1), DepartureReason::Left, scene.now);
        assert_eq!((scene.state(1), scene.last_departure()), (None, Some(DepartureReason::Left)));
        scene.room.unlist(id(1), DepartureReason::Left, scene.now);
        scene.close(1, 10);
        scene.wait(60_000);
        assert_eq!(scene.told(), 2);
        assert!(scene.room.is_deserted());
        assert_eq!(scene.room.rename(id(1), name("Ann"), scene.now), Err(Refused::NotListed));
    }

    #[test]
    fn who_comes_too_late_is_somebody_new_to_the_others() {
        let mut scene = Scene::new();
        scene.announce(1, "a", 10).unwrap();
        scene.break_off(1, 10);
        scene.wait(15_000);
        scene.announce(1, "a", 11).unwrap();
        assert_eq!((scene.state(1), scene.told()), (HERE, 4));
    }

    #[test]
    fn only_a_later_announcement_renames() {
        let mut scene = Scene::new();
        scene.announce(1, "a", 10).unwrap();
        let now = Now { moment: scene.now, unix_seconds: 9 };
        for (called, told) in [("Ann", 2), ("Ann", 2)] {
            let announced = Announced {
                tab: TabKey::Named("a".parse().unwrap()),
                connection: ConnectionId(10),
                is_visible: true,
            };
            let later = Announcement::Later;
            scene.room.announce(id(1), announced, name(called), later, now).unwrap();
            assert_eq!(scene.told(), told);
        }
        let row = scene.room.roster().get(&id(1)).unwrap();
        assert_eq!((row.name.as_str(), row.joined), ("Ann", 7));
    }

    fn restarted(scene: &Scene) -> Scene {
        let text = serde_json::to_string(&scene.room.save()).unwrap();
        let saved = serde_json::from_str(&text).unwrap();
        let now = Duration::from_millis(100);
        Scene { room: Room::restore(saved, LIMITS, now).unwrap(), now }
    }

    #[test]
    fn nobody_notices_a_restart_that_everybody_comes_back_from() {
        let mut scene = Scene::new();
        scene.announce(1, "a", 10).unwrap();
        scene.announce(1, "b", 11).unwrap();
        scene.announce(2, "a", 12).unwrap();
        scene.announce(3, "a", 13).unwrap();
        scene.wait(1_000);
        scene.close(2, 12);
        scene.break_off(3, 13);
        let told = scene.told();
        let mut scene = restarted(&scene);
        assert_eq!((scene.told(), scene.state(1), scene.state(3)), (told, HERE, RECONNECTING));
        assert_eq!(scene.room.log().difference(0, told).unwrap().new_user.len(), 3);
        scene.wait(14_999);
        for who in 1..=2 {
            scene.announce(who, "a", u64::from(who)).unwrap();
        }
        assert_eq!((scene.told(), scene.state(1), scene.state(2)), (told, HERE, HERE));
        scene.wait(1);
        // Only the one who did not come back is gone.
        assert_eq!((scene.told(), scene.state(3)), (told + 1, None));
        scene.wait(60_000);
        assert_eq!((scene.told(), scene.state(1), scene.state(2)), (told + 1, HERE, HERE));
    }

    #[test]
    fn what_was_kept_and_makes_no_sense_is_no_room() {
        let mut scene = Scene::new();
        scene.announce(1, "a", 10).unwrap();
        let saved = scene.room.save();
        let nobody_behind = SavedRoom { people: Vec::new(), ..saved.clone() };
        let no_row = SavedRoom { users: Vec::new(), ..saved.clone() };
        let twice = SavedRoom {
            users: [saved.users.clone(), saved.users.clone()].concat(),
            ..saved.clone()
        };
        let too_few = SavedRoom { seq: 0, ..saved };
        for saved in [nobody_behind, no_row, twice, too_few] {
            assert_eq!(Room::restore(saved, LIMITS, Moment::ZERO).err(), Some(NotARoom));
        }
    }

    #[test]
    fn a_full_room_and_a_person_with_too_many_sockets_are_refused() {
        let mut scene = Scene::new();
        for who in 1..=3 {
            scene.announce(who, "a", u64::from(who)).unwrap();
        }
        assert_eq!(scene.announce(4, "a", 4), Err(Refused::RoomFull));
        scene.announce(1, "b", 5).unwrap();
        assert_eq!(scene.announce(1, "c", 6), Err(Refused::TooManyTabs));
        assert_eq!(scene.room.watch(id(1), ConnectionId(7)), Err(Refused::TooManyTabs));
        assert_eq!(scene.announce(1, "b", 8), Ok(Some(ConnectionId(5))));
        scene.close(2, 2);
        assert_eq!(scene.announce(4, "a", 4), Err(Refused::RoomFull));
        scene.wait(2_000);
        assert_eq!(scene.announce(4, "a", 4), Ok(None));
    }
}
