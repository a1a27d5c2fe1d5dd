//! A name is the same text wherever it is shown, and after a restart.

use crate::support::{TestServer, body};
use app::presence::ServerEvent;

/// What people typed or pasted, and the name that everyone sees.
const NAMES: [(&str, &str); 13] = [
    ("\u{200f}מרים כהן", "מרים כהן"),
    ("\u{202a}Ana Sousa\u{202c}", "Ana Sousa"),
    ("Ana\u{200b}", "Ana"),
    ("\u{feff}Bo", "Bo"),
    ("Ana Ma\u{ad}ria", "Ana Maria"),
    ("Kim\u{200e}", "Kim"),
    ("\u{61c}Noa", "Noa"),
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

/// Characters that are removed from names and that no place adds. Isolates, which the text has, are not among them.
const REMOVED: [char; 9] = [
    '\u{ad}', '\u{61c}', '\u{200b}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202c}', '\u{2060}',
    '\u{feff}',
];

async fn assert_shown_everywhere(server: &TestServer) {
    let expected = NAMES.map(|(_, listed)| listed);
    let list = server.get("/api/rooms/team/users").await;
    assert_eq!(names_of_list(body(&list)), expected);
    let feed = server.first_line("/api/rooms/team/events", "data: ").await;
    assert_eq!(names_of_list(&feed), expected);

    let page = server.get("/r/team").await;
    // The page has them in the order of names.
    let mut on_page = each_between(&page, "<bdi class=\"user-name\">", "</bdi>");
    on_page.sort_unstable_by_key(|name| expected.iter().position(|other| other == name));
    assert_eq!(on_page, expected);
    let print = server.get("/r/team/print").await;
    assert_eq!(each_between(&print, "<bdi>", "</bdi>"), expected);
    let embed = server.get("/r/team/embed").await;
    assert_eq!(each_between(&embed, "<span class=\"only-heard\"><bdi>", "</bdi>"), expected);

    let table = server.get("/api/rooms/team/roll.csv").await;
    let table = body(&table).strip_prefix('\u{feff}').expect("a byte order mark");
    assert_eq!(each_between(table, "\r\n\"", "\""), expected);
    let text = server.get("/api/rooms/team/roll.txt").await;
    let (_, lines) = body(&text).split_once("\n\n").unwrap();
    // After a tab comes the state of somebody who is not connected yet.
    let names = lines.lines().map(|line| line.split('\t').next().unwrap());
    let names: Vec<_> = names.map(|name| name.trim_matches(['\u{2068}', '\u{2069}'])).collect();
    assert_eq!(names, expected);

    for shown in [&*page, &print, &embed, table, lines] {
        assert_eq!(shown.find(REMOVED), None, "{shown:?}");
    }
}

fn names_of_list(json: &str) -> Vec<String> {
    let ServerEvent::ExistingUsers(list) = serde_json::from_str(json).unwrap() else {
        panic!("a list")
    };
    list.users.iter().map(|user| user.name.to_string()).collect()
}

/// Each text between these two.
fn each_between<'a>(text: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    let after = text.split(start).skip(1);
    after.filter_map(|rest| Some(rest.split_once(end)?.0)).collect()
}
