//! The history of a room with a correct server: its changes, and the frames of each client.

use std::time::{Duration, Instant};

use app::presence::{
    Beat, Changes, DepartureReason, Difference, Digest, Epoch, ExistingUsers, MoreUsers, Name,
    PresenceState, ServerEvent, User, UserId,
};

use crate::oracle::{
    lists::{Lists, StateId},
    truth::{ChangeKind, PersonIndex, Truth},
    violations::Violations,
};

/// The names of all persons.
pub(super) const NAMES: [&str; 5] = ["Ana", "Bo", "Cy", "Di", "Eve"];

/// An event of a history.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// The generator recorded this change of a person.
    Changed(usize, ChangeKind),
    /// A client received a frame.
    Sent { client: usize, frame: Box<ServerEvent> },
}

/// All events, and the server's list at the end.
#[derive(Clone, Debug)]
pub(super) struct History {
    pub(super) clients: usize,
    pub(super) events: Vec<Event>,
    pub(super) server_list: Vec<User>,
}

pub(super) fn id_of(person: usize) -> UserId {
    format!("person---{person:02}").parse().unwrap()
}

/// A row with the unique `seq` of its join.
#[derive(Clone, Debug)]
struct HistoryRow {
    born: u64,
    user: User,
}

/// Builds a valid history.
#[derive(Debug)]
pub(super) struct HistoryBuilder {
    events: Vec<Event>,
    /// The rows at each `seq`.
    rows_at: Vec<Vec<HistoryRow>>,
    /// The `seq`, person and reason of each departure.
    departures: Vec<(u64, UserId, DepartureReason)>,
    /// The `seq` of each client's list.
    positions: Vec<u64>,
}

impl HistoryBuilder {
    /// Starts with an empty room, whose list every client has.
    pub(super) fn new(clients: usize) -> Self {
        let (events, departures) = (Vec::new(), Vec::new());
        let mut history =
            Self { events, rows_at: vec![Vec::new()], departures, positions: Vec::new() };
        for _ in 0..clients {
            history.add_client(1);
        }
        history
    }

    /// Adds a client that receives the list, with so many rows per frame.
    pub(super) fn add_client(&mut self, rows_per_frame: usize) {
        self.positions.push(self.seq());
        self.list(self.positions.len() - 1, rows_per_frame);
    }

    fn seq(&self) -> u64 {
        u64::try_from(self.rows_at.len() - 1).unwrap()
    }

    fn at(&self, seq: u64) -> &[HistoryRow] {
        &self.rows_at[usize::try_from(seq).unwrap()]
    }

    fn now(&self) -> &[HistoryRow] {
        self.at(self.seq())
    }

    /// The state of a person's row.
    pub(super) fn state(&self, person: usize) -> Option<PresenceState> {
        let id = id_of(person);
        self.now().iter().find(|row| row.user.id == id).map(|row| row.user.state)
    }

    /// Adds a change of a person, which must be possible.
    pub(super) fn change(&mut self, person: usize, what: ChangeKind) {
        let (id, born) = (id_of(person), self.seq() + 1);
        let mut rows = self.now().to_vec();
        match what {
            ChangeKind::Joined => {
                let name = Name::parse(NAMES[person]).unwrap();
                let state = PresenceState::Here;
                rows.push(HistoryRow {
                    born,
                    user: User { id, name, joined: 1_795_000_000 + born, state },
                });
            }
            ChangeKind::Departed(reason) => {
                rows.retain(|row| row.user.id != id);
                self.departures.push((born, id, reason));
            }
            ChangeKind::Became(state) => {
                for row in rows.iter_mut().filter(|row| row.user.id == id) {
                    row.user.state = state;
                }
            }
        }
        self.rows_at.push(rows);
        self.events.push(Event::Changed(person, what));
    }

    /// Sends the whole list to a client, with so many rows per frame.
    pub(super) fn list(&mut self, client: usize, rows_per_frame: usize) {
        let users: Vec<User> = self.now().iter().map(|row| row.user.clone()).collect();
        let count = users.len();
        let first = users.iter().take(rows_per_frame).cloned().collect();
        let (epoch, seq) = (epoch(), self.seq());
        let list = ExistingUsers { epoch, seq, you: None, now: 0, count, users: first };
        self.send(client, ServerEvent::ExistingUsers(list));
        for users in users.get(rows_per_frame..).unwrap_or_default().chunks(rows_per_frame) {
            self.send(client, ServerEvent::MoreUsers(MoreUsers { users: users.to_vec() }));
        }
        self.positions[client] = seq;
    }

    /// Sends all changes since its last frame to a client, with so many facts per frame.
    pub(super) fn difference(&mut self, client: usize, facts_per_frame: usize) {
        let (from, seq) = (self.positions[client], self.seq());
        if from == seq {
            return;
        }
        let facts = self.facts_since(from);
        let mut pieces: Vec<Difference> = facts.chunks(facts_per_frame).map(merged).collect();
        let last = pieces.pop().unwrap_or_default();
        for difference in pieces {
            self.send(client, ServerEvent::Changes(Changes { from, seq: from, difference }));
        }
        self.send(client, ServerEvent::Changes(Changes { from, seq, difference: last }));
        self.positions[client] = seq;
    }

    /// The facts since a `seq`, each as a difference of its own.
    fn facts_since(&self, from: u64) -> Vec<Difference> {
        let (before, after) = (self.at(from), self.now());
        let mut facts = Vec::new();
        let mut fact = |fill: &mut dyn FnMut(&mut Difference)| {
            let mut difference = Difference::default();
            fill(&mut difference);
            facts.push(difference);
        };
        for old in before {
            if after.iter().all(|new| new.born != old.born) {
                let mut departures = self.departures.iter();
                let departure = departures.find(|(at, id, _)| *at > from && *id == old.user.id);
                let reason = departure.unwrap().2;
                fact(&mut |it| it.disconnect_user.group_mut(reason).push(old.user.id));
            }
        }
        for new in after {
            let old = before.iter().find(|old| old.born == new.born);
            if old.is_some_and(|old| old.user.state != new.user.state) {
                fact(&mut |it| it.user_changed.state_mut(new.user.state).push(new.user.id));
            }
        }
        for new in after {
            if before.iter().all(|old| old.born != new.born) {
                fact(&mut |it| it.new_user.push(new.user.clone()));
            }
        }
        facts
    }

    /// Sends a beat to a client.
    pub(super) fn beat(&mut self, client: usize) {
        let seq = self.positions[client];
        let count = self.at(seq).len();
        let beat = Beat { seq, count, digest: Digest::default(), now: 0, as_of: None };
        self.send(client, ServerEvent::Beat(beat));
    }

    /// Sends all changes to all clients.
    pub(super) fn send_all(&mut self) {
        for client in 0..self.positions.len() {
            self.difference(client, usize::MAX);
        }
    }

    fn send(&mut self, client: usize, frame: ServerEvent) {
        self.events.push(Event::Sent { client, frame: Box::new(frame) });
    }

    /// Sends all changes and a beat to every client, and ends the history.
    pub(super) fn end(mut self) -> History {
        self.send_all();
        for client in 0..self.positions.len() {
            self.beat(client);
        }
        self.stop()
    }

    /// Ends the history without sending more frames.
    pub(super) fn stop(self) -> History {
        let server_list = self.now().iter().map(|row| row.user.clone()).collect();
        History { clients: self.positions.len(), events: self.events, server_list }
    }
}

fn merged(facts: &[Difference]) -> Difference {
    let mut difference = Difference::default();
    for fact in facts {
        difference.append(fact.clone());
    }
    difference
}

pub(super) fn epoch() -> Epoch {
    "e1".parse().unwrap()
}

/// The index of a client's frame among all events; frame 0 is the client's first list.
pub(super) fn position(history: &History, of_client: usize, number: usize) -> usize {
    let frames = history.events.iter().enumerate();
    let mut frames = frames.filter_map(|(position, event)| match event {
        Event::Sent { client, .. } if *client == of_client => Some(position),
        _ => None,
    });
    frames.nth(number).unwrap()
}

pub(super) fn frame(history: &mut History, client: usize, number: usize) -> &mut ServerEvent {
    let position = position(history, client, number);
    match &mut history.events[position] {
        Event::Sent { frame, .. } => frame,
        Event::Changed(..) => unreachable!("a frame is at its place"),
    }
}

/// The rows in a frame.
pub(super) fn rows(history: &mut History, client: usize, number: usize) -> &mut Vec<User> {
    match frame(history, client, number) {
        ServerEvent::ExistingUsers(list) => &mut list.users,
        ServerEvent::MoreUsers(more) => &mut more.users,
        ServerEvent::Changes(changes) => &mut changes.difference.new_user,
        other => panic!("no rows come with {other:?}"),
    }
}

/// Applies a history to the oracle, and returns the first violation.
pub(super) fn first_violation(history: &History) -> Option<String> {
    let mut clients = Clients::new(history.clients);
    let applied = history.events.iter().try_for_each(|event| clients.apply(event));
    applied.and_then(|()| clients.judge(history)).err()
}

/// The clients' lists in the oracle.
pub(super) struct Clients {
    truth: Truth,
    people: [PersonIndex; NAMES.len()],
    lists: Lists,
    states: Vec<StateId>,
    now: Instant,
}

impl Clients {
    pub(super) fn new(clients: usize) -> Self {
        let mut truth = Truth::default();
        let people = NAMES.map(|name| truth.add_person(name));
        let states = vec![StateId::NOTHING; clients];
        Self { truth, people, lists: Lists::default(), states, now: Instant::now() }
    }

    /// Applies the next event.
    pub(super) fn apply(&mut self, event: &Event) -> Result<(), String> {
        self.now += Duration::from_millis(10);
        match event {
            Event::Changed(person, what) => {
                self.truth.record(self.people[*person], *what, self.now);
            }
            Event::Sent { client, frame } => {
                let frame = serde_json::to_vec(frame).unwrap();
                let Self { truth, lists, states, now, .. } = self;
                states[*client] = lists.advance(states[*client], &frame, truth, *now).to;
                if let Some(violation) = lists.violation(states[*client]) {
                    return Err(format!("client {client}: {violation}"));
                }
            }
        }
        Ok(())
    }

    /// Whether a client's list is as expected.
    pub(super) fn is_right(&mut self, client: usize) -> bool {
        self.lists.is_right(self.states[client], &self.truth)
    }

    fn judge(&mut self, history: &History) -> Result<(), String> {
        let mut violations = Violations::default();
        let clients = self.states.iter().copied().enumerate();
        self.lists.judge(clients, Ok(history.server_list.clone()), &self.truth, &mut violations);
        violations.first.map_or(Ok(()), Err)
    }
}
