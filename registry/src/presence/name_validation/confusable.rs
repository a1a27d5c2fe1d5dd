//! The skeleton of a name: names with the same skeleton look alike.

use app::presence::{LONGEST_NAME_IN_BYTES, fnv1a};
use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection;

/// The skeleton of a name (UTS #39, section 4), in lower case, for comparing and not for display.
///
/// `None` if it is the name itself in lower case, as for most names.
pub(super) fn skeleton(name: &str) -> Option<String> {
    let words: Vec<String> = name.split(' ').map(skeleton_of_word).collect();
    let skeleton = words.join(" ");
    if skeleton == name.to_lowercase() {
        return None;
    }
    Some(if skeleton.len() <= LONGEST_NAME_IN_BYTES { skeleton } else { hash_of(&skeleton) })
}

fn skeleton_of_word(word: &str) -> String {
    // Readers do not confuse numbers with words, although 10 looks like "lo". This keeps texts short.
    if word.bytes().all(|byte| byte.is_ascii_digit()) {
        return word.to_owned();
    }
    let skeleton: String = confusable_detection::skeleton(word).collect();
    // The skeleton of m is rn. Replaced by m it means the same, and most names are their own skeletons.
    skeleton.to_lowercase().replace("rn", "m").nfc().collect()
}

/// Replaces a skeleton that is longer than any name: some letters look like whole sentences.
fn hash_of(skeleton: &str) -> String {
    format!("{:016x}", fnv1a(skeleton.bytes().map(u64::from)))
}
