//! The life of a row against a model: a second, plainer telling of the protocol's table.
//!
//! The model keeps the history of each tab and works out what a row should be from the words of the table;
//! the room keeps state and timers. After every step both must say the same, and every list that was
//! brought forward by differences must be the room's list.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeMap, time::Duration};

use app::presence::{DepartureReason, Name, PresenceState, Roster, UserId};
use proptest::prelude::*;
use server::presence::{
    people::{Announced, ConnectionId, Moment, TabKey},
    room::{Announcement, Now, Room, RoomLimits},
};

const LIMITS: RoomLimits = RoomLimits { most_people: 100, most_connections_per_person: 100 };

const PEOPLE: u8 = 4;
const TABS: u8 = 4;

#[derive(Clone, Debug)]
enum Step {
    /// A tab opens a socket and announces itself, as a first or a later frame.
    Announce {
        who: u8,
        tab: u8,
        is_visible: bool,
        name: u8,
        announcement: Announcement,
    },
    Watch {
        who: u8,
    },
    Close {
        who: u8,
        tab: u8,
    },
    Break {
        who: u8,
        tab: u8,
    },
    Hide {
        who: u8,
        tab: u8,
        is_visible: bool,
    },
    Rename {
        who: u8,
        name: u8,
    },
    Leave {
        who: u8,
    },
    Remove {
        who: u8,
    },
    ServePage {
        who: u8,
    },
    Wait {
        milliseconds: u64,
    },
    Restart,
}

fn any_step() -> impl Strategy<Value = Step> {
    let who = || 0..PEOPLE;
    let tab = || 0..TABS;
    let name = || 0..3_u8;
    let announcement = || prop_oneof![Just(Announcement::First), Just(Announcement::Later)];
    // Around every deadline of the table: just before, exactly, and just after.
    let pause = prop_oneof![
        0..100_u64,
        prop::sample::select(vec![1_999, 2_000, 2_001, 14_999, 15_000, 15_001, 29_999, 30_000]),
        0..40_000_u64,
    ];
    prop_oneof![
        4 => (who(), tab(), any::<bool>(), name(), announcement()).prop_map(
            |(who, tab, is_visible, name, announcement)| Step::Announce {
                who, tab, is_visible, name, announcement
            }
        ),
        1 => who().prop_map(|who| Step::Watch { who }),
        3 => (who(), tab()).prop_map(|(who, tab)| Step::Close { who, tab }),
        3 => (who(), tab()).prop_map(|(who, tab)| Step::Break { who, tab }),
        2 => (who(), tab(), any::<bool>())
            .prop_map(|(who, tab, is_visible)| Step::Hide { who, tab, is_visible }),
        1 => (who(), name()).prop_map(|(who, name)| Step::Rename { who, name }),
        1 => who().prop_map(|who| Step::Leave { who }),
        1 => who().prop_map(|who| Step::Remove { who }),
        2 => who().prop_map(|who| Step::ServePage { who }),
        5 => pause.prop_map(|milliseconds| Step::Wait { milliseconds }),
        1 => Just(Step::Restart),
    ]
}

fn id(who: u8) -> UserId {
    format!("person---{who:02}").parse().unwrap()
}

fn name(number: u8) -> Name {
    Name::parse(&format!("Name {number}")).unwrap()
}

/// What the model knows of a tab that announced itself and was not forgotten.
#[derive(Clone, Debug)]
enum TabStory {
    Connected { hidden_at: Option<u64> },
    Ended { how: DepartureReason, deadline: u64 },
}

/// What the model knows of a person; times are in milliseconds.
#[derive(Clone, Debug, Default)]
struct PersonStory {
    listed: Option<(Name, PresenceState)>,
    tabs: BTreeMap<u8, TabStory>,
    page_served_at: Option<u64>,
}

#[derive(Clone, Debug, Default)]
struct Model {
    now: u64,
    people: BTreeMap<u8, PersonStory>,
    order: Vec<u8>,
}

impl PersonStory {
    fn connected(&self) -> impl Iterator<Item = Option<u64>> {
        self.tabs.values().filter_map(|tab| match tab {
            TabStory::Connected { hidden_at } => Some(*hidden_at),
            TabStory::Ended { .. } => None,
        })
    }

    fn vote(&self, now: u64) -> Option<PresenceState> {
        let mut hidden: Option<u64> = None;
        let mut count = 0;
        for hidden_at in self.connected() {
            count += 1;
            match hidden_at {
                None => return Some(PresenceState::Here),
                Some(since) => hidden = hidden.max(Some(since)),
            }
        }
        if count == 0 {
            return None;
        }
        let is_away = hidden.is_some_and(|since| since + 30_000 <= now);
        Some(if is_away { PresenceState::Away } else { PresenceState::Here })
    }
}

impl Model {
    fn person(&mut self, who: u8) -> &mut PersonStory {
        self.people.entry(who).or_default()
    }

    /// Millisecond by millisecond would be plainest; the moments at which something can happen are enough.
    fn wait(&mut self, milliseconds: u64) {
        let until = self.now + milliseconds;
        let mut moments: Vec<u64> = Vec::new();
        for story in self.people.values() {
            for tab in story.tabs.values() {
                match tab {
                    TabStory::Connected { hidden_at } => {
                        moments.extend(hidden_at.map(|since| since + 30_000));
                    }
                    TabStory::Ended { deadline, .. } => moments.push(*deadline),
                }
            }
        }
        moments.push(until);
        moments.sort_unstable();
        for moment in moments.into_iter().filter(|moment| *moment <= until) {
            self.now = self.now.max(moment);
            self.look();
        }
    }

    fn look(&mut self) {
        let now = self.now;
        for (who, story) in &mut self.people {
            if let Some((_, state)) = &mut story.listed {
                if let Some(vote) = story
                    .tabs
                    .values()
                    .any(|tab| matches!(tab, TabStory::Connected { .. }))
                    .then(|| {
                        PersonStory { tabs: story.tabs.clone(), ..PersonStory::default() }.vote(now)
                    })
                    .flatten()
                {
                    *state = vote;
                } else {
                    let last = story.tabs.values().filter_map(|tab| match tab {
                        TabStory::Ended { deadline, .. } => Some(*deadline),
                        TabStory::Connected { .. } => None,
                    });
                    if last.max().is_none_or(|deadline| deadline <= now) {
                        story.listed = None;
                        story.tabs.clear();
                        self.order.retain(|listed| listed != who);
                    }
                }
            }
            story.tabs.retain(
                |_, tab| !matches!(tab, TabStory::Ended { deadline, .. } if *deadline <= now),
            );
        }
    }

    fn end(&mut self, who: u8, tab: u8, how: DepartureReason) {
        let now = self.now;
        let story = self.person(who);
        if !matches!(story.tabs.get(&tab), Some(TabStory::Connected { .. })) {
            return;
        }
        let was_served = story.page_served_at.is_some_and(|served| now < served + 15_000);
        let grace = if how == DepartureReason::Closed && !was_served { 2_000 } else { 15_000 };
        story.tabs.insert(tab, TabStory::Ended { how, deadline: now + grace });
        let is_connected = story.connected().next().is_some();
        if how == DepartureReason::Lost
            && !is_connected
            && let Some((_, state)) = &mut story.listed
        {
            *state = PresenceState::Reconnecting;
        }
        self.look();
    }

    fn serve_page(&mut self, who: u8) {
        let now = self.now;
        let story = self.person(who);
        // The room knows only people who have a tab or a socket in it.
        if story.tabs.is_empty() {
            return;
        }
        story.page_served_at = Some(now);
        for tab in story.tabs.values_mut() {
            if let TabStory::Ended { how: DepartureReason::Closed, deadline } = tab
                && *deadline < u64::MAX
            {
                // It had 2 s from the close; it has 15 s from the close now.
                let closed_at =
                    if *deadline - now <= 2_000 { *deadline - 2_000 } else { *deadline - 15_000 };
                *deadline = closed_at + 15_000;
            }
        }
    }

    fn rows(&self) -> Vec<(UserId, Name, PresenceState)> {
        let row = |who: &u8| {
            let (name, state) = self.people[who].listed.clone().unwrap();
            (id(*who), name, state)
        };
        self.order.iter().map(row).collect()
    }
}

/// The room, with the sockets that stand for the model's tabs.
struct System {
    room: Room,
    now: Moment,
    sockets: BTreeMap<(u8, u8), ConnectionId>,
    next_socket: u64,
}

impl System {
    fn announce(
        &mut self,
        who: u8,
        tab: u8,
        is_visible: bool,
        called: u8,
        announcement: Announcement,
    ) {
        self.next_socket += 1;
        let connection = ConnectionId(self.next_socket);
        let key = TabKey::Named(format!("tab-{tab}").parse().unwrap());
        let announced = Announced { tab: key, connection, is_visible };
        let now = Now { moment: self.now, unix_seconds: 1 };
        let replaced =
            self.room.announce(id(who), announced, name(called), announcement, now).unwrap();
        let old = self.sockets.insert((who, tab), connection);
        assert_eq!(replaced, old, "exactly the tab's old socket is replaced");
        if let Some(old) = old {
            // The end of the socket that was replaced is nothing.
            self.room.disconnect(id(who), old, DepartureReason::Lost, self.now);
        }
    }

    fn end(&mut self, who: u8, tab: u8, how: DepartureReason) {
        if let Some(connection) = self.sockets.remove(&(who, tab)) {
            self.room.disconnect(id(who), connection, how, self.now);
        }
    }

    fn wait(&mut self, milliseconds: u64) {
        let until = self.now + Duration::from_millis(milliseconds);
        while let Some(deadline) = self.room.next_deadline().filter(|moment| *moment <= until) {
            assert!(deadline >= self.now, "nothing is left undone");
            self.now = deadline;
            self.room.let_time_pass(self.now);
        }
        self.now = until;
    }
}

/// Rare faults need many cases: a forgotten flag was found in one of about a thousand.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(2_000)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn the_room_does_what_the_table_says(steps in prop::collection::vec(any_step(), 1..60)) {
        let mut model = Model::default();
        let mut system = System {
            room: Room::new(LIMITS),
            now: Moment::ZERO,
            sockets: BTreeMap::new(),
            next_socket: 0,
        };
        // Clients that stopped listening at different points, to be brought forward at the end of each step.
        let mut replicas: Vec<(u64, Roster)> = vec![(0, Roster::default())];
        for step in steps {
            let before = (system.room.log().seq(), model.rows());
            match step.clone() {
                Step::Announce { who, tab, is_visible, name: called, announcement } => {
                    system.announce(who, tab, is_visible, called, announcement);
                    let hidden_at = (!is_visible).then_some(model.now);
                    let story = model.person(who);
                    story.page_served_at = None;
                    story.tabs.insert(tab, TabStory::Connected { hidden_at });
                    match &mut story.listed {
                        Some((old_name, _)) => {
                            if announcement == Announcement::Later {
                                *old_name = name(called);
                            }
                        }
                        none => {
                            *none = Some((name(called), PresenceState::Here));
                            model.order.push(who);
                        }
                    }
                    model.look();
                }
                Step::Watch { who } => {
                    system.next_socket += 1;
                    let connection = ConnectionId(system.next_socket);
                    system.room.watch(id(who), connection).unwrap();
                    system.room.disconnect(id(who), connection, DepartureReason::Lost, system.now);
                    model.person(who).page_served_at = None;
                }
                Step::Close { who, tab } => {
                    system.end(who, tab, DepartureReason::Closed);
                    model.end(who, tab, DepartureReason::Closed);
                }
                Step::Break { who, tab } => {
                    system.end(who, tab, DepartureReason::Lost);
                    model.end(who, tab, DepartureReason::Lost);
                }
                Step::Hide { who, tab, is_visible } => {
                    if let Some(connection) = system.sockets.get(&(who, tab)) {
                        system.room.set_visible(id(who), *connection, is_visible, system.now);
                    }
                    let now = model.now;
                    if let Some(TabStory::Connected { hidden_at }) =
                        model.person(who).tabs.get_mut(&tab)
                    {
                        *hidden_at = if is_visible { None } else { hidden_at.or(Some(now)) };
                    }
                    model.look();
                }
                Step::Rename { who, name: called } => {
                    let renamed = system.room.rename(id(who), name(called), system.now);
                    let listed = &mut model.person(who).listed;
                    prop_assert_eq!(renamed.is_ok(), listed.is_some());
                    if let Some((old_name, _)) = listed {
                        *old_name = name(called);
                    }
                }
                Step::Leave { who } | Step::Remove { who } => {
                    let reason = match step {
                        Step::Leave { .. } => DepartureReason::Left,
                        _ => DepartureReason::Removed,
                    };
                    system.room.unlist(id(who), reason, system.now);
                    system.sockets.retain(|(owner, _), connection| {
                        if *owner == who {
                            // They go on watching; here they go, which must be nothing to anybody.
                            system.room.disconnect(id(who), *connection, DepartureReason::Closed, system.now);
                        }
                        *owner != who
                    });
                    *model.person(who) = PersonStory::default();
                    model.order.retain(|listed| *listed != who);
                }
                Step::ServePage { who } => {
                    system.room.page_served(id(who), system.now);
                    model.serve_page(who);
                }
                Step::Wait { milliseconds } => {
                    system.wait(milliseconds);
                    model.wait(milliseconds);
                }
                Step::Restart => {
                    let text = serde_json::to_string(&system.room.save()).unwrap();
                    let saved = serde_json::from_str(&text).unwrap();
                    system.room = Room::restore(saved, LIMITS, system.now).unwrap();
                    system.sockets.clear();
                    let now = model.now;
                    for story in model.people.values_mut() {
                        story.page_served_at = None;
                        for tab in story.tabs.values_mut() {
                            let how = match tab {
                                TabStory::Connected { .. } => DepartureReason::Lost,
                                TabStory::Ended { how, .. } => *how,
                            };
                            *tab = TabStory::Ended { how, deadline: now + 15_000 };
                        }
                    }
                }
            }
            let rows: Vec<_> = system
                .room
                .roster()
                .users()
                .map(|user| (user.id, user.name.clone(), user.state))
                .collect();
            prop_assert_eq!(&rows, &model.rows(), "after {:?}", step);
            let seq = system.room.log().seq();
            if seq == before.0 {
                prop_assert_eq!(&before.1, &rows, "nothing changes without a number");
            }
            for (at, roster) in &mut replicas {
                if seq % 3 != *at % 3 || seq > *at + 7 {
                    let difference = system.room.log().difference(*at, seq).unwrap();
                    roster.apply(&difference).unwrap();
                    *at = seq;
                    prop_assert_eq!(&*roster, system.room.roster());
                    prop_assert_eq!(roster.digest(), system.room.roster().digest());
                }
            }
            replicas.push((seq, system.room.roster().clone()));
        }
        // In the end everybody is gone, and nobody haunts.
        for (who, tab) in system.sockets.clone().into_keys() {
            system.end(who, tab, DepartureReason::Closed);
        }
        system.wait(60_000);
        prop_assert!(system.room.is_deserted());
        prop_assert_eq!(system.room.next_deadline(), None);
    }
}
