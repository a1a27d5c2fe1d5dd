//! The entries of the activity log that the first HTML has: what happened in the room before the page was opened.

use leptos::prelude::*;

use crate::{
    presence::RecentChange,
    state::server_data::ServerRendered,
    text::{
        announcement::{Part, departure, renaming, sentence},
        format::clock_time,
        texts::Text,
    },
};

/// How many entries it has at most.
const MOST_ENTRIES: usize = 20;

/// The entries, the newest first, as HTML; none without a [`ServerRendered`] in the context.
pub(crate) fn past_activity() -> String {
    let Some(ServerRendered { activity, .. }) = use_context() else { return String::new() };
    let entries = entries(&activity);
    let newest = entries.into_iter().rev().take(MOST_ENTRIES);
    newest.map(|(at, parts)| entry(at, parts).to_html()).collect()
}

fn entry(at: u64, parts: Vec<Part>) -> impl IntoView {
    let parts = parts.into_iter().map(|part| match part {
        Part::Words(words) => view! { <span>{words}</span> }.into_any(),
        Part::Name(name) => view! { <bdi translate="no">{name.to_string()}</bdi> }.into_any(),
    });
    view! {
        <li>
            // `format.js` puts the time on the visitor's clock in its place.
            <span class="at" data-at=at.to_string()>
                {clock_time(at)}
            </span>
            <p>{parts.collect_view()}</p>
        </li>
    }
}

/// The changes as sentences with their times: what happened to several people within a minute is one.
fn entries(activity: &[(u64, RecentChange)]) -> Vec<(u64, Vec<Part>)> {
    let groups = activity.chunk_by(|(at, change), (next_at, next)| {
        at / 60 == next_at / 60 && text(change) == text(next) && text(change) != Text::Renamed
    });
    groups.filter_map(|group| Some((group.first()?.0, parts(group)))).collect()
}

fn parts(group: &[(u64, RecentChange)]) -> Vec<Part> {
    match group {
        [] => Vec::new(),
        [(_, RecentChange::Renamed { before, after }), ..] => renaming(before, after),
        [(_, first), ..] => {
            let names = group.iter().filter_map(|(_, change)| match change {
                RecentChange::Joined(name) | RecentChange::Departed(name, _) => Some(name),
                RecentChange::Renamed { .. } => None,
            });
            sentence(text(first), &names.collect::<Vec<_>>())
        }
    }
}

fn text(change: &RecentChange) -> Text {
    match change {
        RecentChange::Joined(_) => Text::Joined,
        RecentChange::Departed(_, reason) => departure(Some(*reason)),
        RecentChange::Renamed { .. } => Text::Renamed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presence::{DepartureReason, Name};

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    #[test]
    fn changes_of_several_people_within_a_minute_are_one_sentence() {
        let left = |text| RecentChange::Departed(name(text), DepartureReason::Left);
        let activity = [
            (60, RecentChange::Joined(name("Ana"))),
            (61, RecentChange::Joined(name("Bo"))),
            (62, RecentChange::Joined(name("Cy"))),
            (130, RecentChange::Joined(name("Di"))),
            (131, left("Ana")),
            (132, RecentChange::Renamed { before: name("Bo"), after: name("Bob") }),
            (133, RecentChange::Renamed { before: name("Cy"), after: name("<b>") }),
        ];
        let words = |parts: &[Part]| -> String {
            let words = parts.iter().map(|part| match part {
                Part::Words(words) => words.clone(),
                Part::Name(name) => name.to_string(),
            });
            words.collect()
        };
        let told: Vec<(u64, String)> =
            entries(&activity).iter().map(|(at, parts)| (*at, words(parts))).collect();
        let expected = [
            (60, "3 people joined"),
            (130, "Di joined"),
            (131, "Ana left"),
            (132, "Bo is now Bob"),
            (133, "Cy is now <b>"),
        ];
        assert_eq!(told, expected.map(|(at, words)| (at, words.to_owned())));
        let html = entry(133, entries(&activity).pop().unwrap().1).to_html();
        assert!(html.contains("&lt;b&gt;") && html.contains("00:02 UTC"), "{html}");
    }
}
