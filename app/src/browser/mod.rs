//! What only the browser does: hydration, the connection, storage and page events.

mod announcer;
mod connection;
mod document_state;
mod event_source;
mod focus_restore;
mod list_renderer;
mod page_lifecycle;
mod random;
mod renderer;
mod server_clock;
mod storage;
mod switch_person;
mod tab_id;
mod websocket;

use std::{cell::RefCell, rc::Rc};

use gloo_timers::callback::Timeout;
use leptos::{mount::hydrate_from, prelude::*, wasm_bindgen::JsCast, web_sys::HtmlElement};

use self::{connection::Connection, list_renderer::initial_rows};
use crate::{
    client::{Replica, codec::json::from_str},
    list::sort_filter::ListOptions,
    presence::RoomName,
    state::{RoomPage, command::Command, page_state::PageState},
    text::texts::set_texts,
    view::{
        member_list::member_list,
        page::{page, sidebar},
        reactive::effect,
    },
};

/// Hydrates the page that the server rendered, part by part, and then connects to the server.
///
/// `start.js` calls the methods in their order, each in a task of its own, so that scrolling and typing
/// never wait for all of it, and verifies each part right before.
#[expect(missing_debug_implementations, reason = "its text would be a part of every first visit")]
pub struct Hydration {
    /// The state's signals live as long as the page.
    owner: Owner,
    page_state: PageState,
    room: RoomName,
    replica: RefCell<Replica>,
}

impl Hydration {
    /// Creates the page's state from the data that the server sent with it; none if the data is damaged.
    ///
    /// `texts` has a line for each text of the page.
    pub fn new(data: &str, texts: &str) -> Option<Self> {
        set_texts(texts);
        let RoomPage { room, list, away } = from_str(data).ok()?;
        let owner = Owner::new();
        let wall = document_state::is_kiosk().then_some(0);
        let options = ListOptions { wall, ..ListOptions::default() };
        let (page_state, replica) =
            owner.with(|| PageState::of_first_html(list, away, options, initial_rows));
        Some(Self { owner, page_state, room, replica: RefCell::new(replica) })
    }

    /// Hydrates the sidebar.
    pub fn sidebar(&self) {
        hydrate_element(".sidebar", sidebar);
    }

    /// Hydrates everything but the sidebar and the list.
    pub fn main(&self) {
        let page_state = self.page_state;
        hydrate_element("main", move || page(page_state));
    }

    /// Hydrates the list.
    pub fn list(&self) {
        let page_state = self.page_state;
        hydrate_element(".list-panel", move || member_list(page_state));
    }

    /// Makes the hydrated page interactive.
    pub fn connect(&self) {
        self.owner.with(|| connect(self.page_state, &self.room, self.replica.take()));
    }

    /// How many rows are in the page, as far as it was left as it was rendered.
    pub fn rows(&self) -> usize {
        self.page_state.people.with_untracked(|people| people.ids.len())
    }

    /// The number of people here that the page shows.
    pub fn count(&self) -> usize {
        untrack(|| self.page_state.here())
    }

    /// The number of rows of the list, in the page or beyond it.
    pub fn listed(&self) -> usize {
        self.page_state.people.with_untracked(|people| people.count)
    }

    /// Turns a wall's page: so many of those who follow the newest were shown.
    pub fn turn_wall(&self, shown: usize) {
        self.page_state.ui.update(|ui| ui.options.wall = Some(shown));
        self.page_state.ask(Command::Rearrange);
    }
}

/// Hydrates the content of the first element that matches the selector.
fn hydrate_element<V: IntoView>(selector: &str, view: impl FnOnce() -> V + 'static) {
    let element = document().query_selector(selector).ok().flatten();
    if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        hydrate_from(element, view).forget();
    }
}

/// Does something in a task of its own; at once in a hidden page, whose timers are throttled.
fn yield_to_main(act: impl FnOnce() + 'static) {
    if document().hidden() {
        act();
    } else {
        Timeout::new(0, act).forget();
    }
}

/// Starts the connection and the page's event handlers.
fn connect(page_state: PageState, room: &RoomName, replica: Replica) {
    let connection = Connection::new(page_state, room.clone(), replica);
    dispatch(page_state, connection.clone(), room.clone());
    document_state::bind(page_state, room.clone());
    page_state.ui.update(|ui| {
        ui.is_interactive = true;
        ui.remembered_name = storage::remembered_name();
        ui.is_muted = storage::is_muted();
    });
    page_lifecycle::start(connection);
}

/// Carries out the visitor's commands.
fn dispatch(page_state: PageState, connection: Rc<Connection>, room: RoomName) {
    effect(move || match page_state.command.get() {
        Some(Command::Intent(intent)) => connection.request(intent),
        Some(Command::CheckName(typed)) => connection.check_name(&typed),
        Some(Command::ReconnectNow) => connection.reconnect_now(),
        Some(Command::Dismiss) => page_state.ui.update(|ui| ui.has_missed_something = false),
        Some(Command::Rearrange) => connection.rearrange(),
        Some(Command::Mute) => {
            page_state.ui.update(|ui| ui.is_muted = !ui.is_muted);
            storage::set_muted(page_state.ui.with_untracked(|ui| ui.is_muted));
        }
        Some(Command::SwitchPerson) => switch_person::switch_person(&room),
        None => {}
    });
}
