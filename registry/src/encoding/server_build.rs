//! Which build of the server writes the frames.

use std::sync::OnceLock;

static BUILD: OnceLock<String> = OnceLock::new();

/// Names this process's build in every first frame from now on; only the first call has an effect. `build`
/// consists of letters and digits.
pub fn announce_build(build: &str) {
    BUILD.get_or_init(|| build.to_owned());
}

/// The field of a first frame, with the comma before it; empty where no build was announced.
pub(super) fn build_field() -> String {
    BUILD.get().map(|build| format!(r#","build":"{build}""#)).unwrap_or_default()
}
