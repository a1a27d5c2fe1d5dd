//! Child processes: run, observed, captured, or replacing this process.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::output::failure::{Context, Failure, Outcome};

/// Runs a command that inherits this process's standard streams.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let status =
        command.status().with_context(|| format!("Could not start `{}`", command_line(command)))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!(
            "`{}` failed ({status}); see its output above.",
            command_line(command)
        )))
    }
}

/// Runs a command, prints what it writes to either stream and passes each line to `observe`.
/// Returns whether the command succeeded.
pub(crate) fn run_watched(command: &mut Command, mut observe: impl FnMut(&str)) -> Outcome<bool> {
    let name = command_line(command);
    let could_not = || format!("Could not run `{name}`");
    let (output, writer) = std::io::pipe().with_context(could_not)?;
    command.stdout(writer.try_clone().with_context(could_not)?).stderr(writer);
    let mut child = command.spawn().with_context(could_not)?;
    // The command holds the pipe's other end, which would keep the reader waiting.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    // Bytes, because a test may print text that is not UTF-8.
    while output.read_until(b'\n', &mut line).with_context(could_not)? > 0 {
        let mut terminal = std::io::stdout().lock();
        terminal.write_all(&line).and_then(|()| terminal.flush()).with_context(could_not)?;
        observe(String::from_utf8_lossy(&line).trim_end());
        line.clear();
    }
    Ok(child.wait().with_context(could_not)?.success())
}

/// The standard output of a command, or `None` if it fails. Nothing is printed.
pub(crate) fn capture(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a command without printing anything and returns whether it succeeded.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    capture(command).is_some()
}

/// Replaces this process by a command, so that the command receives this process's signals.
#[cfg(unix)]
pub(crate) fn exec(command: &mut Command) -> Outcome {
    use std::os::unix::process::CommandExt as _;
    let error = command.exec();
    Err(error).with_context(|| format!("Could not start `{}`", command_line(command)))
}

/// Runs a command to its end: Ctrl-C reaches every process of the console anyway.
#[cfg(not(unix))]
pub(crate) fn exec(command: &mut Command) -> Outcome {
    run(command)
}

/// The first executable file of this name in the directories of `search_path`.
pub(crate) fn find_program(name: &str, search_path: &OsStr) -> Option<PathBuf> {
    std::env::split_paths(search_path)
        .map(|directory| directory.join(program_file(name)))
        .find(|path| is_program(path))
}

/// The file name of a program, with the system's suffix.
pub(crate) fn program_file(name: &str) -> OsString {
    format!("{name}{}", std::env::consts::EXE_SUFFIX).into()
}

/// A command as it would be typed in a shell.
pub(crate) fn command_line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    std::iter::once(program.file_stem().unwrap_or(program.as_os_str()))
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn find_program_ignores_files_that_are_not_executable() {
        let search_path = std::env::join_paths(["/nowhere", "/bin", "/etc"]).unwrap();
        assert_eq!(find_program("sh", &search_path), Some(PathBuf::from("/bin/sh")));
        assert_eq!(find_program("passwd", OsStr::new("/etc")), None);
    }

    #[test]
    fn run_watched_observes_every_line_and_the_exit_status() {
        let mut lines = Vec::new();
        let mut command = Command::new("sh");
        command.args(["-c", "echo one; echo two >&2; exit 3"]);
        let succeeded = run_watched(&mut command, |line| lines.push(line.to_owned()));
        assert_eq!(succeeded, Ok(false));
        assert_eq!(lines, ["one", "two"]);
    }

    #[test]
    fn failure_names_the_command() {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "exit 7"]);
        let sentence = run(&mut command).unwrap_err().to_string();
        assert!(sentence.starts_with("`sh -c exit 7` failed"), "{sentence}");
    }
}
