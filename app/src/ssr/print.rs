//! The whole list of a room as a plain table, for paper: the room's page holds only the rows in sight.

use leptos::{config::LeptosOptions, prelude::*};

use super::{AssetUrls, BasePath};
use crate::{
    presence::{Name, PresenceState, RoomName},
    text::{
        language::Language,
        strings,
        texts::{ServerText, Text},
    },
};

/// What is printed of a room.
#[derive(Clone, Debug)]
pub struct PrintedList {
    /// The room.
    pub room: RoomName,
    /// Date, time and offset of the list.
    pub now: String,
    /// All people, in order of arrival.
    pub people: Vec<PrintedPerson>,
}

/// A line of the table.
#[derive(Clone, Debug)]
pub struct PrintedPerson {
    /// The name.
    pub name: Name,
    /// The state.
    pub state: PresenceState,
    /// Date and time of the arrival.
    pub since: String,
}

/// The document as text. Its script opens the browser's print dialog.
pub fn print_document(options: &LeptosOptions, list: PrintedList) -> String {
    document(options, list).to_html()
}

fn document(options: &LeptosOptions, list: PrintedList) -> impl IntoView + use<> {
    let PrintedList { room, now, people } = list;
    let language = Language::of_context();
    let base = BasePath::of_context();
    let asset_urls = AssetUrls::of(options);
    let script = asset_urls.script_of_this_build("print.js");
    let title = strings::title(people.len(), room.as_str());
    let count = Text::People.count(people.len());
    let lines = (1..).zip(people).map(line).collect_view();
    view! {
        <!DOCTYPE html>
        <html lang=language.tag() dir=language.direction() class="paper">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <title>{title}</title>
                <meta name="robots" content="noindex" />
                <meta name="color-scheme" content="light dark" />
                <link rel="icon" href=base.below("/favicon.svg") type="image/svg+xml" />
                <link rel="stylesheet" href=asset_urls.style />
                <script type="module" src=script></script>
            </head>
            <body>
                <main>
                    <h1 translate="no">
                        <a href=base.room(&room)>{room.to_string()}</a>
                    </h1>
                    <p>{count} ", " <time>{now}</time></p>
                    <table>
                        // Browsers repeat it on each sheet.
                        <thead>
                            <tr>
                                <th scope="col">{ServerText::Number.get()}</th>
                                <th scope="col">{ServerText::Name.get()}</th>
                                <th scope="col">{ServerText::State.get()}</th>
                                <th scope="col">{ServerText::HereSince.get()}</th>
                            </tr>
                        </thead>
                        <tbody>{lines}</tbody>
                    </table>
                </main>
            </body>
        </html>
    }
}

fn line((number, person): (usize, PrintedPerson)) -> impl IntoView {
    let PrintedPerson { name, state, since } = person;
    view! {
        <tr>
            <td>{number.to_string()}</td>
            <td translate="no">
                <bdi>{name.to_string()}</bdi>
            </td>
            <td>{state_word(state)}</td>
            <td>{since}</td>
        </tr>
    }
}

fn state_word(state: PresenceState) -> &'static str {
    match state {
        PresenceState::Here => ServerText::Here.get(),
        PresenceState::Away => Text::Away.get(),
        PresenceState::Reconnecting => Text::Reconnecting.get(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_person_has_a_numbered_line() {
        let people = (0..1_000).map(|_| PrintedPerson {
            name: Name::parse("<b>Ana</b>").unwrap(),
            state: PresenceState::Away,
            since: "2026-11-30 09:09:04".into(),
        });
        let list = PrintedList {
            room: "team-7".parse().unwrap(),
            now: "2026-11-30 10:00:00 +01:00".into(),
            people: people.collect(),
        };
        let options = LeptosOptions::builder().output_name("rollcall").build();
        let html = print_document(&options, list);
        for part in [
            r#"<h1 translate="no"><a href="/r/team-7">team-7</a></h1>"#,
            "1,000 people, ",
            "2026-11-30 10:00:00 +01:00",
            "<td>1000</td>",
            "<bdi>&lt;b&gt;Ana&lt;/b&gt;</bdi>",
            "<td>away</td><td>2026-11-30 09:09:04</td>",
        ] {
            assert!(html.replace("<!>", "").contains(part), "{part} is missing in {html:.2000}");
        }
        assert_eq!(html.matches("<tr>").count(), 1_001);
        assert!(!html.contains(" style=") && !html.contains(".wasm"));
    }
}
