//! The states of a list: empty, partial, complete or wrong.

use std::{collections::HashMap, rc::Rc};

use app::presence::{Difference, PresenceState, Since};

use super::Lists;
use crate::oracle::truth::{PersonIndex, Truth};

/// Identifies a state of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StateId(pub(super) usize);

impl StateId {
    /// No list was received yet.
    pub const NOTHING: Self = Self(0);
}

/// Identifies a row: its person, time of joining and state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct RowId(u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Row {
    pub(super) who: PersonIndex,
    pub(super) joined: u64,
    pub(super) state: PresenceState,
}

/// The kind of a state.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Nothing,
    /// A list of which these rows were received; `before` is the complete list that it replaces.
    PartialList {
        before: Option<StateId>,
        at: Since,
        count: usize,
        rows: Rc<Rows>,
    },
    /// A complete list.
    Live {
        at: Since,
        rows: Rc<[RowId]>,
    },
    /// A complete list, and the part of a difference that was received.
    PartialDifference {
        base: StateId,
        so_far: Rc<Difference>,
    },
    /// A list that can't become right any more, and the violation.
    Wrong(Rc<str>),
}

/// The rows of a partial list, as a chain, so that its parts need not be copied.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    pub(super) earlier: Option<Rc<Rows>>,
    pub(super) these: Box<[RowId]>,
    pub(super) length: usize,
}

/// A state, and the transitions from it.
#[derive(Debug)]
pub(super) struct State {
    pub(super) kind: Kind,
    pub(super) next: HashMap<Rc<[u8]>, usize>,
    /// The last used transition, which most clients take.
    pub(super) last: Option<usize>,
    /// The version of the truth for which this list was judged, and the result.
    pub(super) judged: Option<(u64, bool)>,
}

impl Lists {
    pub(super) fn add(&mut self, kind: Kind) -> StateId {
        let id = StateId(self.states.len());
        self.states.push(State { kind, next: HashMap::new(), last: None, judged: None });
        id
    }

    pub(super) fn row(&self, id: RowId) -> Row {
        self.rows[usize::try_from(id.0).unwrap_or(usize::MAX)]
    }

    /// Describes a row.
    pub(super) fn describe(&self, id: RowId, truth: &Truth) -> String {
        let Row { who, joined, state } = self.row(id);
        describe(truth.name(who), state, joined)
    }

    pub(super) fn intern_row(&mut self, row: Row) -> RowId {
        *self.row_ids.entry(row).or_insert_with(|| {
            self.rows.push(row);
            RowId(u32::try_from(self.rows.len() - 1).unwrap_or(u32::MAX))
        })
    }

    /// The state of a complete list. All lists at the same position must be equal.
    pub(super) fn intern_complete(
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
            let row = rows.get(place).map(|row| self.describe(*row, truth));
            row.unwrap_or_else(|| "missing".to_owned())
        };
        Err(format!(
            "two lists at {} differ: row {place} is {} in one and {} in the other",
            at.seq,
            at_place(others),
            at_place(&rows)
        ))
    }
}

/// Describes a row.
pub(super) fn describe(name: &str, state: PresenceState, joined: u64) -> String {
    format!("{name} ({}, since {joined})", state.as_str())
}
