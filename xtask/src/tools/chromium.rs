//! Chromium for the browser tests, and fonts for their screenshots.

use std::path::{Path, PathBuf};

use crate::output::failure::{Failure, Outcome};
use crate::output::step::note;
use crate::process;
use crate::tools::apt;
use crate::tools::browser;
use crate::tools::npm;
use crate::workspace::Workspace;

const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

const ON_MACOS: [&str; 2] = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/// Emoji, Chinese, Japanese, Korean and Arabic: without these fonts screenshots show boxes.
const FONTS: [&str; 3] = ["fonts-noto-color-emoji", "fonts-noto-cjk", "fonts-noto-core"];

/// The browser that the tests control.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Chromium {
    /// An installed program.
    Installed(PathBuf),
    /// Playwright's download, which Playwright finds by itself.
    Playwrights,
}

/// Finds or installs a Chromium: the one named by `ROLLCALL_CHROMIUM`, an installed one,
/// Playwright's download, Debian's package.
pub(crate) fn ensure(workspace: &Workspace) -> Outcome<Chromium> {
    if let Some(program) = browser::named_by_the_user("ROLLCALL_CHROMIUM")? {
        return Ok(Chromium::Installed(program));
    }
    if let Some(program) = installed(workspace) {
        note(&program.display().to_string());
        return Ok(Chromium::Installed(program));
    }
    if playwright_chromium_starts(workspace)
        || (download(workspace)? && playwright_chromium_starts(workspace))
    {
        note("Playwright's download");
        return Ok(Chromium::Playwrights);
    }
    if apt::can_install(workspace) {
        apt::install(workspace, &["chromium"])?;
    }
    installed(workspace).map(Chromium::Installed).ok_or_else(|| {
        Failure::new(
            "The browser tests need Chromium: install it, or set ROLLCALL_CHROMIUM to the path \
                 of one.",
        )
    })
}

/// Installs missing fonts where that is possible. No test depends on them.
pub(crate) fn ensure_fonts(workspace: &Workspace) {
    if workspace.find_program("dpkg-query").is_none() {
        note("skipped: there is no dpkg-query");
        return;
    }
    let missing = apt::missing(&FONTS);
    if missing.is_empty() {
        note("already installed");
    } else if !apt::can_install(workspace) || apt::install(workspace, &missing).is_err() {
        note(&format!(
            "not installed: without {}, screenshots show boxes for some letters",
            missing.join(" and ")
        ));
    }
}

fn installed(workspace: &Workspace) -> Option<PathBuf> {
    browser::installed(workspace, &NAMES, &ON_MACOS)
}

fn download(workspace: &Workspace) -> Outcome<bool> {
    note("Playwright downloads Chromium");
    let mut command = npm::program(workspace, "npx")?;
    command
        .args(["playwright", "install", "chromium"])
        .env("PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT", "5000")
        .current_dir(workspace.end2end());
    Ok(process::succeeds(&mut command))
}

fn playwright_chromium_starts(workspace: &Workspace) -> bool {
    let question = "console.log(require('@playwright/test').chromium.executablePath())";
    let mut command = workspace.command("node");
    command.args(["-e", question]).current_dir(workspace.end2end());
    process::capture(&mut command).is_some_and(|path| browser::starts(Path::new(path.trim())))
}
