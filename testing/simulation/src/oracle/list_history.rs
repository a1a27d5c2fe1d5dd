//! The lists of a room on the server, by position (epoch and `seq`).

use std::collections::BTreeMap;

use app::presence::{Epoch, ExistingUsers, Since, User, UserId};
use fastrand::Rng;

/// The minimum length of the server's log, once there were so many changes.
const MIN_LOG_LENGTH: u64 = 1_000;

/// Every list of one room.
#[derive(Debug, Default)]
pub(crate) struct ListHistory {
    lists: BTreeMap<Epoch, BTreeMap<u64, Vec<User>>>,
    current: Option<Since>,
}

impl ListHistory {
    /// Whether the position is the last recorded one.
    pub(crate) fn is_at(&self, head: &ExistingUsers) -> bool {
        let current = self.current.as_ref();
        current.is_some_and(|current| current.seq == head.seq && current.epoch == head.epoch)
    }

    /// The last recorded list.
    pub(crate) fn current(&self) -> &[User] {
        self.current.as_ref().and_then(|current| self.list_at(current)).unwrap_or_default()
    }

    /// Records the room's list.
    pub(crate) fn record(&mut self, list: ExistingUsers) -> Result<(), String> {
        let point = Since { epoch: list.epoch, seq: list.seq };
        let lists = self.lists.entry(point.epoch.clone()).or_default();
        if let Some((newest, _)) = lists.last_key_value()
            && point.seq < *newest
        {
            return Err(format!("seq went back from {newest} to {}", point.seq));
        }
        let known = lists.entry(point.seq).or_insert_with(|| list.users.clone());
        if *known != list.users {
            return Err(format!(
                "two lists at one position: {known:?} and {:?} at {}",
                list.users, point.seq
            ));
        }
        self.current = Some(point);
        Ok(())
    }

    /// Forgets the current list, because the room or the process has ended.
    pub(crate) fn clear_current(&mut self) {
        self.current = None;
    }

    /// Checks a list against the recorded one at the same position.
    pub(crate) fn check<'a>(
        &self,
        point: &Since,
        rows: impl Iterator<Item = &'a User> + Clone,
    ) -> Result<(), String> {
        match self.list_at(point) {
            Some(history) if rows.clone().eq(history) => Ok(()),
            Some(history) => Err(format!(
                "a list differs from the server's at {point:?}:\n  {:?}\ninstead of\n  {history:?}",
                rows.collect::<Vec<_>>()
            )),
            None => Err(format!("a list is at {point:?}, where the server had none")),
        }
    }

    /// Whether this row was ever in a list.
    pub(crate) fn contains(&self, row: &User) -> bool {
        self.lists.values().flat_map(BTreeMap::values).any(|list| list.contains(row))
    }

    /// Checks that a person who is reported as departed or joined between two positions was absent at one of
    /// them.
    pub(crate) fn check_absence(
        &self,
        from: &Since,
        to: u64,
        user_id: UserId,
    ) -> Result<(), String> {
        let lists =
            self.lists.get(&from.epoch).into_iter().flat_map(|lists| lists.range(from.seq..=to));
        let was_absent =
            lists.into_iter().any(|(_, list)| list.iter().all(|user| user.id != user_id));
        if was_absent {
            Ok(())
        } else {
            Err(format!(
                "{user_id} is reported as joined or departed between {from:?} and {to}, and was always listed"
            ))
        }
    }

    /// Positions in the current epoch to resume from: a random one, and those around the end of the server's
    /// log at its minimum length.
    pub(crate) fn resume_points(&self, rng: &mut Rng) -> Vec<(Since, Vec<User>)> {
        let Some(current) = &self.current else { return Vec::new() };
        let Some(lists) = self.lists.get(&current.epoch) else { return Vec::new() };
        let any = rng.u64(0..=current.seq);
        let edge = current.seq.checked_sub(MIN_LOG_LENGTH);
        let around_the_edge = edge.map(|edge| edge.saturating_sub(2)..=edge + 2);
        let expected = around_the_edge.into_iter().flatten().chain([any]);
        expected
            .filter_map(|seq| {
                let point = Since { epoch: current.epoch.clone(), seq };
                Some((point, lists.get(&seq)?.clone()))
            })
            .collect()
    }

    fn list_at(&self, point: &Since) -> Option<&[User]> {
        Some(self.lists.get(&point.epoch)?.get(&point.seq)?)
    }
}
