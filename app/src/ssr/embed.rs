//! The view of a room for a frame on another site: how many people are here, and who.
//!
//! Only the server renders it. Its script fetches it again after each change, and handles no list.

use leptos::{config::LeptosOptions, prelude::*};

use super::{BasePath, document::style_url};
use crate::{
    presence::{ExistingUsers, PresenceState, RoomName, Since, User},
    text::{
        avatar::{initials, tint_class},
        strings,
    },
};

/// How many avatars it shows; further people are only counted.
pub const MOST_FACES: usize = 24;

/// The document as text; nothing in it is hydrated.
pub fn embed_document(options: &LeptosOptions, room: &RoomName, list: ExistingUsers) -> String {
    Owner::new().with(|| document(options, room, list).to_html())
}

fn document(
    options: &LeptosOptions,
    room: &RoomName,
    list: ExistingUsers,
) -> impl IntoView + use<> {
    let ExistingUsers { epoch, seq, count, users, .. } = list;
    let hidden_count = count.saturating_sub(users.len().min(MOST_FACES));
    let base = BasePath::of_context();
    let faces = users.into_iter().take(MOST_FACES).map(face).collect_view();
    view! {
        <!DOCTYPE html>
        <html lang="en" class="embed">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <title>{strings::title(count, room.as_str())}</title>
                <meta name="robots" content="noindex" />
                <meta name="color-scheme" content="light dark" />
                <noscript>
                    <meta http-equiv="refresh" content="30" />
                </noscript>
                <link rel="icon" href=base.below("/favicon.svg") type="image/svg+xml" />
                <link rel="stylesheet" href=style_url(options) />
                <script type="module" src=base.below("/embed.js")></script>
            </head>
            <body>
                <main
                    data-feed=base.below(&format!("/api/rooms/{room}/events"))
                    data-at=Since { epoch, seq }.to_string()
                >
                    <h1>
                        <a href=base.room(room) target="_blank" rel="noopener">
                            {room.to_string()}
                        </a>
                    </h1>
                    <p class="count">
                        <span class="number" data-testid="count">
                            {strings::thousands(count)}
                        </span>
                        " "
                        <span class="unit">{strings::HERE_NOW}</span>
                    </p>
                    {(count > 0)
                        .then(|| {
                            view! {
                                <ul class="faces" role="list" aria-label=strings::WHO_IS_HERE>
                                    {faces}
                                </ul>
                            }
                        })}
                    {(hidden_count > 0)
                        .then(|| view! { <p class="unseen">{strings::and_more(hidden_count)}</p> })}
                    <p class="old">{strings::NOT_LIVE}</p>
                </main>
            </body>
        </html>
    }
}

/// One person: a visible avatar, with the name for screen readers and as a tooltip.
fn face(user: User) -> impl IntoView {
    let User { id, name, state, .. } = user;
    let state_words = match state {
        PresenceState::Here => None,
        PresenceState::Away => Some([", ", strings::AWAY].concat()),
        PresenceState::Reconnecting => Some([", ", strings::RECONNECTING].concat()),
    };
    view! {
        <li class="face" data-state=state.as_str() title=name.to_string()>
            <span class=tint_class(&id) aria-hidden="true">
                {initials(name.as_str())}
            </span>
            <span class="only-heard">
                <bdi>{name.to_string()}</bdi>
                {state_words}
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
        embed_document(&options, &"team-7".parse().unwrap(), list)
    }

    #[test]
    fn the_embed_shows_how_many_are_here_and_who() {
        let html = html(2, &["<b>Ana</b> Sousa", "Bo"]);
        for part in [
            "<title>(2) team-7 · Rollcall</title>",
            r#"data-at="e1.7""#,
            r#"data-feed="/api/rooms/team-7/events""#,
            "&lt;b&gt;Ana&lt;/b&gt; Sousa",
            "away",
            ">B</span>",
        ] {
            assert!(html.contains(part), "{part} is missing in {html}");
        }
        assert_eq!(html.matches("<li ").count(), 2);
        for part in ["<b>", "unseen", " style=", ".wasm"] {
            assert!(!html.contains(part), "{part} should not be in {html}");
        }
    }

    #[test]
    fn people_beyond_the_avatars_are_counted() {
        let names = ["Kim"; MOST_FACES + 1];
        let html = html(1_030, &names);
        assert_eq!(html.matches("<li ").count(), MOST_FACES);
        assert!(html.contains("1,030") && html.contains("and 1,006 more"), "{html}");
    }

    #[test]
    fn an_empty_room_has_no_list() {
        let html = html(0, &[]);
        assert!(html.contains(">0</span>") && !html.contains("<ul"), "{html}");
    }
}
