//! The files of a release build, and the variables by which the server finds them.

use std::path::PathBuf;

/// A finished release build.
#[derive(Debug)]
pub(crate) struct Release {
    /// The server program. It reads `hash.txt` in the same folder.
    pub(crate) server: PathBuf,
    /// The folder of its static files.
    pub(crate) site: PathBuf,
}

/// The environment variables of the server.
pub(crate) fn site_variables(release: &Release) -> [(&'static str, String); 3] {
    [
        ("LEPTOS_OUTPUT_NAME", "rollcall".to_owned()),
        ("LEPTOS_SITE_ROOT", release.site.display().to_string()),
        ("LEPTOS_HASH_FILES", "true".to_owned()),
    ]
}
