//! The address that a reader comes from, as the limits of an address count it.

use std::num::NonZeroU64;

/// The address that a reader comes from. Which clients are one address is the server's to decide: here it is a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientAddress(NonZeroU64);

impl ClientAddress {
    /// The address with these bits; 0 is taken as 1.
    pub fn from_bits(bits: u64) -> Self {
        Self(NonZeroU64::new(bits).unwrap_or(NonZeroU64::MIN))
    }
}
