//! The files that a release build makes, and the variables that tell the server where they are.

use std::path::PathBuf;

/// A finished release build.
#[derive(Debug)]
pub(crate) struct Release {
    /// The server program. `hash.txt`, which it reads, is beside it.
    pub(crate) server: PathBuf,
    /// The files it serves.
    pub(crate) site: PathBuf,
}

/// The variables that the server needs to find a release build's files.
pub(crate) fn site_variables(release: &Release) -> [(&'static str, String); 3] {
    [
        ("LEPTOS_OUTPUT_NAME", "rollcall".to_owned()),
        ("LEPTOS_SITE_ROOT", release.site.display().to_string()),
        ("LEPTOS_HASH_FILES", "true".to_owned()),
    ]
}
