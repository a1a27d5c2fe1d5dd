//! What somebody types as a name: what is accepted is accepted again as it is, and is within the bounds.

#![no_main]

use libfuzzer_sys::fuzz_target;
use server::presence::name_rules;

fuzz_target!(|text: &str| {
    if let Ok(name) = name_rules::accept(text) {
        let again = name_rules::accept(name.as_str());
        assert_eq!(again.as_ref(), Ok(&name), "what is tidy stays as it is");
        assert!(!name.as_str().is_empty() && name.as_str().len() <= 200);
        assert!(!name.as_str().chars().any(char::is_control));
    }
});
