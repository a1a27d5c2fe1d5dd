//! How many invalid tokens an address may send. Pure: the time is a parameter.
//!
//! It limits what a broken or hostile client costs, and no more: nobody guesses a signature. A valid token is always
//! accepted, or anyone at the same address could keep the others out.

use std::{collections::HashMap, time::Duration};

use crate::admission::ClientPrefix;

/// So many invalid tokens of an address within [`WINDOW`]; more are no mistake.
const MOST_INVALID: u32 = 20;

/// From the first one on.
const WINDOW: Duration = Duration::from_mins(1);

/// From how many addresses on those are forgotten whose window is over.
const MANY_ADDRESSES: usize = 256;

/// The most addresses that are remembered. A flood from more of them is no broken client.
const MOST_ADDRESSES: usize = 4_096;

/// The invalid tokens of late.
#[derive(Debug, Default)]
pub(super) struct InvalidTokens(HashMap<ClientPrefix, Count>);

#[derive(Clone, Copy, Debug)]
struct Count {
    since: Duration,
    number: u32,
}

impl InvalidTokens {
    /// Counts an invalid token.
    ///
    /// # Errors
    /// If the address sent too many: the time until it may send the next one.
    pub(super) fn count(&mut self, from: ClientPrefix, now: Duration) -> Result<(), Duration> {
        if self.0.len() >= MANY_ADDRESSES {
            self.0.retain(|_, count| now < count.since + WINDOW);
        }
        if self.0.len() >= MOST_ADDRESSES && !self.0.contains_key(&from) {
            return Err(WINDOW);
        }
        let count = self.0.entry(from).or_insert(Count { since: now, number: 0 });
        if count.since + WINDOW <= now {
            *count = Count { since: now, number: 0 };
        }
        if count.number >= MOST_INVALID {
            return Err((count.since + WINDOW).saturating_sub(now));
        }
        count.number += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn address(number: u32) -> ClientPrefix {
        IpAddr::from(Ipv4Addr::from_bits(number)).into()
    }

    #[test]
    fn address_may_send_twenty_invalid_tokens_a_minute() {
        let mut tokens = InvalidTokens::default();
        let start = Duration::from_secs(5);
        for _ in 0..20 {
            assert_eq!(tokens.count(address(1), start), Ok(()));
        }
        let later = start + Duration::from_secs(20);
        assert_eq!(tokens.count(address(1), later), Err(Duration::from_secs(40)));
        assert_eq!(tokens.count(address(2), later), Ok(()));
        assert_eq!(tokens.count(address(1), start + WINDOW), Ok(()));
    }

    #[test]
    fn few_addresses_are_remembered() {
        let mut tokens = InvalidTokens::default();
        for number in 0..100_000 {
            let _ = tokens.count(address(number), Duration::ZERO);
        }
        assert_eq!(tokens.0.len(), MOST_ADDRESSES);
        assert_eq!(tokens.count(address(7), WINDOW), Ok(()));
        assert_eq!(tokens.0.len(), 1);
    }
}
