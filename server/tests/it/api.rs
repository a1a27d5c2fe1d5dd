//! The API for backends: keys, what they permit, and what it answers.

use std::{
    collections::BTreeSet,
    process::{Command, Output},
    time::Duration,
};

use app::presence::UserId;
use serde_json::Value;
use server::api::{
    key::{ApiKey, KeyHash, new_key},
    key_file,
    scope::Scope,
};
use tokio::time::{sleep, timeout};

use crate::support::{Client, Site, TestServer, body, header, process::ServerProcess};

/// The time limit of every wait, so that a test that would hang fails.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Makes a key, and returns the header line that sends it.
fn key_with(server: &TestServer, name: &str, scopes: &[Scope]) -> String {
    let text = new_key().unwrap();
    let key = ApiKey {
        name: name.parse().unwrap(),
        scopes: scopes.iter().copied().collect::<BTreeSet<_>>().try_into().unwrap(),
        created: 0,
        sha256: KeyHash::of(&text),
    };
    key_file::add(&server.state_directory(), key).unwrap();
    format!("Authorization: Bearer {text}\r\n")
}

async fn post(site: &Site, path: &str, headers: &str, text: &str) -> String {
    let length = text.len();
    let head = format!("{headers}Content-Length: {length}\r\n\r\n{text}");
    site.request("POST", path, &head).await
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

fn json(answer: &str) -> Value {
    serde_json::from_str(body(answer)).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

/// The code of a problem. Every problem is complete.
fn problem(answer: &str) -> (u16, String) {
    assert_eq!(header(answer, "content-type"), Some("application/problem+json"), "{answer}");
    let problem = json(answer);
    assert_eq!(problem["status"], status(answer), "{answer}");
    assert_eq!(problem["type"], "about:blank", "{answer}");
    for field in ["title", "detail"] {
        assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {answer}");
    }
    (status(answer), problem["code"].as_str().unwrap().to_owned())
}

async fn joined(server: &TestServer, room: &str, name: &str) -> (Client, UserId) {
    let mut client = server.connect(room).await;
    client.announce(name, "t1").await;
    let id = client.replica.you().unwrap();
    (client, id)
}

#[tokio::test]
async fn key_can_do_what_its_scopes_say_and_nothing_else() {
    let server = TestServer::start();
    let (mut ana, id) = joined(&server, "team", "Ana").await;
    // Before the first request, as the keys are read at most once a second.
    let keys = Scope::ALL
        .map(|scope| (scope, key_with(&server, &scope.name().replace(':', "-"), &[scope])));
    let removal = format!("/api/rooms/team/users/{id}");
    for (scope, key) in &keys {
        for (needed, method, path) in [
            (Scope::RoomsRead, "GET", "/api/rooms"),
            (Scope::RoomsRead, "GET", "/api/rooms/team"),
            (Scope::RoomsRead, "POST", "/api/rooms/-/counts"),
            // Of a room without people, so that the others find theirs.
            (Scope::RoomsClose, "DELETE", "/api/rooms/nobody"),
            (Scope::UsersRemove, "DELETE", "/api/rooms/team/users/AAAAAAAAAAA"),
        ] {
            let answer = match method {
                "POST" => post(&server, path, key, r#"{"rooms":["team"]}"#).await,
                _ => server.request(method, path, key).await,
            };
            if *scope == needed {
                let expected = if method == "DELETE" { 404 } else { 200 };
                assert_eq!(status(&answer), expected, "{scope} {path}: {answer}");
            } else {
                assert_eq!(problem(&answer), (403, "scope_missing".into()), "{scope} {path}");
                let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{needed}\"");
                assert_eq!(header(&answer, "www-authenticate"), Some(&*challenge), "{answer}");
            }
        }
    }
    assert_eq!(ana.names(), ["Ana"]);
    let of = |scope| &keys.iter().find(|(known, _)| *known == scope).unwrap().1;
    let removed = server.request("DELETE", &removal, of(Scope::UsersRemove)).await;
    assert_eq!(status(&removed), 204, "{removed}");
    ana.wait_for_names(&[]).await;
    ana.announce("Ana", "t1").await;
    let closed = server.request("DELETE", "/api/rooms/team", of(Scope::RoomsClose)).await;
    assert_eq!(status(&closed), 204, "{closed}");
    assert_eq!(ana.close_code().await, Some(1000));
    server.stop().await;
}

#[tokio::test]
async fn room_tells_its_count_and_its_people_to_those_who_may_know() {
    let server = TestServer::start();
    let (ana, id) = joined(&server, "team", "Ana").await;
    let count_only = key_with(&server, "count", &[Scope::RoomsRead]);
    let with_people = key_with(&server, "people", &[Scope::RoomsRead, Scope::UsersRead]);
    let of_count = json(&server.get_with("/api/rooms/team", &count_only).await);
    assert_eq!((&of_count["room"], &of_count["people"]), (&"team".into(), &1.into()));
    assert_eq!((&of_count["observers"], of_count.get("users")), (&1.into(), None));
    let of_people = json(&server.get_with("/api/rooms/team", &with_people).await);
    assert_eq!(of_people["users"][0]["id"], id.as_str());
    assert_eq!(of_people["users"][0]["name"], "Ana");
    // The position is that of every other list.
    let position = ana.replica.position().unwrap();
    assert_eq!(of_people["epoch"], position.epoch.as_str());
    assert_eq!(of_people["seq"], position.seq);
    let empty = json(&server.get_with("/api/rooms/nobody", &with_people).await);
    assert_eq!((&empty["people"], &empty["users"]), (&0.into(), &Value::Array(Vec::new())));
    let counts =
        post(&server, "/api/rooms/-/counts", &count_only, r#"{"rooms":["team","nobody"]}"#);
    assert_eq!(body(&counts.await), r#"{"counts":{"nobody":0,"team":1}}"#);
    server.stop().await;
}

#[tokio::test]
async fn pages_have_every_room_once() {
    let server = TestServer::start();
    let key = key_with(&server, "crm", &[Scope::RoomsRead]);
    let mut watchers = Vec::new();
    let mut expected = Vec::new();
    for number in 0..25 {
        let room = format!("room-{number}");
        let mut watcher = server.connect(&room).await;
        watcher.watch().await;
        watchers.push(watcher);
        expected.push(room);
    }
    expected.sort();
    for limit in [1, 7, 25, 1_000] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page =
                json(&server.get_with(&format!("/api/rooms?limit={limit}{cursor}"), &key).await);
            let rooms = page["rooms"].as_array().unwrap();
            assert!((1..=limit).contains(&rooms.len()), "{page}");
            seen.extend(rooms.iter().map(|room| room["room"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, expected, "{limit}");
    }
    server.stop().await;
}

#[tokio::test]
async fn request_without_a_valid_key_is_refused() {
    let server = TestServer::start();
    let key = key_with(&server, "crm", &Scope::ALL);
    let missing = server.get("/api/rooms").await;
    assert_eq!(problem(&missing), (401, "key_missing".into()));
    assert_eq!(header(&missing, "www-authenticate"), Some("Bearer"));
    let wrong = server.get_with("/api/rooms", "Authorization: Bearer wrong\r\n").await;
    assert_eq!(problem(&wrong), (401, "key_unknown".into()));
    assert_eq!(header(&wrong, "www-authenticate"), Some("Bearer error=\"invalid_token\""));
    // Neither a page of another site nor one of this site may have a key.
    for origin in ["https://stranger.test".to_owned(), format!("http://{}", server.address)] {
        let headers = format!("{key}Origin: {origin}\r\n");
        let page = server.get_with("/api/rooms", &headers).await;
        assert_eq!(problem(&page), (403, "origin_not_allowed".into()), "{origin}");
    }
    let method = server.request("PUT", "/api/rooms", &key).await;
    assert_eq!(problem(&method), (405, "method_not_allowed".into()));
    assert!(header(&method, "allow").is_some(), "{method}");
    // What was open without a key still is.
    for path in ["/api/rooms/team/users", "/api/rooms/team/roll.csv", "/api/rooms/team/roll.txt"] {
        assert_eq!(status(&server.get(path).await), 200, "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn invalid_requests_are_problems() {
    let server = TestServer::start();
    let key = key_with(&server, "crm", &Scope::ALL);
    for (path, expected) in [
        ("/api/rooms?limit=0", (400, "page_invalid")),
        ("/api/rooms?limit=1001", (400, "page_invalid")),
        ("/api/rooms?cursor=a%20b", (400, "page_invalid")),
        ("/api/rooms/A", (404, "room_name_invalid")),
        ("/api/rooms/a%20b", (404, "room_name_invalid")),
        ("/api/rooms/%ff", (404, "room_name_invalid")),
    ] {
        let (status, code) = problem(&server.get_with(path, &key).await);
        assert_eq!((status, &*code), expected, "{path}");
    }
    let many = format!(r#"{{"rooms":[{}]}}"#, vec![r#""a""#; 501].join(","));
    let long =
        format!(r#"{{"rooms":[{}]}}"#, vec![format!("\"{}\"", "a".repeat(64)); 530].join(","));
    for (text, expected) in [
        ("", (400, "body_invalid")),
        ("[]", (400, "body_invalid")),
        (r#"{"rooms":"a"}"#, (400, "body_invalid")),
        (r#"{"rooms":["a b"]}"#, (404, "room_name_invalid")),
        (&many, (400, "body_invalid")),
        (&long, (413, "body_too_long")),
    ] {
        let (status, code) = problem(&post(&server, "/api/rooms/-/counts", &key, text).await);
        assert_eq!((status, &*code), expected, "{text:.60}");
    }
    let most = format!(r#"{{"rooms":[{}]}}"#, vec![r#""a""#; 500].join(","));
    assert_eq!(status(&post(&server, "/api/rooms/-/counts", &key, &most).await), 200);
    server.stop().await;
}

#[tokio::test]
async fn wrong_keys_are_slowed_counted_and_logged_without_them() {
    let server = ServerProcess::start_with("operator-addr = \"127.0.0.1:0\"");
    let mut tries = 0_u32;
    let refused = loop {
        tries += 1;
        let key = format!("Authorization: Bearer rollcall_key_wrong-{tries}\r\n");
        let answer = server.get_with("/api/rooms", &key).await;
        if tries == 100 || status(&answer) != 401 {
            break answer;
        }
    };
    assert_eq!(problem(&refused), (429, "wrong_keys".into()), "{tries}");
    assert!(tries > 10 && header(&refused, "retry-after").is_some(), "{tries}: {refused}");
    // Visitors are not slowed, nor is a request without a key.
    assert_eq!(status(&server.get("/api/rooms/team/users").await), 200);
    assert_eq!(problem(&server.get("/api/rooms").await), (401, "key_missing".into()));
    let metrics = server.operator().await.get("/metrics").await;
    let counted =
        metrics.lines().find_map(|line| line.strip_prefix("rollcall_wrong_api_keys_total "));
    assert!(counted.unwrap().parse::<f64>().unwrap() >= f64::from(tries), "{metrics}");
    server.wait_until_logged("a wrong API key was sent").await;
    let log = server.log();
    assert_eq!(log.matches("a wrong API key was sent").count(), 1, "{log}");
    assert!(!log.contains("wrong-1"), "{log}");
}

fn rollcall(server: &ServerProcess, arguments: &[&str]) -> Output {
    let state = server.state_file("");
    Command::new(env!("CARGO_BIN_EXE_rollcall"))
        .current_dir(&state)
        .env_clear()
        .arg("--state-dir")
        .arg(&state)
        .args(arguments)
        .output()
        .unwrap()
}

/// Asks with this key until the answer has this status.
async fn wait_for_status(server: &ServerProcess, key: &str, expected: u16) {
    let headers = format!("Authorization: Bearer {key}\r\n");
    let asking = async {
        while status(&server.get_with("/api/rooms", &headers).await) != expected {
            sleep(Duration::from_millis(100)).await;
        }
    };
    assert!(timeout(TIMEOUT, asking).await.is_ok(), "the status was not {expected} in time");
}

#[tokio::test]
async fn key_of_the_command_works_without_a_restart_until_it_is_removed() {
    let server = ServerProcess::start();
    assert_eq!(problem(&server.get("/api/rooms").await), (401, "key_missing".into()));
    let added = rollcall(&server, &["key", "add", "crm", "--scopes", "rooms:read,users:read"]);
    assert!(added.status.success(), "{added:?}");
    // The key alone, for a script.
    let key = String::from_utf8(added.stdout).unwrap();
    assert_eq!(key.lines().count(), 1, "{key}");
    let key = key.trim();
    assert!(String::from_utf8_lossy(&added.stderr).contains("shown only now"));
    wait_for_status(&server, key, 200).await;
    let stored = std::fs::read_to_string(server.state_file("api-keys.json")).unwrap();
    assert!(stored.contains("crm") && !stored.contains(key), "{stored}");
    let listed = String::from_utf8(rollcall(&server, &["key", "list"]).stdout).unwrap();
    assert!(listed.starts_with("crm\t") && !listed.contains(key), "{listed}");
    let again = rollcall(&server, &["key", "add", "crm", "--scopes", "rooms:read"]);
    assert!(again.status.code() == Some(1) && again.stdout.is_empty(), "{again:?}");
    assert!(String::from_utf8_lossy(&again.stderr).contains("rollcall key remove crm"));
    assert!(rollcall(&server, &["key", "remove", "crm"]).status.success());
    wait_for_status(&server, key, 401).await;
    assert_eq!(rollcall(&server, &["key", "remove", "crm"]).status.code(), Some(1));
    let log = server.log();
    assert!(!log.contains(key), "{log}");
}

#[test]
fn commands_without_what_they_need_say_so() {
    for (arguments, words) in [
        (&["key"][..], "add"),
        (&["key", "add", "crm"], "--scopes"),
        (&["key", "add", "two words", "--scopes", "rooms:read"], "letters, digits"),
        (&["key", "add", "crm", "--scopes", "rooms:write"], "rooms:close"),
        (&["key", "remove"], "NAME"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_rollcall")).args(arguments).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(words), "{arguments:?}: {stderr}");
    }
}
