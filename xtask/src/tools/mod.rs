//! The programs that commands need: how they are found, downloaded or installed.

pub(crate) mod apt;
pub(crate) mod browser;
pub(crate) mod cargo_tool;
pub(crate) mod chromium;
pub(crate) mod engine;
pub(crate) mod firefox;
pub(crate) mod gzip;
pub(crate) mod import_names;
pub(crate) mod npm;
pub(crate) mod prebuilt;
pub(crate) mod version;
pub(crate) mod wasm_opt;
