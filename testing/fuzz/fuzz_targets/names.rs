//! Fuzzes name validation: an accepted name is accepted again unchanged, in every normalisation form, and is
//! within the limits.

#![no_main]

use app::presence::{LONGEST_NAME_IN_BYTES, Name};
use libfuzzer_sys::fuzz_target;
use registry::presence::name_validation::{self, LONGEST_NAME_IN_CLUSTERS};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

fuzz_target!(|text: &str| {
    let accepted = name_validation::validate(text);
    let decomposed: String = text.nfd().collect();
    assert_eq!(name_validation::validate(&decomposed), accepted, "normalisation changes the result");
    let Ok(name) = accepted else { return };
    assert_eq!(
        name_validation::validate(name.as_str()).as_ref(),
        Ok(&name),
        "an accepted name is not accepted unchanged"
    );
    assert!((1..=LONGEST_NAME_IN_BYTES).contains(&name.as_str().len()));
    let clusters = name.as_str().graphemes(true).filter(|cluster| *cluster != " ").count();
    assert!(clusters <= LONGEST_NAME_IN_CLUSTERS);
    assert!(!name.as_str().chars().any(char::is_control));
    assert_eq!(name.as_str().trim(), name.as_str());
    // The skeleton is bounded too, and is part of the frame.
    assert!(name.skeleton().is_none_or(|look| (1..=LONGEST_NAME_IN_BYTES).contains(&look.len())));
    let written = serde_json::to_string(&name).expect("a name can be serialised");
    let read: Name = serde_json::from_str(&written).expect("a serialised name can be parsed");
    assert_eq!(read, name);
});
