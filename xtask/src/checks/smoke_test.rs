//! Tries a program out as a stranger would: in an empty folder, with nothing set.

mod websocket;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use serde_json::{Value, json};

use self::websocket::{Heard, WebSocket};
use crate::output::failure::{Context, Failure, Outcome};
use crate::process;

/// Nothing here takes this long: it only ends a trial that would hang.
const PATIENCE: Duration = Duration::from_secs(20);

/// The room that a trial takes place in.
const ROOM: &str = "trial";

/// Starts it, gets the page and every file that the page names, and ends it. Where it can be ended in order,
/// somebody is there meanwhile, who must notice nothing when it comes back.
pub(crate) fn run(program: &Path) -> Outcome {
    let folder = env::temp_dir().join(format!("rollcall-trial-{}", std::process::id()));
    fs::create_dir(&folder).with_context(|| format!("Could not create {}", folder.display()))?;
    let trial = Trial { program: program.to_owned(), folder: folder.clone() };
    let outcome = trial.begin("127.0.0.1:0").and_then(|server| {
        server.look()?;
        if cfg!(unix) { trial.restart(server) } else { Ok(()) }
    });
    drop(fs::remove_dir_all(&folder));
    outcome
}

/// What is tried out, and where.
struct Trial {
    program: PathBuf,
    folder: PathBuf,
}

impl Trial {
    fn begin(&self, address: &str) -> Outcome<Server> {
        let could_not = || format!("Could not start {}", self.program.display());
        let mut child = Command::new(&self.program)
            .args(["--addr", address, "--operator-addr", "off", "--state-dir", "state"])
            .args(["--log", "warn"])
            .current_dir(&self.folder)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .with_context(could_not)?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut line).with_context(could_not)?;
        }
        let address = line.trim().strip_prefix("Listening on http://").unwrap_or_default();
        let server = Server { address: address.to_owned(), child };
        if address.is_empty() {
            return Err(Failure::new(format!(
                "{} does not say where it listens.",
                self.program.display()
            )));
        }
        Ok(server)
    }

    /// Ends the server in order, begins it anew, and holds what is there then against what was there before.
    fn restart(&self, mut server: Server) -> Outcome {
        let mut guests = [Guest::join(&server, "Ana")?, Guest::join(&server, "Bo")?];
        let before = server.list()?;
        if before["users"].as_array().map(Vec::len) != Some(guests.len()) {
            return Err(Failure::new(format!("Two people joined, and the list is {before}.")));
        }
        process::run(Command::new("kill").args(["-TERM", &server.child.id().to_string()]))?;
        for guest in &mut guests {
            guest.hear_goodbye()?;
        }
        let status =
            server.child.wait().with_context(|| "The end can't be waited for".to_owned())?;
        if !status.success() {
            return Err(Failure::new(format!("After SIGTERM it ended with {status}.")));
        }
        let server = self.begin(&server.address)?;
        // Until the list is looked at: who goes again is shown as gone.
        let back: Outcome<Vec<_>> = guests.iter().map(|guest| guest.come_back(&server)).collect();
        let sockets = back?;
        let after = server.list()?;
        drop(sockets);
        for key in ["epoch", "seq", "users"] {
            if before[key] != after[key] {
                return Err(Failure::new(format!(
                    "A restart was noticed: {key} was {} and is {}.",
                    before[key], after[key]
                )));
            }
        }
        Ok(())
    }
}

/// Somebody who is on the list.
struct Guest {
    name: &'static str,
    socket: WebSocket,
    /// Up to where the list was told.
    position: Value,
}

impl Guest {
    fn join(server: &Server, name: &'static str) -> Outcome<Self> {
        let mut socket = WebSocket::open(&server.address, &socket_path(), None)?;
        socket.send(&announcement(name, None))?;
        let list = event(&mut socket, "existing_users")?;
        let position = json!({ "epoch": list["epoch"], "seq": list["seq"] });
        Ok(Self { name, socket, position })
    }

    /// Follows the list until the server says that it goes down.
    fn hear_goodbye(&mut self) -> Outcome {
        const RESTART: u16 = 1012;
        loop {
            match self.socket.next()? {
                Heard::Text(text) => {
                    let changes = parse(&text)?;
                    if changes["event"] == "changes" {
                        self.position["seq"] = changes["seq"].clone();
                    }
                }
                Heard::Close(Some(RESTART)) => return Ok(()),
                Heard::Close(code) => {
                    return Err(Failure::new(format!("The goodbye's code is {code:?}.")));
                }
            }
        }
    }

    /// Comes back as a page does, and has to be told that nothing happened.
    fn come_back(&self, server: &Server) -> Outcome<WebSocket> {
        let cookie = Some(self.socket.cookie());
        let mut socket = WebSocket::open(&server.address, &socket_path(), cookie)?;
        socket.send(&announcement(self.name, Some(&self.position)))?;
        let resumed = event(&mut socket, "resumed")?;
        if resumed["seq"] == self.position["seq"] {
            Ok(socket)
        } else {
            Err(Failure::new(format!("A restart was noticed: {resumed}")))
        }
    }
}

fn socket_path() -> String {
    format!("/r/{ROOM}/socket")
}

fn announcement(name: &str, since: Option<&Value>) -> String {
    let mut frame = json!({ "event": "got_a_new_user", "name": name, "tab": "t" });
    if let Some(since) = since {
        frame["since"] = since.clone();
    }
    frame.to_string()
}

/// The next event, which has to be this one.
fn event(socket: &mut WebSocket, name: &str) -> Outcome<Value> {
    match socket.next()? {
        Heard::Text(text) => match parse(&text)? {
            event if event["event"] == name => Ok(event),
            other => Err(Failure::new(format!("{name} was expected, not {other}."))),
        },
        Heard::Close(code) => Err(Failure::new(format!("A socket was closed with {code:?}."))),
    }
}

fn parse(text: &str) -> Outcome<Value> {
    serde_json::from_str(text).with_context(|| format!("This is no JSON: {text}"))
}

/// A server that runs.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn look(&self) -> Outcome {
        let page = self.get("/")?;
        let files = linked_files(&page);
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

    /// The room's list.
    fn list(&self) -> Outcome<Value> {
        let answer = self.get(&format!("/api/rooms/{ROOM}/users"))?;
        parse(answer.split_once("\r\n\r\n").unwrap_or_default().1)
    }

    /// A whole answer, if it is a good one; what is not text in it is lost.
    fn get(&self, path: &str) -> Outcome<String> {
        let could_not = || format!("Could not get {path} from {}", self.address);
        let mut stream = TcpStream::connect(&self.address).with_context(could_not)?;
        stream.set_read_timeout(Some(PATIENCE)).with_context(could_not)?;
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address);
        stream.write_all(request.as_bytes()).with_context(could_not)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).with_context(could_not)?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.lines().next().unwrap_or_default();
        if status.starts_with("HTTP/1.1 200 ") {
            Ok(answer)
        } else {
            Err(Failure::new(format!("{path} is answered with {status:?}.")))
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that ended already can't be killed again.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The files of its own that a page names in its head.
fn linked_files(page: &str) -> Vec<String> {
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
        assert_eq!(linked_files(page), ["/b.css", "/pkg/a.js"]);
    }
}
