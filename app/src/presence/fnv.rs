//! The hash function of digests and name keys.

/// 64-bit FNV-1a, with one step for each value.
///
/// It is fast and small, and no protection against names that are chosen to collide.
pub fn fnv1a(values: impl IntoIterator<Item = u64>) -> u64 {
    // Offset basis and prime: http://www.isthe.com/chongo/tech/comp/fnv/ (also RFC 9923).
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    values.into_iter().fold(OFFSET_BASIS, |hash, value| (hash ^ value).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fnv1a_agrees_with_the_published_test_vectors() {
        for (text, hash) in [
            ("", 0xcbf2_9ce4_8422_2325),
            ("a", 0xaf63_dc4c_8601_ec8c),
            ("foobar", 0x8594_4171_f739_67e8),
        ] {
            assert_eq!(fnv1a(text.bytes().map(u64::from)), hash, "{text}");
        }
    }
}
