//! How often a wrong token may be sent. Pure: the time is a parameter.
//!
//! Over the rate no token is looked at, not even the right one: else an answer at once would tell a right one from a
//! wrong one, however many are sent. So that nobody locks the operator out from elsewhere, the rate of all addresses
//! together does not count for an address that has sent the right token.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use crate::admission::{
    ClientPrefix,
    rate_limit::{Rate, TokenBucket},
};

/// Wrong tokens that an address may send at once, and then in a second. More is no mistyped token.
const BY_ADDRESS: (u32, u32) = (10, 1);

/// The same of all addresses together.
const IN_ALL: (u32, u32) = (50, 5);

/// How many addresses are remembered that have sent the right token.
const MOST_PROVEN: usize = 16;

/// From how many addresses on those are forgotten that may send all of their tokens again.
const MANY_ADDRESSES: usize = 256;

/// The wrong tokens of late.
#[derive(Debug, Default)]
pub(super) struct TokenTries {
    in_all: TokenBucket,
    /// At most a few hundred: the rate of all bounds those that are not full.
    by_address: HashMap<ClientPrefix, TokenBucket>,
    /// The latest last.
    proven: VecDeque<ClientPrefix>,
}

impl TokenTries {
    /// Whether a token of this address is looked at.
    ///
    /// # Errors
    /// The time until one is.
    pub(super) fn check(&self, from: ClientPrefix, now: Duration) -> Result<(), Duration> {
        let of_address = self.by_address.get(&from).copied().unwrap_or_default();
        check(of_address, BY_ADDRESS, now)?;
        if self.proven.contains(&from) { Ok(()) } else { check(self.in_all, IN_ALL, now) }
    }

    /// Counts a wrong token.
    pub(super) fn wrong(&mut self, from: ClientPrefix, now: Duration) {
        take(&mut self.in_all, IN_ALL, now);
        take(self.by_address.entry(from).or_default(), BY_ADDRESS, now);
        if self.by_address.len() > MANY_ADDRESSES {
            self.by_address.retain(|_, bucket| !bucket.is_full(now));
        }
    }

    /// Remembers who sent the right token.
    pub(super) fn right(&mut self, from: ClientPrefix) {
        self.proven.retain(|known| *known != from);
        self.proven.push_back(from);
        if self.proven.len() > MOST_PROVEN {
            self.proven.pop_front();
        }
    }
}

/// Whether the bucket has a token, which it keeps.
fn check(mut bucket: TokenBucket, rate: (u32, u32), now: Duration) -> Result<(), Duration> {
    Rate::new(rate.0, rate.1).map_or(Ok(()), |rate| bucket.take(rate, now))
}

fn take(bucket: &mut TokenBucket, rate: (u32, u32), now: Duration) {
    // An empty bucket stays empty: several requests may have been let through at once.
    let _ = Rate::new(rate.0, rate.1).map(|rate| bucket.take(rate, now));
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use proptest::prelude::*;

    use super::*;

    fn address(number: u32) -> ClientPrefix {
        IpAddr::from(Ipv4Addr::from_bits(number)).into()
    }

    const START: Duration = Duration::from_secs(5);

    #[test]
    fn address_may_send_ten_wrong_tokens_and_then_one_a_second() {
        let mut tries = TokenTries::default();
        for _ in 0..10 {
            assert_eq!(tries.check(address(1), START), Ok(()));
            tries.wrong(address(1), START);
        }
        let second = Duration::from_secs(1);
        assert_eq!(tries.check(address(1), START), Err(second));
        assert_eq!(tries.check(address(2), START), Ok(()));
        assert_eq!(tries.check(address(1), START + second), Ok(()));
        tries.wrong(address(1), START + second);
        assert_eq!(tries.check(address(1), START + second), Err(second));
    }

    #[test]
    fn right_tokens_cost_nothing() {
        let mut tries = TokenTries::default();
        for _ in 0..1_000 {
            assert_eq!(tries.check(address(1), START), Ok(()));
            tries.right(address(1));
        }
    }

    #[test]
    fn many_addresses_have_a_rate_together_and_do_not_lock_the_operator_out() {
        let mut tries = TokenTries::default();
        tries.right(address(1));
        for number in 0..50 {
            assert_eq!(tries.check(address(100 + number), START), Ok(()), "{number}");
            tries.wrong(address(100 + number), START);
        }
        assert_eq!(tries.check(address(200), START), Err(Duration::from_millis(200)));
        assert_eq!(tries.check(address(1), START), Ok(()));
        for _ in 0..10 {
            tries.wrong(address(1), START);
        }
        assert!(tries.check(address(1), START).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn few_addresses_are_remembered(wrong in prop::collection::vec((0..5_000_u32, 0..200_u64), 600..1_000)) {
            let (mut tries, mut now) = (TokenTries::default(), START);
            for (number, milliseconds) in wrong {
                now += Duration::from_millis(milliseconds);
                if tries.check(address(number), now).is_ok() {
                    tries.wrong(address(number), now);
                } else {
                    tries.right(address(number));
                }
                prop_assert!(tries.by_address.len() <= MANY_ADDRESSES + 1);
                prop_assert!(tries.proven.len() <= MOST_PROVEN);
            }
        }
    }
}
