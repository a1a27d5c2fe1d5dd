//! docs/integrate.md, sections "From your backend" and "Your own accounts": their commands do what they say.

use std::{path::Path, process::Command};

use serde_json::json;

use crate::support::process::ServerProcess;

/// The server of the page.
const SERVER: &str = "https://rollcall.example";

/// The fenced blocks of this language in a section.
fn blocks(heading: &str, language: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/integrate.md");
    let page = std::fs::read_to_string(path).unwrap();
    let section = page.split_once(&format!("\n## {heading}\n")).unwrap().1;
    let section = section.split("\n## ").next().unwrap().split("\n### ").next().unwrap();
    let begin = format!("```{language}\n");
    let blocks = section.split(&begin).skip(1).map(|rest| rest.split("\n```").next().unwrap());
    blocks.map(str::to_owned).collect()
}

/// Runs a script of the page, and returns what it prints.
fn run(server: &ServerProcess, key: &str, script: &str) -> String {
    let script = format!(
        "set -eu\nrollcall() {{ \"$ROLLCALL\" --state-dir \"$STATE\" \"$@\"; }}\n\
         curl() {{ command curl -sS --fail-with-body -w '\\n' \"$@\"; }}\n{}",
        script.replace(SERVER, &format!("http://{}", server.address))
    );
    let output = Command::new("sh")
        .args(["-c", &script])
        .env("ROLLCALL", env!("CARGO_BIN_EXE_rollcall"))
        .env("STATE", server.state_file(""))
        .env("KEY", key)
        .current_dir(server.state_file(""))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}\n{text}\n{errors}");
    text.trim().to_owned()
}

#[tokio::test]
async fn commands_of_the_page_do_what_it_says() {
    let server = ServerProcess::start();
    let mut ana = server.connect("team-7").await;
    ana.announce("Ana", "t1").await;
    let position = ana.replica.position().unwrap().clone();
    let row = ana.replica.roster().users().next().unwrap().clone();
    let [make, read, remove] = &blocks("From your backend", "sh")[..] else {
        panic!("three blocks are expected")
    };
    let key = run(&server, "", &format!("{make}\necho \"$KEY\""));
    let answers = run(&server, &key, read);
    let [expected] = &blocks("From your backend", "json")[..] else {
        panic!("one block is expected")
    };
    let expected = expected
        .replace("EPOCH", position.epoch.as_str())
        .replace("\"ID\"", &format!("\"{}\"", row.id))
        .replace("TIME", &row.joined.to_string());
    assert_eq!(answers.lines().collect::<Vec<_>>(), expected.lines().collect::<Vec<_>>());
    let (one, all) = remove.split_once('\n').unwrap();
    run(&server, &key, &one.replace("/ID", &format!("/{}", row.id)));
    ana.wait_for_names(&[]).await;
    run(&server, &key, all);
    assert_eq!(ana.close_code().await, Some(1000));
}

#[tokio::test]
async fn token_of_the_page_opens_the_room_under_the_users_name() {
    const HEADING: &str = "Your own accounts";
    let [secret, curl] = &blocks(HEADING, "sh")[..] else { panic!("two blocks are expected") };
    let [settings] = &blocks(HEADING, "toml")[..] else { panic!("one block is expected") };
    let [sign] = &blocks(HEADING, "js")[..] else { panic!("one block is expected") };
    let directory = tempfile::tempdir().unwrap();
    let made = Command::new("sh").args(["-c", secret]).current_dir(&directory).status().unwrap();
    assert!(made.success());
    let file = format!("{:?}", directory.path().join("token.secret").to_string_lossy());
    let server = ServerProcess::start_with(&settings.replace("\"token.secret\"", &file));
    let script =
        format!("{sign}\nconsole.log(tokenFor({{ id: \"7\", name: \"Ana\" }}, [\"team-7\"]));");
    let node = Command::new("node")
        .args(["--input-type=module", "--eval", &script])
        .current_dir(&directory)
        .output()
        .expect("Node is needed: `cargo xtask setup` says where it comes from");
    let token = String::from_utf8(node.stdout).unwrap().trim().to_owned();
    let mut ana = server.connect("team-7").await;
    ana.send(&json!({ "event": "got_a_new_user", "name": "", "token": token }).to_string()).await;
    ana.wait_for_names(&["Ana"]).await;
    let list = run(&server, "", &format!("TOKEN={token}\n{curl}"));
    assert!(list.contains(r#""name":"Ana""#), "{list}");
    assert_eq!(server.get("/api/rooms/team-7/users").await.get(9..12), Some("401"));
}
