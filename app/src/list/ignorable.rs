//! Characters that do not count in a search: marks, vowel points, and characters without a width.

/// The characters that a search ignores: they have no primary weight in CLDR's root collation for search, like
/// accents, niqqud, harakat, nukta, tatweel and joiners. Vowel signs of Indic scripts have one.
pub(super) struct Ignorables {
    /// Where ranges begin, and where they have ended, in turn. They are decoded once for many names.
    bounds: Vec<u32>,
}

impl Ignorables {
    pub(super) fn new() -> Self {
        let mut bounds = Vec::with_capacity(2 * RANGES.len());
        let (mut end, mut bytes) = (0, ENCODED.iter());
        while let (Some(gap), Some(length)) = (next_number(&mut bytes), next_number(&mut bytes)) {
            let start = end + gap;
            end = start + length;
            bounds.extend([start, end + 1]);
        }
        Self { bounds }
    }

    pub(super) fn contains(&self, letter: char) -> bool {
        // Within a range, its beginning is passed and its end is not.
        self.bounds.partition_point(|bound| *bound <= u32::from(letter)) % 2 == 1
    }
}

/// First and last characters of the ranges, sorted, from ICU 78 (Unicode 17): those that NFKD leaves unchanged and
/// that `new Intl.Collator("und", { usage: "search", sensitivity: "base" })` ignores. Except U+0E4D and
/// U+0ECD, which are a part of the vowels am of Thai and Lao.
const RANGES: [(u32, u32); 198] = [
    (0x80, 0x84),
    (0x86, 0x9f),
    (0xad, 0xad),
    (0x300, 0x362),
    (0x483, 0x489),
    (0x591, 0x5bd),
    (0x5bf, 0x5bf),
    (0x5c1, 0x5c2),
    (0x5c4, 0x5c5),
    (0x5c7, 0x5c7),
    (0x600, 0x605),
    (0x610, 0x61a),
    (0x61c, 0x61c),
    (0x640, 0x640),
    (0x64b, 0x65f),
    (0x670, 0x670),
    (0x6d6, 0x6dd),
    (0x6df, 0x6e4),
    (0x6e7, 0x6e8),
    (0x6ea, 0x6ed),
    (0x70f, 0x70f),
    (0x711, 0x711),
    (0x730, 0x74a),
    (0x7eb, 0x7f3),
    (0x7fa, 0x7fd),
    (0x818, 0x819),
    (0x81c, 0x82d),
    (0x859, 0x85b),
    (0x890, 0x89f),
    (0x8ca, 0x903),
    (0x93c, 0x93c),
    (0x951, 0x954),
    (0x981, 0x983),
    (0x9bc, 0x9bc),
    (0x9fe, 0xa03),
    (0xa3c, 0xa3c),
    (0xa70, 0xa71),
    (0xa81, 0xa83),
    (0xabc, 0xabc),
    (0xafa, 0xb03),
    (0xb3c, 0xb3c),
    (0xb55, 0xb55),
    (0xb82, 0xb82),
    (0xc00, 0xc04),
    (0xc3c, 0xc3c),
    (0xc81, 0xc83),
    (0xcbc, 0xcbc),
    (0xcf3, 0xd03),
    (0xd81, 0xd83),
    (0xe3a, 0xe3a),
    (0xe47, 0xe4c),
    (0xe4e, 0xe4e),
    (0xec8, 0xecc),
    (0xece, 0xece),
    (0xf18, 0xf19),
    (0xf35, 0xf35),
    (0xf37, 0xf37),
    (0xf39, 0xf39),
    (0xf3e, 0xf3f),
    (0xf7e, 0xf7f),
    (0xf82, 0xf83),
    (0xf86, 0xf87),
    (0xfc6, 0xfc6),
    (0x1036, 0x1038),
    (0x135d, 0x135f),
    (0x17b4, 0x17b5),
    (0x17c6, 0x17d1),
    (0x17d3, 0x17d3),
    (0x17dd, 0x17dd),
    (0x180a, 0x180f),
    (0x1939, 0x193b),
    (0x1a74, 0x1a7f),
    (0x1ab0, 0x1abe),
    (0x1ac1, 0x1acb),
    (0x1acf, 0x1b04),
    (0x1b34, 0x1b34),
    (0x1b6b, 0x1b73),
    (0x1b80, 0x1b82),
    (0x1be6, 0x1be6),
    (0x1c37, 0x1c37),
    (0x1cd0, 0x1ce8),
    (0x1ced, 0x1ced),
    (0x1cf2, 0x1cf4),
    (0x1cf7, 0x1cf9),
    (0x1dc0, 0x1dc9),
    (0x1dcb, 0x1dd1),
    (0x1df5, 0x1dff),
    (0x200b, 0x200f),
    (0x202a, 0x202e),
    (0x2060, 0x206f),
    (0x20d0, 0x20f0),
    (0x2cef, 0x2cf1),
    (0x2d7f, 0x2d7f),
    (0x302a, 0x302f),
    (0x3099, 0x309a),
    (0xa66f, 0xa672),
    (0xa67c, 0xa67d),
    (0xa6f0, 0xa6f1),
    (0xa80b, 0xa80b),
    (0xa880, 0xa881),
    (0xa8c5, 0xa8c5),
    (0xa8e0, 0xa8f1),
    (0xa92b, 0xa92d),
    (0xa980, 0xa983),
    (0xa9b3, 0xa9b3),
    (0xaabf, 0xaabf),
    (0xaac1, 0xaac1),
    (0xabec, 0xabec),
    (0xfb1e, 0xfb1e),
    (0xfe00, 0xfe2f),
    (0xfe73, 0xfe73),
    (0xfeff, 0xfeff),
    (0xfff9, 0xfffb),
    (0x101fd, 0x101fd),
    (0x102e0, 0x102e0),
    (0x10a0d, 0x10a0f),
    (0x10a38, 0x10a3a),
    (0x10ae5, 0x10ae6),
    (0x10d24, 0x10d27),
    (0x10d6a, 0x10d6d),
    (0x10eab, 0x10eac),
    (0x10efa, 0x10eff),
    (0x10f46, 0x10f50),
    (0x10f82, 0x10f85),
    (0x11000, 0x11002),
    (0x11080, 0x11082),
    (0x110ba, 0x110ba),
    (0x110bd, 0x110bd),
    (0x110cd, 0x110cd),
    (0x11100, 0x11102),
    (0x11173, 0x11173),
    (0x11180, 0x11182),
    (0x111c9, 0x111cc),
    (0x111cf, 0x111cf),
    (0x11234, 0x11234),
    (0x11236, 0x11237),
    (0x1123e, 0x1123e),
    (0x112df, 0x112df),
    (0x112e9, 0x112e9),
    (0x11300, 0x11303),
    (0x1133b, 0x1133c),
    (0x11366, 0x11374),
    (0x113ca, 0x113cd),
    (0x113d2, 0x113d2),
    (0x113e1, 0x113e2),
    (0x11443, 0x11446),
    (0x1145e, 0x1145e),
    (0x114bf, 0x114c1),
    (0x114c3, 0x114c3),
    (0x115bc, 0x115be),
    (0x115c0, 0x115c0),
    (0x1163d, 0x1163e),
    (0x11640, 0x11640),
    (0x116ab, 0x116ac),
    (0x116b7, 0x116b7),
    (0x11837, 0x11838),
    (0x1183a, 0x1183a),
    (0x1193b, 0x1193c),
    (0x11943, 0x11943),
    (0x119de, 0x119df),
    (0x11a33, 0x11a33),
    (0x11a35, 0x11a39),
    (0x11a96, 0x11a98),
    (0x11c3c, 0x11c3e),
    (0x11cb5, 0x11cb6),
    (0x11d40, 0x11d43),
    (0x11d95, 0x11d96),
    (0x11f00, 0x11f01),
    (0x11f03, 0x11f03),
    (0x11f5a, 0x11f5a),
    (0x13430, 0x13440),
    (0x13447, 0x13455),
    (0x1612d, 0x1612d),
    (0x16af0, 0x16af4),
    (0x16b30, 0x16b36),
    (0x16fe4, 0x16ff1),
    (0x1bc9d, 0x1bc9e),
    (0x1bca0, 0x1bca3),
    (0x1cf00, 0x1cf46),
    (0x1d165, 0x1d169),
    (0x1d16d, 0x1d182),
    (0x1d185, 0x1d18b),
    (0x1d1aa, 0x1d1ad),
    (0x1d242, 0x1d244),
    (0x1da00, 0x1da36),
    (0x1da3b, 0x1da6c),
    (0x1da75, 0x1da75),
    (0x1da84, 0x1da84),
    (0x1da9b, 0x1daaf),
    (0x1e130, 0x1e136),
    (0x1e2ae, 0x1e2ae),
    (0x1e2ec, 0x1e2ef),
    (0x1e4ec, 0x1e4ef),
    (0x1e5ee, 0x1e5ef),
    (0x1e8d0, 0x1e8d6),
    (0x1e944, 0x1e94a),
    (0xe0001, 0xe007f),
    (0xe0100, 0xe01ef),
];

/// The ranges as gaps and lengths, in LEB128: a fifth of the bytes, which every browser loads.
static ENCODED: [u8; encode().1] = {
    let (encoded, length) = encode();
    let mut bytes = [0; encode().1];
    let mut at = 0;
    while at < length {
        bytes[at] = encoded[at];
        at += 1;
    }
    bytes
};

const fn encode() -> ([u8; 4 * RANGES.len()], usize) {
    let mut encoded = [0; 4 * RANGES.len()];
    let (mut length, mut number, mut end) = (0, 0, 0);
    while number < 2 * RANGES.len() {
        let (first, last) = RANGES[number / 2];
        let mut rest = if number % 2 == 0 { first - end } else { last - first };
        while rest >= 0x80 {
            encoded[length] = 0x80 | low_bits(rest);
            rest >>= 7;
            length += 1;
        }
        encoded[length] = low_bits(rest);
        length += 1;
        end = if number % 2 == 0 { end } else { last };
        number += 1;
    }
    (encoded, length)
}

const fn low_bits(number: u32) -> u8 {
    number.to_le_bytes()[0] & 0x7f
}

fn next_number<'a>(bytes: &mut impl Iterator<Item = &'a u8>) -> Option<u32> {
    let (mut number, mut shift) = (0, 0);
    loop {
        let byte = bytes.next()?;
        number |= u32::from(byte & 0x7f) << shift;
        shift += 7;
        if *byte < 0x80 {
            return Some(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_is_ignorable_as_the_ranges_say() {
        let ignorables = Ignorables::new();
        for letter in '\0'..=char::MAX {
            let number = u32::from(letter);
            let expected = RANGES.iter().any(|(first, last)| (*first..=*last).contains(&number));
            assert_eq!(ignorables.contains(letter), expected, "{letter:?}");
        }
        assert!(RANGES.iter().flat_map(|(first, last)| [first, last]).is_sorted());
    }

    #[test]
    fn marks_are_ignorable_and_vowel_signs_are_not() {
        let ignorables = Ignorables::new();
        for letter in
            "\u{301}\u{5b8}\u{5c1}\u{64f}\u{651}\u{654}ـ\u{93c}\u{200d}\u{fe0f}\u{e49}\u{3099}"
                .chars()
        {
            assert!(ignorables.contains(letter), "{letter:?}");
        }
        for letter in "aяא مकिु\u{94d}ำาการ각李ー'- 🙂".chars() {
            assert!(!ignorables.contains(letter), "{letter:?}");
        }
    }
}
