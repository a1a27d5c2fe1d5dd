//! What readers at the same position need, encoded once for all of them.

use std::collections::BTreeMap;

/// The most positions in the cache: what readers at yet another position need is encoded again.
const CAPACITY: usize = 16;

/// For positions of readers, what leads from there to the last broadcast.
///
/// When a network returns, very many clients come back from the same position;
/// when the server is busy, very many miss the same broadcast.
#[derive(Debug)]
pub(super) struct CatchUpCache<T>(BTreeMap<u64, T>);

impl<T> Default for CatchUpCache<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Clone> CatchUpCache<T> {
    /// The entry of a position; `None` if there is none and `make` makes none.
    pub(super) fn get_or_insert_with(
        &mut self,
        from: u64,
        make: impl FnOnce() -> Option<T>,
    ) -> Option<T> {
        if let Some(entry) = self.0.get(&from) {
            return Some(entry.clone());
        }
        let entry = make()?;
        if self.0.len() >= CAPACITY {
            self.0.clear();
        }
        self.0.insert(from, entry.clone());
        Some(entry)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// To be called at every broadcast: all entries lead to the one before.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_position_is_encoded_once_until_the_next_broadcast() {
        let mut cache = CatchUpCache::default();
        let mut made = 0;
        for _ in 0..3 {
            for from in 0..4 {
                let entry = cache.get_or_insert_with(from, || {
                    made += 1;
                    Some(from * 10)
                });
                assert_eq!(entry, Some(from * 10));
            }
        }
        assert_eq!(made, 4);
        cache.clear();
        assert_eq!(cache.get_or_insert_with(1, || None), None);
        assert_eq!(cache.get_or_insert_with(1, || Some(5)), Some(5));
    }

    #[test]
    fn cache_never_exceeds_its_capacity() {
        let mut cache = CatchUpCache::default();
        for from in 0..1_000 {
            cache.get_or_insert_with(from, || Some(from));
            assert!(cache.0.len() <= CAPACITY);
        }
    }
}
