//! The URLs of the page's script, WASM and style sheet, and the build that they belong to.

use std::sync::OnceLock;

use leptos::config::LeptosOptions;

use super::BasePath;

/// The URLs of the page's built files, as paths of the site. They don't change while the server runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetUrls {
    /// The script, an ES module.
    pub script: String,
    /// The WASM that the script loads.
    pub wasm: String,
    /// The style sheet.
    pub style: String,
    /// It changes with the program and with every file of the page.
    pub build: String,
}

static ASSET_URLS: OnceLock<AssetUrls> = OnceLock::new();

impl AssetUrls {
    /// Makes every page use these from now on; only the first call has an effect.
    pub fn install(self) {
        ASSET_URLS.get_or_init(|| self);
    }

    /// The URLs that pages use: the installed ones, or else those of a build without hashes; below the base
    /// path of the context.
    pub(crate) fn of(options: &LeptosOptions) -> Self {
        let LeptosOptions { site_pkg_dir, output_name, .. } = options;
        let unhashed = |kind| format!("/{site_pkg_dir}/{output_name}.{kind}");
        let Self { script, wasm, style, build } =
            ASSET_URLS.get().cloned().unwrap_or_else(|| Self {
                script: unhashed("js"),
                wasm: unhashed("wasm"),
                style: unhashed("css"),
                build: String::new(),
            });
        let base = BasePath::of_context();
        Self {
            script: base.below(&script),
            wasm: base.below(&wasm),
            style: base.below(&style),
            build,
        }
    }

    /// The URL of one of the scripts whose names have no hash. It names the build: a cache may hold the file of
    /// another one.
    pub(crate) fn script_of_this_build(&self, name: &str) -> String {
        BasePath::of_context().below(&format!("/{name}?{}", self.build))
    }

    /// The installed build; empty before.
    pub(crate) fn installed_build() -> String {
        ASSET_URLS.get().map(|urls| urls.build.clone()).unwrap_or_default()
    }
}
