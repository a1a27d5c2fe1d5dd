//! Every list that any client can have, each kept once.
//!
//! Ten thousand clients with ten thousand rows each are a hundred million rows, and all clients of a
//! flush are sent the same bytes. So a client's list is only a number: the state it is in. A frame leads
//! from one state to the next, and that is worked out when the first client reads it; for all others the
//! bytes are compared, every one of them, with what led there before.

mod apply;
mod state;
#[cfg(test)]
mod tests;
mod verdict;

use std::{collections::HashMap, rc::Rc, time::Instant};

use app::presence::{Epoch, ExistingUsers, MoreUsers, ServerEvent, Since};

pub use self::state::StateId;
use self::state::{Kind, Row, RowId, Rows, State};
use crate::oracle::truth::{ChangeIndex, Truth};

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
    /// Takes in a frame, whose words for one client alone are blanked out.
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

    /// Where a client's list is, if it is whole: what it asks to go on from.
    pub fn position(&self, state: StateId) -> Option<&Since> {
        match &self.states[state.0].kind {
            Kind::Live { at, .. } => Some(at),
            Kind::PartialDifference { base, .. } => self.position(*base),
            _ => None,
        }
    }

    /// The state to go on from after a socket ended: what was on its way never came.
    pub fn after_disconnect(&self, state: StateId) -> StateId {
        match &self.states[state.0].kind {
            Kind::PartialDifference { base, .. } => *base,
            Kind::PartialList { before, .. } => before.unwrap_or(StateId::NOTHING),
            _ => state,
        }
    }

    /// What is wrong with a list that can't be right any more.
    pub fn violation(&self, state: StateId) -> Option<&Rc<str>> {
        match &self.states[state.0].kind {
            Kind::Wrong(sentence) => Some(sentence),
            _ => None,
        }
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
            .map_err(|error| format!("a frame can't be read: {error}"))
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
                    return Err("a list goes on in another epoch".to_owned());
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
                Kind::Live { at, rows } if at.seq == beat.seq && rows.len() != beat.count => {
                    Err(format!("a beat counts {} rows where {} came", beat.count, rows.len()))
                }
                Kind::Live { at, .. } if at.seq != beat.seq => {
                    Err(format!("a beat speaks of {} to a list at {}", beat.seq, at.seq))
                }
                Kind::PartialList { .. } | Kind::PartialDifference { .. } => {
                    Err("a beat comes in the middle of something else".to_owned())
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
            _ => return Err("a list begins in the middle of something else".to_owned()),
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
            return Err("rows come where no list was begun".to_owned());
        }
        self.add_rows(kind, &more.users, truth, now)
    }
}
