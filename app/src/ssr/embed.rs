//! The view of a room for a frame on another site: how many people are here, and who.
//!
//! Only the server renders it. Its script fetches it again after each change, and handles no list.

use leptos::{config::LeptosOptions, prelude::*};

use super::{AssetUrls, BasePath, rejected_page::RETRY};
use crate::{
    presence::{ExistingUsers, Name, PresenceState, RoomName, Since, User},
    text::{
        avatar::{initials, tint_class},
        format::number,
        language::Language,
        strings,
        texts::{ServerText, Text},
    },
};

/// How many avatars it has; further people are only counted.
pub const MOST_FACES: usize = 24;
/// How many people it names in one line.
const MOST_NAMES: usize = 3;

/// The id of the embed's script.
const SCRIPT: &str = "embed-script";
/// After how long the embed is loaded again if its script was not, in seconds.
const RELOAD_DELAY: u32 = 15;

/// What the embed shows.
#[derive(Clone, Debug)]
pub struct EmbedData {
    /// The room.
    pub room: RoomName,
    /// The list: the full count, and the first rows of a long list.
    pub list: ExistingUsers,
    /// How many people in the whole list are away.
    pub away: usize,
    /// What the script sends along from a sandboxed frame, to be allowed to read the answer there.
    pub key: String,
    /// The nonce of the response.
    pub nonce: String,
}

/// The document as text; nothing in it is hydrated.
pub fn embed_document(options: &LeptosOptions, data: EmbedData) -> String {
    document(options, data).to_html()
}

fn document(options: &LeptosOptions, data: EmbedData) -> impl IntoView + use<> {
    let EmbedData { room, list, away, key, nonce } = data;
    let ExistingUsers { epoch, seq, count, users, .. } = list;
    let here = count.saturating_sub(away);
    let base = BasePath::of_context();
    let language = Language::of_context();
    let asset_urls = AssetUrls::of(options);
    let script = asset_urls.script_of_this_build("embed.js");
    let address = base.room(&room);
    let people = match count {
        0 => nobody(&address).into_any(),
        _ => people(count, users).into_any(),
    };
    view! {
        <!DOCTYPE html>
        <html lang=language.tag() dir=language.direction() class="embed">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <title>{strings::title(here, room.as_str())}</title>
                <meta name="robots" content="noindex" />
                <meta name="color-scheme" content="light dark" />
                <noscript>
                    <meta http-equiv="refresh" content="30" />
                </noscript>
                <link rel="icon" href=base.below("/favicon.svg") type="image/svg+xml" />
                {reload_without_script(nonce)}
                <link rel="stylesheet" href=asset_urls.style />
                <script type="module" id=SCRIPT src=script></script>
            </head>
            <body>
                <main
                    data-room=room.to_string()
                    data-at=Since { epoch, seq }.to_string()
                    data-key=key
                    data-count=count.to_string()
                >
                    <div class="summary">
                        <p class="count">
                            <span class="number" data-testid="count" translate="no">
                                {number(here)}
                            </span>
                            " "
                            <span class="unit">{Text::HereNow.form(here)}</span>
                            <span class="unit">{strings::and_away(away)}</span>
                        </p>
                        <h1 translate="no">
                            <a href=address target="_blank" rel="noopener">
                                {room.to_string()}
                            </a>
                        </h1>
                    </div>
                    {people}
                    <p class="old">
                        {ServerText::NotLive.get()} <span class="reason">{Text::ConnectionLost.get()}</span>
                    </p>
                    <p class="frozen">{ServerText::NotLiveWithoutScripts.get()}</p>
                </main>
            </body>
        </html>
    }
}

/// The server may have rejected the request for the script alone.
fn reload_without_script(nonce: String) -> impl IntoView {
    let script = format!(
        "{RETRY} addEventListener('error', ({{ target }}) => target.id === '{SCRIPT}' && \
         retryIn({RELOAD_DELAY} * (1 + Math.random())), true);"
    );
    view! { <script nonce=nonce>{script}</script> }
}

/// The faces, and some names in one line. Screen readers read the names of the faces.
fn people(count: usize, users: Vec<User>) -> impl IntoView {
    let names: Vec<Name> = users.iter().take(MOST_NAMES).map(|user| user.name.clone()).collect();
    let faces = users.into_iter().take(MOST_FACES).map(face).collect_view();
    view! {
        <ul class="faces" role="list" aria-label=ServerText::WhoIsHere.get()>
            {faces}
        </ul>
        <p class="names" aria-hidden="true">
            {names_line(count, names)}
        </p>
    }
}

/// "Ana, Ben, Chloé and 10 more".
fn names_line(count: usize, names: Vec<Name>) -> Vec<AnyView> {
    let more = count.saturating_sub(names.len());
    let last = names.len().saturating_sub(1);
    let mut parts = Vec::new();
    for (index, name) in names.into_iter().enumerate() {
        let separator =
            if index == last && more == 0 { ServerText::And.get() } else { Text::Comma.get() };
        if index > 0 {
            parts.push(view! { <span>{separator}</span> }.into_any());
        }
        parts.push(view! { <bdi translate="no">{name.to_string()}</bdi> }.into_any());
    }
    if more > 0 {
        parts.push(view! { <span>" "{Text::AndMore.count(more)}</span> }.into_any());
    }
    parts
}

fn nobody(address: &str) -> impl IntoView + use<> {
    view! {
        <p class="nobody">
            {ServerText::NobodyHereYet.get()} " · " <a href=address.to_owned() target="_blank" rel="noopener">
                {Text::Join.get()}
            </a>
        </p>
    }
}

/// One person: a visible avatar, with the name for screen readers, and with name and state as a tooltip.
fn face(user: User) -> impl IntoView {
    let User { id, name, state, .. } = user;
    let words = match state {
        PresenceState::Here => None,
        PresenceState::Away => Some([Text::Comma.get(), Text::Away.get()].concat()),
        PresenceState::Reconnecting => Some([Text::Comma.get(), Text::Reconnecting.get()].concat()),
    };
    let title = [name.as_str(), words.as_deref().unwrap_or_default()].concat();
    view! {
        <li class="face" data-state=state.as_str() title=title translate="no">
            <span class=tint_class(&id) aria-hidden="true">
                {initials(name.as_str())}
            </span>
            <span class="only-heard">
                <bdi>{name.to_string()}</bdi>
                {words}
            </span>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presence::Name;

    fn html(count: usize, names: &[&str]) -> String {
        let user = |(number, name): (usize, &&str)| User {
            id: format!("user-----{number:02}").parse().unwrap(),
            name: Name::parse(name).unwrap(),
            joined: 0,
            state: if number == 0 { PresenceState::Away } else { PresenceState::Here },
        };
        let list = ExistingUsers {
            epoch: "e1".parse().unwrap(),
            seq: 7,
            you: None,
            now: 0,
            count,
            users: names.iter().enumerate().map(user).collect(),
        };
        let options = LeptosOptions::builder().output_name("rollcall").build();
        let [key, nonce] = ["0123abc", "abc"].map(str::to_owned);
        let away = usize::from(count > 0);
        let room = "team-7".parse().unwrap();
        embed_document(&options, EmbedData { room, list, away, key, nonce })
    }

    #[test]
    fn the_embed_shows_how_many_are_here_and_who() {
        let html = html(2, &["<b>Ana</b> Sousa", "Bo"]);
        for part in [
            "<title>(1) team-7 · Rollcall</title>",
            r#"data-at="e1.7""#,
            r#"data-room="team-7""#,
            r#"data-key="0123abc""#,
            r#"data-testid="count" translate="no" class="number">1</span>"#,
            r#"<h1 translate="no">"#,
            r#"<bdi translate="no">Bo</bdi>"#,
            " · 1 away",
            r#"title="&lt;b&gt;Ana&lt;/b&gt; Sousa, away""#,
            r#"title="Bo""#,
            "&lt;b&gt;Ana&lt;/b&gt; Sousa",
            "away",
            ">B</span>",
        ] {
            assert!(html.contains(part), "{part} is missing in {html}");
        }
        assert_eq!(html.matches("<li ").count(), 2);
        for part in ["<b>", "more</span>", " style=", ".wasm"] {
            assert!(!html.contains(part), "{part} should not be in {html}");
        }
    }

    #[test]
    fn people_beyond_the_avatars_are_counted() {
        let names = ["Kim"; MOST_FACES + 1];
        let html = html(1_030, &names);
        assert_eq!(html.matches("<li ").count(), MOST_FACES);
        assert!(html.contains("1,029") && html.contains("and 1,027 more"), "{html}");
    }

    #[test]
    fn the_names_are_one_phrase() {
        let phrase = |count, names: &[&str]| {
            let html = html(count, names);
            let line = html.split(r#"<p aria-hidden="true" class="names">"#).nth(1).unwrap();
            let line = line.split("</p>").next().unwrap();
            ["<span>", "</span>", "<bdi translate=\"no\">", "</bdi>", "<!>"]
                .iter()
                .fold(line.to_owned(), |line, tag| line.replace(tag, ""))
        };
        let names = ["Ana", "Ben", "Chloé", "Di"];
        assert_eq!(phrase(1, &names[..1]), "Ana");
        assert_eq!(phrase(2, &names[..2]), "Ana and Ben");
        assert_eq!(phrase(3, &names[..3]), "Ana, Ben and Chloé");
        assert_eq!(phrase(4, &names), "Ana, Ben, Chloé and 1 more");
        assert_eq!(phrase(13, &names), "Ana, Ben, Chloé and 10 more");
    }

    #[test]
    fn an_empty_room_has_a_link_to_join_instead_of_a_list() {
        let html = html(0, &[]);
        assert!(html.contains(">0</span>") && !html.contains("<ul"), "{html}");
        assert!(html.contains("Nobody here yet") && html.contains(">Join</a>"), "{html}");
    }
}
