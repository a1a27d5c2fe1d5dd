//! The smoke test of an executable: it runs in an empty folder, without any settings.

mod websocket;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use serde_json::{Value, json};

use self::websocket::{Received, WebSocket};
use crate::output::failure::{Context, Failure, Outcome};
use crate::process;

/// The time limit of each read, so that a test that would hang fails.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The room of the test.
const ROOM: &str = "smoke-test";

/// Starts the program, gets the page and every file that the page refers to, and ends the program.
/// Where there is SIGTERM, it is then restarted with two members, who must not notice the restart.
pub(crate) fn run(program: &Path) -> Outcome {
    let folder = env::temp_dir().join(format!("rollcall-smoke-test-{}", std::process::id()));
    fs::create_dir(&folder).with_context(|| format!("Could not create {}", folder.display()))?;
    let test = SmokeTest { program: program.to_owned(), folder: folder.clone() };
    let outcome = test.start("127.0.0.1:0").and_then(|server| {
        server.check_files()?;
        if cfg!(unix) { test.restart(server) } else { Ok(()) }
    });
    drop(fs::remove_dir_all(&folder));
    outcome
}

/// The program, and the folder that it runs in.
struct SmokeTest {
    program: PathBuf,
    folder: PathBuf,
}

impl SmokeTest {
    fn start(&self, address: &str) -> Outcome<Server> {
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
                "{} did not print its address.",
                self.program.display()
            )));
        }
        Ok(server)
    }

    /// Ends the server by SIGTERM, starts it again, and compares the list after with the list before.
    fn restart(&self, mut server: Server) -> Outcome {
        let mut members = [Member::join(&server, "Ana")?, Member::join(&server, "Bo")?];
        let before = server.list()?;
        if before["users"].as_array().map(Vec::len) != Some(members.len()) {
            return Err(Failure::new(format!("Two members joined, and the list is {before}.")));
        }
        process::run(Command::new("kill").args(["-TERM", &server.child.id().to_string()]))?;
        for member in &mut members {
            member.read_until_restart()?;
        }
        let could_not = || "Could not wait for the server to exit".to_owned();
        let status = server.child.wait().with_context(could_not)?;
        if !status.success() {
            return Err(Failure::new(format!("After SIGTERM the server exited with {status}.")));
        }
        let server = self.start(&server.address)?;
        let resumed: Outcome<Vec<_>> =
            members.iter().map(|member| member.resume(&server)).collect();
        // Open until the list is read, which would otherwise show them as reconnecting.
        let sockets = resumed?;
        let after = server.list()?;
        drop(sockets);
        for key in ["epoch", "seq", "users"] {
            if before[key] != after[key] {
                return Err(Failure::new(format!(
                    "The restart changed {key} from {} to {}.",
                    before[key], after[key]
                )));
            }
        }
        Ok(())
    }
}

/// A member of the room.
struct Member {
    name: &'static str,
    socket: WebSocket,
    /// The epoch and `seq` of the member's list.
    position: Value,
}

impl Member {
    fn join(server: &Server, name: &'static str) -> Outcome<Self> {
        let mut socket = WebSocket::open(&server.address, &socket_path(), None)?;
        socket.send(&join_frame(name, None))?;
        let list = expect_event(&mut socket, "existing_users")?;
        let position = json!({ "epoch": list["epoch"], "seq": list["seq"] });
        Ok(Self { name, socket, position })
    }

    /// Reads changes until the server closes the socket because of a restart.
    fn read_until_restart(&mut self) -> Outcome {
        const RESTART: u16 = 1012;
        loop {
            match self.socket.receive()? {
                Received::Text(text) => {
                    let changes = parse(&text)?;
                    if changes["event"] == "changes" {
                        self.position["seq"] = changes["seq"].clone();
                    }
                }
                Received::Close(Some(RESTART)) => return Ok(()),
                Received::Close(code) => {
                    return Err(Failure::new(format!(
                        "A socket was closed with {code:?}, not with {RESTART}."
                    )));
                }
            }
        }
    }

    /// Reconnects as a page does. The server must report that nothing has changed since.
    fn resume(&self, server: &Server) -> Outcome<WebSocket> {
        let cookie = Some(self.socket.cookie());
        let mut socket = WebSocket::open(&server.address, &socket_path(), cookie)?;
        socket.send(&join_frame(self.name, Some(&self.position)))?;
        let resumed = expect_event(&mut socket, "resumed")?;
        if resumed["seq"] == self.position["seq"] {
            Ok(socket)
        } else {
            Err(Failure::new(format!("The restart changed the list: {resumed}")))
        }
    }
}

fn socket_path() -> String {
    format!("/r/{ROOM}/socket")
}

fn join_frame(name: &str, since: Option<&Value>) -> String {
    let mut frame = json!({ "event": "got_a_new_user", "name": name, "tab": "t" });
    if let Some(since) = since {
        frame["since"] = since.clone();
    }
    frame.to_string()
}

/// The next event, which must have this name.
fn expect_event(socket: &mut WebSocket, name: &str) -> Outcome<Value> {
    match socket.receive()? {
        Received::Text(text) => match parse(&text)? {
            event if event["event"] == name => Ok(event),
            other => Err(Failure::new(format!("Expected the event {name}, received {other}."))),
        },
        Received::Close(code) => Err(Failure::new(format!("A socket was closed with {code:?}."))),
    }
}

fn parse(text: &str) -> Outcome<Value> {
    serde_json::from_str(text).with_context(|| format!("Could not parse the JSON {text}"))
}

/// A running server. Dropping it kills the process.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// Gets the page and its files, and checks that files with hashed names may be cached.
    fn check_files(&self) -> Outcome {
        let page = self.get("/")?;
        let files = linked_files(&page);
        if files.len() < 3 {
            return Err(Failure::new(format!("The page links to these files only: {files:?}.")));
        }
        for file in files {
            let response = self.get(&file)?;
            if !response.to_ascii_lowercase().contains("immutable") && file.starts_with("/pkg/") {
                return Err(Failure::new(format!("{file} is not cacheable as immutable.")));
            }
        }
        Ok(())
    }

    /// The room's list.
    fn list(&self) -> Outcome<Value> {
        let response = self.get(&format!("/api/rooms/{ROOM}/users"))?;
        parse(response.split_once("\r\n\r\n").unwrap_or_default().1)
    }

    /// A whole response with status 200; bytes that are not UTF-8 are replaced.
    fn get(&self, path: &str) -> Outcome<String> {
        let could_not = || format!("Could not get {path} from {}", self.address);
        let mut stream = TcpStream::connect(&self.address).with_context(could_not)?;
        stream.set_read_timeout(Some(TIMEOUT)).with_context(could_not)?;
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address);
        stream.write_all(request.as_bytes()).with_context(could_not)?;
        let mut response = Vec::new();
        stream.read_to_end(&mut response).with_context(could_not)?;
        let response = String::from_utf8_lossy(&response).into_owned();
        let status = response.lines().next().unwrap_or_default();
        if status.starts_with("HTTP/1.1 200 ") {
            Ok(response)
        } else {
            Err(Failure::new(format!("The response to {path} is {status:?}.")))
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Killing a process that has already exited fails, which is fine.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The same-origin files that a page links to in its head.
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
    fn linked_files_are_found_in_the_head_only() {
        let page = r#"<head><link href="/pkg/a.js"><link href="/pkg/a.js"><link href="/b.css"><title>x</title></head><a href="/c.js">"#;
        assert_eq!(linked_files(page), ["/b.css", "/pkg/a.js"]);
    }
}
