//! The parts of a room's page that only the server renders.
//!
//! They add nothing to the WASM: in the browser these are empty elements, whose content hydration skips.
//! Small scripts fetch what changes in them from the server.

use leptos::prelude::*;

/// The heading before joining.
#[cfg(feature = "ssr")]
pub(crate) fn join_intro() -> impl IntoView {
    view! { <div class="join-intro" data-part="server" inner_html=rendered::html(rendered::join_intro)></div> }
}

/// The heading before joining.
#[cfg(not(feature = "ssr"))]
pub(crate) fn join_intro() -> impl IntoView {
    view! { <div class="join-intro"></div> }
}

/// What the page's menu offers besides the choices for the list.
#[cfg(feature = "ssr")]
pub(crate) fn menu_links() -> impl IntoView {
    view! { <div class="menu-links" data-part="server" inner_html=rendered::html(rendered::menu_links)></div> }
}

/// What the page's menu offers besides the choices for the list.
#[cfg(not(feature = "ssr"))]
pub(crate) fn menu_links() -> impl IntoView {
    view! { <div class="menu-links"></div> }
}

/// The invitation: the room's QR code and address.
#[cfg(feature = "ssr")]
pub(crate) fn invitation() -> impl IntoView {
    view! { <div class="invitation" data-part="server" inner_html=rendered::html(rendered::invitation)></div> }
}

/// The invitation: the room's QR code and address.
#[cfg(not(feature = "ssr"))]
pub(crate) fn invitation() -> impl IntoView {
    view! { <div class="invitation"></div> }
}

/// Why no socket gets through; `start.js` asks the server for the reason.
#[cfg(feature = "ssr")]
pub(crate) fn why_blocked() -> impl IntoView {
    view! { <p class="aside" id="why-blocked" role="status" data-testid="only-watching" data-part="server"></p> }
}

/// Why no socket gets through; `start.js` asks the server for the reason.
#[cfg(not(feature = "ssr"))]
pub(crate) fn why_blocked() -> impl IntoView {
    view! { <p></p> }
}

/// The chart of the last hour, and the list to export.
#[cfg(feature = "ssr")]
pub(crate) fn aside() -> impl IntoView {
    view! { <div class="extras" data-part="server" inner_html=rendered::html(rendered::aside)></div> }
}

/// The chart of the last hour, and the list to export.
#[cfg(not(feature = "ssr"))]
pub(crate) fn aside() -> impl IntoView {
    view! { <div class="extras"></div> }
}

#[cfg(feature = "ssr")]
mod rendered {
    use leptos::prelude::*;

    use crate::{
        ssr::{
            BasePath,
            copy_button::copy_button,
            host_panel::{HOST_PANEL, host_panel},
            hour_chart::picture_of_the_past_hour,
            new_room::NEW_ROOM,
            roll_sheet::{SHEET, roll_sheet},
        },
        state::server_data::{DisplayMode, ServerRendered},
        text::{language::Language, strings::how_long, texts::ServerText},
        view::activity_log::ACTIVITY,
    };

    /// The flag with which a server on this computer can be reached by others.
    const LAN_FLAG: &str = "--lan";

    /// Renders a part from the [`ServerRendered`] in the context, as text; empty without one.
    pub(super) fn html<V: IntoView>(render: impl FnOnce(&ServerRendered) -> V) -> String {
        use_context::<ServerRendered>()
            .map(|server_data| render(&server_data).to_html())
            .unwrap_or_default()
    }

    pub(super) fn join_intro(server_data: &ServerRendered) -> impl IntoView + use<> {
        let attendance = server_data.keep_attendance.map(|kept_for| {
            let words = ServerText::AttendanceIsKept.fill(&[&how_long(kept_for)]);
            view! { <p class="attendance hint" data-testid="attendance">{words}</p> }
        });
        view! {
            <h2>{ServerText::JoinRoom.fill(&[server_data.room.as_str()])}</h2>
            {attendance}
        }
    }

    pub(super) fn menu_links(server_data: &ServerRendered) -> impl IntoView + use<> {
        let base = BasePath::of_context();
        let chosen = Language::of_context();
        let languages = Language::ALL.into_iter().map(|language| {
            let tag = language.tag();
            let is_chosen = (language == chosen).then_some("true");
            view! {
                <a href=["?lang=", tag].concat() lang=tag hreflang=tag aria-current=is_chosen>
                    {language.own_name()}
                </a>
            }
        });
        let to_host_panel = server_data.host.as_ref().map(|_| {
            let panel = ["#", HOST_PANEL].concat();
            view! {
                <a class="further" href=panel>
                    {ServerText::Host.get()}
                </a>
            }
        });
        view! {
            <button type="button" class="take-the-roll" popovertarget=SHEET>
                {ServerText::Roll.get()}
            </button>
            <a class="further" href=["#", ACTIVITY].concat()>
                {ServerText::Activity.get()}
            </a>
            {to_host_panel}
            <a href=wall(server_data) target="_blank">
                {ServerText::OpenWallScreen.get()}
            </a>
            <a href=base.below(NEW_ROOM) target="_blank">
                {ServerText::NewRoom.get()}
            </a>
            <details>
                <summary>{ServerText::Language.get()}</summary>
                <div class="languages">{languages.collect_view()}</div>
            </details>
        }
    }

    /// The address of the view for a screen on a wall.
    fn wall(server_data: &ServerRendered) -> String {
        let room = BasePath::of_context().room(&server_data.room);
        [&*room, "?wall&lang=", Language::of_context().tag()].concat()
    }

    pub(super) fn invitation(server_data: &ServerRendered) -> impl IntoView + use<> {
        let address = server_data.address.clone();
        let is_local = server_data.is_local().then(|| {
            let words = ServerText::OnlyOnThisComputer.get();
            let (before, after) = words.split_once(LAN_FLAG).unwrap_or((words, ""));
            // A line that ends within the flag would show it as two words.
            let flag = (before != words).then(|| view! { <code class="flag">{LAN_FLAG}</code> });
            view! { <p class="aside">{before} {flag} {after}</p> }
        });
        view! {
            {code(server_data)}
            {is_local}
            <p class="hint">{ServerText::AnyoneCanJoin.get()}</p>
            <div class="field">
                <input readonly dir="ltr" aria-label=ServerText::LinkToThisRoom.get() value=address />
                <button
                    type="button"
                    data-copied=ServerText::Copied.get()
                    data-failed=ServerText::CopyTheAddressInstead.get()
                    disabled
                >
                    {ServerText::Copy.get()}
                </button>
            </div>
            {embed_snippet(server_data)}
            <p class="buttons">
                <button type="button" class="share" hidden>
                    {ServerText::Share.get()}
                </button>
                <a class="button" href=wall(server_data) target="_blank">
                    {ServerText::OpenWallScreen.get()}
                </a>
            </p>
        }
    }

    /// HTML that shows the room on another site.
    fn embed_snippet(server_data: &ServerRendered) -> impl IntoView + use<> {
        let ServerRendered { address, room, .. } = server_data;
        let snippet = format!(
            r#"<iframe src="{address}/embed" title="{room}" width="400" height="160"></iframe>"#
        );
        view! {
            <details class="on-your-site">
                <summary>{ServerText::ShowOnYourSite.get()}</summary>
                <p class="snippet" dir="ltr">
                    <code>{snippet.clone()}</code>
                </p>
                {copy_button(ServerText::Copy, snippet, None)}
            </details>
        }
    }

    pub(super) fn aside(server_data: &ServerRendered) -> impl IntoView + use<> {
        let ServerRendered { room, counts, maximum, mode, .. } = server_data;
        let base = BasePath::of_context();
        let language = Language::of_context().tag();
        let picture = view! {
            <figure
                class="past-hour"
                data-testid="past-hour"
                data-source=[&*base.room(room), "/past-hour?lang=", language].concat()
                inner_html=picture_of_the_past_hour(counts, *maximum)
            ></figure>
        };
        let rest = match mode {
            DisplayMode::Page => {
                let partly_printed = ServerText::PartlyPrinted.get();
                let (before, after) =
                    partly_printed.split_once("{0}").unwrap_or((partly_printed, ""));
                view! {
                    {roll_sheet(room)}
                    <p class="on-paper">
                        {before} <span class="printed"></span> {after}
                    </p>
                }
                .into_any()
            }
            DisplayMode::Kiosk => view! {
                <div class="way-in">
                    <p class="scan">{ServerText::ScanToJoin.get()}</p>
                    {code(server_data)} <p class="address">{server_data.address.clone()}</p>
                </div>
            }
            .into_any(),
        };
        view! {
            {server_data.host.as_ref().map(|host| host_panel(room, host))}
            {picture}
            {rest}
        }
    }

    /// The QR code, loaded lazily: most visitors never open the popover that has it.
    fn code(server_data: &ServerRendered) -> impl IntoView + use<> {
        view! {
            <img
                class="code"
                src=[&*BasePath::of_context().room(&server_data.room), "/qr.svg"].concat()
                alt=ServerText::QrCodeOfTheAddress.get()
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
    use crate::state::server_data::{DisplayMode, HostPanel, ServerRendered};

    fn server_data(mode: DisplayMode) -> ServerRendered {
        ServerRendered {
            room: "team-7".parse().unwrap(),
            address: "https://rollcall.example/r/team-7".into(),
            counts: vec![1, 2, 4],
            maximum: 5,
            activity: Vec::new(),
            mode,
            has_cookie: true,
            host: None,
            keep_attendance: None,
        }
    }

    fn html(mode: Option<DisplayMode>) -> String {
        Owner::new().with(|| {
            if let Some(mode) = mode {
                provide_context(server_data(mode));
            }
            [invitation().to_html(), menu_links().to_html(), aside().to_html()].concat()
        })
    }

    #[test]
    fn a_visitor_gets_the_invitation_the_chart_and_the_export() {
        let html = html(Some(DisplayMode::Page));
        for part in [
            r#"src="/r/team-7/qr.svg""#,
            "https://rollcall.example/r/team-7",
            r#"href="/r/team-7?wall&amp;lang=en""#,
            "Last 3 min: up to 5 people at once, now 4",
            r#"href="/api/rooms/team-7/roll.csv""#,
            r#"href="/api/rooms/team-7/roll.txt""#,
            r#"href="/api/rooms/team-7/roll.xlsx""#,
            r#"href="/r/team-7/print?lang=en""#,
        ] {
            assert!(html.contains(part), "{part} is missing in {html}");
        }
        assert!(!html.contains(" style="), "{html}");
    }

    #[test]
    fn only_a_host_gets_the_hosts_panel() {
        let host = HostPanel { link: "https://a.test/r/team-7#host=00".into(), is_closed: false };
        for (host, is_shown) in [(None, false), (Some(host), true)] {
            let html = Owner::new().with(|| {
                provide_context(ServerRendered { host, ..server_data(DisplayMode::Page) });
                aside().to_html()
            });
            assert_eq!(html.contains(r#"class="host""#), is_shown, "{html}");
        }
    }

    #[test]
    fn visitor_reads_for_how_long_attendance_is_kept() {
        let intro = |keep_attendance| {
            Owner::new().with(|| {
                let data = server_data(DisplayMode::Page);
                provide_context(ServerRendered { keep_attendance, ..data });
                join_intro().to_html()
            })
        };
        let kept = intro(Some(std::time::Duration::from_hours(12)));
        assert!(kept.contains(">Attendance is kept for 12 h after you leave.</p>"), "{kept}");
        assert!(!intro(None).contains("attendance"), "{}", intro(None));
    }

    #[test]
    fn kiosk_mode_has_no_controls() {
        let html = Owner::new().with(|| {
            provide_context(server_data(DisplayMode::Kiosk));
            aside().to_html()
        });
        assert!(html.contains("qr.svg") && html.contains("past-hour"), "{html}");
        assert!(!html.contains("<a ") && !html.contains("<button"), "{html}");
    }

    #[test]
    fn without_server_data_the_parts_are_empty() {
        let html = html(None);
        assert_eq!(
            html,
            r#"<div data-part="server" class="invitation"></div><div data-part="server" class="menu-links"></div><div data-part="server" class="extras"></div>"#
        );
    }
}
