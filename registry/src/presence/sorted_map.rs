//! A map for very few entries, without memory for more than it has.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A map in the order of its keys.
///
/// Each person has one, most often with one tab. A node of a `BTreeMap` has room for eleven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SortedMap<K, V>(Vec<(K, V)>);

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord, V> SortedMap<K, V> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        let place = self.place(key).ok()?;
        self.0.get(place).map(|(_, value)| value)
    }

    /// Sets the value of a key.
    pub(super) fn insert(&mut self, key: K, value: V) {
        match self.place(&key) {
            Ok(place) => {
                if let Some((_, old)) = self.0.get_mut(place) {
                    *old = value;
                }
            }
            Err(place) => {
                // By itself a vector would take memory for four.
                self.0.reserve_exact(1);
                self.0.insert(place, (key, value));
            }
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    pub(super) fn retain(&mut self, mut keep: impl FnMut(&K, &V) -> bool) {
        self.0.retain(|(key, value)| keep(key, value));
    }

    fn place(&self, key: &K) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.cmp(key))
    }
}

impl<K, V> IntoIterator for SortedMap<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for SortedMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::default();
        for (key, value) in entries {
            map.insert(key, value);
        }
        map
    }
}

/// As a list of pairs: the keys are no texts.
impl<K: Serialize, V: Serialize> Serialize for SortedMap<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, K, V> Deserialize<'de> for SortedMap<K, V>
where
    K: Deserialize<'de> + Ord,
    V: Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::from_iter)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn map_is_like_a_tree(
            entries in prop::collection::vec((0..20_u8, 0..5_u8), 0..40),
            kept in 0..5_u8,
        ) {
            let mut map: SortedMap<u8, u8> = entries.iter().copied().collect();
            let mut tree: BTreeMap<u8, u8> = entries.into_iter().collect();
            for key in 0..20 {
                prop_assert_eq!(map.get(&key), tree.get(&key));
            }
            let text = serde_json::to_string(&map).unwrap();
            prop_assert_eq!(serde_json::from_str::<SortedMap<u8, u8>>(&text).unwrap(), map.clone());
            map.retain(|_, value| *value != kept);
            tree.retain(|_, value| *value != kept);
            map.values_mut().chain(tree.values_mut()).for_each(|value| *value += 1);
            prop_assert_eq!(map.is_empty(), tree.is_empty());
            prop_assert!(map.values().eq(tree.values()));
            prop_assert!(map.iter().eq(tree.iter()));
            prop_assert!(map.into_iter().eq(tree));
        }
    }

    #[test]
    fn one_entry_takes_the_memory_of_one() {
        let map = SortedMap::from_iter([(1, 2)]);
        assert_eq!(map.0.capacity(), 1);
    }
}
