//! Generated files of the repository, which tests compare and write.

use std::{fs, path::Path};

/// Compares a generated file with the one in the repository; with `UPDATE_REFERENCE` it replaces that one.
pub(crate) fn assert_is_up_to_date(name: &str, generated: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        fs::write(&path, generated).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == generated,
        "{name} is out of date: run the tests of `server` once with UPDATE_REFERENCE=1."
    );
}
