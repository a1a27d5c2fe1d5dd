//! Results of pure code that must be the same in the browser (wasm32) and on the server, with the recorded ones.
//!
//! The width of `usize` is what differs: in a fold, in a hash (the length of a slice is a part of it), in
//! an overflow. `cargo xtask check` compares them on wasm32, and a test on the machine that it runs on.

use std::{fmt::Write as _, hash::BuildHasher as _, time::Duration};

use crate::{
    client::{Backoff, read_frame},
    list::{
        lookalikes::Lookalikes, name_index::NameIndex, name_key::NameKey, search_key::search_key,
        sort_filter::ListOptions, virtual_scroll::Viewport,
    },
    presence::{
        Name, PresenceState, RoomName, Roster, ServerEvent, User, UserId, fnv1a, id_map::IdMap,
    },
    text::avatar::{initials, tint_class},
};

/// A line for each value, as an earlier version computed it.
const RECORDED: &str = include_str!("recorded_values.txt");

const NAMES: [&str; 16] = [
    "Ana Sousa",
    "ana sousa",
    "Jürgen Weiß-Çelik",
    "Ørsted",
    "Ирина Ђорђевић",
    "Андрей",
    "Γιώργος",
    "שָׁלוֹם",
    "مُحَمَّدٌ الحداد",
    "फ़ातिमा",
    "ปิ่น",
    "김철수",
    "さくら ｻｸﾗ",
    "李小龍",
    "👩🏽‍🚀 Mae 🇩🇪🇫🇷",
    "<b>(Bo) \"the\" --- 12",
];

/// The number of the first recorded line that differs from what this machine computes, counted from 1.
pub fn first_difference() -> Option<usize> {
    let computed = computed();
    let (mut computed, mut recorded) = (computed.lines(), RECORDED.lines());
    (1..).find_map(|number| match (computed.next(), recorded.next()) {
        (None, None) => Some(None),
        (one, other) if one != other => Some(Some(number)),
        _ => None,
    })?
}

/// All values, a line each.
fn computed() -> String {
    let mut lines = String::new();
    let mut line = |what: &str, of: &str, is: &str| {
        // Writing to a text can't fail.
        let _ = writeln!(lines, "{what} {of} = {is}");
    };
    let users = users();
    for name in NAMES {
        line("fnv1a", name, &format!("{:016x}", fnv1a(name.bytes().map(u64::from))));
        line("name key", name, &format!("{:?}", key(name)));
        line("search key", name, &search_key(name));
        line("initials", name, &initials(name));
    }
    for user in &users {
        let id = user.id.as_str();
        line("colour", id, tint_class(&user.id));
        line("hash", id, &format!("{:016x}", IdMap::default().hasher().hash_one(user.id)));
    }
    for text in ["Team 7", "Team_7", "a--b", "CAFÉ", "x/"] {
        line("room", text, &format!("{:?}", text.parse::<RoomName>().map(|room| room.to_string())));
    }
    let mut backoff = Backoff::default();
    for (attempt, random) in (0..12).zip((0..=u32::MAX).step_by(350_000_003)) {
        let delay = backoff.next_delay(Duration::from_secs(2 * attempt), random);
        line("backoff", &format!("{attempt} {random}"), &format!("{delay:?}"));
    }
    for (columns, line_height, scroll_top, height) in
        [(0, 0, 0, 0), (1, 76, 5_000, 844), (4, 56, 139_000, 1_080), (3, 64, 4_000_000_000, 720)]
    {
        let viewport = Viewport { columns, line_height, scroll_top, height };
        for total in [0, 120, 121, 10_000] {
            let rows = viewport.rows(total);
            let part = viewport.rows_for_one_frame(&rows, |row| row % 3 == 0);
            let spacers = viewport.spacers(&rows, total);
            let of = format!("{total} {columns} {line_height} {height}");
            line("scroll", &of, &format!("{rows:?} {part:?} {spacers:?}"));
        }
    }
    if let Ok(mut roster) = Roster::from_users(users) {
        line("digest", "all", &roster.digest().to_string());
        arrangements(&roster, &mut line);
        for text in FRAMES {
            let event = read_frame(text);
            if let Ok(ServerEvent::Changes(changes)) = &event {
                line("apply", text, &format!("{:?}", roster.apply(&changes.difference)));
            }
            line("frame", text, &format!("{event:?}"));
        }
        line("digest", "after the frames", &roster.digest().to_string());
    }
    lines
}

const FRAMES: [&str; 4] = [
    r#"{"event":"changes","from":7,"seq":18446744073709551615,"disconnect_user":{"lost":["AAAAAAAAAAA"]}}"#,
    r#"{"event":"beat","seq":4294967296,"count":4294967295,"digest":"9ce8c489cb687b56","now":9007199254740991}"#,
    r#"{"event":"beat","seq":1,"count":-1,"digest":"9ce8c489cb687b56","now":1e3}"#,
    r#"{"event":"refused","code":"name_too_long","message":"\u00e9\ud83d\ude42"}"#,
];

/// The list in each order, found by some searches, and whose names look alike.
fn arrangements(roster: &Roster, line: &mut impl FnMut(&str, &str, &str)) {
    let name_index = NameIndex::of(roster);
    for query in ["", "a", "SOUSA", "и", "サ", "12", "\u{301}"] {
        for is_newest_first in [false, true] {
            let mut options = ListOptions { is_newest_first, ..ListOptions::default() };
            options.set_query(query);
            let order = options.arrange(&name_index, None, None);
            let pinned = options.arrange(&name_index, None, order.get(..3));
            let ids = |order: &[UserId]| -> String {
                order.iter().map(|id| id.as_str().get(..4).unwrap_or_default()).collect()
            };
            line(
                "order",
                &format!("{query} {is_newest_first}"),
                &format!("{} {}", ids(&order), ids(&pinned)),
            );
        }
    }
    let lookalikes = Lookalikes::of(&name_index, roster.users().map(|user| (user.id, &user.name)));
    for user in roster.users() {
        let place = format!("{:?}", lookalikes.place(&user.id));
        line("namesake", user.name.as_str(), &place);
    }
}

fn users() -> Vec<User> {
    let states = [PresenceState::Here, PresenceState::Away, PresenceState::Reconnecting];
    let ids = (0_u128..).map(|number| {
        UserId::from_leading_bits(number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
    });
    let names = NAMES.iter().filter_map(|name| Name::parse(name).ok());
    let rows = names.zip(ids).zip(states.into_iter().cycle()).zip(0..);
    rows.map(|(((name, id), state), joined)| User { id, name, joined, state }).collect()
}

fn key(name: &str) -> Option<Vec<u64>> {
    let name = Name::parse(name).ok()?.with_skeleton(Some("look"));
    Some(NameKey::of(&name).hashes().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `UPDATE_REFERENCE=1 cargo test -p app --features ssr recorded` writes the file anew.
    #[test]
    fn values_are_as_recorded() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/recorded_values.txt");
        if std::env::var_os("UPDATE_REFERENCE").is_some() {
            std::fs::write(path, computed()).unwrap();
            return;
        }
        let line = first_difference().and_then(|line| RECORDED.lines().nth(line - 1));
        assert_eq!(first_difference(), None, "{line:?}");
        assert!(RECORDED.lines().count() < 255, "the exit status is the line's number");
    }
}
