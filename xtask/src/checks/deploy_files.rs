//! Whether what is in `deploy` is understood by the programs that it is for, as far as they are here.

use std::path::Path;
use std::{env, fs};

use crate::output::failure::{Context, Failure, Outcome};
use crate::output::step::note;
use crate::process;
use crate::workspace::Workspace;

/// The most that the service may be able to do beyond its task, in hundredths of systemd's scale; all else is
/// more than a network and a folder.
const MOST_EXPOSURE: u32 = 15;

/// Has systemd and the proxies read their files. The server's tests hold them against the settings besides.
pub(crate) fn check(workspace: &Workspace) -> Outcome {
    let folder = env::temp_dir().join(format!("rollcall-deploy-{}", std::process::id()));
    fs::create_dir(&folder).with_context(|| format!("Could not make {}", folder.display()))?;
    let outcome = systemd(workspace, &folder);
    drop(fs::remove_dir_all(&folder));
    outcome.and_then(|()| proxies(workspace))
}

fn systemd(workspace: &Workspace, folder: &Path) -> Outcome {
    let Some(analyze) = workspace.find_program("systemd-analyze") else {
        note("left out: systemd-analyze is not here");
        return Ok(());
    };
    for unit in ["rollcall.service", "rollcall.socket"] {
        let text = read(workspace, unit)?;
        // A program that is there: the unit's own is not installed.
        let text = text.replace("/usr/local/bin/rollcall", "/bin/true");
        write(&folder.join(unit), &text)?;
    }
    let mut command = workspace.command(&analyze);
    // Without this it would say what it has to say and succeed.
    command.args(["verify", "--recursive-errors=yes"]);
    process::run(
        command.args(["rollcall.service", "rollcall.socket"].map(|unit| folder.join(unit))),
    )?;
    let mut command = workspace.command(analyze);
    command.args(["security", "--offline=true", "--no-pager"]);
    command.arg(format!("--threshold={MOST_EXPOSURE}")).arg(folder.join("rollcall.service"));
    match process::capture(&mut command) {
        Some(_) => Ok(()),
        None => Err(Failure::new(format!(
            "rollcall.service may do more than it has to, or can't be judged: see `{}`.",
            process::command_line(&command)
        ))),
    }
}

/// Has each proxy serve a page and sockets with the file that is shipped for it.
fn proxies(workspace: &Workspace) -> Outcome {
    for proxy in ["nginx", "caddy"] {
        if workspace.find_program(proxy).is_none() {
            note(&format!("left out: {proxy} is not here"));
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
