//! What the room should look like: a second, plainer telling of the protocol's "life of a row".
//!
//! The room keeps states and timers; this keeps the history of each tab
//! and works out what a row should be from the words of the table. Times are in milliseconds.

use std::collections::{BTreeMap, BTreeSet};

use app::presence::{DepartureReason, Name, PresenceState, UserId};

/// One socket of a person, by a number that is used again when it has ended.
pub(super) type SocketOf = (u8, u8);

/// Something that happens to a room.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A socket announces a tab: a new one with its first frame, one that is there with a later one.
    Announce { of: SocketOf, tab: u8, is_visible: bool, name: u8, since: Since },
    /// A new socket follows the room.
    Watch { of: SocketOf, since: Since },
    /// A socket ends.
    End { of: SocketOf, how: DepartureReason },
    /// A page is hidden, or shown again.
    Hide { of: SocketOf, is_visible: bool },
    /// A person changes their name in one of their tabs.
    Rename { of: SocketOf, name: u8 },
    /// A person says goodbye in one of their tabs.
    Leave { of: SocketOf },
    /// A page has doubts about its list.
    Resync { of: SocketOf },
    /// The operator removes somebody.
    Remove { who: u8 },
    /// The room's page is on its way to somebody.
    ServePage { who: u8 },
    /// Somebody begins to look at the room without being a person, or no longer does.
    Observe { since: Option<Since> },
    /// Time passes.
    Wait { milliseconds: u64 },
    /// The server ends, in order or not, and the next one reads what it kept for so long.
    Restart { is_in_order: bool, loading: u64 },
}

/// Which list a client comes back with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Since {
    /// None.
    Absent,
    /// One of those that clients had earlier, be it of this life of the room or of another.
    Remembered(usize),
    /// One that the server can't have given yet.
    Future(u64),
    /// One of an epoch that never was.
    Foreign,
}

/// A tab that announced itself and was not forgotten.
#[derive(Clone, Debug)]
enum Tab {
    Connected { socket: u8, hidden_at: Option<u64> },
    Ended { how: DepartureReason, at: u64, deadline: u64 },
}

#[derive(Clone, Debug, Default)]
struct Person {
    listed: Option<(Name, PresenceState)>,
    tabs: BTreeMap<u8, Tab>,
    sockets: BTreeSet<u8>,
    /// For which tab each of them spoke last, listed or not.
    spoke_for: BTreeMap<u8, u8>,
    page_served_at: Option<u64>,
}

/// What is known of everybody.
#[derive(Clone, Debug, Default)]
pub(super) struct Story {
    now: u64,
    people: BTreeMap<u8, Person>,
    order: Vec<u8>,
    /// Whose row went in the last step, and the reasons that can be given for it.
    departures: BTreeMap<UserId, Vec<DepartureReason>>,
}

/// The public id of a person.
pub(super) fn id(who: u8) -> UserId {
    format!("person---{who:02}").parse().unwrap()
}

/// One of a few names.
pub(super) fn name(number: u8) -> Name {
    Name::parse(&format!("Name {number}")).unwrap()
}

impl Person {
    fn connected(&self) -> impl Iterator<Item = (u8, Option<u64>)> {
        self.tabs.values().filter_map(|tab| match tab {
            Tab::Connected { socket, hidden_at } => Some((*socket, *hidden_at)),
            Tab::Ended { .. } => None,
        })
    }

    /// What the connected tabs say: nothing if there is none.
    fn vote(&self, now: u64) -> Option<PresenceState> {
        let hidden: Vec<Option<u64>> = self.connected().map(|(_, hidden_at)| hidden_at).collect();
        let last_hidden = hidden.iter().max().copied()?;
        if hidden.iter().any(Option::is_none) {
            return Some(PresenceState::Here);
        }
        let was_away = self.listed.as_ref().is_some_and(|(_, state)| *state == PresenceState::Away);
        let is_away = was_away || last_hidden.is_some_and(|moment| moment + 30_000 <= now);
        Some(if is_away { PresenceState::Away } else { PresenceState::Here })
    }

    /// When the row ends if nobody comes back, and what may be said of it.
    fn end_of_row(&self) -> Option<(u64, Vec<DepartureReason>)> {
        let ended = || {
            self.tabs.values().filter_map(|tab| match tab {
                Tab::Ended { how, deadline, .. } => Some((*how, *deadline)),
                Tab::Connected { .. } => None,
            })
        };
        let last = ended().map(|(_, deadline)| deadline).max()?;
        let reasons = ended().filter(|(_, deadline)| *deadline == last).map(|(how, _)| how);
        Some((last, reasons.collect()))
    }
}

impl Story {
    /// The rows in order.
    pub(super) fn rows(&self) -> Vec<(UserId, Name, PresenceState)> {
        let row = |who: &u8| {
            let (name, state) = self.people[who].listed.clone().unwrap();
            (id(*who), name, state)
        };
        self.order.iter().map(row).collect()
    }

    /// Whose row went in the last step, and what may be said of it.
    pub(super) fn departures(&self) -> &BTreeMap<UserId, Vec<DepartureReason>> {
        &self.departures
    }

    /// Whether somebody is listed.
    pub(super) fn is_listed(&self, who: u8) -> bool {
        self.people.get(&who).is_some_and(|person| person.listed.is_some())
    }

    /// Whether a socket is open.
    pub(super) fn is_open(&self, (who, socket): SocketOf) -> bool {
        self.people.get(&who).is_some_and(|person| person.sockets.contains(&socket))
    }

    /// The sockets that are open.
    pub(super) fn open_sockets(&self) -> Vec<SocketOf> {
        let of = |(who, person): (&u8, &Person)| {
            let who = *who;
            person.sockets.iter().map(move |socket| (who, *socket)).collect::<Vec<_>>()
        };
        self.people.iter().flat_map(of).collect()
    }

    /// Whether a step is possible now.
    pub(super) fn allows(&self, step: &Step) -> bool {
        match step {
            Step::Watch { of, .. } => !self.is_open(*of),
            Step::End { of, .. }
            | Step::Hide { of, .. }
            | Step::Rename { of, .. }
            | Step::Leave { of }
            | Step::Resync { of } => self.is_open(*of),
            _ => true,
        }
    }

    /// Does what a step does.
    pub(super) fn go_on(mut self, step: &Step) -> Self {
        self.departures.clear();
        let now = self.now;
        match step {
            Step::Announce { of, tab, is_visible, name: called, .. } => {
                self.announce(*of, *tab, *is_visible, name(*called));
            }
            Step::Watch { of: (who, socket), .. } => {
                let person = self.person(*who);
                person.sockets.insert(*socket);
                person.page_served_at = None;
            }
            Step::End { of, how } => self.end(*of, *how),
            Step::Hide { of: (who, own), is_visible } => {
                for tab in self.person(*who).tabs.values_mut() {
                    if let Tab::Connected { socket, hidden_at } = tab
                        && socket == own
                    {
                        *hidden_at = if *is_visible { None } else { hidden_at.or(Some(now)) };
                    }
                }
            }
            Step::Rename { of: (who, _), name: called } => {
                if let Some((old, _)) = &mut self.person(*who).listed {
                    *old = name(*called);
                }
            }
            Step::Leave { of: (who, _) } => self.remove_row(*who, DepartureReason::Left),
            Step::Remove { who } => self.remove_row(*who, DepartureReason::Removed),
            Step::ServePage { who } => {
                let person = self.person(*who);
                person.page_served_at = Some(now);
                for tab in person.tabs.values_mut() {
                    if let Tab::Ended { at, deadline, .. } = tab {
                        *deadline = *at + 15_000;
                    }
                }
            }
            Step::Resync { .. } | Step::Observe { .. } => {}
            Step::Wait { milliseconds } => self.wait(*milliseconds),
            Step::Restart { loading, .. } => self.restart(*loading),
        }
        self.skeleton();
        self
    }

    fn person(&mut self, who: u8) -> &mut Person {
        self.people.entry(who).or_default()
    }

    fn announce(&mut self, (who, socket): SocketOf, tab: u8, is_visible: bool, called: Name) {
        let hidden_at = (!is_visible).then_some(self.now);
        let person = self.person(who);
        let is_first = person.sockets.insert(socket);
        // Whoever spoke for the tab until now is replaced, also where the row went meanwhile.
        person.spoke_for.insert(socket, tab);
        let others = person.spoke_for.iter().filter(|(other, of)| **other != socket && **of == tab);
        for replaced in others.map(|(other, _)| *other).collect::<Vec<_>>() {
            person.spoke_for.remove(&replaced);
            person.sockets.remove(&replaced);
        }
        person.tabs.retain(
            |_, other| !matches!(other, Tab::Connected { socket: own, .. } if *own == socket),
        );
        person.tabs.insert(tab, Tab::Connected { socket, hidden_at });
        person.page_served_at = None;
        match &mut person.listed {
            Some((old, _)) if !is_first => *old = called,
            Some(_) => {}
            none => {
                *none = Some((called, PresenceState::Here));
                self.order.push(who);
            }
        }
    }

    fn end(&mut self, (who, socket): SocketOf, how: DepartureReason) {
        let at = self.now;
        let person = self.person(who);
        person.sockets.remove(&socket);
        person.spoke_for.remove(&socket);
        let was_served = person.page_served_at.is_some_and(|served| at < served + 15_000);
        let grace = if how == DepartureReason::Closed && !was_served { 2_000 } else { 15_000 };
        let speaks_for =
            |tab: &&mut Tab| matches!(tab, Tab::Connected { socket: own, .. } if *own == socket);
        let Some(tab) = person.tabs.values_mut().find(speaks_for) else { return };
        *tab = Tab::Ended { how, at, deadline: at + grace };
        let is_connected = person.connected().next().is_some();
        if how == DepartureReason::Lost
            && !is_connected
            && let Some((_, state)) = &mut person.listed
        {
            *state = PresenceState::Reconnecting;
        }
    }

    fn remove_row(&mut self, who: u8, reason: DepartureReason) {
        let person = self.person(who);
        person.tabs.clear();
        if person.listed.take().is_some() {
            self.order.retain(|listed| *listed != who);
            self.departures.insert(id(who), vec![reason]);
        }
    }

    /// Millisecond by millisecond would be plainest; the moments at which something can happen are enough.
    fn wait(&mut self, milliseconds: u64) {
        let until = self.now + milliseconds;
        let tabs = self.people.values().flat_map(|person| person.tabs.values());
        let mut moments: Vec<u64> = tabs
            .filter_map(|tab| match tab {
                Tab::Connected { hidden_at, .. } => hidden_at.map(|moment| moment + 30_000),
                Tab::Ended { deadline, .. } => Some(*deadline),
            })
            .chain([until])
            .collect();
        moments.sort_unstable();
        for moment in moments.into_iter().filter(|moment| *moment <= until) {
            self.now = self.now.max(moment);
            self.skeleton();
        }
    }

    /// Nothing happens while the next process reads what was kept, and every row is held from then on.
    fn restart(&mut self, loading: u64) {
        self.now += loading;
        let at = self.now;
        for person in self.people.values_mut() {
            person.page_served_at = None;
            person.sockets.clear();
            person.spoke_for.clear();
            for tab in person.tabs.values_mut() {
                let how = match tab {
                    Tab::Connected { .. } => DepartureReason::Lost,
                    Tab::Ended { how, .. } => *how,
                };
                *tab = Tab::Ended { how, at, deadline: at + 15_000 };
            }
        }
    }

    /// Makes every row what it should be now.
    fn skeleton(&mut self) {
        let now = self.now;
        for (who, person) in &mut self.people {
            if person.listed.is_some() {
                let vote = person.vote(now);
                let end = person.end_of_row();
                if let (Some(vote), Some((_, state))) = (vote, &mut person.listed) {
                    *state = vote;
                } else if let Some((deadline, reasons)) = end
                    && deadline <= now
                {
                    person.listed = None;
                    self.order.retain(|listed| listed != who);
                    self.departures.insert(id(*who), reasons);
                }
            }
            person
                .tabs
                .retain(|_, tab| !matches!(tab, Tab::Ended { deadline, .. } if *deadline <= now));
        }
    }
}
