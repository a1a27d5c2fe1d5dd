//! What a host of a room can do, in the sidebar of the room's page. `host.js` does it, and says what came of it.

use leptos::prelude::*;

use super::{BasePath, copy_button::copy_button};
use crate::{
    presence::RoomName,
    state::HostPanel,
    text::texts::{ServerText, Text},
};

/// The id of the panel.
pub(crate) const HOST_PANEL: &str = "host-panel";

/// The panel. Its texts are attributes, from which the script takes them.
pub(crate) fn host_panel(room: &RoomName, host: &HostPanel) -> impl IntoView + use<> {
    let base = BasePath::of_context();
    let actions = [&*base.room(room), "/host"].concat();
    let people = base.below(&format!("/api/rooms/{room}/users"));
    let to_the_room = [
        Action {
            name: "clear",
            label: ServerText::ClearTheRoom,
            question: Some(ServerText::ClearQuestion),
            done: ServerText::RoomWasCleared,
            is_hidden: false,
        },
        Action {
            name: "close",
            label: ServerText::CloseTheRoom,
            question: Some(ServerText::CloseQuestion),
            done: ServerText::RoomIsClosed,
            is_hidden: host.is_closed,
        },
        Action {
            name: "open",
            label: ServerText::OpenTheRoomAgain,
            question: None,
            done: ServerText::RoomIsOpen,
            is_hidden: !host.is_closed,
        },
    ];
    let state = if host.is_closed { ServerText::RoomIsClosed.get() } else { "" };
    view! {
        <details id=HOST_PANEL class="host" open data-actions=actions data-unreachable=ServerText::ServerCannotBeReached.get()>
            <summary>{ServerText::Host.get()}</summary>
            <p class="hint">{ServerText::OnlyHostsSeeThis.get()}</p>
            <div class="host-actions">
                {copy_button(ServerText::CopyHostLink, host.link.clone(), None)}
                <button type="button" data-people=people disabled>
                    {ServerText::RemoveSomebody.get()}
                </button>
                {to_the_room.map(Action::button)}
            </div>
            <p role="status">{state}</p>
            <dialog class="host-people" aria-labelledby="host-people">
                <form method="dialog">
                    <h2 id="host-people">{ServerText::RemoveSomebody.get()}</h2>
                    <label for="host-find">{ServerText::FindAName.get()}</label>
                    <input id="host-find" type="search" autocomplete="off" />
                    <ul
                        role="list"
                        data-action="remove"
                        data-question=ServerText::RemoveQuestion.get()
                        data-confirm=ServerText::Remove.get()
                        data-done=ServerText::PersonWasRemoved.get()
                    ></ul>
                    <p class="hint" hidden>
                        {ServerText::NobodyToRemove.get()}
                    </p>
                    <button>{Text::Cancel.get()}</button>
                </form>
            </dialog>
            <dialog class="host-question" aria-labelledby="host-question">
                <form method="dialog">
                    <p id="host-question"></p>
                    <button class="primary" value="confirmed"></button>
                    <button>{Text::Cancel.get()}</button>
                </form>
            </dialog>
        </details>
    }
}

/// What a host can do to the room: its name in the address, the question that comes before it, and what is said then.
struct Action {
    name: &'static str,
    label: ServerText,
    question: Option<ServerText>,
    done: ServerText,
    is_hidden: bool,
}

impl Action {
    fn button(self) -> impl IntoView {
        view! {
            <button
                type="button"
                data-action=self.name
                data-question=self.question.map(ServerText::get)
                data-done=self.done.get()
                hidden=self.is_hidden
                disabled
            >
                {self.label.get()}
            </button>
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(is_closed: bool) -> String {
        let room = "team-7".parse().unwrap();
        let host = HostPanel { link: "https://a.test/r/team-7#host=00ff".into(), is_closed };
        Owner::new().with(|| {
            provide_context::<BasePath>("/rollcall".parse().unwrap());
            host_panel(&room, &host).to_html()
        })
    }

    #[test]
    fn panel_has_its_addresses_below_the_base_path() {
        let html = html(false);
        for part in [
            r#"data-actions="/rollcall/r/team-7/host""#,
            r#"data-people="/rollcall/api/rooms/team-7/users""#,
            r#"data-text="https://a.test/r/team-7#host=00ff""#,
        ] {
            assert!(html.contains(part), "{part} is missing in {html}");
        }
        assert!(!html.contains(" style="), "{html}");
    }

    #[test]
    fn closed_room_can_only_be_opened() {
        let button = |html: &str, action: &str| {
            let start = html.find(&format!(r#"data-action="{action}""#)).unwrap();
            html[start..].split('>').next().unwrap().to_owned()
        };
        for is_closed in [false, true] {
            let html = html(is_closed);
            assert_eq!(button(&html, "close").contains("hidden"), is_closed, "{html}");
            assert_eq!(button(&html, "open").contains("hidden"), !is_closed, "{html}");
            assert_eq!(
                html.contains(r#"<p role="status">The room is closed."#),
                is_closed,
                "{html}"
            );
        }
    }
}
