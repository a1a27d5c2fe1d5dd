//! One WebSocket for each session: nothing else counts a connection that upgrades one, and it may take its time.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

/// The sessions that are being upgraded, or were.
#[derive(Clone, Debug, Default)]
pub(super) struct Upgrades(Arc<Mutex<HashSet<Box<str>>>>);

/// The one connection that may upgrade a session. Its end is dropping this.
#[derive(Debug)]
pub(super) struct UpgradeSlot {
    upgrades: Upgrades,
    session: Box<str>,
}

impl Upgrades {
    /// Takes the slot of a session; none if another connection has it.
    pub(super) fn take(&self, session: &str) -> Option<UpgradeSlot> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let session = Box::<str>::from(session);
        let is_free = taken.insert(session.clone());
        is_free.then(|| UpgradeSlot { upgrades: self.clone(), session })
    }
}

impl Drop for UpgradeSlot {
    fn drop(&mut self) {
        let mut taken = self.upgrades.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.remove(&self.session);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_has_one_slot_at_a_time() {
        let upgrades = Upgrades::default();
        let slot = upgrades.take("a");
        assert!(slot.is_some() && upgrades.take("a").is_none());
        assert!(upgrades.take("b").is_some());
        drop(slot);
        assert!(upgrades.take("a").is_some());
        assert!(upgrades.0.lock().unwrap().is_empty());
    }
}
