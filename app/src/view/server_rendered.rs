//! What only the server draws of a room's page; in the browser it is left as it came.
//!
//! So it costs the browser's part of the page nothing: there these are elements without content, which
//! hydration steps over. What has to change in them is fetched from the server again.

use leptos::prelude::*;

#[cfg(feature = "ssr")]
use crate::text::strings;

/// What puts the address of the room on the clipboard; a script of its own does.
#[cfg(feature = "ssr")]
pub(crate) fn copy_button() -> impl IntoView {
    view! {
        <button
            type="button"
            class="copy"
            data-copied=strings::LINK_COPIED
            data-failed=strings::COPY_IT_YOURSELF
            disabled
        >
            {strings::COPY_LINK}
        </button>
    }
}

/// What puts the address of the room on the clipboard; a script of its own does.
#[cfg(not(feature = "ssr"))]
pub(crate) fn copy_button() -> impl IntoView {
    view! { <button></button> }
}

/// How the room can be shown to others: its code, its address.
#[cfg(feature = "ssr")]
pub(crate) fn invitation() -> impl IntoView {
    view! { <div class="invitation" inner_html=drawn::html(drawn::invitation)></div> }
}

/// How the room can be shown to others: its code, its address.
#[cfg(not(feature = "ssr"))]
pub(crate) fn invitation() -> impl IntoView {
    view! { <div class="invitation"></div> }
}

/// What stands beside the list: the last hour, and the list to take away.
#[cfg(feature = "ssr")]
pub(crate) fn aside() -> impl IntoView {
    view! { <div class="margin" inner_html=drawn::html(drawn::aside)></div> }
}

/// What stands beside the list: the last hour, and the list to take away.
#[cfg(not(feature = "ssr"))]
pub(crate) fn aside() -> impl IntoView {
    view! { <div class="margin"></div> }
}

#[cfg(feature = "ssr")]
mod drawn {
    use leptos::prelude::*;

    use crate::{
        ssr::hour_chart::picture_of_the_past_hour,
        state::server_data::{DisplayMode, ServerRendered},
        text::strings,
    };

    /// What is drawn from the page's context, as text; nothing without one.
    pub(super) fn html<V: IntoView>(draw: impl FnOnce(&ServerRendered) -> V) -> String {
        use_context::<ServerRendered>().map(|drawn| draw(&drawn).to_html()).unwrap_or_default()
    }

    pub(super) fn invitation(drawn: &ServerRendered) -> impl IntoView + use<> {
        let wall = format!("/r/{}?wall", drawn.room);
        view! {
            {code(drawn)}
            <p class="address">{drawn.address.clone()}</p>
            <p class="hint">
                {strings::SCAN_IT}" "
                <a href=wall target="_blank">
                    {strings::SHOW_ON_THE_WALL}
                </a>
            </p>
        }
    }

    pub(super) fn aside(drawn: &ServerRendered) -> impl IntoView + use<> {
        let ServerRendered { room, counts, mode, .. } = drawn;
        let picture = view! {
            <figure
                class="past-hour"
                data-testid="past-hour"
                data-source=format!("/r/{room}/past-hour")
                inner_html=picture_of_the_past_hour(counts)
            ></figure>
        };
        let rest = match mode {
            DisplayMode::Page => {
                let roll = |kind: &str| format!("/api/rooms/{room}/roll.{kind}");
                view! {
                    <p class="roll">
                        {strings::TAKE_THE_ROLL} " " <a href=roll("txt") download>
                            {strings::AS_TEXT}
                        </a> " " <a href=roll("csv") download>
                            {strings::AS_TABLE}
                        </a> " "
                        <button
                            type="button"
                            data-source=roll("txt")
                            data-copied=strings::ROLL_COPIED
                            data-failed=strings::ROLL_NOT_COPIED
                            disabled
                        >
                            {strings::COPY_ROLL}
                        </button> " " <span role="status"></span>
                    </p>
                }
                .into_any()
            }
            DisplayMode::Kiosk => view! {
                <div class="way-in">
                    <p class="scan">{strings::SCAN_TO_JOIN}</p>
                    {code(drawn)} <p class="address">{drawn.address.clone()}</p>
                </div>
            }
            .into_any(),
        };
        view! {
            {picture}
            {rest}
        }
    }

    /// The code is not fetched before it is seen: most visitors never open the panel that it is in.
    fn code(drawn: &ServerRendered) -> impl IntoView + use<> {
        view! {
            <img
                class="code"
                src=format!("/r/{}/qr.svg", drawn.room)
                alt=strings::CODE_OF_THE_ADDRESS
                width="240"
                height="240"
                loading="lazy"
            />
        }
    }
}

#[cfg(test)]
#[cfg(feature = "ssr")]
mod tests {
    use super::*;
    use crate::state::server_data::{DisplayMode, ServerRendered};

    fn drawn(mode: DisplayMode) -> ServerRendered {
        ServerRendered {
            room: "team-7".parse().unwrap(),
            address: "https://rollcall.example/r/team-7".into(),
            counts: vec![1, 2, 4],
            mode,
        }
    }

    fn html(mode: Option<DisplayMode>) -> String {
        Owner::new().with(|| {
            if let Some(mode) = mode {
                provide_context(drawn(mode));
            }
            [invitation().to_html(), aside().to_html()].concat()
        })
    }

    #[test]
    fn a_visitor_can_invite_others_see_the_last_hour_and_take_the_roll() {
        let html = html(Some(DisplayMode::Page));
        for part in [
            r#"src="/r/team-7/qr.svg""#,
            "https://rollcall.example/r/team-7",
            r#"href="/r/team-7?wall""#,
            "1 to 4 people in the last 3 min",
            r#"href="/api/rooms/team-7/roll.csv""#,
            r#"href="/api/rooms/team-7/roll.txt""#,
        ] {
            assert!(html.contains(part), "{part} is missing in {html}");
        }
        assert!(!html.contains(" style="), "{html}");
    }

    #[test]
    fn a_wall_only_shows() {
        let html = Owner::new().with(|| {
            provide_context(drawn(DisplayMode::Kiosk));
            aside().to_html()
        });
        assert!(html.contains("qr.svg") && html.contains("past-hour"), "{html}");
        assert!(!html.contains("<a ") && !html.contains("<button"), "{html}");
    }

    #[test]
    fn without_the_servers_knowledge_there_is_nothing() {
        let html = html(None);
        assert_eq!(html, r#"<div class="invitation"></div><div class="margin"></div>"#);
    }
}
