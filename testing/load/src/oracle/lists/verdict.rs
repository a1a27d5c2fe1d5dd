//! The check of a list against the truth.

use app::presence::User;

use super::{Kind, Lists, StateId, state::describe};
use crate::oracle::{truth::Truth, violations::Violations};

impl Lists {
    /// Checks every client's list as it is now: it has to be complete and right, and in the same order as
    /// all others and the server's own list.
    pub fn judge(
        &mut self,
        clients: impl Iterator<Item = (usize, StateId)>,
        server_list: Result<Vec<User>, String>,
        truth: &Truth,
        violations: &mut Violations,
    ) {
        let mut first_live = None;
        for (index, state) in clients {
            // Lists at different positions are different states, even with the same rows.
            if self.is_right(state, truth) {
                let first = *first_live.get_or_insert(state);
                if !self.same_rows(first, state) {
                    violations.add(|| format!("client {index} has its rows in another order"));
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

    /// Whether the list is complete, and right once all changes are received.
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

    /// Describes the first difference from the expected list.
    fn first_mismatch(&self, state: StateId, truth: &Truth) -> Option<String> {
        let rows = match &self.states[state.0].kind {
            Kind::Live { rows, .. } => rows,
            Kind::Wrong(sentence) => return Some(sentence.to_string()),
            Kind::Nothing => return Some("no list was received".to_owned()),
            Kind::PartialList { count, rows, .. } => {
                return Some(format!("only {} of {count} rows were received", rows.length));
            }
            Kind::PartialDifference { .. } => {
                return Some("a difference is incomplete".to_owned());
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
        // No row occurs twice, so a list with the expected number of right rows is complete.
        if rows().len() < truth.listed() {
            let missing = truth.listed() - rows().len();
            return Some(format!("{missing} of {} rows are missing", truth.listed()));
        }
        truth.impossible_order(rows().map(|row| row.who))
    }

    /// Whether two complete lists have the same rows in the same order.
    fn same_rows(&self, one: StateId, other: StateId) -> bool {
        match (&self.states[one.0].kind, &self.states[other.0].kind) {
            (Kind::Live { rows, .. }, Kind::Live { rows: others, .. }) => rows == others,
            _ => false,
        }
    }

    /// Compares a list with the one of the JSON API.
    fn compare(&self, state: StateId, users: &[User], truth: &Truth) -> Result<(), String> {
        let Kind::Live { rows, .. } = &self.states[state.0].kind else {
            return Err("there is no whole list to compare".to_owned());
        };
        if rows.len() != users.len() {
            return Err(format!(
                "the server lists {} people and the client {}",
                users.len(),
                rows.len()
            ));
        }
        for (place, (row, user)) in rows.iter().zip(users).enumerate() {
            let ours = self.describe(*row, truth);
            let theirs = describe(user.name.as_str(), user.state, user.joined);
            if ours != theirs {
                return Err(format!(
                    "row {place} is {ours} at the client and {theirs} at the server"
                ));
            }
        }
        Ok(())
    }
}
