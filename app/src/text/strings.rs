//! Texts that consist of several.
//!
//! A name is never part of a text: it gets an element of its own, so that its writing direction does
//! not affect the text around it.

#[cfg(feature = "ssr")]
use std::time::Duration;

#[cfg(feature = "ssr")]
use super::texts::ServerText;
use super::{format::number, texts::Text};
use crate::presence::{NameError, Refusal, RefusalCode};

/// The name of the product.
pub(crate) const PRODUCT: &str = "Rollcall";

/// After the count of those who are here: how many more are away; empty if nobody is.
pub(crate) fn and_away(away: usize) -> String {
    if away == 0 { String::new() } else { Text::AndAway.count(away) }
}

/// The title of the page: the count of those who are here comes first, so that a narrow tab shows it.
pub(crate) fn title(here: usize, room: &str) -> String {
    ["(", &number(here), ") ", room, " · ", PRODUCT].concat()
}

/// The result of a search.
pub(crate) fn found(found: usize, count: usize) -> String {
    match found {
        0 => Text::NoMatch.get().into(),
        _ => Text::Found.fill(&[&number(found), &number(count)]),
    }
}

/// When the page tries to reconnect; at 0 it does.
pub(crate) fn retrying_in(seconds: usize) -> String {
    match seconds {
        0 => Text::RetryingNow.get().into(),
        _ => Text::RetryingIn.count(seconds),
    }
}

/// Why the server refuses a request, in the language of the page; without words of its own in the server's.
pub(crate) fn refusal(refusal: Refusal) -> String {
    let words = match refusal.code {
        RefusalCode::NameEmpty => Text::EnterYourName.get(),
        RefusalCode::NameTooLong => Text::NameTooLong.get(),
        RefusalCode::NameNotAllowed => Text::NameNotAllowed.get(),
        RefusalCode::NotListed => Text::NotListed.get(),
        RefusalCode::RoomFull => Text::RoomFull.get(),
        RefusalCode::RoomClosed => Text::RoomClosed.get(),
        RefusalCode::TooManyTabs => Text::TooManyTabs.get(),
        RefusalCode::TooFast => Text::TooFast.get(),
        RefusalCode::BadFrame
        | RefusalCode::NameFixed
        | RefusalCode::JoinNotAllowed
        | RefusalCode::TokenRefused
        | RefusalCode::Unknown => "",
    };
    if words.is_empty() { refusal.message.into_owned() } else { words.into() }
}

/// Why a name can't be sent.
pub(crate) fn name_error(error: NameError) -> &'static str {
    match error {
        NameError::Empty => Text::EnterYourName.get(),
        NameError::TooManyBytes => Text::NameTooManyBytes.get(),
    }
}

/// For how long something is kept, in minutes, hours or days. What is left of a minute counts as one, so that it
/// promises nothing.
#[cfg(feature = "ssr")]
pub(crate) fn how_long(duration: Duration) -> String {
    const HOUR: usize = 60;
    const DAY: usize = 24 * HOUR;
    match usize::try_from(duration.as_secs().div_ceil(60)).unwrap_or(usize::MAX) {
        minutes if minutes.is_multiple_of(DAY) => ServerText::ForDays.count(minutes / DAY),
        minutes if minutes.is_multiple_of(HOUR) => ServerText::ForHours.count(minutes / HOUR),
        minutes => ServerText::ForMinutes.count(minutes),
    }
}

/// The text of a link's preview.
#[cfg(feature = "ssr")]
pub(crate) fn preview_text(count: usize) -> String {
    match count {
        0 => ServerText::NobodyIsHereYet.get().into(),
        _ => ServerText::PeopleAreHere.count(count),
    }
}

/// The caption of the chart of the last hour: `counts` has at most sixty counts, one a minute; the last is of now.
/// `maximum` is the most that were here at once. How few there were is not known. Empty for a new room that nobody has
/// joined.
#[cfg(feature = "ssr")]
pub(crate) fn past_hour(counts: &[u32], maximum: u32) -> String {
    let Some(now) = counts.last() else { return String::new() };
    let span = match counts.len() {
        1 => ServerText::LastMinute.get().into(),
        minutes @ 2..60 => ServerText::LastMinutes.count(minutes),
        _ => ServerText::LastHour.get().into(),
    };
    let [maximum, now] = [maximum, *now].map(|count| usize::try_from(count).unwrap_or_default());
    match (maximum, counts.len()) {
        (0, 1) => String::new(),
        (0, _) => ServerText::NobodyInSpan.fill(&[&span]),
        _ => {
            let values = [&*span, &number(maximum), &number(now)];
            ServerText::UpToAtOnce.count_and_fill(maximum, &values)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(feature = "ssr")]
    fn durations_are_no_shorter_than_they_are_said_to_be() {
        for (seconds, words) in [
            (60, "1 min"),
            (61, "2 min"),
            (5_400, "90 min"),
            (3_600, "1 h"),
            (43_200, "12 h"),
            (86_400, "1 day"),
            (604_800, "7 days"),
        ] {
            assert_eq!(how_long(Duration::from_secs(seconds)), words);
        }
    }

    #[test]
    fn the_title_has_the_count_first() {
        assert_eq!(title(12_345, "standup"), "(12,345) standup · Rollcall");
    }
}
