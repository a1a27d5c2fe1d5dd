//! Keys that were not made of random numbers: an example's, or what a tool left of an empty file.

/// A key of 64 random bytes has about 57 different ones, and one that is written as hexadecimal digits 16: neither has
/// fewer than this by chance.
const FEWEST_VALUES: usize = 10;

/// Whether the bytes follow a pattern that shows at a glance: few different bytes, a part that is repeated, or equal
/// steps. It can't tell that a key is random.
pub(crate) fn is_patterned(key: &[u8]) -> bool {
    is_of_few_values(key) || is_repetition(key) || has_equal_steps(key)
}

fn is_of_few_values(key: &[u8]) -> bool {
    let mut values = key.to_vec();
    values.sort_unstable();
    values.dedup();
    // A shorter one has another length than a key, which is reported.
    values.len() < FEWEST_VALUES.min(key.len())
}

fn is_repetition(key: &[u8]) -> bool {
    (1..=key.len() / 2).any(|length| repeats(key, length))
}

/// Whether it is one part of this length over and over.
fn repeats(key: &[u8], length: usize) -> bool {
    let (before, after) = (key.iter(), key.iter().skip(length));
    before.zip(after).all(|(one, other)| one == other)
}

fn has_equal_steps(key: &[u8]) -> bool {
    let mut steps = key.windows(2).map(|pair| match pair {
        [one, next] => next.wrapping_sub(*one),
        _ => 0,
    });
    let first = steps.next();
    key.len() > 2 && steps.all(|step| Some(step) == first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_of_a_pattern_are_found() {
        let ascending: Vec<u8> = (0..64).collect();
        let descending: Vec<u8> = (0..64).map(|number| 200 - 3 * number).collect();
        let half: Vec<u8> = (0..32).map(|number: u8| number.wrapping_mul(number)).collect();
        for key in [
            &[0; 64][..],
            &[7; 64],
            b"passwordpasswordpasswordpasswordpasswordpasswordpasswordpassword",
            b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            b"0101010101010101010101010101010110101010101010101010101010101010",
            &ascending,
            &descending,
            &half.repeat(2),
        ] {
            assert!(is_patterned(key), "{key:?}");
        }
    }

    #[test]
    fn text_of_random_digits_is_no_pattern_and_another_length_is_reported_otherwise() {
        for key in [
            &b"f2a8d0b7139c5e64a1f08b3c7d92e6540b1c9a37d85f264ee3470a9bd61c58f2"[..],
            b"short",
            b"",
        ] {
            assert!(!is_patterned(key), "{key:?}");
        }
    }

    proptest! {
        /// As they come from the system: `any` would prefer some bytes.
        #[test]
        fn random_key_is_no_pattern(_ in 0..100) {
            let mut key = [0; 64];
            getrandom::fill(&mut key).unwrap();
            prop_assert!(!is_patterned(&key), "{key:?}");
        }

        #[test]
        fn repeated_part_is_a_pattern(part in prop::collection::vec(any::<u8>(), 1..=32)) {
            let key: Vec<u8> = part.iter().copied().cycle().take(64).collect();
            prop_assert!(is_patterned(&key));
        }

        #[test]
        fn equal_steps_are_a_pattern(first: u8, step: u8) {
            let next = |byte: &u8| Some(byte.wrapping_add(step));
            let key: Vec<u8> = std::iter::successors(Some(first), next).take(64).collect();
            prop_assert!(is_patterned(&key));
        }
    }
}
