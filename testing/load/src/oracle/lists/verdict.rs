//! Whether a list is what it should be.

use app::presence::User;

use super::{Kind, Lists, StateId, state::shown};
use crate::oracle::truth::Truth;
use crate::oracle::violations::Violations;

impl Lists {
    /// Judges every client's list as it is now: complete, right, in an order that all agree on, and the
    /// server's own.
    pub fn judge(
        &mut self,
        clients: impl Iterator<Item = (usize, StateId)>,
        server_list: Result<Vec<User>, String>,
        truth: &Truth,
        violations: &mut Violations,
    ) {
        let mut first_live = None;
        for (index, state) in clients {
            // Whole lists at different points are different states even if their rows are the same.
            if self.is_right(state, truth) {
                let first = *first_live.get_or_insert(state);
                if !self.same_rows(first, state) {
                    violations.add(|| format!("client {index} has another order than the first"));
                }
            } else {
                let first_mismatch = self.first_mismatch(state, truth).unwrap_or_default();
                violations.add(|| format!("client {index}: {first_mismatch}"));
            }
        }
        let compared = server_list.and_then(|users| match first_live {
            Some(state) => self.compare(state, &users, truth),
            None => Ok(()),
        });
        if let Err(sentence) = compared {
            violations.add(|| sentence);
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
        let is_right = self.first_mismatch(state, truth).is_none();
        self.states[state.0].judged = Some((version, is_right));
        is_right
    }

    /// The first thing that is not as it should be once all is told.
    fn first_mismatch(&self, state: StateId, truth: &Truth) -> Option<String> {
        let rows = match &self.states[state.0].kind {
            Kind::Live { rows, .. } => rows,
            Kind::Wrong(sentence) => return Some(sentence.to_string()),
            Kind::Nothing => return Some("no list has come".to_owned()),
            Kind::PartialList { count, rows, .. } => {
                return Some(format!("of {count} rows only {} have come", rows.length));
            }
            Kind::PartialDifference { .. } => {
                return Some("a difference has not come whole".to_owned());
            }
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
    fn same_rows(&self, one: StateId, other: StateId) -> bool {
        match (&self.states[one.0].kind, &self.states[other.0].kind) {
            (Kind::Live { rows, .. }, Kind::Live { rows: others, .. }) => rows == others,
            _ => false,
        }
    }

    /// Compares a list with one that was asked for in another way, row by row.
    fn compare(&self, state: StateId, users: &[User], truth: &Truth) -> Result<(), String> {
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
            let ours = self.shown(*row, truth);
            let theirs = shown(user.name.as_str(), user.state, user.joined);
            if ours != theirs {
                return Err(format!(
                    "row {place} is {ours} at a client and {theirs} at the server"
                ));
            }
        }
        Ok(())
    }
}
