//! Checks the files of `deploy` with the programs that read them, where these are installed.

use std::path::Path;
use std::{env, fs};

use crate::output::failure::{Context, Failure, Outcome};
use crate::output::step::note;
use crate::process;
use crate::tools::apt;
use crate::workspace::Workspace;

/// The highest accepted exposure of the service, in tenths of systemd's scale from 0 to 10: the
/// service needs the network and one folder.
const MAX_EXPOSURE: u32 = 15;

/// Runs systemd and the proxies on their files. The server's tests compare these with the settings.
pub(crate) fn check(workspace: &Workspace) -> Outcome {
    let folder = env::temp_dir().join(format!("rollcall-deploy-{}", std::process::id()));
    fs::create_dir(&folder).with_context(|| format!("Could not create {}", folder.display()))?;
    let outcome = systemd(workspace, &folder);
    drop(fs::remove_dir_all(&folder));
    outcome.and_then(|()| proxies(workspace))
}

fn systemd(workspace: &Workspace, folder: &Path) -> Outcome {
    let Some(analyze) = workspace.find_program("systemd-analyze") else {
        note("skipped: systemd-analyze is not installed");
        return Ok(());
    };
    for unit in ["rollcall.service", "rollcall.socket"] {
        let text = read(workspace, unit)?;
        // systemd checks that the program exists, and the unit's own is not installed.
        let text = text.replace("/usr/local/bin/rollcall", "/bin/true");
        write(&folder.join(unit), &text)?;
    }
    let mut command = workspace.command(&analyze);
    // By default errors are printed and the command succeeds.
    command.args(["verify", "--recursive-errors=yes"]);
    process::run(
        command.args(["rollcall.service", "rollcall.socket"].map(|unit| folder.join(unit))),
    )?;
    let mut command = workspace.command(analyze);
    command.args(["security", "--offline=true", "--no-pager"]);
    command.arg(format!("--threshold={MAX_EXPOSURE}")).arg(folder.join("rollcall.service"));
    match process::capture(&mut command) {
        Some(_) => Ok(()),
        None => Err(Failure::new(format!(
            "rollcall.service has more privileges than it needs, or could not be analysed: run `{}`.",
            process::command_line(&command)
        ))),
    }
}

/// Tests each proxy with the file that is shipped for it, and with shorter ones.
fn proxies(workspace: &Workspace) -> Outcome {
    // Only in CI: on somebody's machine the packages would start services.
    if env::var_os("CI").is_some() && apt::can_install(workspace) {
        let missing = apt::missing(&["nginx", "caddy"]);
        if !missing.is_empty() {
            apt::install(workspace, &missing)?;
        }
    }
    for proxy in ["nginx", "caddy"] {
        if workspace.find_program(proxy).is_none() {
            note(&format!("skipped: {proxy} is not installed"));
            continue;
        }
        let test = ["test", "--package", "server", "--test", "proxies", proxy];
        process::run(&mut workspace.cargo(&test))?;
    }
    Ok(())
}

fn read(workspace: &Workspace, name: &str) -> Outcome<String> {
    let path = workspace.root.join("deploy").join(name);
    fs::read_to_string(&path).with_context(|| format!("Could not read {}", path.display()))
}

fn write(path: &Path, text: &str) -> Outcome {
    fs::write(path, text).with_context(|| format!("Could not write {}", path.display()))
}
