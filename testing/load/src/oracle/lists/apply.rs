//! Applying the rows and differences of a frame to a list.

use std::{rc::Rc, time::Instant};

use app::presence::{Difference, PresenceState, Since, User};

use super::{Advance, FrameKind, Kind, Lists, Row, RowId, Rows, StateId};
use crate::oracle::truth::{ChangeIndex, ChangeKind, Reach, Truth};

/// The position of a person without a row.
const ABSENT: usize = usize::MAX;

impl Lists {
    /// Adds the next rows to a partial list.
    pub(super) fn add_rows(
        &mut self,
        listing: Kind,
        users: &[User],
        truth: &mut Truth,
        now: Instant,
    ) -> Result<Advance, String> {
        let Kind::PartialList { before, at, count, rows: earlier } = listing else {
            return Err("rows arrived without a list".to_owned());
        };
        let mut these = Vec::with_capacity(users.len());
        let reach = Reach { epoch: self.epoch_index(&at.epoch), from: None, to: at.seq };
        for user in users {
            let who = truth.owner_of(user)?;
            truth.attribute(who, |what| what == ChangeKind::Joined, reach, now)?;
            these.push(self.intern_row(Row { who, joined: user.joined, state: user.state }));
        }
        let length = earlier.length + these.len();
        let rows = Rows { earlier: Some(earlier), these: these.into(), length };
        let mut step = Advance::unchanged(StateId::NOTHING, FrameKind::List);
        step.list_rows = users.len();
        step.name_bytes = users.iter().map(|user| user.name.as_str().len()).sum();
        if length > count {
            return Err(format!("a list of {count} rows received {length}"));
        }
        if length < count {
            step.to = self.add(Kind::PartialList { before, at, count, rows: Rc::new(rows) });
            return Ok(step);
        }
        let rows = rows.in_order();
        let places = self.places(&rows, truth);
        if let Some(row) = rows.iter().enumerate().find_map(|(place, row)| {
            let who = self.row(*row).who;
            (places[who.as_usize()] != place).then_some(who)
        }) {
            return Err(format!("{} is in a list twice", truth.name(row)));
        }
        step.to = self.intern_complete(&at, rows, truth)?;
        if let Some(before) = before {
            step.facts = self.between(before, step.to, &at, truth, now)?;
        }
        Ok(step)
    }

    /// Applies a difference, or a part of one.
    pub(super) fn apply_difference(
        &mut self,
        state: StateId,
        (from, to): (u64, u64),
        piece: &Difference,
        truth: &mut Truth,
        now: Instant,
    ) -> Result<Advance, String> {
        let (base, difference) = match &self.states[state.0].kind {
            Kind::Live { .. } => (state, piece.clone()),
            Kind::PartialDifference { base, so_far } => {
                let mut difference = Difference::clone(so_far);
                difference.append(piece.clone());
                (*base, difference)
            }
            _ => return Err("a difference arrived without a list".to_owned()),
        };
        let Kind::Live { at, rows } = &self.states[base.0].kind else {
            return Err("a difference arrived without a list".to_owned());
        };
        if at.seq != from || to < from {
            let at = at.seq;
            return Err(format!("a difference from {from} to {to} arrived at a list at {at}"));
        }
        let (at, rows) = (at.clone(), Rc::clone(rows));
        // Every change increases `seq`, so a non-empty difference that keeps it is only a part.
        if to == from && !piece.is_empty() {
            let to = self.add(Kind::PartialDifference { base, so_far: Rc::new(difference) });
            return Ok(Advance::unchanged(to, FrameKind::Changes));
        }
        let reach = Reach { epoch: self.epoch_index(&at.epoch), from: Some(from), to };
        let (rows, facts) = self.apply(&rows, &difference, reach, truth, now)?;
        let next = self.intern_complete(&Since { seq: to, ..at }, rows, truth)?;
        let facts = self.edges.entry((base, next)).or_insert_with(|| facts.into());
        let facts = Rc::clone(facts);
        Ok(Advance { facts, ..Advance::unchanged(next, FrameKind::Changes) })
    }

    fn apply(
        &mut self,
        rows: &[RowId],
        difference: &Difference,
        reach: Reach,
        truth: &mut Truth,
        now: Instant,
    ) -> Result<(Vec<RowId>, Vec<ChangeIndex>), String> {
        let mut places = self.places(rows, truth);
        let mut rows: Vec<Option<RowId>> = rows.iter().copied().map(Some).collect();
        let mut facts = Vec::new();
        for (reason, id) in difference.disconnect_user.iter() {
            let who = truth.person_of(id)?;
            let place = std::mem::replace(&mut places[who.as_usize()], ABSENT);
            if rows.get_mut(place).and_then(Option::take).is_none() {
                return Err(format!("{} departed and was not listed", truth.name(who)));
            }
            let matches = |what| what == ChangeKind::Departed(reason);
            facts.push(truth.attribute(who, matches, reach, now)?);
        }
        for (state, ids) in difference.user_changed.states() {
            for id in ids {
                let who = truth.person_of(id)?;
                let Some(Some(row)) = rows.get_mut(places[who.as_usize()]) else {
                    return Err(format!("{} changed and is not listed", truth.name(who)));
                };
                let before = self.row(*row);
                if before.state == state {
                    let (name, state) = (truth.name(who), state.as_str());
                    return Err(format!("{name} became {state} and already was"));
                }
                *row = self.intern_row(Row { state, ..before });
                facts.push(truth.attribute(
                    who,
                    |what| what == ChangeKind::Became(state),
                    reach,
                    now,
                )?);
            }
        }
        if let Some(renamed) = difference.user_changed.renamed.first() {
            return Err(format!("{} was renamed without a request", renamed.id));
        }
        for user in &difference.new_user {
            let who = truth.owner_of(user)?;
            if places.get(who.as_usize()).is_none_or(|place| *place != ABSENT) {
                return Err(format!("{} joined and was already listed", truth.name(who)));
            }
            places[who.as_usize()] = rows.len();
            rows.push(Some(self.intern_row(Row { who, joined: user.joined, state: user.state })));
            facts.push(truth.attribute(who, |what| what == ChangeKind::Joined, reach, now)?);
            if user.state != PresenceState::Here {
                truth.attribute(who, |what| what == ChangeKind::Became(user.state), reach, now)?;
            }
        }
        Ok((rows.into_iter().flatten().collect(), facts))
    }

    /// The changes that a client receives by a list that replaces another.
    fn between(
        &mut self,
        before: StateId,
        after: StateId,
        at: &Since,
        truth: &mut Truth,
        now: Instant,
    ) -> Result<Rc<[ChangeIndex]>, String> {
        if let Some(facts) = self.edges.get(&(before, after)) {
            return Ok(Rc::clone(facts));
        }
        let (Kind::Live { at: from, rows: old }, Kind::Live { rows: new, .. }) =
            (&self.states[before.0].kind, &self.states[after.0].kind)
        else {
            return Ok(Rc::new([]));
        };
        if from.epoch == at.epoch && from.seq > at.seq {
            return Err(format!(
                "a list at {} was replaced by an older one at {}",
                from.seq, at.seq
            ));
        }
        let from = (from.epoch == at.epoch).then_some(from.seq);
        let (old, new) = (Rc::clone(old), Rc::clone(new));
        let reach = Reach { epoch: self.epoch_index(&at.epoch), from, to: at.seq };
        let (old_places, new_places) = (self.places(&old, truth), self.places(&new, truth));
        let row_at = |rows: &[RowId], place: usize| rows.get(place).map(|row| self.row(*row));
        let mut facts = Vec::new();
        for row in old.iter().map(|row| self.row(*row)) {
            let now_there = row_at(&new, new_places[row.who.as_usize()]);
            if now_there.is_none_or(|there| there.joined != row.joined) {
                let matches = |what| matches!(what, ChangeKind::Departed(_));
                facts.push(truth.attribute(row.who, matches, reach, now)?);
            }
        }
        for row in new.iter().map(|row| self.row(*row)) {
            let state = row.state;
            let matches = match row_at(&old, old_places[row.who.as_usize()]) {
                Some(there) if there == row => continue,
                Some(there) if there.joined == row.joined => ChangeKind::Became(state),
                _ => ChangeKind::Joined,
            };
            facts.push(truth.attribute(row.who, |what| what == matches, reach, now)?);
        }
        let facts: Rc<[ChangeIndex]> = facts.into();
        self.edges.insert((before, after), Rc::clone(&facts));
        Ok(facts)
    }

    /// The position of each person's row; with two rows it is the last one.
    fn places(&self, rows: &[RowId], truth: &Truth) -> Vec<usize> {
        let mut places = vec![ABSENT; truth.persons()];
        for (place, row) in rows.iter().enumerate() {
            places[self.row(*row).who.as_usize()] = place;
        }
        places
    }
}

impl Rows {
    /// All rows in order.
    fn in_order(&self) -> Vec<RowId> {
        let mut pieces = vec![&self.these];
        let mut rest = self.earlier.as_deref();
        while let Some(rows) = rest {
            pieces.push(&rows.these);
            rest = rows.earlier.as_deref();
        }
        pieces.into_iter().rev().flatten().copied().collect()
    }
}
