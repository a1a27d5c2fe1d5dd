//! What somebody types as a name: what is accepted is accepted again as it is, however it is written down,
//! and is within the bounds.

#![no_main]

use app::presence::{LONGEST_NAME_IN_BYTES, Name};
use libfuzzer_sys::fuzz_target;
use registry::presence::name_validation::{self, LONGEST_NAME_IN_CLUSTERS};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

fuzz_target!(|text: &str| {
    let accepted = name_validation::validate(text);
    let taken_apart: String = text.nfd().collect();
    assert_eq!(name_validation::validate(&taken_apart), accepted, "it is one text in both forms");
    let Ok(name) = accepted else { return };
    assert_eq!(
        name_validation::validate(name.as_str()).as_ref(),
        Ok(&name),
        "what is tidy stays as it is"
    );
    assert!((1..=LONGEST_NAME_IN_BYTES).contains(&name.as_str().len()));
    assert!(name.as_str().graphemes(true).count() <= LONGEST_NAME_IN_CLUSTERS);
    assert!(!name.as_str().chars().any(char::is_control));
    assert_eq!(name.as_str().trim(), name.as_str());
    // What it looks like is bounded too, and whoever reads the frame reads both.
    assert!(name.skeleton().is_none_or(|look| (1..=LONGEST_NAME_IN_BYTES).contains(&look.len())));
    let written = serde_json::to_string(&name).expect("a name can be written");
    let read: Name = serde_json::from_str(&written).expect("what is written can be read");
    assert_eq!(read, name);
});
