//! What many need who were last told the same, made once for all of them.

use std::collections::BTreeMap;

/// How many points are remembered at the most: what those need who come from yet another is made anew.
const CAPACITY: usize = 16;

/// Something for each point of the count that somebody's list is at, until the next flush.
///
/// When a network returns, very many come back from the same point;
/// when the server is busy, very many miss the same flush.
#[derive(Debug)]
pub(super) struct CatchUpCache<T>(BTreeMap<u64, T>);

impl<T> Default for CatchUpCache<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Clone> CatchUpCache<T> {
    /// What was made for this point, or is made now; none where that makes none.
    pub(super) fn get_or_make(
        &mut self,
        from: u64,
        make_one: impl FnOnce() -> Option<T>,
    ) -> Option<T> {
        if let Some(made) = self.0.get(&from) {
            return Some(made.clone());
        }
        let made = make_one()?;
        if self.0.len() >= CAPACITY {
            self.0.clear();
        }
        self.0.insert(from, made.clone());
        Some(made)
    }

    /// The room went on: what was made leads to a point that is no longer the last.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_point_is_made_once_until_the_next_flush() {
        let mut cache = CatchUpCache::default();
        let mut made = 0;
        for _ in 0..3 {
            for from in 0..4 {
                let found = cache.get_or_make(from, || {
                    made += 1;
                    Some(from * 10)
                });
                assert_eq!(found, Some(from * 10));
            }
        }
        assert_eq!(made, 4);
        cache.forget();
        assert_eq!(cache.get_or_make(1, || None), None);
        assert_eq!(cache.get_or_make(1, || Some(5)), Some(5));
    }

    #[test]
    fn no_more_points_are_kept_than_there_may_be() {
        let mut cache = CatchUpCache::default();
        for from in 0..1_000 {
            cache.get_or_make(from, || Some(from));
            assert!(cache.0.len() <= CAPACITY);
        }
    }
}
