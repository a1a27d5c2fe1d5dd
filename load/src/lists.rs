//! Every list that any client can have, each kept once.
//!
//! Ten thousand clients with ten thousand rows each are a hundred million rows, and all clients of a
//! flush are sent the same bytes. So a client's list is only a number: the state it is in. A frame leads
//! from one state to the next, and that is worked out when the first client reads it; for all others the
//! bytes are compared, every one of them, with what led there before.

mod apply;

use std::{collections::HashMap, rc::Rc, time::Instant};

use app::presence::{
    Difference, Epoch, ExistingUsers, MoreUsers, PresenceState, ServerEvent, Since, User,
};

use crate::truth::{ChangeIndex, PersonIndex, Truth};

/// Names a state that a client's list can be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StateId(usize);

impl StateId {
    /// No list has come yet.
    pub const NOTHING: Self = Self(0);
}

/// Names one row as it is shown: whose, since when, in which state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct RowId(u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Row {
    who: PersonIndex,
    joined: u64,
    state: PresenceState,
}

/// What a state is.
#[derive(Clone, Debug)]
enum Kind {
    Nothing,
    /// A list of which these rows have come; `before` is the whole list that it replaces.
    Listing {
        before: Option<StateId>,
        at: Since,
        count: usize,
        rows: Rc<Rows>,
    },
    /// A whole list.
    Live {
        at: Since,
        rows: Rc<[RowId]>,
    },
    /// A whole list, and a difference of which this much has come.
    Differing {
        base: StateId,
        so_far: Rc<Difference>,
    },
    /// It can't be right any more, and why.
    Wrong(Rc<str>),
}

/// The rows of a list so far: a chain, so that its pieces don't each hold all before them.
#[derive(Clone, Debug)]
struct Rows {
    earlier: Option<Rc<Rows>>,
    these: Box<[RowId]>,
    length: usize,
}

#[derive(Debug)]
struct State {
    kind: Kind,
    next: HashMap<Rc<[u8]>, usize>,
    /// The transition that was taken last: most clients take the same.
    last: Option<usize>,
    /// For which version of the truth it is known whether this list is right.
    judged: Option<(u64, bool)>,
}

/// What kind of frame led from one state to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// A list or a piece of it.
    List,
    /// The answer to one who had a list.
    Resumed,
    /// What happened next.
    Changes,
    /// Where the list should be.
    Beat,
    /// Anything else.
    Other,
}

/// What a frame does to a client's list.
#[derive(Clone, Debug)]
pub struct Transition {
    frame: Rc<[u8]>,
    /// What the list is afterwards.
    pub to: StateId,
    /// What kind of frame it is.
    pub kind: FrameKind,
    /// The changes that the client is told of by it.
    pub facts: Rc<[ChangeIndex]>,
    /// The rows of a list in it.
    pub list_rows: usize,
    /// What the names in those rows take.
    pub name_bytes: usize,
}

/// All states and what leads from one to the next.
#[derive(Debug)]
pub struct Lists {
    states: Vec<State>,
    transitions: Vec<Transition>,
    rows: Vec<Row>,
    row_ids: HashMap<Row, RowId>,
    live: HashMap<(Epoch, u64), StateId>,
    edges: HashMap<(StateId, StateId), Rc<[ChangeIndex]>>,
}

impl Default for Lists {
    fn default() -> Self {
        let mut lists = Self {
            states: Vec::new(),
            transitions: Vec::new(),
            rows: Vec::new(),
            row_ids: HashMap::new(),
            live: HashMap::new(),
            edges: HashMap::new(),
        };
        lists.add(Kind::Nothing);
        lists
    }
}

/// What a frame leads to, before it is kept.
struct Step {
    to: StateId,
    kind: FrameKind,
    facts: Rc<[ChangeIndex]>,
    list_rows: usize,
    name_bytes: usize,
}

impl Step {
    fn staying(state: StateId, kind: FrameKind) -> Self {
        Self { to: state, kind, facts: Rc::new([]), list_rows: 0, name_bytes: 0 }
    }
}

impl Lists {
    /// Takes in a frame, whose words for one client alone are blanked out.
    pub fn advance(
        &mut self,
        state: StateId,
        frame: &[u8],
        truth: &mut Truth,
        now: Instant,
    ) -> &Transition {
        let index = self.known(state, frame).unwrap_or_else(|| {
            let step = self.work_out(state, frame, truth, now);
            let index = self.transitions.len();
            let frame: Rc<[u8]> = frame.into();
            self.states[state.0].next.insert(Rc::clone(&frame), index);
            let Step { to, kind, facts, list_rows, name_bytes } = step;
            self.transitions.push(Transition { frame, to, kind, facts, list_rows, name_bytes });
            index
        });
        self.states[state.0].last = Some(index);
        &self.transitions[index]
    }

    /// Where a client's list is, if it is whole: what it asks to go on from.
    pub fn position(&self, state: StateId) -> Option<&Since> {
        match &self.states[state.0].kind {
            Kind::Live { at, .. } => Some(at),
            Kind::Differing { base, .. } => self.position(*base),
            _ => None,
        }
    }

    /// The state to go on from after a socket ended: what was on its way never came.
    pub fn after_disconnect(&self, state: StateId) -> StateId {
        match &self.states[state.0].kind {
            Kind::Differing { base, .. } => *base,
            Kind::Listing { before, .. } => before.unwrap_or(StateId::NOTHING),
            _ => state,
        }
    }

    /// What is wrong with a list that can't be right any more.
    pub fn fault(&self, state: StateId) -> Option<&Rc<str>> {
        match &self.states[state.0].kind {
            Kind::Wrong(sentence) => Some(sentence),
            _ => None,
        }
    }

    /// Whether the list is whole and what it should be once all is told.
    pub fn is_right(&mut self, state: StateId, truth: &Truth) -> bool {
        let version = truth.version();
        if let Some((judged, is_right)) = self.states[state.0].judged
            && judged == version
        {
            return is_right;
        }
        let is_right = self.mistake(state, truth).is_none();
        self.states[state.0].judged = Some((version, is_right));
        is_right
    }

    /// The first thing that is not as it should be once all is told.
    pub fn mistake(&self, state: StateId, truth: &Truth) -> Option<String> {
        let rows = match &self.states[state.0].kind {
            Kind::Live { rows, .. } => rows,
            Kind::Wrong(sentence) => return Some(sentence.to_string()),
            Kind::Nothing => return Some("no list has come".to_owned()),
            Kind::Listing { count, rows, .. } => {
                return Some(format!("of {count} rows only {} have come", rows.length));
            }
            Kind::Differing { .. } => return Some("a difference has not come whole".to_owned()),
        };
        let rows = || rows.iter().map(|row| self.row(*row));
        for row in rows() {
            let expected = truth.expected(row.who);
            if expected != Some(row.state) {
                let name = truth.name(row.who);
                return Some(match expected {
                    None => format!("{name} is listed and should not be"),
                    Some(state) => {
                        format!("{name} is {} and should be {}", row.state.as_str(), state.as_str())
                    }
                });
            }
        }
        // No row is there twice, so equal numbers of right rows are equal lists.
        if rows().len() < truth.listed() {
            let missing = truth.listed() - rows().len();
            return Some(format!("{missing} of {} rows are missing", truth.listed()));
        }
        truth.impossible_order(rows().map(|row| row.who))
    }

    /// Whether two whole lists have the same rows in the same order.
    pub fn same_rows(&self, one: StateId, other: StateId) -> bool {
        match (&self.states[one.0].kind, &self.states[other.0].kind) {
            (Kind::Live { rows, .. }, Kind::Live { rows: others, .. }) => rows == others,
            _ => false,
        }
    }

    /// Compares a list with one that was asked for in another way, row by row.
    pub fn compare(&self, state: StateId, users: &[User], truth: &Truth) -> Result<(), String> {
        let Kind::Live { rows, .. } = &self.states[state.0].kind else {
            return Err("there is no whole list to compare".to_owned());
        };
        if rows.len() != users.len() {
            return Err(format!(
                "the server lists {} people and a client {}",
                users.len(),
                rows.len()
            ));
        }
        for (place, (row, user)) in rows.iter().zip(users).enumerate() {
            let row = self.row(*row);
            let same = truth.name(row.who) == user.name.as_str()
                && (row.joined, row.state) == (user.joined, user.state);
            if !same {
                let (ours, theirs) = (truth.name(row.who), user.name.as_str());
                return Err(format!(
                    "row {place} is {ours} at a client and {theirs} at the server"
                ));
            }
        }
        Ok(())
    }

    fn known(&self, state: StateId, frame: &[u8]) -> Option<usize> {
        let state = &self.states[state.0];
        let last = state.last.filter(|last| *self.transitions[*last].frame == *frame);
        last.or_else(|| state.next.get(frame).copied())
    }

    fn work_out(&mut self, state: StateId, frame: &[u8], truth: &mut Truth, now: Instant) -> Step {
        if self.fault(state).is_some() {
            return Step::staying(state, FrameKind::Other);
        }
        let step = serde_json::from_slice(frame)
            .map_err(|error| format!("a frame can't be read: {error}"))
            .and_then(|event| self.step(state, event, truth, now));
        step.unwrap_or_else(|sentence| {
            let to = self.add(Kind::Wrong(sentence.into()));
            Step::staying(to, FrameKind::Other)
        })
    }

    fn step(
        &mut self,
        state: StateId,
        event: ServerEvent,
        truth: &mut Truth,
        now: Instant,
    ) -> Result<Step, String> {
        match event {
            ServerEvent::ExistingUsers(list) => self.start_list(state, list, truth, now),
            ServerEvent::MoreUsers(more) => self.continue_list(state, &more, truth, now),
            ServerEvent::Resumed(resumed) => {
                if self.position(state).is_some_and(|at| at.epoch != resumed.epoch) {
                    return Err("a list goes on in another epoch".to_owned());
                }
                let reach = (resumed.from, resumed.seq);
                let step = self.bring_forward(state, reach, &resumed.difference, truth, now)?;
                Ok(Step { kind: FrameKind::Resumed, ..step })
            }
            ServerEvent::Changes(changes) => {
                let reach = (changes.from, changes.seq);
                self.bring_forward(state, reach, &changes.difference, truth, now)
            }
            ServerEvent::Beat(beat) => match &self.states[state.0].kind {
                Kind::Live { at, rows } if at.seq == beat.seq && rows.len() != beat.count => {
                    Err(format!("a beat counts {} rows where {} came", beat.count, rows.len()))
                }
                Kind::Live { at, .. } if at.seq != beat.seq => {
                    Err(format!("a beat speaks of {} to a list at {}", beat.seq, at.seq))
                }
                Kind::Listing { .. } | Kind::Differing { .. } => {
                    Err("a beat comes in the middle of something else".to_owned())
                }
                _ => Ok(Step::staying(state, FrameKind::Beat)),
            },
            ServerEvent::Refused(refusal) => Err(format!("refused: {}", refusal.message)),
            ServerEvent::Unknown => Ok(Step::staying(state, FrameKind::Other)),
        }
    }

    fn start_list(
        &mut self,
        state: StateId,
        list: ExistingUsers,
        truth: &mut Truth,
        now: Instant,
    ) -> Result<Step, String> {
        let before = match &self.states[state.0].kind {
            Kind::Live { .. } => Some(state),
            Kind::Differing { base, .. } => Some(*base),
            Kind::Listing { before, .. } => *before,
            Kind::Nothing | Kind::Wrong(_) => None,
        };
        let at = Since { epoch: list.epoch, seq: list.seq };
        let kind = Kind::Listing {
            before,
            at,
            count: list.count,
            rows: Rc::new(Rows { earlier: None, these: Box::default(), length: 0 }),
        };
        self.take_rows(kind, &list.users, truth, now)
    }

    fn continue_list(
        &mut self,
        state: StateId,
        more: &MoreUsers,
        truth: &mut Truth,
        now: Instant,
    ) -> Result<Step, String> {
        let kind = self.states[state.0].kind.clone();
        if !matches!(kind, Kind::Listing { .. }) {
            return Err("rows come where no list was begun".to_owned());
        }
        self.take_rows(kind, &more.users, truth, now)
    }

    fn add(&mut self, kind: Kind) -> StateId {
        let id = StateId(self.states.len());
        self.states.push(State { kind, next: HashMap::new(), last: None, judged: None });
        id
    }

    fn row(&self, id: RowId) -> Row {
        self.rows[usize::try_from(id.0).unwrap_or(usize::MAX)]
    }

    fn intern_row(&mut self, row: Row) -> RowId {
        *self.row_ids.entry(row).or_insert_with(|| {
            self.rows.push(row);
            RowId(u32::try_from(self.rows.len() - 1).unwrap_or(u32::MAX))
        })
    }

    /// The state with this whole list: all who are at the same point must have the same.
    fn intern_live(
        &mut self,
        at: &Since,
        rows: Vec<RowId>,
        truth: &Truth,
    ) -> Result<StateId, String> {
        let key = (at.epoch.clone(), at.seq);
        let Some(&known) = self.live.get(&key) else {
            let id = self.add(Kind::Live { at: at.clone(), rows: rows.into() });
            self.live.insert(key, id);
            return Ok(id);
        };
        let Kind::Live { rows: others, .. } = &self.states[known.0].kind else { return Ok(known) };
        if **others == *rows {
            return Ok(known);
        }
        let place = others.iter().zip(&rows).take_while(|(other, row)| other == row).count();
        let at_place = |rows: &[RowId]| {
            let row = rows.get(place).map(|row| self.row(*row));
            row.map_or("nobody".to_owned(), |row| truth.name(row.who).to_owned())
        };
        Err(format!(
            "two lists at {} differ: row {place} is {} in one and {} in the other",
            at.seq,
            at_place(others),
            at_place(&rows)
        ))
    }
}
