//! docs/integrate.md, section "From your backend": its commands do what it says.

use std::{path::Path, process::Command};

use crate::support::process::ServerProcess;

/// The server of the page.
const SERVER: &str = "https://rollcall.example";

/// The fenced blocks of this language in the section.
fn blocks(language: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/integrate.md");
    let page = std::fs::read_to_string(path).unwrap();
    let section = page.split_once("\n## From your backend\n").unwrap().1;
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
    let [make, read, remove] = &blocks("sh")[..] else { panic!("three blocks are expected") };
    let key = run(&server, "", &format!("{make}\necho \"$KEY\""));
    let answers = run(&server, &key, read);
    let [expected] = &blocks("json")[..] else { panic!("one block is expected") };
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
