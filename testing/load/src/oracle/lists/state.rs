//! What a client's list can be: nothing, a part, a whole, or wrong.

use std::{collections::HashMap, rc::Rc};

use app::presence::{Difference, PresenceState, Since};

use super::Lists;
use crate::oracle::truth::{PersonIndex, Truth};

/// Names a state that a client's list can be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StateId(pub(super) usize);

impl StateId {
    /// No list has come yet.
    pub const NOTHING: Self = Self(0);
}

/// Names one row as it is shown: whose, since when, in which state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct RowId(u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Row {
    pub(super) who: PersonIndex,
    pub(super) joined: u64,
    pub(super) state: PresenceState,
}

/// What a state is.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Nothing,
    /// A list of which these rows have come; `before` is the whole list that it replaces.
    PartialList {
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
    PartialDifference {
        base: StateId,
        so_far: Rc<Difference>,
    },
    /// It can't be right any more, and why.
    Wrong(Rc<str>),
}

/// The rows of a list so far: a chain, so that its pieces don't each hold all before them.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    pub(super) earlier: Option<Rc<Rows>>,
    pub(super) these: Box<[RowId]>,
    pub(super) length: usize,
}

/// A state, and what leads on from it.
#[derive(Debug)]
pub(super) struct State {
    pub(super) kind: Kind,
    pub(super) next: HashMap<Rc<[u8]>, usize>,
    /// The transition that was taken last: most clients take the same.
    pub(super) last: Option<usize>,
    /// For which version of the truth it is known whether this list is right.
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

    /// A row in words.
    pub(super) fn shown(&self, id: RowId, truth: &Truth) -> String {
        let Row { who, joined, state } = self.row(id);
        shown(truth.name(who), state, joined)
    }

    pub(super) fn intern_row(&mut self, row: Row) -> RowId {
        *self.row_ids.entry(row).or_insert_with(|| {
            self.rows.push(row);
            RowId(u32::try_from(self.rows.len() - 1).unwrap_or(u32::MAX))
        })
    }

    /// The state with this whole list: all who are at the same point must have the same.
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
            let row = rows.get(place).map(|row| self.shown(*row, truth));
            row.unwrap_or_else(|| "nobody".to_owned())
        };
        Err(format!(
            "two lists at {} differ: row {place} is {} in one and {} in the other",
            at.seq,
            at_place(others),
            at_place(&rows)
        ))
    }
}

/// A row in words.
pub(super) fn shown(name: &str, state: PresenceState, joined: u64) -> String {
    format!("{name} ({}, since {joined})", state.as_str())
}
