//! Where a browser finds the page's script, WASM and style sheet.

use std::sync::OnceLock;

use leptos::config::LeptosOptions;

/// The addresses of the page's built files. They never change while the server runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetUrls {
    /// The script, a module.
    pub script: String,
    /// What it loads.
    pub wasm: String,
    /// The style sheet.
    pub style: String,
}

static PAGE_FILES: OnceLock<AssetUrls> = OnceLock::new();

impl AssetUrls {
    /// Every page that is rendered from now on names these; whoever says so first has the last word.
    pub fn install(self) {
        PAGE_FILES.get_or_init(|| self);
    }

    /// What a page names: without a word of the server's, what a build without hashes makes.
    pub(crate) fn of(options: &LeptosOptions) -> Self {
        let LeptosOptions { site_pkg_dir, output_name, .. } = options;
        let unhashed = |kind| format!("/{site_pkg_dir}/{output_name}.{kind}");
        PAGE_FILES.get().cloned().unwrap_or_else(|| Self {
            script: unhashed("js"),
            wasm: unhashed("wasm"),
            style: unhashed("css"),
        })
    }
}
