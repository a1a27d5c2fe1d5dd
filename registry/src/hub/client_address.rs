//! The address that a reader comes from, as the limits of an address count it.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    num::NonZeroU64,
};

/// The address that a reader comes from. Which clients are one address is the server's to decide: here it is a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientAddress(NonZeroU64);

impl ClientAddress {
    /// The address with these bits; 0 is taken as 1.
    pub fn from_bits(bits: u64) -> Self {
        Self(NonZeroU64::new(bits).unwrap_or(NonZeroU64::MIN))
    }
}

/// Counts one less, and forgets whom nothing is counted for.
pub(super) fn release_one(counts: &mut BTreeMap<ClientAddress, usize>, address: ClientAddress) {
    if let Entry::Occupied(mut count) = counts.entry(address) {
        *count.get_mut() = count.get().saturating_sub(1);
        if *count.get() == 0 {
            count.remove();
        }
    }
}
