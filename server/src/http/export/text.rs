//! The list as text, for people to read and paste.

use app::presence::{ExistingUsers, PresenceState, RoomName};

use super::{local_time::LocalTime, options::ExportOptions};

/// First strong isolate and pop directional isolate (UAX #9, section 2.4). No name contains them.
const ISOLATE: [char; 2] = ['\u{2068}', '\u{2069}'];

/// The blocks of characters that are written from right to left (Unicode, DerivedBidiClass.txt, `@missing`).
const RIGHT_TO_LEFT: [[char; 2]; 5] = [
    ['\u{590}', '\u{8ff}'],
    ['\u{fb1d}', '\u{fdff}'],
    ['\u{fe70}', '\u{feff}'],
    ['\u{10800}', '\u{10fff}'],
    ['\u{1e800}', '\u{1efff}'],
];

/// A line with room, count and time, then a line for each person: the name and, after a tab, the state of
/// someone who is not simply here. No name contains a tab.
pub(super) fn as_text(room: &RoomName, list: &ExistingUsers, options: ExportOptions) -> String {
    let count = match list.count {
        1 => "1 person".to_owned(),
        count => format!("{count} people"),
    };
    let now = LocalTime::new(list.now / 1_000, options.offset).to_rfc3339();
    let mut text = format!("{room}: {count}, {now}\n");
    if !list.users.is_empty() {
        text.push('\n');
    }
    for user in &list.users {
        push_isolated(&mut text, user.name.as_str());
        if user.state != PresenceState::Here {
            text.push('\t');
            text.push_str(user.state.as_str());
        }
        text.push('\n');
    }
    text
}

/// A name from right to left would take what is beside it to its own side.
pub(super) fn push_isolated(text: &mut String, name: &str) {
    let is_right_to_left = |character: char| {
        RIGHT_TO_LEFT.iter().any(|[first, last]| (*first..=*last).contains(&character))
    };
    let isolate = name.contains(is_right_to_left).then_some(ISOLATE);
    text.extend(isolate.map(|[open, _]| open));
    text.push_str(name);
    text.extend(isolate.map(|[_, close]| close));
}

#[cfg(test)]
mod tests {
    use super::{super::tests::list, *};

    #[test]
    fn the_text_begins_with_room_count_and_time() {
        let room = "team-7".parse().unwrap();
        let utc = ExportOptions::parse("").unwrap();
        let names = ["Ana".to_owned(), "Bo".to_owned()];
        let text = as_text(&room, &list(&names), utc);
        assert_eq!(text, "team-7: 2 people, 2026-11-24T12:00:00Z\n\nAna\nBo\taway\n");
        assert_eq!(as_text(&room, &list(&[]), utc), "team-7: 0 people, 2026-11-24T12:00:00Z\n");
        let india = ExportOptions::parse("offset=330").unwrap();
        let text = as_text(&room, &list(&[]), india);
        assert_eq!(text, "team-7: 0 people, 2026-11-24T17:30:00+05:30\n");
    }

    #[test]
    fn name_and_state_are_apart() {
        let room = "team-7".parse().unwrap();
        let names = ["Ana (away)", "Ana", "מרים"].map(str::to_owned);
        let mut list = list(&names);
        list.users[2].state = PresenceState::Away;
        let text = as_text(&room, &list, ExportOptions::parse("").unwrap());
        let lines: Vec<_> = text.lines().skip(2).collect();
        assert_eq!(lines, ["Ana (away)", "Ana\taway", "\u{2068}מרים\u{2069}\taway"]);
    }
}
