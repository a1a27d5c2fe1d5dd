//! Every text that the page shows or announces, in one place.
//!
//! A name is never part of a text: it gets an element of its own, so that its writing direction does
//! not affect the text around it. Refusals are worded by the server.

use super::elapsed::Elapsed;
use crate::presence::DepartureReason;

/// The name of the product.
pub(crate) const PRODUCT: &str = "Rollcall";
/// The product in one sentence, for search engines and link previews.
#[cfg(feature = "ssr")]
pub(crate) const DESCRIPTION: &str =
    "Rollcall shows who is here, right now. Open the page, type a name, and everyone sees you.";

/// The label of the name field for joining.
pub(crate) const YOUR_NAME: &str = "Your name";
/// The hint under it.
pub(crate) const EVERYONE_SEES_YOUR_NAME: &str =
    "Everyone in this room sees your name. No account; close the tab and you're off the list.";
/// The hint under the field for a new name.
pub(crate) const EVERYONE_SEES_THE_CHANGE: &str =
    "Everyone sees the change as soon as you're connected.";
/// The button that joins the room.
pub(crate) const JOIN: &str = "Join";
/// Before the visitor's own name.
pub(crate) const ON_THE_LIST_AS: &str = "You're on the list as ";
/// The button that opens the form for a new name.
pub(crate) const CHANGE_NAME: &str = "Change name";
/// The button that leaves the room.
pub(crate) const LEAVE: &str = "Leave";
/// The label of the field for a new name.
pub(crate) const NEW_NAME: &str = "New name";
/// The button that submits the new name.
pub(crate) const SAVE: &str = "Save";
/// The button that closes the form for a new name.
pub(crate) const CANCEL: &str = "Cancel";

/// The heading and label of the list.
pub(crate) const WHO_IS_HERE: &str = "Who is here";
/// After the count.
pub(crate) const HERE_NOW: &str = "here now";
/// In place of an empty list.
pub(crate) const NOBODY_IS_HERE: &str = "Nobody's here yet. Be the first.";
/// Below the only row, if it is the visitor's own.
pub(crate) const JUST_YOU: &str = "Just you so far. Copy the link to invite the others.";
/// The label of the search field.
pub(crate) const FIND_A_NAME: &str = "Find a name";
/// The button that sorts by name, or again by arrival.
pub(crate) const FROM_A_TO_Z: &str = "A to Z";
/// The mark of the visitor's own row.
pub(crate) const YOU: &str = "you";
/// The state of a person whose tabs are all hidden.
pub(crate) const AWAY: &str = "away";
/// The state of a person whose connection was lost.
pub(crate) const RECONNECTING: &str = "reconnecting…";

/// The button that copies the room's address.
#[cfg(feature = "ssr")]
pub(crate) const COPY_LINK: &str = "Copy link";
/// The same button after copying.
#[cfg(feature = "ssr")]
pub(crate) const LINK_COPIED: &str = "Link copied";
/// The same button if the browser refused to copy.
#[cfg(feature = "ssr")]
pub(crate) const COPY_THE_ADDRESS_INSTEAD: &str = "Couldn't copy. Copy the address instead.";
/// The button that opens the invitation.
pub(crate) const QR_CODE: &str = "QR code";
/// The label of the invitation.
pub(crate) const INVITE: &str = "Invite";
/// The button that closes it.
pub(crate) const CLOSE: &str = "Close";
/// The link to a new room with an unguessable name.
#[cfg(feature = "ssr")]
pub(crate) const NEW_ROOM: &str = "New room";

/// The button that reconnects at once.
pub(crate) const RETRY_NOW: &str = "Retry now";
/// The banner's first sentence while the connection is lost; announced once.
pub(crate) const CONNECTION_LOST: &str = "Reconnecting…";
/// The banner's first sentence while the browser has no network; announced once.
pub(crate) const YOU_ARE_OFFLINE: &str = "You're offline.";
/// Announced once when the connection is back.
pub(crate) const CONNECTED_AGAIN: &str = "Connected again.";

/// Shown to a visitor who left in another tab.
pub(crate) const YOU_LEFT_IN_ANOTHER_TAB: &str = "You left in another tab.";
/// Shown to a visitor whom the operator removed.
pub(crate) const YOU_WERE_REMOVED: &str = "The host removed you from the list. You can join again.";

/// Shown in browsers that run no scripts.
#[cfg(feature = "ssr")]
pub(crate) const WITHOUT_SCRIPTS: &str = "Without JavaScript this list doesn't update. Reload for the latest; \
     turn JavaScript on to join.";
/// Shown where the cookie that identifies the browser does not come back.
#[cfg(feature = "ssr")]
pub(crate) const WITHOUT_COOKIES: &str = "Your browser or network blocks this site's cookies, so each reload, \
     reconnect or tab lists you as a new person. To stay the same person, allow them and reload.";
/// Shown if the page was not hydrated in time.
#[cfg(feature = "ssr")]
pub(crate) const NOT_LOADED: &str = "This page didn't load fully, so the list isn't live.";
/// The link that reloads it.
#[cfg(feature = "ssr")]
pub(crate) const RELOAD: &str = "Reload";
/// In place of the faces of the embed, before a link that joins.
#[cfg(feature = "ssr")]
pub(crate) const NOBODY_HERE_YET: &str = "Nobody here yet";
/// Shown in the embed while it gets no updates, before the reason.
#[cfg(feature = "ssr")]
pub(crate) const NOT_LIVE: &str = "Not live. ";
/// After why the server rejects the request for an embed.
#[cfg(feature = "ssr")]
pub(crate) const TRIES_AGAIN: &str = "This view tries again by itself.";
/// Shown in the embed where its script does not run.
#[cfg(feature = "ssr")]
pub(crate) const NOT_LIVE_WITHOUT_SCRIPTS: &str = "Not live: JavaScript is off or blocked here.";
/// Above the QR code in kiosk mode.
#[cfg(feature = "ssr")]
pub(crate) const SCAN_TO_JOIN: &str = "Scan to join";
/// The text alternative of the QR code.
#[cfg(feature = "ssr")]
pub(crate) const QR_CODE_OF_THE_ADDRESS: &str = "A QR code with the address of this room";
/// Below the QR code in the invitation.
#[cfg(feature = "ssr")]
pub(crate) const ANYONE_CAN_JOIN: &str = "Anyone with this link or code can join.";
/// The link to kiosk mode.
#[cfg(feature = "ssr")]
pub(crate) const OPEN_WALL_SCREEN: &str = "Open wall screen";
/// Before the ways to export the list.
#[cfg(feature = "ssr")]
pub(crate) const TAKE_THE_ROLL: &str = "Take the roll:";
/// The link to the list as a text file.
#[cfg(feature = "ssr")]
pub(crate) const TEXT: &str = "Text";
/// The link to the list as a CSV file.
#[cfg(feature = "ssr")]
pub(crate) const CSV: &str = "CSV";
/// The link to the list as a workbook.
#[cfg(feature = "ssr")]
pub(crate) const EXCEL: &str = "Excel";
/// The link to the list for paper.
#[cfg(feature = "ssr")]
pub(crate) const PRINT: &str = "Print";
/// The heads of the columns on paper.
#[cfg(feature = "ssr")]
pub(crate) const NUMBER: &str = "No.";
#[cfg(feature = "ssr")]
pub(crate) const NAME: &str = "Name";
#[cfg(feature = "ssr")]
pub(crate) const STATE: &str = "State";
#[cfg(feature = "ssr")]
pub(crate) const HERE_SINCE: &str = "Here since";
/// On paper, before and after the number of rows, if the page prints only a part of the list.
#[cfg(feature = "ssr")]
pub(crate) const PARTLY_PRINTED: [&str; 2] = [
    "Only ",
    " of the people on the list are on this paper. For the whole list, use Print beside “Take the roll”.",
];
/// The button that copies the list as text.
#[cfg(feature = "ssr")]
pub(crate) const COPY_ROLL: &str = "Copy";
/// Beside the button after copying.
#[cfg(feature = "ssr")]
pub(crate) const ROLL_COPIED: &str = "Copied";
/// Beside the button if the browser refused to copy.
#[cfg(feature = "ssr")]
pub(crate) const DOWNLOAD_THE_FILE_INSTEAD: &str = "Couldn't copy. Download the file instead.";
/// The title of the privacy page, and the link to it.
#[cfg(feature = "ssr")]
pub(crate) const PRIVACY: &str = "Privacy";
/// The paragraphs of the privacy page.
#[cfg(feature = "ssr")]
pub(crate) const PRIVACY_PARAGRAPHS: [&str; 5] = [
    "The list of a room has your name, when you came, and whether you are here, away or reconnecting. \
     Everyone who opens the room sees it. \
     You are on it until you leave, until about 2 seconds after you close your last tab, or until 15 seconds after \
     your connection is lost.",
    "The server also remembers a room's latest changes, with names, so that people who were disconnected for a \
     moment can catch up. It keeps them while the room is in use and for about two minutes after that.",
    "To survive a restart, the server writes both to a file that only the server can read. It replaces the file \
     every few seconds and deletes it when it starts again.",
    "Your browser stores the name that you used last, whether you muted announcements, and an id for each tab. \
     It also has a signed cookie with a random number, which \
     makes you the same person in all tabs. The cookie expires 400 days after your last visit. \
     If you delete the cookie, you are a new person.",
    "There is no account. Names are not written to logs. The page loads nothing from other sites, and what you \
     type is sent to this site only.",
];
/// What stands in place of the second and third of these paragraphs where several servers share the rooms.
#[cfg(feature = "ssr")]
pub(crate) const PRIVACY_OF_SEVERAL_SERVERS: [&str; 2] = [
    "This site runs on several servers. They also remember a room's latest changes, with names, so that people who \
     were disconnected for a moment can catch up. They keep them while the room is in use.",
    "The servers share both through a store in memory (Valkey or Redis), which forgets a room about 10 minutes after \
     it was used last. If whoever runs this site has set it up to write to a disk as well, its files contain names \
     until they are replaced.",
];
/// The title of the page for addresses that don't exist.
#[cfg(feature = "ssr")]
pub(crate) const PAGE_NOT_FOUND: &str = "Page not found";
/// What to do about it, before the links.
#[cfg(feature = "ssr")]
pub(crate) const CHECK_THE_ADDRESS: &str = "Check the address, or go to:";
/// The link to the lobby.
#[cfg(feature = "ssr")]
pub(crate) const GO_TO_THE_LOBBY: &str = "Go to the lobby";

/// The link to the room that may have been meant. A room's name may be part of a text: it is ASCII.
#[cfg(feature = "ssr")]
pub(crate) fn go_to_the_room(room: &str) -> String {
    ["Go to the room ", room].concat()
}

/// After the count of those who are here: how many more are away; empty if nobody is.
pub(crate) fn and_away(away: usize) -> String {
    match away {
        0 => String::new(),
        _ => [" · ", &thousands(away), " ", AWAY].concat(),
    }
}

/// The title of the page: the count of those who are here comes first, so that a narrow tab shows it.
pub(crate) fn title(here: usize, room: &str) -> String {
    let mut text = String::from("(");
    text.push_str(&thousands(here));
    text.push_str(") ");
    text.push_str(room);
    text.push_str(" · ");
    text.push_str(PRODUCT);
    text
}

/// The title of a link's preview.
#[cfg(feature = "ssr")]
pub(crate) fn preview_title(room: &str) -> String {
    ["Join ", room, " on ", PRODUCT].concat()
}

/// The text of a link's preview.
#[cfg(feature = "ssr")]
pub(crate) fn preview_text(count: usize) -> String {
    match count {
        0 => "Nobody is here yet.".into(),
        1 => "1 person is here now.".into(),
        _ => [&people(count), " are here now."].concat(),
    }
}

/// How many rows of a long list are not shown.
pub(crate) fn and_more(count: usize) -> String {
    ["and ", &thousands(count), " more"].concat()
}

/// The result of a search.
pub(crate) fn found(found: usize, count: usize) -> String {
    match found {
        0 => "No one here matches that.".into(),
        _ => [&thousands(found), " of ", &thousands(count)].concat(),
    }
}

/// How long a person has been here.
pub(crate) fn here_for(elapsed: Elapsed) -> String {
    match elapsed {
        Elapsed::Seconds(_) => "just now".into(),
        Elapsed::Minutes(number) => ["here ", &number.to_string(), " min"].concat(),
        Elapsed::Hours(number) => ["here ", &number.to_string(), " h"].concat(),
        Elapsed::Days(1) => "here 1 day".into(),
        Elapsed::Days(number) => ["here ", &number.to_string(), " days"].concat(),
    }
}

/// How old the list is; follows the banner's first sentence.
pub(crate) fn last_updated(elapsed: Elapsed) -> String {
    let (number, unit) = match elapsed {
        Elapsed::Seconds(number) => (number, " s"),
        Elapsed::Minutes(number) => (number, " min"),
        Elapsed::Hours(number) => (number, " h"),
        Elapsed::Days(1) => (1, " day"),
        Elapsed::Days(number) => (number, " days"),
    };
    [" List from ", &number.to_string(), unit, " ago."].concat()
}

/// When the page tries to reconnect; at 0 it does.
pub(crate) fn retrying_in(seconds: u64) -> String {
    match seconds {
        0 => " Retrying now.".into(),
        _ => [" Retrying in ", &seconds.to_string(), " s."].concat(),
    }
}

/// After the names of people who joined.
pub(crate) const JOINED: &str = " joined";
/// After the names of people who left or closed the page.
pub(crate) const LEFT: &str = " left";
/// After the names of people whose connection did not come back.
pub(crate) const DISCONNECTED: &str = " disconnected";
/// After the names of people whom the operator removed.
pub(crate) const WAS_REMOVED: &str = " was removed";
/// Before the changes of an outage.
pub(crate) const WHILE_YOU_WERE_OFFLINE: &str = "While you were offline: ";
/// The heading of the activity log.
pub(crate) const ACTIVITY: &str = "Activity";
/// In place of an empty log.
pub(crate) const NO_ACTIVITY: &str = "No one has come or gone yet.";
/// The button that mutes announcements.
pub(crate) const MUTE: &str = "Mute for screen readers";
/// Shown where the visitor has several tabs.
pub(crate) const TABS_ARE_ONE_PERSON: &str = "Your tabs count as one person.";
/// The button that switches to another person.
pub(crate) const JOIN_UNDER_ANOTHER_NAME: &str = "Join again under another name";
/// The button that dismisses the changes of an outage.
pub(crate) const DISMISS: &str = "Dismiss";
/// Between joins and departures.
pub(crate) const COMMA: &str = ", ";
/// Between two names.
pub(crate) const AND: &str = " and ";
/// Between two sentences.
pub(crate) const FULL_STOP: &str = ". ";

/// After the names of people who departed for this reason; without one, the reason is unknown.
pub(crate) fn departed(reason: Option<DepartureReason>) -> &'static str {
    match reason {
        Some(DepartureReason::Left | DepartureReason::Closed) | None => LEFT,
        Some(DepartureReason::Lost) => DISCONNECTED,
        Some(DepartureReason::Removed) => WAS_REMOVED,
    }
}

/// After the first of more than two names.
pub(crate) fn and_others(count: usize) -> String {
    [" and ", &thousands(count), " others"].concat()
}

/// The caption of the chart of the last hour: `counts` has at most sixty counts, one a minute; the last is of now.
/// `maximum` is the most that were here at once. How few there were is not known. Empty for a new room that nobody has
/// joined.
#[cfg(feature = "ssr")]
pub(crate) fn past_hour(counts: &[u32], maximum: u32) -> String {
    let Some(now) = counts.last() else { return String::new() };
    let span = match counts.len() {
        1 => "Last minute".to_owned(),
        minutes @ 2..60 => format!("Last {minutes} min"),
        _ => "Last hour".to_owned(),
    };
    let number = |count: u32| usize::try_from(count).unwrap_or_default();
    match (maximum, counts.len()) {
        (0, 1) => String::new(),
        (0, _) => format!("{span}: nobody"),
        _ => {
            let most = counted_people(number(maximum));
            format!("{span}: up to {most} at once, now {}", thousands(number(*now)))
        }
    }
}

/// In how many of this browser's tabs the visitor is listed; empty for one.
pub(crate) fn in_tabs(count: usize) -> String {
    match count {
        0 | 1 => String::new(),
        _ => [", in ", &count.to_string(), " tabs"].concat(),
    }
}

/// In place of many names.
pub(crate) fn people(count: usize) -> String {
    [&thousands(count), " people"].concat()
}

/// A number of people, of whom there may be one.
#[cfg(feature = "ssr")]
pub(crate) fn counted_people(count: usize) -> String {
    if count == 1 { "1 person".to_owned() } else { people(count) }
}

/// A number with a comma between groups of three digits.
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

/// Why a page is not hydrated or has no socket, and what helps; `start.js` and `blocked.js` choose by the code.
/// The codes of refusals are those of the server.
#[cfg(feature = "ssr")]
pub(crate) const CAUSES: [(&str, &str); 13] = [
    (
        "failed",
        "This page didn't load fully, or something changed it. The list isn't live. Reloading…",
    ),
    (
        "changed",
        "You're watching only: something keeps changing this page, such as a translator or an extension. \
         To join, turn it off for this site and reload.",
    ),
    (
        "no_webassembly",
        "You're watching only: this browser has WebAssembly turned off, which joining needs. Lockdown Mode does \
         that. To join, allow this site or use another browser.",
    ),
    (
        "webassembly_forbidden",
        "You're watching only: a Content-Security-Policy forbids WebAssembly, which joining needs. A proxy or an \
         extension has replaced this page's policy. Tell whoever runs this server.",
    ),
    (
        "file_refused",
        "You're watching only: a file that joining needs was refused. Reload. If that doesn't help, tell whoever \
         runs this server.",
    ),
    (
        "file_blocked",
        "You're watching only: a content blocker or your network blocks a file that joining needs. To join, allow \
         this site and reload.",
    ),
    (
        "failed_to_start",
        "You're watching only: this browser can't run a part of this page. To join, update it or use another one.",
    ),
    (
        "no_network",
        "This page didn't load fully, so the list isn't live: the server can't be reached. It loads again as soon \
         as that is possible.",
    ),
    (
        "upgrade_required",
        "You're watching only: WebSockets, which joining needs, don't get through. Try another network. If that \
         doesn't help, tell whoever runs this server.",
    ),
    // After another cause, while a page without WASM gets no updates; `watch.js` knows the time.
    ("reconnecting", "Reconnecting… List from {time}."),
    ("origin_not_allowed", "This server refuses this page's connection. Tell whoever runs it."),
    (
        "login_required",
        "You're watching only: a proxy in front of this server refuses the connection that joining needs, or asks \
         for a login. Tell whoever runs this server.",
    ),
    (
        "socket_fails",
        "You're watching only: the connection that joining needs fails. Tell whoever runs this server.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_groups_of_three_digits() {
        let texts = [0, 12, 999, 1_000, 12_345, 1_234_567].map(thousands);
        assert_eq!(texts, ["0", "12", "999", "1,000", "12,345", "1,234,567"]);
    }

    #[test]
    fn the_title_has_the_count_first() {
        assert_eq!(title(12, "standup"), "(12) standup · Rollcall");
    }

    #[test]
    fn durations_are_in_their_largest_unit() {
        let words = |seconds| here_for(Elapsed::of_seconds(seconds));
        assert_eq!(words(59), "just now");
        assert_eq!(words(60), "here 1 min");
        assert_eq!(words(7_200), "here 2 h");
        assert_eq!(words(86_400), "here 1 day");
        assert_eq!(words(200_000), "here 2 days");
    }
}
