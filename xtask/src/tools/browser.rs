//! What finding one browser has in common with finding another.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::output::failure::{Failure, Outcome};
use crate::output::step::note;
use crate::process;
use crate::workspace::Workspace;

/// The browser that the user names by an environment variable, if they do; it has to start.
pub(crate) fn named_by_the_user(variable: &str) -> Outcome<Option<PathBuf>> {
    let Some(program) = std::env::var_os(variable).filter(|path| !path.is_empty()) else {
        return Ok(None);
    };
    let program = PathBuf::from(program);
    if starts(&program) {
        note(&program.display().to_string());
        Ok(Some(program))
    } else {
        Err(Failure::new(format!(
            "{variable} is {}, which does not start: set it to another browser, or unset it.",
            program.display()
        )))
    }
}

/// The first browser that starts: by its name on the search path, or at a usual place.
pub(crate) fn installed(
    workspace: &Workspace,
    names: &[&str],
    usual_places: &[&str],
) -> Option<PathBuf> {
    let on_the_path = names.iter().filter_map(|name| workspace.find_program(name));
    let elsewhere = usual_places.iter().map(PathBuf::from);
    on_the_path.chain(elsewhere).find(|program| starts(program))
}

/// Whether the program runs: a browser's package can be an empty shell, or lack libraries.
pub(crate) fn starts(program: &Path) -> bool {
    program.is_file() && process::succeeds(Command::new(program).arg("--version"))
}
