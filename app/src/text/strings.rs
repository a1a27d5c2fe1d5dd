//! Every text that a visitor can see or hear, in one place.
//!
//! A name is never part of a text: it stands in an element of its own, so that its direction of
//! writing does not turn its neighbours around. What the server refuses, it says in its own words.

use super::elapsed::Elapsed;
use crate::presence::DepartureReason;

/// What this is called.
pub(crate) const PRODUCT: &str = "Rollcall";
/// The product in one sentence, for search engines and link previews.
#[cfg(feature = "ssr")]
pub(crate) const DESCRIPTION: &str =
    "Rollcall shows who is here, right now. Open the page, type a name, and everyone sees you.";

/// The question over the field for the name.
pub(crate) const WHAT_IS_YOUR_NAME: &str = "What should we call you?";
/// What becomes of the name.
pub(crate) const WHO_SEES_IT: &str =
    "Everyone in this room sees it. No account: close the page, and you are off the list.";
/// What becomes of another name.
pub(crate) const EVERYONE_SEES_IT: &str = "Everyone in this room sees it at once.";
/// The button under it.
pub(crate) const JOIN: &str = "Join";
/// Stands before one's own name.
pub(crate) const YOU_ARE_HERE_AS: &str = "You are here as ";
/// Opens the field for another name.
pub(crate) const RENAME: &str = "Rename";
/// Takes one off the list.
pub(crate) const LEAVE: &str = "Leave";
/// The label of the field for another name.
pub(crate) const YOUR_NEW_NAME: &str = "Your new name";
/// Takes the new name.
pub(crate) const SAVE: &str = "Save";
/// Keeps the old name.
pub(crate) const CANCEL: &str = "Cancel";

/// The label of the list.
pub(crate) const WHO_IS_HERE: &str = "Who is here";
/// Stands after the count.
pub(crate) const HERE_NOW: &str = "here now";
/// Stands where the list would be.
pub(crate) const NOBODY_IS_HERE: &str = "Nobody is here yet. The first name on the board is yours.";
/// Stands below the only row, where that is one's own.
pub(crate) const ONLY_YOU_ARE_HERE: &str =
    "So far it is only you. Copy the link and send it to whoever should be here.";
/// The label of the field in which a name is looked for.
pub(crate) const FIND_A_NAME: &str = "Find a name";
/// Puts the list in order of names, or back in order of arrival.
pub(crate) const FROM_A_TO_Z: &str = "A to Z";
/// Marks one's own row.
pub(crate) const YOU: &str = "you";
/// The state of someone whose pages are all hidden.
pub(crate) const AWAY: &str = "away";
/// The state of someone whose connection broke.
pub(crate) const RECONNECTING: &str = "reconnecting…";

/// Puts the address of the room on the clipboard.
#[cfg(feature = "ssr")]
pub(crate) const COPY_LINK: &str = "Copy link";
/// It is there.
#[cfg(feature = "ssr")]
pub(crate) const LINK_COPIED: &str = "Link copied";
/// The browser did not let us.
#[cfg(feature = "ssr")]
pub(crate) const COPY_IT_YOURSELF: &str = "Copy it from the address bar";
/// Opens the code of the room's address, and what else others need to find the room.
pub(crate) const QR_CODE: &str = "QR code";
/// What that is called.
pub(crate) const INVITE: &str = "Invite";
/// Puts it away.
pub(crate) const CLOSE: &str = "Close";
/// Leads to a room with a name that nobody guesses.
pub(crate) const NEW_ROOM: &str = "New room";

/// Asks for a connection at once.
pub(crate) const TRY_NOW: &str = "Try now";
/// Said once when the connection is lost.
pub(crate) const CONNECTION_LOST: &str = "Connection lost.";
/// Said once when the browser has no network.
pub(crate) const YOU_ARE_OFFLINE: &str = "You are offline.";
/// Said once when it is back.
pub(crate) const CONNECTED_AGAIN: &str = "Connected again.";

/// Said where only the feed gets through.
pub(crate) const ONLY_WATCHING: &str = "This network lets no WebSockets through. You see who is here, live; \
     to be listed yourself, use a network that allows them.";

/// Said to one who is off the list because of another page.
pub(crate) const YOU_LEFT_ELSEWHERE: &str = "You left on another page of this browser.";
/// Said to one whom the operator took off the list.
pub(crate) const YOU_WERE_REMOVED: &str =
    "You were taken off the list by whoever runs this server.";

/// For those whose browser runs no scripts.
#[cfg(feature = "ssr")]
pub(crate) const WITHOUT_SCRIPTS: &str = "This is the list as it was when the page was made: reload to see it anew. \
     To be listed yourself, and to see people come and go, the page needs JavaScript.";
/// For those to whom the scripts did not get through.
#[cfg(feature = "ssr")]
pub(crate) const NOT_STARTED: &str =
    "A part of this page has not arrived: the list is as it was when you opened it.";
/// Tries again.
#[cfg(feature = "ssr")]
pub(crate) const LOAD_AGAIN: &str = "Load again";
/// Stands in the view in a frame while nothing is heard of the room.
#[cfg(feature = "ssr")]
pub(crate) const NOT_LIVE: &str = "Not live: the connection is lost.";
/// Stands over the code on a screen on the wall.
#[cfg(feature = "ssr")]
pub(crate) const SCAN_TO_JOIN: &str = "Scan to join";
/// Stands for the code of the room's address, where it can't be seen.
#[cfg(feature = "ssr")]
pub(crate) const CODE_OF_THE_ADDRESS: &str = "A QR code with the address of this room";
/// What the code is for.
#[cfg(feature = "ssr")]
pub(crate) const SCAN_IT: &str = "Whoever scans the code, or has the link, finds this room.";
/// Leads to the room as a screen on the wall shows it.
#[cfg(feature = "ssr")]
pub(crate) const SHOW_ON_THE_WALL: &str = "Show it on a wall";
/// Stands before the ways to take the list away.
#[cfg(feature = "ssr")]
pub(crate) const TAKE_THE_ROLL: &str = "Take the roll:";
/// One of them.
#[cfg(feature = "ssr")]
pub(crate) const AS_TEXT: &str = "text file";
/// The other.
#[cfg(feature = "ssr")]
pub(crate) const AS_TABLE: &str = "table (CSV)";
/// Copies it to the clipboard; and what came of that.
#[cfg(feature = "ssr")]
pub(crate) const COPY_ROLL: &str = "Copy";
#[cfg(feature = "ssr")]
pub(crate) const ROLL_COPIED: &str = "Copied";
#[cfg(feature = "ssr")]
pub(crate) const ROLL_NOT_COPIED: &str = "It could not be copied: please download it";
/// The title of the page that says what is kept, and the way to it.
#[cfg(feature = "ssr")]
pub(crate) const PRIVACY: &str = "Privacy";
/// What is kept, where and how long: one sentence each.
#[cfg(feature = "ssr")]
pub(crate) const WHAT_IS_KEPT: [&str; 5] = [
    "The name that you type, when you came and whether you are here are shown to everybody who opens the room, \
     for as long as you are on its list, which ends when you leave, or 15 seconds after your connection broke.",
    "So that those who were away for a moment can be told what they missed, the server remembers the last changes \
     of a room, names included, for as long as the room is in use and about two minutes more.",
    "Both are written into one file that only the server itself may read, which is replaced every few seconds, and \
     which the server takes away when it starts again.",
    "Your browser keeps the name that you used last, and for 400 days after your last visit a signed cookie with a \
     random number, by which you are the same person in all its tabs; delete them, and you are somebody new.",
    "There is no account, no name is written into a log, and nobody else is ever asked or told: every file comes \
     from this server, and what you type goes to this server alone.",
];
/// The title of a page that is not there.
#[cfg(feature = "ssr")]
pub(crate) const NOTHING_HERE: &str = "There is nothing here";
/// What to do about it.
#[cfg(feature = "ssr")]
pub(crate) const GO_ON_FROM_HERE: &str =
    "See whether the address is spelled right, or go on from here.";
/// Leads away from a page that is not there.
#[cfg(feature = "ssr")]
pub(crate) const GO_TO_THE_LOBBY: &str = "Go to the lobby";

/// Leads to the room that may have been meant. Its name is of plain letters, and stands in the address too.
#[cfg(feature = "ssr")]
pub(crate) fn go_to_the_room(room: &str) -> String {
    ["Go to the room ", room].concat()
}

/// The title of the page: the count first, so that a narrow tab shows it.
pub(crate) fn title(count: usize, room: &str) -> String {
    let mut text = String::from("(");
    text.push_str(&thousands(count));
    text.push_str(") ");
    text.push_str(room);
    text.push_str(" · ");
    text.push_str(PRODUCT);
    text
}

/// How many of a long list are not shown yet.
pub(crate) fn and_more(count: usize) -> String {
    ["and ", &thousands(count), " more"].concat()
}

/// How many have a name like the one that is looked for.
pub(crate) fn found(found: usize, count: usize) -> String {
    match found {
        0 => "Nobody here is called that.".into(),
        _ => [&thousands(found), " of ", &thousands(count)].concat(),
    }
}

/// How long someone has been here.
pub(crate) fn here_for(elapsed: Elapsed) -> String {
    match elapsed {
        Elapsed::Seconds(_) => "just now".into(),
        Elapsed::Minutes(number) => ["here ", &number.to_string(), " min"].concat(),
        Elapsed::Hours(number) => ["here ", &number.to_string(), " h"].concat(),
        Elapsed::Days(1) => "here 1 day".into(),
        Elapsed::Days(number) => ["here ", &number.to_string(), " days"].concat(),
    }
}

/// How old the list is, after one of the sentences above.
pub(crate) fn the_list_is_as_of(elapsed: Elapsed) -> String {
    let (number, unit) = match elapsed {
        Elapsed::Seconds(0) => return " The list is as of just now.".into(),
        Elapsed::Seconds(number) => (number, " s"),
        Elapsed::Minutes(number) => (number, " min"),
        Elapsed::Hours(number) => (number, " h"),
        Elapsed::Days(1) => (1, " day"),
        Elapsed::Days(number) => (number, " days"),
    };
    [" The list is as of ", &number.to_string(), unit, " ago."].concat()
}

/// When the page tries to connect again; nothing is left to wait for at zero.
pub(crate) fn trying_again_in(seconds: u64) -> String {
    match seconds {
        0 => " Trying again now.".into(),
        _ => [" Trying again in ", &seconds.to_string(), " s."].concat(),
    }
}

/// Stands after one or two names that came.
pub(crate) const JOINED: &str = " joined";
/// Stands after names that went.
pub(crate) const LEFT: &str = " left";
/// Stands after names that came while nobody was looking.
pub(crate) const CAME: &str = " came";
/// Stands before what happened while the list was not live.
pub(crate) const WHILE_YOU_WERE_AWAY: &str = "While you were away: ";
/// What happened since the page was opened.
pub(crate) const ACTIVITY: &str = "Activity";
/// Stands there before anything happened.
pub(crate) const NOTHING_HAPPENED: &str = "Nothing has happened since you opened this page.";
/// Lets a screen reader say who comes and goes no longer.
pub(crate) const MUTE: &str = "Mute for screen readers";
/// How to see oneself in the list twice.
pub(crate) const TRY_A_SECOND_PERSON: &str = "All tabs of one browser are one person. To try it with a second one, open this page in a private window.";
/// Makes this browser somebody else's.
pub(crate) const BE_SOMEONE_ELSE: &str = "Be someone else";
/// Takes that line away.
pub(crate) const DISMISS: &str = "Dismiss";
/// Stands between those who came and those who went.
pub(crate) const COMMA: &str = ", ";
/// Stands between two names.
pub(crate) const AND: &str = " and ";
/// Ends a sentence when another one follows.
pub(crate) const FULL_STOP: &str = ". ";

/// What those did who went, for this reason.
pub(crate) fn departed(reason: Option<DepartureReason>) -> &'static str {
    match reason {
        Some(DepartureReason::Left) | None => LEFT,
        Some(DepartureReason::Closed) => " closed the page",
        Some(DepartureReason::Lost) => " lost the connection",
        Some(DepartureReason::Removed) => " was removed",
    }
}

/// Stands after a name that stands for many.
pub(crate) fn and_others(count: usize) -> String {
    [" and ", &thousands(count), " others"].concat()
}

/// What the picture of the last hour shows: counts, one a minute, at most sixty. Nothing of a room in its
/// first minute that nobody has come into.
#[cfg(feature = "ssr")]
pub(crate) fn past_hour(counts: &[u32]) -> String {
    let (Some(low), Some(high)) = (counts.iter().min(), counts.iter().max()) else {
        return String::new();
    };
    if counts == [0] {
        return String::new();
    }
    let span = match counts.len() {
        1 => "the last minute".to_owned(),
        minutes @ 2..60 => format!("the last {minutes} min"),
        _ => "the last hour".to_owned(),
    };
    let number = |count: u32| usize::try_from(count).map(thousands).unwrap_or_default();
    match (low, high) {
        (_, 0) => format!("Nobody in {span}"),
        (low, high) if low < high => {
            format!("{} to {} people in {span}", number(*low), number(*high))
        }
        (_, 1) => format!("1 person{} {span}", throughout(counts)),
        (_, high) => format!("{} people{} {span}", number(*high), throughout(counts)),
    }
}

#[cfg(feature = "ssr")]
fn throughout(counts: &[u32]) -> &'static str {
    if counts.len() == 1 { " in" } else { " all through" }
}

/// In how many of this browser's tabs a person is here; nothing is said of one.
pub(crate) fn in_tabs(count: usize) -> String {
    match count {
        0 | 1 => String::new(),
        _ => [", in ", &count.to_string(), " tabs"].concat(),
    }
}

/// Stands for many names.
pub(crate) fn people(count: usize) -> String {
    [&thousands(count), " people"].concat()
}

/// A number with a comma before each three digits.
pub(crate) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        let texts = [0, 12, 999, 1_000, 12_345, 1_234_567].map(thousands);
        assert_eq!(texts, ["0", "12", "999", "1,000", "12,345", "1,234,567"]);
    }

    #[test]
    fn the_title_has_the_count_first() {
        assert_eq!(title(12, "standup"), "(12) standup · Rollcall");
    }

    #[test]
    fn time_is_told_in_its_largest_unit() {
        let words = |seconds| here_for(Elapsed::of_seconds(seconds));
        assert_eq!(words(59), "just now");
        assert_eq!(words(60), "here 1 min");
        assert_eq!(words(7_200), "here 2 h");
        assert_eq!(words(86_400), "here 1 day");
        assert_eq!(words(200_000), "here 2 days");
    }
}
