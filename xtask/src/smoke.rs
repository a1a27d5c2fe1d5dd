//! Tries a program out as a stranger would: in an empty folder, with nothing set.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use crate::failure::{Failure, OrSay, Outcome};

/// Nothing here takes this long: it only ends a trial that would hang.
const PATIENCE: Duration = Duration::from_secs(20);

/// Starts it, gets the page and every file that the page names, and ends it.
pub(crate) fn try_out(program: &Path) -> Outcome {
    let folder = env::temp_dir().join(format!("rollcall-trial-{}", std::process::id()));
    fs::create_dir(&folder).or_say(|| format!("Could not make {}", folder.display()))?;
    let outcome = Trial::begin(program, &folder).and_then(|trial| trial.look());
    drop(fs::remove_dir_all(&folder));
    outcome
}

struct Trial {
    child: Child,
    address: String,
}

impl Trial {
    fn begin(program: &Path, folder: &Path) -> Outcome<Self> {
        let could_not = || format!("Could not start {}", program.display());
        let mut child = Command::new(program)
            .args(["--addr", "127.0.0.1:0", "--operator-addr", "off", "--state-dir", "state"])
            .current_dir(folder)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .or_say(could_not)?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut line).or_say(could_not)?;
        }
        let address = line.trim().strip_prefix("Listening on http://").unwrap_or_default();
        let trial = Self { address: address.to_owned(), child };
        if address.is_empty() {
            return Err(Failure::new(format!(
                "{} does not say where it listens.",
                program.display()
            )));
        }
        Ok(trial)
    }

    fn look(&self) -> Outcome {
        let page = self.get("/")?;
        let files = files_named_in(&page);
        if files.len() < 3 {
            return Err(Failure::new(format!("The page names only these files: {files:?}.")));
        }
        for file in files {
            let answer = self.get(&file)?;
            if !answer.to_ascii_lowercase().contains("immutable") && file.starts_with("/pkg/") {
                return Err(Failure::new(format!("{file} may not be kept by a browser.")));
            }
        }
        Ok(())
    }

    /// A whole answer, if it is a good one; what is not text in it is lost.
    fn get(&self, path: &str) -> Outcome<String> {
        let could_not = || format!("Could not get {path} from {}", self.address);
        let mut stream = TcpStream::connect(&self.address).or_say(could_not)?;
        stream.set_read_timeout(Some(PATIENCE)).or_say(could_not)?;
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address);
        stream.write_all(request.as_bytes()).or_say(could_not)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).or_say(could_not)?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.lines().next().unwrap_or_default();
        if status.starts_with("HTTP/1.1 200 ") {
            Ok(answer)
        } else {
            Err(Failure::new(format!("{path} is answered with {status:?}.")))
        }
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        // One that ended already can't be killed again.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The files of its own that a page names in its head.
fn files_named_in(page: &str) -> Vec<String> {
    let head = page.split("</head>").next().unwrap_or_default();
    let named = head.split('"').filter(|word| {
        let is_a_file = word.rsplit_once('.').is_some_and(|(_, ending)| {
            ["js", "wasm", "css", "svg", "webmanifest"].contains(&ending)
        });
        is_a_file && word.starts_with('/')
    });
    let mut files: Vec<_> = named.map(str::to_owned).collect();
    files.sort();
    files.dedup();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_page_are_found() {
        let page = r#"<head><link href="/pkg/a.js"><link href="/pkg/a.js"><link href="/b.css"><title>x</title></head><a href="/c.js">"#;
        assert_eq!(files_named_in(page), ["/b.css", "/pkg/a.js"]);
    }
}
