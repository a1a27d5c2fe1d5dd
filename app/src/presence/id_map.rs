//! A map by the ids of users.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use super::UserId;

/// A number for each id, in no order.
///
/// The browser's maps are of this one kind, as it loads the code of each kind: two kinds of
/// `BTreeMap` were a twentieth of the WASM.
pub(crate) type IdMap = HashMap<UserId, u64, BuildHasherDefault<IdHasher>>;

/// Hashes an id, whose 66 bits are evenly random already: the server makes them with its key, so
/// nobody can choose many that collide.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        // Each character has six bits.
        for byte in bytes {
            self.0 = self.0.rotate_left(6) ^ u64::from(*byte);
        }
    }

    /// The length of an id, which is the same for all: its bytes are eight on the server and four in the
    /// browser.
    fn write_usize(&mut self, _: usize) {}

    /// Multiplied by the golden ratio, and the bits that depend on all others put where the map
    /// takes its place from.
    fn finish(&self) -> u64 {
        self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(26)
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher as _, BuildHasherDefault};

    use super::*;

    /// Real ids are as random as these; a map that is to be fast needs a place for each.
    #[test]
    fn ids_are_spread_evenly() {
        let hasher = BuildHasherDefault::<IdHasher>::default();
        let mut taken = [0_u32; 1 << 12];
        let places = u64::try_from(taken.len()).unwrap();
        for number in 0..places {
            let bits = u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
            let place = hasher.hash_one(UserId::from_leading_bits(bits)) % places;
            taken[usize::try_from(place).unwrap()] += 1;
        }
        // By chance, a third of the places is free, and the fullest has seven.
        let free = taken.iter().filter(|taken| **taken == 0).count();
        assert!(free < 1_700, "{free}");
        assert!(taken.iter().all(|taken| *taken < 10), "{:?}", taken.iter().max());
    }

    /// An id has 66 bits and a hash 64, so a few are equal.
    #[test]
    fn ids_that_differ_in_one_character_rarely_share_a_hash() {
        const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let hasher = BuildHasherDefault::<IdHasher>::default();
        let base = "uZ3kQ0a1b2c";
        let variants: std::collections::BTreeSet<String> = (0..base.len())
            .flat_map(|at| LETTERS.chars().map(move |letter| (at, letter)))
            .map(|(at, letter)| format!("{}{letter}{}", &base[..at], &base[at + 1..]))
            .collect();
        let ids: Vec<UserId> = variants.iter().filter_map(|variant| variant.parse().ok()).collect();
        let distinct: std::collections::BTreeSet<u64> =
            ids.iter().map(|id| hasher.hash_one(id)).collect();
        assert!(ids.len() > 500);
        assert!(distinct.len() + 10 > ids.len(), "{} of {}", distinct.len(), ids.len());
    }
}
