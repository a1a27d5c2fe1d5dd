//! Packages of Debian and its derivatives, where this command may use apt.

use std::process::Command;

use crate::output::failure::Outcome;
use crate::output::step;
use crate::process;
use crate::workspace::Workspace;

/// Whether packages can be installed without a prompt: with apt, as root or by passwordless sudo.
pub(crate) fn can_install(workspace: &Workspace) -> bool {
    workspace.find_program("apt-get").is_some() && (is_root() || has_passwordless_sudo())
}

/// The packages that are not installed.
pub(crate) fn missing<'a>(packages: &[&'a str]) -> Vec<&'a str> {
    packages
        .iter()
        .copied()
        .filter(|package| {
            let status = process::capture(Command::new("dpkg-query").args([
                "-W",
                "-f=${db:Status-Status}",
                package,
            ]));
            status.as_deref() != Some("installed")
        })
        .collect()
}

/// Updates the package index and installs the packages.
pub(crate) fn install(workspace: &Workspace, packages: &[&str]) -> Outcome {
    step::note(&format!("apt-get install {}", packages.join(" ")));
    process::run(apt(workspace).args(["-q", "update"]))?;
    process::run(
        apt(workspace).args(["-q", "install", "-y", "--no-install-recommends"]).args(packages),
    )
}

fn apt(workspace: &Workspace) -> Command {
    if is_root() {
        let mut command = workspace.command("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    } else {
        let mut command = workspace.command("sudo");
        command.args(["-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        command
    }
}

fn is_root() -> bool {
    process::capture(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0")
}

fn has_passwordless_sudo() -> bool {
    process::succeeds(Command::new("sudo").args(["-n", "true"]))
}
