//! A reference model of the rows: a second, plainer implementation of the protocol's "life of a row".
//!
//! The room keeps states and timers. The model keeps the history of each tab, and derives the rows from the
//! words of the protocol's table. Times are in milliseconds.

use std::collections::{BTreeMap, BTreeSet};

use app::presence::{DepartureReason, Name, PresenceState, UserId};

/// A person, and one of its sockets by a number that is used again when the socket has ended.
pub(super) type SocketKey = (u8, u8);

/// An event of a room.
#[derive(Clone, Debug)]
pub(super) enum Transition {
    /// A tab joins: over a new socket with its first frame, over an open one with a later frame.
    Join { of: SocketKey, tab: u8, is_visible: bool, name: u8, since: ResumePoint },
    /// A new socket watches the room.
    Watch { of: SocketKey, since: ResumePoint },
    /// A socket ends.
    End { of: SocketKey, reason: DepartureReason },
    /// A page is hidden or shown.
    Hide { of: SocketKey, is_visible: bool },
    /// A person changes the name in one of the tabs.
    Rename { of: SocketKey, name: u8 },
    /// A person leaves in one of the tabs.
    Leave { of: SocketKey },
    /// A client requests the whole list.
    Resync { of: SocketKey },
    /// The operator removes a person.
    Remove { person: u8 },
    /// The room's page is sent to a person.
    LoadPage { person: u8 },
    /// An event stream ends and, with a resume point, a new one begins.
    Stream { since: Option<ResumePoint> },
    /// Time passes.
    Wait { milliseconds: u64 },
    /// The room's numbers may be lost, so they begin anew.
    ChangeEpoch,
    /// The server shuts down or is killed, and the next one takes so long to load the rooms.
    Restart { is_clean: bool, loading: u64 },
}

/// The list that a client comes back with.
#[derive(Clone, Copy, Debug)]
pub(super) enum ResumePoint {
    /// None.
    Absent,
    /// A list that a client had earlier, in this epoch or another.
    Remembered(usize),
    /// A position that the server has not issued yet.
    Future(u64),
    /// An epoch that does not exist.
    Foreign,
}

/// A tab that has joined, until its grace period is over.
#[derive(Clone, Debug)]
enum ModelTab {
    Connected { socket: u8, hidden_at: Option<u64> },
    Ended { reason: DepartureReason, at: u64, deadline: u64 },
}

#[derive(Clone, Debug, Default)]
struct Person {
    listed: Option<(Name, PresenceState)>,
    tabs: BTreeMap<u8, ModelTab>,
    sockets: BTreeSet<u8>,
    /// The tab for which each of them joined last, whether the row still exists or not.
    tab_of: BTreeMap<u8, u8>,
    page_loaded_at: Option<u64>,
}

/// All people, and the order of their rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    now: u64,
    people: BTreeMap<u8, Person>,
    order: Vec<u8>,
    /// The rows that the last transition removed, and the reasons that are right for each.
    departures: BTreeMap<UserId, Vec<DepartureReason>>,
}

/// The id of a person.
pub(super) fn id(person: u8) -> UserId {
    format!("person---{person:02}").parse().unwrap()
}

/// One of a few names.
pub(super) fn name(number: u8) -> Name {
    Name::parse(&format!("Name {number}")).unwrap()
}

impl Person {
    fn connected(&self) -> impl Iterator<Item = (u8, Option<u64>)> {
        self.tabs.values().filter_map(|tab| match tab {
            ModelTab::Connected { socket, hidden_at } => Some((*socket, *hidden_at)),
            ModelTab::Ended { .. } => None,
        })
    }

    /// The state by the connected tabs; `None` without any.
    fn connected_state(&self, now: u64) -> Option<PresenceState> {
        let hidden: Vec<Option<u64>> = self.connected().map(|(_, hidden_at)| hidden_at).collect();
        let last_hidden = hidden.iter().max().copied()?;
        if hidden.iter().any(Option::is_none) {
            return Some(PresenceState::Here);
        }
        let was_away = self.listed.as_ref().is_some_and(|(_, state)| *state == PresenceState::Away);
        let is_away = was_away || last_hidden.is_some_and(|moment| moment + 30_000 <= now);
        Some(if is_away { PresenceState::Away } else { PresenceState::Here })
    }

    /// When the row is removed if no tab comes back, and the reasons that are right for it.
    fn end_of_row(&self) -> Option<(u64, Vec<DepartureReason>)> {
        let ended = || {
            self.tabs.values().filter_map(|tab| match tab {
                ModelTab::Ended { reason, deadline, .. } => Some((*reason, *deadline)),
                ModelTab::Connected { .. } => None,
            })
        };
        let last = ended().map(|(_, deadline)| deadline).max()?;
        let reasons = ended().filter(|(_, deadline)| *deadline == last).map(|(reason, _)| reason);
        Some((last, reasons.collect()))
    }
}

impl Model {
    /// The rows in the order of the list.
    pub(super) fn rows(&self) -> Vec<(UserId, Name, PresenceState)> {
        let row = |person_id: &u8| {
            let (name, state) = self.people[person_id].listed.clone().unwrap();
            (id(*person_id), name, state)
        };
        self.order.iter().map(row).collect()
    }

    /// The rows that the last transition removed, and the reasons that are right for each.
    pub(super) fn departures(&self) -> &BTreeMap<UserId, Vec<DepartureReason>> {
        &self.departures
    }

    /// Whether a person is listed.
    pub(super) fn is_listed(&self, person_id: u8) -> bool {
        self.people.get(&person_id).is_some_and(|person| person.listed.is_some())
    }

    /// Whether a socket is open.
    pub(super) fn is_open(&self, (person_id, socket): SocketKey) -> bool {
        self.people.get(&person_id).is_some_and(|person| person.sockets.contains(&socket))
    }

    /// All open sockets.
    pub(super) fn open_sockets(&self) -> Vec<SocketKey> {
        let of = |(person_id, person): (&u8, &Person)| {
            let person_id = *person_id;
            person.sockets.iter().map(move |socket| (person_id, *socket)).collect::<Vec<_>>()
        };
        self.people.iter().flat_map(of).collect()
    }

    /// Whether a transition is valid now.
    pub(super) fn allows(&self, transition: &Transition) -> bool {
        match transition {
            Transition::Watch { of, .. } => !self.is_open(*of),
            Transition::End { of, .. }
            | Transition::Hide { of, .. }
            | Transition::Rename { of, .. }
            | Transition::Leave { of }
            | Transition::Resync { of } => self.is_open(*of),
            _ => true,
        }
    }

    /// The model after a transition.
    pub(super) fn apply(mut self, transition: &Transition) -> Self {
        self.departures.clear();
        let now = self.now;
        match transition {
            Transition::Join { of, tab, is_visible, name: number, .. } => {
                self.join(*of, *tab, *is_visible, name(*number));
            }
            Transition::Watch { of: (person_id, socket), .. } => {
                let person = self.person(*person_id);
                person.sockets.insert(*socket);
                person.page_loaded_at = None;
            }
            Transition::End { of, reason } => self.end(*of, *reason),
            Transition::Hide { of: (person_id, own), is_visible } => {
                for tab in self.person(*person_id).tabs.values_mut() {
                    if let ModelTab::Connected { socket, hidden_at } = tab
                        && socket == own
                    {
                        *hidden_at = if *is_visible { None } else { hidden_at.or(Some(now)) };
                    }
                }
            }
            Transition::Rename { of: (person_id, _), name: number } => {
                if let Some((old, _)) = &mut self.person(*person_id).listed {
                    *old = name(*number);
                }
            }
            Transition::Leave { of: (person_id, _) } => {
                self.remove_row(*person_id, DepartureReason::Left);
            }
            Transition::Remove { person: person_id } => {
                self.remove_row(*person_id, DepartureReason::Removed);
            }
            Transition::LoadPage { person: person_id } => {
                let person = self.person(*person_id);
                person.page_loaded_at = Some(now);
                for tab in person.tabs.values_mut() {
                    if let ModelTab::Ended { at, deadline, .. } = tab {
                        *deadline = *at + 15_000;
                    }
                }
            }
            Transition::Resync { .. } | Transition::Stream { .. } | Transition::ChangeEpoch => {}
            Transition::Wait { milliseconds } => self.wait(*milliseconds),
            Transition::Restart { loading, .. } => self.restart(*loading),
        }
        self.update_rows();
        self
    }

    fn person(&mut self, person_id: u8) -> &mut Person {
        self.people.entry(person_id).or_default()
    }

    fn join(&mut self, (person_id, socket): SocketKey, tab: u8, is_visible: bool, called: Name) {
        let hidden_at = (!is_visible).then_some(self.now);
        let person = self.person(person_id);
        let is_first = person.sockets.insert(socket);
        // The socket that had the tab until now is replaced, also if the row was removed since.
        person.tab_of.insert(socket, tab);
        let others = person.tab_of.iter().filter(|(other, of)| **other != socket && **of == tab);
        for replaced in others.map(|(other, _)| *other).collect::<Vec<_>>() {
            person.tab_of.remove(&replaced);
            person.sockets.remove(&replaced);
        }
        person.tabs.retain(
            |_, other| !matches!(other, ModelTab::Connected { socket: own, .. } if *own == socket),
        );
        person.tabs.insert(tab, ModelTab::Connected { socket, hidden_at });
        person.page_loaded_at = None;
        match &mut person.listed {
            Some((old, _)) if !is_first => *old = called,
            Some(_) => {}
            none => {
                *none = Some((called, PresenceState::Here));
                self.order.push(person_id);
            }
        }
    }

    fn end(&mut self, (person_id, socket): SocketKey, reason: DepartureReason) {
        let at = self.now;
        let person = self.person(person_id);
        person.sockets.remove(&socket);
        person.tab_of.remove(&socket);
        let is_page_loading = person.page_loaded_at.is_some_and(|loaded| at < loaded + 15_000);
        let grace =
            if reason == DepartureReason::Closed && !is_page_loading { 2_000 } else { 15_000 };
        let is_of_socket = |tab: &&mut ModelTab| matches!(tab, ModelTab::Connected { socket: own, .. } if *own == socket);
        let Some(tab) = person.tabs.values_mut().find(is_of_socket) else { return };
        *tab = ModelTab::Ended { reason, at, deadline: at + grace };
        let is_connected = person.connected().next().is_some();
        if reason == DepartureReason::Lost
            && !is_connected
            && let Some((_, state)) = &mut person.listed
        {
            *state = PresenceState::Reconnecting;
        }
    }

    fn remove_row(&mut self, person_id: u8, reason: DepartureReason) {
        let person = self.person(person_id);
        person.tabs.clear();
        if person.listed.take().is_some() {
            self.order.retain(|listed| *listed != person_id);
            self.departures.insert(id(person_id), vec![reason]);
        }
    }

    /// Stops at every time at which a row can change.
    fn wait(&mut self, milliseconds: u64) {
        let until = self.now + milliseconds;
        let tabs = self.people.values().flat_map(|person| person.tabs.values());
        let mut moments: Vec<u64> = tabs
            .filter_map(|tab| match tab {
                ModelTab::Connected { hidden_at, .. } => hidden_at.map(|moment| moment + 30_000),
                ModelTab::Ended { deadline, .. } => Some(*deadline),
            })
            .chain([until])
            .collect();
        moments.sort_unstable();
        for moment in moments.into_iter().filter(|moment| *moment <= until) {
            self.now = self.now.max(moment);
            self.update_rows();
        }
    }

    /// Rows do not change while the next process loads. Every row is held from then on.
    fn restart(&mut self, loading: u64) {
        self.now += loading;
        let at = self.now;
        for person in self.people.values_mut() {
            person.page_loaded_at = None;
            person.sockets.clear();
            person.tab_of.clear();
            for tab in person.tabs.values_mut() {
                let reason = match tab {
                    ModelTab::Connected { .. } => DepartureReason::Lost,
                    ModelTab::Ended { reason, .. } => *reason,
                };
                *tab = ModelTab::Ended { reason, at, deadline: at + 15_000 };
            }
        }
    }

    /// Brings every row to its state of this moment.
    fn update_rows(&mut self) {
        let now = self.now;
        for (person_id, person) in &mut self.people {
            if person.listed.is_some() {
                let connected = person.connected_state(now);
                let end = person.end_of_row();
                if let (Some(connected), Some((_, state))) = (connected, &mut person.listed) {
                    *state = connected;
                } else if let Some((deadline, reasons)) = end
                    && deadline <= now
                {
                    person.listed = None;
                    self.order.retain(|listed| listed != person_id);
                    self.departures.insert(id(*person_id), reasons);
                }
            }
            person.tabs.retain(
                |_, tab| !matches!(tab, ModelTab::Ended { deadline, .. } if *deadline <= now),
            );
        }
    }
}
