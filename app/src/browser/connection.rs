//! The line to the server: sockets one after the other, and the list that they bring.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use gloo_timers::callback::{Interval, Timeout};
use leptos::prelude::*;

use super::{
    document_state::is_wall,
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
        codec::frames::read_frame,
        intent::Intent,
        removal::RemovalNote,
        session::{Environment, Outcome, Session},
    },
    presence::{ClientEvent, CloseCode, RoomName, ServerEvent},
    state::{connection_status::ConnectionStatus, page_state::PageState},
};

/// How long an attempt may take until the first frame comes, in milliseconds.
const CONNECT_TIMEOUT: u64 = 6_000;
/// How long a server may say nothing, in milliseconds: it tells where the list is every 10 s.
const IDLE_TIMEOUT: u64 = 15_000;
/// How many attempts in a row may bring nothing before the feed is tried.
const FALLBACK_AFTER_ATTEMPTS: u32 = 3;
/// What a browser calls the end of a socket that was not closed (RFC 6455, section 7.4.1).
const BROKEN: u16 = 1006;
/// How often the line looks at the clock, in milliseconds.
const TICK: u32 = 1_000;
/// Keeps a socket to the room open, and the board as the room is.
pub(super) struct Connection {
    renderer: Renderer,
    room: RoomName,
    tab: Tab,
    session: RefCell<Session>,
    socket: RefCell<Option<Socket>>,
    /// No socket is there or opening; the timer says when one will.
    is_backing_off: Cell<bool>,
    /// When to open the next socket.
    timer: RefCell<Option<Timeout>>,
    /// When the socket said something last, or began to open.
    last_received_at: Cell<u64>,
    /// How long it may go on to say nothing.
    receive_timeout: Cell<u64>,
    /// Attempts in a row that brought no frame.
    failed_attempts: Cell<u32>,
    feed: RefCell<Option<Feed>>,
    /// When the feed said something last, while the list that it brings is live.
    feed_last_received_at: Cell<Option<u64>>,
    /// When the feed was opened, or when the browser began to open it anew.
    feed_opened_at: Cell<u64>,
    /// The page is not looked at and can't be, or is on its way out: nothing is sent or opened.
    is_suspended: Cell<bool>,
    ticking: RefCell<Option<Interval>>,
    /// When to draw what has changed.
    drawing: RefCell<Option<Timeout>>,
    /// The next frame looks at the list anew.
    is_look_due: Cell<bool>,
}

impl Connection {
    /// A line that is not open yet, with the list that came with the page.
    pub(super) fn new(page_state: PageState, room: RoomName, replica: Replica) -> Rc<Self> {
        let connection = Rc::new(Self {
            renderer: Renderer::new(page_state, room.clone()),
            room,
            tab: Tab::claim(),
            session: RefCell::new(Session::new(replica)),
            socket: RefCell::default(),
            is_backing_off: Cell::new(true),
            timer: RefCell::default(),
            last_received_at: Cell::default(),
            receive_timeout: Cell::default(),
            failed_attempts: Cell::default(),
            feed: RefCell::default(),
            feed_last_received_at: Cell::default(),
            feed_opened_at: Cell::default(),
            is_suspended: Cell::new(true),
            ticking: RefCell::default(),
            drawing: RefCell::default(),
            is_look_due: Cell::default(),
        });
        let this = Rc::clone(&connection);
        connection.ticking.replace(Some(Interval::new(TICK, move || this.tick())));
        connection
    }

    /// The page can be seen, or could be: from now on there is a socket.
    pub(super) fn resume(self: &Rc<Self>) {
        if self.is_suspended.replace(false) {
            Tab::reclaim();
            self.open();
        }
    }

    /// The page goes. Where the browser keeps it, it may come back as it is: then nothing of it
    /// may be open until it does.
    pub(super) fn suspend(self: &Rc<Self>, is_kept: bool) {
        self.is_suspended.set(true);
        self.tab.release();
        self.timer.take();
        if !is_kept {
            // The browser closes the socket, and says better than this page can that it went.
            return;
        }
        self.feed.take();
        self.feed_broke();
        self.socket.take();
        self.is_backing_off.set(true);
        self.session.borrow_mut().closed(self.moment(), 0);
        if self.renderer.connection() != ConnectionStatus::Starting {
            self.renderer.lost(self.renderer.now(), None);
        }
    }

    /// The page was hidden or shown, or another page of this person did something.
    pub(super) fn sync_environment(self: &Rc<Self>) {
        if self.is_suspended.get() {
            return;
        }
        self.forget_removal();
        let events = self.session.borrow_mut().sync_environment(&self.environment());
        self.send(events);
        if !document().hidden() {
            self.check_liveness();
            if self.is_backing_off.get() {
                self.open();
            }
        }
    }

    /// The visitor wants something of the server.
    pub(super) fn request(&self, intent: Intent) {
        let removal = match intent {
            Intent::Leave => Some(RemovalNote::Left),
            Intent::Join(_) | Intent::Rename(_) => {
                storage::removal(&self.room).and_then(RemovalNote::superseded)
            }
        };
        storage::note_absence(&self.room, removal.as_ref());
        self.renderer.forget_departure_notice();
        let event = self.session.borrow_mut().request(intent, &self.environment());
        self.send(event);
    }

    /// Shows the list in the order that is wanted now: one frame to find it, the next for its rows.
    pub(super) fn rearrange(self: &Rc<Self>) {
        self.renderer.arrange(self.session.borrow().replica());
        self.look_at_the_list();
    }

    /// Shows those rows that can be seen by now, once for all that happens before the next frame,
    /// and more in each frame after it until all of them are there.
    pub(super) fn look_at_the_list(self: &Rc<Self>) {
        if !self.is_look_due.replace(true) {
            let this = Rc::clone(self);
            request_animation_frame(move || {
                this.is_look_due.set(false);
                if this.renderer.update_viewport(this.session.borrow().replica()) {
                    this.look_at_the_list();
                }
            });
        }
    }

    /// The visitor does not want to wait, or the browser has a network again.
    pub(super) fn try_now(self: &Rc<Self>) {
        // A socket from before may still be there; whether it holds is not worth waiting for.
        if !self.is_suspended.get()
            && matches!(self.renderer.connection(), ConnectionStatus::Lost(_))
        {
            self.open();
        }
    }

    /// The browser has no network any more. A socket may outlast that, but the list is not live.
    pub(super) fn went_offline(self: &Rc<Self>) {
        let try_at = match self.renderer.connection() {
            ConnectionStatus::Starting => return,
            ConnectionStatus::Lost(loss) => loss.try_at,
            _ => None,
        };
        self.renderer.lost(self.renderer.now(), try_at);
    }

    /// Opens a socket, in place of the one that is there.
    fn open(self: &Rc<Self>) {
        let now = self.renderer.now();
        self.timer.take();
        self.is_backing_off.set(false);
        self.last_received_at.set(now);
        self.receive_timeout.set(CONNECT_TIMEOUT);
        if let ConnectionStatus::Lost(_) = self.renderer.connection() {
            self.renderer.lost(now, Some(now));
        }
        // The old socket goes before the new one comes, so that it can't be heard any more.
        if self.socket.take().is_some() {
            self.session.borrow_mut().closed(self.moment(), 0);
        }
        let this = Rc::clone(self);
        let socket = Socket::open(&address_of(&self.room), move |event| this.react(event));
        if socket.is_none() {
            self.on_disconnect(now);
        }
        self.socket.replace(socket);
    }

    fn react(self: &Rc<Self>, event: SocketEvent) {
        match event {
            SocketEvent::Opened => {
                self.last_received_at.set(self.renderer.now());
                // Two that bring the same list would be in each other's way.
                self.feed.take();
                self.feed_last_received_at.take();
                let first = self.session.borrow_mut().opened(&self.environment());
                self.send([first]);
            }
            SocketEvent::Frame(text) => {
                // What can't be read is newer than this page; if it mattered, a gap will show.
                if let Ok(event) = read_frame(&text) {
                    self.receive(event);
                }
            }
            SocketEvent::Closed(code) => {
                if code == CloseCode::Replaced.number() {
                    // Another page goes by the same name, and this one is the copy of it.
                    self.tab.regenerate();
                }
                // An end without a goodbye says nothing of the time before it.
                let is_broken = code == BROKEN;
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
        // A socket that only refuses brings no list either.
        if !matches!(event, ServerEvent::Refused(_)) {
            self.failed_attempts.set(0);
        }
        let outcome = self.session.borrow_mut().receive(event, &self.environment());
        let is_live = outcome.is_live;
        self.apply_outcome(outcome, ConnectionStatus::Live);
        if is_live {
            self.forget_removal();
        }
    }

    /// Another page may hear late that the operator removed somebody who has joined again since,
    /// even in a list that began anew.
    fn forget_removal(&self) {
        if let Some(RemovalNote::Removed(end)) = storage::removal(&self.room)
            && self.session.borrow().has_joined_since(&end)
        {
            storage::note_absence(&self.room, Some(&RemovalNote::Superseded(end)));
            let events = self.session.borrow_mut().sync_environment(&self.environment());
            self.send(events);
        }
    }

    /// What a frame led to, whichever way it came.
    fn apply_outcome(self: &Rc<Self>, mut outcome: Outcome, connection: ConnectionStatus) {
        let replies = std::mem::take(&mut outcome.replies);
        self.renderer.show(self.session.borrow().replica(), outcome, connection);
        if self.renderer.needs_render() && self.drawing.borrow().is_none() {
            let this = Rc::clone(self);
            let wait = u32::try_from(self.renderer.render_interval()).unwrap_or(u32::MAX);
            self.drawing.replace(Some(Timeout::new(wait, move || {
                this.drawing.take();
                this.renderer.render(this.session.borrow().replica());
                this.look_at_the_list();
            })));
        }
        self.look_at_the_list();
        self.send(replies);
    }

    fn send(&self, events: impl IntoIterator<Item = ClientEvent>) {
        if let Some(socket) = &*self.socket.borrow() {
            for event in events {
                socket.send(&event);
            }
        }
    }

    /// The socket ended, or never opened, or is no use: the list is what it was at that time.
    fn on_disconnect(self: &Rc<Self>, list_as_of: u64) {
        self.socket.take();
        self.is_backing_off.set(true);
        let delay = self.session.borrow_mut().closed(self.moment(), random_number());
        let milliseconds = u32::try_from(delay.as_millis()).unwrap_or(u32::MAX);
        self.failed_attempts.set(self.failed_attempts.get().saturating_add(1));
        if self.feed_last_received_at.get().is_some() && self.renderer.connection().is_live() {
            // The list is live all the same, and by now it is clear what the matter is.
            self.renderer.live(ConnectionStatus::OnlyWatching);
        } else {
            let try_at = self.renderer.now() + u64::from(milliseconds);
            self.renderer.lost(list_as_of, Some(try_at));
            self.fall_back_to_feed();
        }
        let this = Rc::clone(self);
        self.timer.replace(Some(Timeout::new(milliseconds, move || this.open())));
    }

    /// Where sockets don't get through, the feed may.
    fn fall_back_to_feed(self: &Rc<Self>) {
        let is_needed = self.failed_attempts.get() >= FALLBACK_AFTER_ATTEMPTS && !is_offline();
        if is_needed && self.feed.borrow().is_none() {
            let this = Rc::clone(self);
            self.feed_opened_at.set(self.renderer.now());
            self.feed.replace(Feed::open(&self.room, move |event| this.on_feed_event(event)));
        }
    }

    fn on_feed_event(self: &Rc<Self>, event: FeedEvent) {
        let FeedEvent::Frame(text) = event else {
            return self.feed_broke();
        };
        let Ok(event) = read_frame(&text) else { return };
        self.renderer.read_clock(&event);
        let overheard = self.session.borrow_mut().receive_from_feed(event);
        match overheard {
            Ok(outcome) if outcome.is_live => {
                self.feed_last_received_at.set(Some(self.renderer.now()));
                // Sockets may do again by now: nothing is said of them before one more has failed.
                let old = self.renderer.connection();
                let new = if old.is_live() { old } else { ConnectionStatus::Live };
                self.apply_outcome(outcome, new);
            }
            // More of it is on the way.
            Ok(_) => {}
            Err(_gap) => {
                // A feed can't be asked for the list: a new one begins with it.
                self.feed.take();
                self.feed_broke();
            }
        }
    }

    fn feed_broke(&self) {
        self.feed.borrow_mut().take_if(|feed| feed.is_over());
        self.feed_opened_at.set(self.renderer.now());
        if let Some(last_received_at) = self.feed_last_received_at.take() {
            self.session.borrow_mut().on_interrupted();
            self.renderer.lost(last_received_at, None);
        }
    }

    /// Every second, or more rarely while the page is hidden.
    fn tick(self: &Rc<Self>) {
        self.renderer.set_now();
        self.look_at_the_list();
        self.check_liveness();
    }

    /// A server that fell silent is as good as none: nothing but its words proves that it lives.
    fn check_liveness(self: &Rc<Self>) {
        let now = self.renderer.now();
        let last_received_at = self.last_received_at.get();
        // Either way: a clock that was set back must not hide how long it has been.
        if !self.is_backing_off.get()
            && now.abs_diff(last_received_at) >= self.receive_timeout.get()
        {
            self.on_disconnect(last_received_at);
        }
        let feed_last_received_at =
            self.feed_last_received_at.get().unwrap_or(self.feed_opened_at.get());
        let is_there = self.feed.borrow().is_some();
        if is_there && now.abs_diff(feed_last_received_at) >= IDLE_TIMEOUT {
            self.feed.take();
            self.feed_broke();
        }
    }

    fn environment(&self) -> Environment {
        Environment {
            tab: self.tab.id(),
            // A page on its way out is not hidden, it goes.
            is_visible: !document().hidden(),
            // A screen on the wall looks on, whoever may be listed in the same browser.
            has_left: is_wall() || storage::removal(&self.room).is_some_and(|it| it.is_in_effect()),
        }
    }

    fn moment(&self) -> Duration {
        Duration::from_millis(self.renderer.now())
    }
}
