//! What a name looks like: two names with one look can't be told apart at a glance.

use app::presence::LONGEST_NAME_IN_BYTES;
use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection;

/// What a name looks like, in lower case; none where that is the name itself in lower case, as with most.
///
/// It is the skeleton of UTS #39, section 4, and meant for comparing, not for reading.
pub(super) fn skeleton(name: &str) -> Option<String> {
    let words: Vec<String> = name.split(' ').map(skeleton_of_word).collect();
    let skeleton = words.join(" ");
    if skeleton == name.to_lowercase() {
        return None;
    }
    Some(if skeleton.len() <= LONGEST_NAME_IN_BYTES { skeleton } else { hash_of(&skeleton) })
}

fn skeleton_of_word(word: &str) -> String {
    // Nobody takes a number for a word: that 10 looks like "lo" would only make texts longer.
    if word.bytes().all(|byte| byte.is_ascii_digit()) {
        return word.to_owned();
    }
    let skeleton: String = confusable_detection::skeleton(word).collect();
    // The skeleton of m is rn. The other way round it says the same, and most names stay as they are.
    skeleton.to_lowercase().replace("rn", "m").nfc().collect()
}

/// Stands for a look that is longer than any name: some letters look like whole sentences.
fn hash_of(skeleton: &str) -> String {
    let hash = skeleton.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}")
}
