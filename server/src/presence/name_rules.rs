//! What the server accepts as a name.

use app::presence::{Name, NameFault};
use unicode_segmentation::UnicodeSegmentation;

/// The longest a name may be, in grapheme clusters (UAX #29): what a reader would call characters.
pub const LONGEST_NAME_IN_CLUSTERS: usize = 40;

/// Tidies what somebody typed and says whether it is a name.
///
/// Here and not in `app`, so that Unicode's tables don't travel to the browser.
pub fn accept(text: &str) -> Result<Name, NameFault> {
    let name = Name::parse(text)?;
    if name.as_str().graphemes(true).nth(LONGEST_NAME_IN_CLUSTERS).is_some() {
        return Err(NameFault::TooLong);
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_up_to_forty_clusters_of_any_script() {
        assert!(accept(&"x".repeat(40)).is_ok());
        assert_eq!(accept(&"x".repeat(41)), Err(NameFault::TooLong));
        // One cluster of 7 characters and 25 bytes: 8 of them are 200 bytes.
        let family = "👨\u{200d}👩\u{200d}👧\u{200d}👦";
        assert!(accept(&family.repeat(8)).is_ok());
        assert_eq!(accept(&family.repeat(9)), Err(NameFault::TooLong));
        assert!(accept("مريم الحداد").is_ok());
    }
}
