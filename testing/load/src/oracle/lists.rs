//! All lists of all clients, each state stored once.
//!
//! Ten thousand clients with ten thousand rows each would be a hundred million rows. But all clients receive
//! the same bytes of a broadcast, so a client's list is only the number of a state. A frame leads from one
//! state to the next. The transition is computed when the first client receives the frame. For all other
//! clients the bytes are compared with those of the known transitions.

mod apply;
mod state;
#[cfg(test)]
mod tests;
mod verdict;

use std::{collections::HashMap, rc::Rc, time::Instant};

use app::presence::{Epoch, ExistingUsers, MoreUsers, ServerEvent, Since};

pub use self::state::StateId;
use self::state::{Kind, Row, RowId, Rows, State};
use crate::oracle::truth::{ChangeIndex, EpochIndex, Truth};

/// The kind of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// A list or a part of it.
    List,
    /// The reply to a client that resumes.
    Resumed,
    /// Changes.
    Changes,
    /// A beat.
    Beat,
    /// Any other frame.
    Other,
}

/// The effect of a frame on a list.
#[derive(Clone, Debug)]
pub struct Transition {
    frame: Rc<[u8]>,
    /// The state of the list after it.
    pub to: StateId,
    /// The kind of the frame.
    pub kind: FrameKind,
    /// The changes that the client receives by it.
    pub facts: Rc<[ChangeIndex]>,
    /// The number of its rows, if it is part of a list.
    pub list_rows: usize,
    /// The total length of the names in these rows.
    pub name_bytes: usize,
}

/// All states, and the transitions between them.
#[derive(Debug)]
pub struct Lists {
    states: Vec<State>,
    transitions: Vec<Transition>,
    rows: Vec<Row>,
    row_ids: HashMap<Row, RowId>,
    live: HashMap<(Epoch, u64), StateId>,
    epochs: Vec<Epoch>,
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
            epochs: Vec::new(),
            edges: HashMap::new(),
        };
        lists.add(Kind::Nothing);
        lists
    }
}

/// A transition before it is stored.
struct Advance {
    to: StateId,
    kind: FrameKind,
    facts: Rc<[ChangeIndex]>,
    list_rows: usize,
    name_bytes: usize,
}

impl Advance {
    fn unchanged(state: StateId, kind: FrameKind) -> Self {
        Self { to: state, kind, facts: Rc::new([]), list_rows: 0, name_bytes: 0 }
    }
}

impl Lists {
    /// Applies a frame without its per-client fields.
    pub fn advance(
        &mut self,
        state: StateId,
        frame: &[u8],
        truth: &mut Truth,
        now: Instant,
    ) -> &Transition {
        let index = self.known(state, frame).unwrap_or_else(|| {
            let step = self.compute(state, frame, truth, now);
            let index = self.transitions.len();
            let frame: Rc<[u8]> = frame.into();
            self.states[state.0].next.insert(Rc::clone(&frame), index);
            let Advance { to, kind, facts, list_rows, name_bytes } = step;
            self.transitions.push(Transition { frame, to, kind, facts, list_rows, name_bytes });
            index
        });
        self.states[state.0].last = Some(index);
        &self.transitions[index]
    }

    /// The position of a complete list, from which a client can resume.
    pub fn position(&self, state: StateId) -> Option<&Since> {
        match &self.states[state.0].kind {
            Kind::Live { at, .. } => Some(at),
            Kind::PartialDifference { base, .. } => self.position(*base),
            _ => None,
        }
    }

    /// The state after a disconnect: parts of a list or difference are lost.
    pub fn after_disconnect(&self, state: StateId) -> StateId {
        match &self.states[state.0].kind {
            Kind::PartialDifference { base, .. } => *base,
            Kind::PartialList { before, .. } => before.unwrap_or(StateId::NOTHING),
            _ => state,
        }
    }

    /// The violation of a list that can't become right any more.
    pub fn violation(&self, state: StateId) -> Option<&Rc<str>> {
        match &self.states[state.0].kind {
            Kind::Wrong(sentence) => Some(sentence),
            _ => None,
        }
    }

    fn epoch_index(&mut self, epoch: &Epoch) -> EpochIndex {
        let known = self.epochs.iter().position(|known| known == epoch);
        let index = known.unwrap_or_else(|| {
            self.epochs.push(epoch.clone());
            self.epochs.len() - 1
        });
        EpochIndex(u32::try_from(index).unwrap_or(u32::MAX))
    }

    fn known(&self, state: StateId, frame: &[u8]) -> Option<usize> {
        let state = &self.states[state.0];
        let last = state.last.filter(|last| *self.transitions[*last].frame == *frame);
        last.or_else(|| state.next.get(frame).copied())
    }

    fn compute(
        &mut self,
        state: StateId,
        frame: &[u8],
        truth: &mut Truth,
        now: Instant,
    ) -> Advance {
        if self.violation(state).is_some() {
            return Advance::unchanged(state, FrameKind::Other);
        }
        let step = serde_json::from_slice(frame)
            .map_err(|error| format!("a frame could not be parsed: {error}"))
            .and_then(|event| self.step(state, event, truth, now));
        step.unwrap_or_else(|sentence| {
            let to = self.add(Kind::Wrong(sentence.into()));
            Advance::unchanged(to, FrameKind::Other)
        })
    }

    fn step(
        &mut self,
        state: StateId,
        event: ServerEvent,
        truth: &mut Truth,
        now: Instant,
    ) -> Result<Advance, String> {
        match event {
            ServerEvent::ExistingUsers(list) => self.start_list(state, list, truth, now),
            ServerEvent::MoreUsers(more) => self.continue_list(state, &more, truth, now),
            ServerEvent::Resumed(resumed) => {
                if self.position(state).is_some_and(|at| at.epoch != resumed.epoch) {
                    return Err("a list was resumed in another epoch".to_owned());
                }
                let reach = (resumed.from, resumed.seq);
                let step = self.apply_difference(state, reach, &resumed.difference, truth, now)?;
                Ok(Advance { kind: FrameKind::Resumed, ..step })
            }
            ServerEvent::Changes(changes) => {
                let reach = (changes.from, changes.seq);
                self.apply_difference(state, reach, &changes.difference, truth, now)
            }
            ServerEvent::Beat(beat) => match &self.states[state.0].kind {
                Kind::Live { at, rows } if at.seq == beat.seq && rows.len() != beat.count => Err(
                    format!("a beat counts {} rows and the list has {}", beat.count, rows.len()),
                ),
                Kind::Live { at, .. } if at.seq != beat.seq => {
                    Err(format!("a beat has seq {} and the list is at {}", beat.seq, at.seq))
                }
                Kind::PartialList { .. } | Kind::PartialDifference { .. } => {
                    Err("a beat interrupted a list or a difference".to_owned())
                }
                _ => Ok(Advance::unchanged(state, FrameKind::Beat)),
            },
            ServerEvent::Refused(refusal) => Err(format!("refused: {}", refusal.message)),
            ServerEvent::Unknown => Ok(Advance::unchanged(state, FrameKind::Other)),
        }
    }

    fn start_list(
        &mut self,
        state: StateId,
        list: ExistingUsers,
        truth: &mut Truth,
        now: Instant,
    ) -> Result<Advance, String> {
        let before = match &self.states[state.0].kind {
            Kind::Live { .. } => Some(state),
            Kind::Nothing => None,
            _ => return Err("a list interrupted a list or a difference".to_owned()),
        };
        let at = Since { epoch: list.epoch, seq: list.seq };
        let kind = Kind::PartialList {
            before,
            at,
            count: list.count,
            rows: Rc::new(Rows { earlier: None, these: Box::default(), length: 0 }),
        };
        self.add_rows(kind, &list.users, truth, now)
    }

    fn continue_list(
        &mut self,
        state: StateId,
        more: &MoreUsers,
        truth: &mut Truth,
        now: Instant,
    ) -> Result<Advance, String> {
        let kind = self.states[state.0].kind.clone();
        if !matches!(kind, Kind::PartialList { .. }) {
            return Err("rows arrived without a list".to_owned());
        }
        self.add_rows(kind, &more.users, truth, now)
    }
}
