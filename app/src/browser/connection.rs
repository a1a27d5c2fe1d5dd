//! The connection to the server: a WebSocket that is reopened when it ends, with the feed as fallback.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use gloo_timers::callback::{Interval, Timeout};
use leptos::prelude::*;

use super::{
    document_state::{is_kiosk, set_blocked, set_build},
    event_source::{Feed, FeedEvent},
    random::random_number,
    renderer::{Renderer, is_offline},
    storage,
    tab_id::Tab,
    websocket::{Socket, SocketEvent, address_of},
};
use crate::{
    client::{
        Replica,
        codec::frames::{read_build, read_frame},
        intent::Intent,
        removal::RemovalNote,
        session::{Environment, Outcome, Session},
    },
    presence::{ClientEvent, CloseCode, RoomName, ServerEvent},
    state::{connection_status::ConnectionStatus, page_state::PageState},
};

/// How long an attempt may take until its first frame, in milliseconds.
const CONNECT_TIMEOUT: u64 = 6_000;
/// How long the server may be silent, in milliseconds: it sends a beat every 10 s.
const IDLE_TIMEOUT: u64 = 15_000;
/// After how many failed attempts in a row the feed is opened.
const FALLBACK_AFTER_ATTEMPTS: u32 = 3;
/// How often the timeouts are checked, in milliseconds.
const TICK_INTERVAL: u32 = 1_000;

/// Keeps a socket to the room open, and the page's state in step with the room.
pub(super) struct Connection {
    renderer: Renderer,
    room: RoomName,
    tab: Tab,
    session: RefCell<Session>,
    socket: RefCell<Option<Socket>>,
    /// There is no socket; `reconnect_timer` opens the next one.
    is_backing_off: Cell<bool>,
    reconnect_timer: RefCell<Option<Timeout>>,
    /// When the last frame came or the socket was opened, in milliseconds on the server's clock.
    last_received_at: Cell<u64>,
    /// How long after that the socket counts as dead, in milliseconds.
    receive_timeout: Cell<u64>,
    /// Attempts in a row without a frame.
    failed_attempts: Cell<u32>,
    feed: RefCell<Option<Feed>>,
    /// When the feed last sent an event; set only while its list is live.
    feed_last_received_at: Cell<Option<u64>>,
    /// When the feed was opened, or when the browser last began to reopen it.
    feed_opened_at: Cell<u64>,
    /// The page is prerendered, frozen or being unloaded: nothing is sent or opened.
    is_suspended: Cell<bool>,
    tick_interval: RefCell<Option<Interval>>,
    /// Renders the changes that the throttle held back.
    render_timer: RefCell<Option<Timeout>>,
    /// The next animation frame updates the viewport.
    is_viewport_update_due: Cell<bool>,
}

impl Connection {
    /// A connection that is not open yet, with the list that came with the page.
    pub(super) fn new(page_state: PageState, room: RoomName, replica: Replica) -> Rc<Self> {
        let connection = Rc::new(Self {
            renderer: Renderer::new(page_state, room.clone()),
            room,
            tab: Tab::claim(),
            session: RefCell::new(Session::new(replica)),
            socket: RefCell::default(),
            is_backing_off: Cell::new(true),
            reconnect_timer: RefCell::default(),
            last_received_at: Cell::default(),
            receive_timeout: Cell::default(),
            failed_attempts: Cell::default(),
            feed: RefCell::default(),
            feed_last_received_at: Cell::default(),
            feed_opened_at: Cell::default(),
            is_suspended: Cell::new(true),
            tick_interval: RefCell::default(),
            render_timer: RefCell::default(),
            is_viewport_update_due: Cell::default(),
        });
        let this = Rc::clone(&connection);
        connection.tick_interval.replace(Some(Interval::new(TICK_INTERVAL, move || this.tick())));
        connection
    }

    /// The page is shown: from now on it has a socket.
    pub(super) fn resume(self: &Rc<Self>) {
        if self.is_suspended.replace(false) {
            Tab::reclaim();
            self.open();
        }
    }

    /// The page is hidden for good or put into the back/forward cache (`is_kept`); browsers keep only
    /// pages without open connections.
    pub(super) fn suspend(self: &Rc<Self>, is_kept: bool) {
        self.is_suspended.set(true);
        self.tab.release();
        self.reconnect_timer.take();
        if !is_kept {
            // The browser closes the socket itself, with 1001 (going away).
            return;
        }
        self.feed.take();
        self.on_feed_broken();
        self.socket.take();
        self.is_backing_off.set(true);
        self.session.borrow_mut().closed(self.session_now(), 0);
        if self.renderer.connection() != ConnectionStatus::Starting {
            self.renderer.lost(self.renderer.now(), None);
        }
    }

    /// The page was hidden or shown, or another tab of this person left or joined.
    pub(super) fn sync_environment(self: &Rc<Self>) {
        if self.is_suspended.get() {
            return;
        }
        self.supersede_removal();
        let events = self.session.borrow_mut().sync_environment(&self.environment());
        self.send(events);
        if !document().hidden() {
            self.check_liveness();
            if self.is_backing_off.get() {
                self.open();
            }
        }
    }

    /// The visitor joins, renames themselves or leaves.
    pub(super) fn request(&self, intent: Intent) {
        let note = match intent {
            Intent::Leave => Some(RemovalNote::Left),
            Intent::Join(_) | Intent::Rename(_) => {
                storage::removal_note(&self.room).and_then(RemovalNote::superseded)
            }
        };
        storage::set_removal_note(&self.room, note.as_ref());
        self.renderer.clear_departure_notice();
        let event = self.session.borrow_mut().request(intent, &self.environment());
        self.send(event);
    }

    /// Shows whether somebody else in the list has the name that is being typed.
    pub(super) fn check_name(&self, typed: &str) {
        self.renderer.check_name(self.session.borrow().replica(), typed);
    }

    /// Applies the visitor's list options: one frame to sort and filter, the next for the rows.
    pub(super) fn rearrange(self: &Rc<Self>) {
        self.renderer.arrange(self.session.borrow().replica());
        self.schedule_viewport_update();
    }

    /// Renders the visible rows in the next animation frame, and more in each frame after it until all
    /// of them are rendered.
    pub(super) fn schedule_viewport_update(self: &Rc<Self>) {
        if !self.is_viewport_update_due.replace(true) {
            let this = Rc::clone(self);
            request_animation_frame(move || {
                this.is_viewport_update_due.set(false);
                if this.renderer.update_viewport(this.session.borrow().replica()) {
                    this.schedule_viewport_update();
                }
            });
        }
    }

    /// The visitor pressed "Retry now", or the browser is online again.
    pub(super) fn reconnect_now(self: &Rc<Self>) {
        // An old socket may still be open, but waiting for it to prove itself takes longer than a new one.
        if !self.is_suspended.get()
            && matches!(self.renderer.connection(), ConnectionStatus::Lost(_))
        {
            self.open();
        }
    }

    /// The browser went offline. A socket may survive that, but the list is not known to be live.
    pub(super) fn on_offline(self: &Rc<Self>) {
        let try_at = match self.renderer.connection() {
            ConnectionStatus::Starting => return,
            ConnectionStatus::Lost(loss) => loss.try_at,
            _ => None,
        };
        self.renderer.lost(self.renderer.now(), try_at);
    }

    /// Opens a socket, replacing the current one.
    fn open(self: &Rc<Self>) {
        let now = self.renderer.now();
        self.reconnect_timer.take();
        self.is_backing_off.set(false);
        self.last_received_at.set(now);
        self.receive_timeout.set(CONNECT_TIMEOUT);
        if let ConnectionStatus::Lost(_) = self.renderer.connection() {
            self.renderer.lost(now, Some(now));
        }
        // The old socket is dropped first, so that its events can't reach the new session state.
        if self.socket.take().is_some() {
            self.session.borrow_mut().closed(self.session_now(), 0);
        }
        let this = Rc::clone(self);
        let socket =
            Socket::open(&address_of(&self.room), move |event| this.on_socket_event(event));
        if socket.is_none() {
            self.on_disconnect(now);
        }
        self.socket.replace(socket);
    }

    fn on_socket_event(self: &Rc<Self>, event: SocketEvent) {
        match event {
            SocketEvent::Opened => {
                self.last_received_at.set(self.renderer.now());
                // Only one source may update the list.
                self.feed.take();
                self.feed_last_received_at.take();
                let first = self.session.borrow_mut().opened(&self.environment());
                self.send([first]);
            }
            SocketEvent::Frame(text) => {
                if let Some(event) = read(&text) {
                    self.receive(event);
                }
            }
            SocketEvent::Closed(code) => {
                if code == CloseCode::Replaced.number() {
                    // Another page has the same tab id: this one is its duplicate.
                    self.tab.regenerate();
                }
                // Without a close frame the list is only known to be right until the last frame.
                let is_broken = code == CloseCode::Abnormal.number();
                self.on_disconnect(if is_broken {
                    self.last_received_at.get()
                } else {
                    self.renderer.now()
                });
            }
        }
    }

    fn receive(self: &Rc<Self>, event: ServerEvent) {
        self.renderer.read_clock(&event);
        self.last_received_at.set(self.renderer.now());
        self.receive_timeout.set(IDLE_TIMEOUT);
        // A socket that only gets refusals has no list.
        if !matches!(event, ServerEvent::Refused(_)) {
            self.failed_attempts.set(0);
            set_blocked(false);
        }
        let as_of = as_of(&event);
        let outcome = self.session.borrow_mut().receive(event, &self.environment());
        let is_live = outcome.is_live;
        self.apply_outcome(outcome, ConnectionStatus::Live, as_of);
        if is_live {
            self.supersede_removal();
        }
    }

    /// Marks a noted removal as superseded once the list shows that this person joined again since.
    ///
    /// Another tab may learn of the removal late, even in a list with a new epoch.
    fn supersede_removal(&self) {
        if let Some(RemovalNote::Removed(end)) = storage::removal_note(&self.room)
            && self.session.borrow().has_joined_since(&end)
        {
            storage::set_removal_note(&self.room, Some(&RemovalNote::Superseded(end)));
            let events = self.session.borrow_mut().sync_environment(&self.environment());
            self.send(events);
        }
    }

    /// Shows the outcome of a frame of the socket or the feed, and sends the replies. With `as_of` the list is old,
    /// although it is what the server has.
    fn apply_outcome(
        self: &Rc<Self>,
        mut outcome: Outcome,
        connection: ConnectionStatus,
        as_of: Option<u64>,
    ) {
        let replies = std::mem::take(&mut outcome.replies);
        outcome.is_live &= as_of.is_none();
        self.renderer.show(self.session.borrow().replica(), outcome, connection);
        if let Some(as_of) = as_of {
            self.renderer.lost(as_of, None);
        }
        if self.renderer.needs_render() && self.render_timer.borrow().is_none() {
            let this = Rc::clone(self);
            let wait = u32::try_from(self.renderer.render_interval()).unwrap_or(u32::MAX);
            self.render_timer.replace(Some(Timeout::new(wait, move || {
                this.render_timer.take();
                this.renderer.render(this.session.borrow().replica());
                this.schedule_viewport_update();
            })));
        }
        self.schedule_viewport_update();
        self.send(replies);
    }

    fn send(&self, events: impl IntoIterator<Item = ClientEvent>) {
        if let Some(socket) = &*self.socket.borrow() {
            for event in events {
                socket.send(&event);
            }
        }
    }

    /// The socket ended, never opened or timed out; `list_as_of` is when the list was last right.
    fn on_disconnect(self: &Rc<Self>, list_as_of: u64) {
        self.socket.take();
        self.is_backing_off.set(true);
        let delay = self.session.borrow_mut().closed(self.session_now(), random_number());
        let milliseconds = u32::try_from(delay.as_millis()).unwrap_or(u32::MAX);
        self.failed_attempts.set(self.failed_attempts.get().saturating_add(1));
        if self.feed_last_received_at.get().is_some() && self.renderer.connection().is_live() {
            // The feed keeps the list live; one more failed attempt shows that sockets don't get through.
            self.renderer.live(ConnectionStatus::OnlyWatching);
        } else {
            let try_at = self.renderer.now() + u64::from(milliseconds);
            self.renderer.lost(list_as_of, Some(try_at));
            self.fall_back_to_feed();
        }
        let this = Rc::clone(self);
        self.reconnect_timer.replace(Some(Timeout::new(milliseconds, move || this.open())));
    }

    /// Opens the feed after repeated failures: proxies that block sockets often let HTTP through.
    fn fall_back_to_feed(self: &Rc<Self>) {
        let is_needed = self.failed_attempts.get() >= FALLBACK_AFTER_ATTEMPTS && !is_offline();
        set_blocked(is_needed);
        if is_needed && self.feed.borrow().is_none() {
            let this = Rc::clone(self);
            self.feed_opened_at.set(self.renderer.now());
            self.feed.replace(Feed::open(&self.room, move |event| this.on_feed_event(event)));
        }
    }

    fn on_feed_event(self: &Rc<Self>, event: FeedEvent) {
        let FeedEvent::Frame(text) = event else {
            return self.on_feed_broken();
        };
        let Some(event) = read(&text) else { return };
        self.renderer.read_clock(&event);
        let as_of = as_of(&event);
        let outcome = self.session.borrow_mut().receive_from_feed(event);
        match outcome {
            Ok(outcome) if outcome.is_live => {
                self.feed_last_received_at.set(Some(self.renderer.now()));
                // "Only watching" is shown after the next failed attempt: sockets may work again by now.
                let old = self.renderer.connection();
                let new = if old.is_live() { old } else { ConnectionStatus::Live };
                self.apply_outcome(outcome, new, as_of);
            }
            // More pieces of the list follow.
            Ok(_) => {}
            Err(_gap) => {
                // A feed takes no requests; a new one starts with the list.
                self.feed.take();
                self.on_feed_broken();
            }
        }
    }

    fn on_feed_broken(&self) {
        self.feed_opened_at.set(self.renderer.now());
        if let Some(last_received_at) = self.feed_last_received_at.take() {
            self.session.borrow_mut().on_interrupted();
            self.renderer.lost(last_received_at, None);
        }
    }

    /// Runs every second; browsers call it less often while the page is hidden.
    fn tick(self: &Rc<Self>) {
        self.renderer.set_now();
        self.schedule_viewport_update();
        self.check_liveness();
    }

    /// Ends connections on which nothing came for too long.
    fn check_liveness(self: &Rc<Self>) {
        let now = self.renderer.now();
        let last_received_at = self.last_received_at.get();
        // `abs_diff`, since a clock that was set back must not hide a dead socket.
        if !self.is_backing_off.get()
            && now.abs_diff(last_received_at) >= self.receive_timeout.get()
        {
            self.on_disconnect(last_received_at);
        }
        let feed_last_received_at =
            self.feed_last_received_at.get().unwrap_or(self.feed_opened_at.get());
        let has_feed = self.feed.borrow().is_some();
        if has_feed && now.abs_diff(feed_last_received_at) >= IDLE_TIMEOUT {
            self.feed.take();
            self.on_feed_broken();
        }
    }

    fn environment(&self) -> Environment {
        Environment {
            tab: self.tab.id(),
            // On unload `pagehide` suspends the connection first, so the page does not report itself as hidden.
            is_visible: !document().hidden(),
            // A kiosk screen only watches, also where this browser's person is listed.
            has_left: is_kiosk()
                || storage::removal_note(&self.room).is_some_and(|note| note.is_in_effect()),
        }
    }

    fn session_now(&self) -> Duration {
        Duration::from_millis(self.renderer.now())
    }
}

/// Reads a frame, and notes the server's build if it names one.
fn read(frame: &str) -> Option<ServerEvent> {
    // Also of a frame that can't be parsed: it is newer than this page.
    if let Some(build) = read_build(frame) {
        set_build(build);
    }
    // If such a frame changed the list, a gap shows it.
    read_frame(frame).ok()
}

/// Since when the server has not heard the others, and the list may be old.
fn as_of(event: &ServerEvent) -> Option<u64> {
    match event {
        ServerEvent::Beat(beat) => beat.as_of,
        _ => None,
    }
}
