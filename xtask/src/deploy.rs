//! Whether what is in `deploy` is understood by the programs that it is for, as far as they are here.

use std::path::Path;
use std::{env, fs};

use crate::failure::{OrSay, Outcome};
use crate::process;
use crate::step::remark;
use crate::workspace::Workspace;

/// Has systemd and nginx read their files.
pub(crate) fn check(workspace: &Workspace) -> Outcome {
    let folder = env::temp_dir().join(format!("rollcall-deploy-{}", std::process::id()));
    fs::create_dir(&folder).or_say(|| format!("Could not make {}", folder.display()))?;
    let outcome = systemd(workspace, &folder).and_then(|()| nginx(workspace, &folder));
    drop(fs::remove_dir_all(&folder));
    outcome
}

fn systemd(workspace: &Workspace, folder: &Path) -> Outcome {
    let Some(analyze) = workspace.find_program("systemd-analyze") else {
        remark("left out: systemd-analyze is not here");
        return Ok(());
    };
    for unit in ["rollcall.service", "rollcall.socket"] {
        let text = read(workspace, unit)?;
        // A program that is there: the unit's own is not installed.
        let text = text.replace("/usr/local/bin/rollcall", "/bin/true");
        write(&folder.join(unit), &text)?;
    }
    let mut command = workspace.command(analyze);
    // Without this it would say what it has to say and succeed.
    command.args(["verify", "--recursive-errors=yes"]);
    process::run(
        command.args(["rollcall.service", "rollcall.socket"].map(|unit| folder.join(unit))),
    )
}

fn nginx(workspace: &Workspace, folder: &Path) -> Outcome {
    let Some(nginx) = workspace.find_program("nginx") else {
        remark("left out: nginx is not here");
        return Ok(());
    };
    let text = read(workspace, "nginx.conf")?;
    // Without a certificate, which would have to be made first: all else is read as it is.
    let without_tls = |line: &&str| !line.trim_start().starts_with("ssl_certificate");
    let text = text.lines().filter(without_tls).collect::<Vec<_>>().join("\n");
    let text = text.replace("listen 443 ssl;", "listen 127.0.0.1:8443;");
    let whole = format!(
        "pid {pid};\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{text}\n}}\n",
        pid = folder.join("nginx.pid").display()
    );
    let file = folder.join("nginx.conf");
    write(&file, &whole)?;
    process::run(workspace.command(nginx).arg("-t").arg("-q").arg("-c").arg(&file))
}

fn read(workspace: &Workspace, name: &str) -> Outcome<String> {
    let path = workspace.root.join("deploy").join(name);
    fs::read_to_string(&path).or_say(|| format!("Could not read {}", path.display()))
}

fn write(path: &Path, text: &str) -> Outcome {
    fs::write(path, text).or_say(|| format!("Could not write {}", path.display()))
}
