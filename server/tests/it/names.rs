//! A name is the same text wherever it is shown, and after a restart.

use crate::support::{TestServer, body};
use app::presence::ServerEvent;

/// What people typed or pasted, and the name that everyone sees.
const NAMES: [(&str, &str); 12] = [
    ("\u{200f}מרים כהן", "מרים כהן"),
    ("\u{202a}Ana Sousa\u{202c}", "Ana Sousa"),
    ("Ana\u{200b}", "Ana"),
    ("\u{feff}Bo", "Bo"),
    ("Ana Ma\u{ad}ria", "Ana Maria"),
    ("Kim\u{200e}", "Kim"),
    ("\u{2068}Lea\u{2069}", "Lea"),
    ("Ana\u{2060}Bo", "AnaBo"),
    (" Zoe\u{308}\u{a0}\u{2003} Li ", "Zoë Li"),
    ("علی\u{200c}رضا", "علی\u{200c}رضا"),
    (
        "Hubert Blaine Wolfeschlegelsteinhausenbergerdorff Sr.",
        "Hubert Blaine Wolfeschlegelsteinhausenbergerdorff Sr.",
    ),
    ("kungs Pēteris Kārlis Ozoliņš jaunākais MP", "kungs Pēteris Kārlis Ozoliņš jaunākais MP"),
];

#[tokio::test]
async fn tidied_name_is_the_same_everywhere_and_after_a_restart() {
    let server = TestServer::start();
    let expected = NAMES.map(|(_, listed)| listed);
    let mut people = Vec::new();
    for (typed, _) in NAMES {
        let mut client = server.connect("team").await;
        client.announce(typed, "t").await;
        people.push(client);
    }
    people[0].wait_for_names(&expected).await;
    assert_shown_everywhere(&server).await;

    let server = server.restart().await;
    let mut watcher = server.connect("team").await;
    watcher.watch().await;
    assert_eq!(watcher.names(), expected);
    assert_shown_everywhere(&server).await;
}

async fn assert_shown_everywhere(server: &TestServer) {
    let list = server.get("/api/rooms/team/users").await;
    let ServerEvent::ExistingUsers(list) = serde_json::from_str(body(&list)).unwrap() else {
        panic!("a list")
    };
    let listed: Vec<_> = list.users.iter().map(|user| user.name.as_str()).collect();
    assert_eq!(listed, NAMES.map(|(_, listed)| listed));
    let feed = server.first_line("/api/rooms/team/events", "data: ").await;
    for (path, text) in [
        ("page", server.get("/r/team").await),
        ("text", server.get("/api/rooms/team/roll.txt").await),
        ("table", server.get("/api/rooms/team/roll.csv").await),
        ("feed", feed),
    ] {
        for (_, listed) in NAMES {
            assert!(text.contains(listed), "{path}: {listed}");
        }
        // A table begins with a byte order mark.
        let rows = text.rsplit("\r\n\r\n").next().unwrap().trim_start_matches('\u{feff}');
        assert!(!rows.contains(['\u{200b}', '\u{feff}', '\u{ad}', '\u{2060}']), "{path}");
    }
}
