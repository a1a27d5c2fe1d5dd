//! Firefox for the browser tests: any recent one, since they speak a standard protocol to it.

use std::path::PathBuf;

use crate::output::failure::{Failure, Outcome};
use crate::output::step::note;
use crate::tools::apt;
use crate::tools::browser;
use crate::workspace::Workspace;

/// The one that Debian keeps up to date comes first: CI tests it.
const NAMES: [&str; 2] = ["firefox-esr", "firefox"];

const USUAL_PLACES: [&str; 2] = [
    "/Applications/Firefox.app/Contents/MacOS/firefox",
    "C:\\Program Files\\Mozilla Firefox\\firefox.exe",
];

/// Debian's package. Ubuntu has no package of Firefox, but has it installed as a snap.
const PACKAGE: &str = "firefox-esr";

/// Finds or installs a Firefox: the one named by `ROLLCALL_FIREFOX`, an installed one, Debian's
/// package. Playwright's download is no alternative: it speaks Playwright's own protocol.
pub(crate) fn ensure(workspace: &Workspace) -> Outcome<PathBuf> {
    if let Some(program) = browser::named_by_the_user("ROLLCALL_FIREFOX")? {
        return Ok(program);
    }
    if let Some(program) = installed(workspace) {
        note(&program.display().to_string());
        return Ok(program);
    }
    if apt::can_install(workspace)
        && let Err(failure) = apt::install(workspace, &[PACKAGE])
    {
        note(&failure.to_string());
    }
    installed(workspace).ok_or_else(|| {
        Failure::new(
            "The browser tests need Firefox: install it, or set ROLLCALL_FIREFOX to the path of one.",
        )
    })
}

fn installed(workspace: &Workspace) -> Option<PathBuf> {
    browser::installed(workspace, &NAMES, &USUAL_PLACES)
}
