//! The claim of a cluster: there are never two lists at one point, on one server or between two.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use app::presence::{Epoch, Since, User};

/// Every list of one room that any server or client had.
#[derive(Debug, Default)]
pub(super) struct Lists {
    of_epochs: BTreeMap<Epoch, BTreeMap<u64, Vec<User>>>,
    /// Epochs whose numbers the engine has lost: until they end, numbers may be issued again.
    fallen: BTreeSet<Epoch>,
    /// Where each server was when it was last looked at.
    points: BTreeMap<usize, Since>,
}

impl Lists {
    /// Notes a list. Fails if there was another one at this point.
    pub(super) fn note<'a>(
        &mut self,
        point: &Since,
        rows: impl Iterator<Item = &'a User>,
    ) -> Result<(), String> {
        if self.fallen.contains(&point.epoch) {
            return Ok(());
        }
        let lists = self.of_epochs.entry(point.epoch.clone()).or_default();
        match lists.entry(point.seq) {
            Entry::Vacant(entry) => {
                entry.insert(rows.cloned().collect());
                Ok(())
            }
            Entry::Occupied(known) => {
                let (rows, known): (Vec<_>, _) = (rows.collect(), known.get());
                if rows.iter().copied().eq(known) {
                    return Ok(());
                }
                Err(format!("two lists at {point:?}:\n  {known:?}\nand\n  {rows:?}"))
            }
        }
    }

    /// Whether a row was in any list, as far as lists could be compared.
    pub(super) fn contains(&self, row: &User) -> bool {
        let mut lists = self.of_epochs.values().flat_map(BTreeMap::values);
        !self.fallen.is_empty() || lists.any(|list| list.contains(row))
    }

    /// Whether a server is at another point than when this was asked last.
    pub(super) fn has_moved(&mut self, server: usize, point: &Since) -> bool {
        self.points.insert(server, point.clone()).as_ref() != Some(point)
    }

    /// Whether numbers of this epoch may have been issued twice.
    pub(super) fn has_fallen(&self, epoch: &Epoch) -> bool {
        self.fallen.contains(epoch)
    }

    /// The engine has lost what was written last.
    pub(super) fn fall(&mut self) {
        self.fallen.extend(self.of_epochs.keys().cloned());
    }
}
