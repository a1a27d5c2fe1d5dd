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
    renderer::{Display, is_offline},
    storage,
    tab_id::Tab,
    websocket::{Socket, SocketEvent, address_of},
};
use crate::{
    client::{
        Replica,
        codec::frames::read_frame,
        intent::Wish,
        removal::Absence,
        session::{Outcome, Session, Surroundings},
    },
    presence::{ClientEvent, CloseCode, RoomName, ServerEvent},
    state::{connection_status::Connection, page_state::Board},
};

/// How long an attempt may take until the first frame comes, in milliseconds.
const LONGEST_ATTEMPT: u64 = 6_000;
/// How long a server may say nothing, in milliseconds: it tells where the list is every 10 s.
const LONGEST_SILENCE: u64 = 15_000;
/// How many attempts in a row may bring nothing before the feed is tried.
const MOST_VAIN_ATTEMPTS: u32 = 3;
/// What a browser calls the end of a socket that was not closed (RFC 6455, section 7.4.1).
const BROKEN: u16 = 1006;
/// How often the line looks at the clock, in milliseconds.
const TICK: u32 = 1_000;
/// Keeps a socket to the room open, and the board as the room is.
pub(super) struct Line {
    display: Display,
    room: RoomName,
    tab: Tab,
    session: RefCell<Session>,
    socket: RefCell<Option<Socket>>,
    /// No socket is there or opening; the timer says when one will.
    is_waiting: Cell<bool>,
    /// When to open the next socket.
    timer: RefCell<Option<Timeout>>,
    /// When the socket said something last, or began to open.
    heard_at: Cell<u64>,
    /// How long it may go on to say nothing.
    patience: Cell<u64>,
    /// Attempts in a row that brought no frame.
    vain_attempts: Cell<u32>,
    feed: RefCell<Option<Feed>>,
    /// When the feed said something last, while the list that it brings is live.
    feed_heard_at: Cell<Option<u64>>,
    /// When the feed was opened, or when the browser began to open it anew.
    feed_tried_at: Cell<u64>,
    /// The page is not looked at and can't be, or is on its way out: nothing is sent or opened.
    is_asleep: Cell<bool>,
    ticking: RefCell<Option<Interval>>,
    /// When to draw what has changed.
    drawing: RefCell<Option<Timeout>>,
    /// The next frame looks at the list anew.
    is_look_due: Cell<bool>,
}

impl Line {
    /// A line that is not open yet, with the list that came with the page.
    pub(super) fn new(board: Board, room: RoomName, replica: Replica) -> Rc<Self> {
        let line = Rc::new(Self {
            display: Display::new(board, room.clone()),
            room,
            tab: Tab::take(),
            session: RefCell::new(Session::new(replica)),
            socket: RefCell::default(),
            is_waiting: Cell::new(true),
            timer: RefCell::default(),
            heard_at: Cell::default(),
            patience: Cell::default(),
            vain_attempts: Cell::default(),
            feed: RefCell::default(),
            feed_heard_at: Cell::default(),
            feed_tried_at: Cell::default(),
            is_asleep: Cell::new(true),
            ticking: RefCell::default(),
            drawing: RefCell::default(),
            is_look_due: Cell::default(),
        });
        let this = Rc::clone(&line);
        line.ticking.replace(Some(Interval::new(TICK, move || this.tick())));
        line
    }

    /// The page can be seen, or could be: from now on there is a socket.
    pub(super) fn wake(self: &Rc<Self>) {
        if self.is_asleep.replace(false) {
            Tab::take_back();
            self.open();
        }
    }

    /// The page goes. Where the browser keeps it, it may come back as it is: then nothing of it
    /// may be open until it does.
    pub(super) fn fall_asleep(self: &Rc<Self>, is_kept: bool) {
        self.is_asleep.set(true);
        self.tab.leave_to_the_next();
        self.timer.take();
        if !is_kept {
            // The browser closes the socket, and says better than this page can that it went.
            return;
        }
        self.feed.take();
        self.feed_broke();
        self.socket.take();
        self.is_waiting.set(true);
        self.session.borrow_mut().closed(self.moment(), 0);
        if self.display.connection() != Connection::Starting {
            self.display.lost(self.display.now(), None);
        }
    }

    /// The page was hidden or shown, or another page of this person did something.
    pub(super) fn look_around(self: &Rc<Self>) {
        if self.is_asleep.get() {
            return;
        }
        self.forget_removal();
        let events = self.session.borrow_mut().look_around(&self.surroundings());
        self.send(events);
        if !document().hidden() {
            self.look_for_life();
            if self.is_waiting.get() {
                self.open();
            }
        }
    }

    /// The visitor wants something of the server.
    pub(super) fn want(&self, wish: Wish) {
        let absence = match wish {
            Wish::Leave => Some(Absence::Left),
            Wish::Join(_) | Wish::Rename(_) => {
                storage::absence(&self.room).and_then(Absence::taken_back)
            }
        };
        storage::note_absence(&self.room, absence.as_ref());
        self.display.forget_farewell();
        let event = self.session.borrow_mut().want(wish, &self.surroundings());
        self.send(event);
    }

    /// Shows the list in the order that is wanted now: one frame to find it, the next for its rows.
    pub(super) fn rearrange(self: &Rc<Self>) {
        self.display.arrange(self.session.borrow().replica());
        self.look_at_the_list();
    }

    /// Shows those rows that can be seen by now, once for all that happens before the next frame,
    /// and more in each frame after it until all of them are there.
    pub(super) fn look_at_the_list(self: &Rc<Self>) {
        if !self.is_look_due.replace(true) {
            let this = Rc::clone(self);
            request_animation_frame(move || {
                this.is_look_due.set(false);
                if this.display.look(this.session.borrow().replica()) {
                    this.look_at_the_list();
                }
            });
        }
    }

    /// The visitor does not want to wait, or the browser has a network again.
    pub(super) fn try_now(self: &Rc<Self>) {
        // A socket from before may still be there; whether it holds is not worth waiting for.
        if !self.is_asleep.get() && matches!(self.display.connection(), Connection::Lost(_)) {
            self.open();
        }
    }

    /// The browser has no network any more. A socket may outlast that, but the list is not live.
    pub(super) fn went_offline(self: &Rc<Self>) {
        let try_at = match self.display.connection() {
            Connection::Starting => return,
            Connection::Lost(loss) => loss.try_at,
            _ => None,
        };
        self.display.lost(self.display.now(), try_at);
    }

    /// Opens a socket, in place of the one that is there.
    fn open(self: &Rc<Self>) {
        let now = self.display.now();
        self.timer.take();
        self.is_waiting.set(false);
        self.heard_at.set(now);
        self.patience.set(LONGEST_ATTEMPT);
        if let Connection::Lost(_) = self.display.connection() {
            self.display.lost(now, Some(now));
        }
        // The old socket goes before the new one comes, so that it can't be heard any more.
        if self.socket.take().is_some() {
            self.session.borrow_mut().closed(self.moment(), 0);
        }
        let this = Rc::clone(self);
        let socket = Socket::open(&address_of(&self.room), move |event| this.react(event));
        if socket.is_none() {
            self.lost(now);
        }
        self.socket.replace(socket);
    }

    fn react(self: &Rc<Self>, event: SocketEvent) {
        match event {
            SocketEvent::Opened => {
                self.heard_at.set(self.display.now());
                // Two that bring the same list would be in each other's way.
                self.feed.take();
                self.feed_heard_at.take();
                let first = self.session.borrow_mut().opened(&self.surroundings());
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
                    self.tab.renew();
                }
                // An end without a goodbye says nothing of the time before it.
                let is_broken = code == BROKEN;
                self.lost(if is_broken { self.heard_at.get() } else { self.display.now() });
            }
        }
    }

    fn receive(self: &Rc<Self>, event: ServerEvent) {
        self.display.read_clock(&event);
        self.heard_at.set(self.display.now());
        self.patience.set(LONGEST_SILENCE);
        // A socket that only refuses brings no list either.
        if !matches!(event, ServerEvent::Refused(_)) {
            self.vain_attempts.set(0);
        }
        let outcome = self.session.borrow_mut().receive(event, &self.surroundings());
        let is_live = outcome.is_live;
        self.take_in(outcome, Connection::Live);
        if is_live {
            self.forget_removal();
        }
    }

    /// Another page may hear late that the operator removed somebody who has joined again since,
    /// even in a list that began anew.
    fn forget_removal(&self) {
        if let Some(Absence::Removed(end)) = storage::absence(&self.room)
            && self.session.borrow().has_joined_since(&end)
        {
            storage::note_absence(&self.room, Some(&Absence::TakenBack(end)));
            let events = self.session.borrow_mut().look_around(&self.surroundings());
            self.send(events);
        }
    }

    /// What a frame led to, whichever way it came.
    fn take_in(self: &Rc<Self>, mut outcome: Outcome, connection: Connection) {
        let replies = std::mem::take(&mut outcome.replies);
        self.display.show(self.session.borrow().replica(), outcome, connection);
        if self.display.owes_a_drawing() && self.drawing.borrow().is_none() {
            let this = Rc::clone(self);
            let wait = u32::try_from(self.display.between_drawings()).unwrap_or(u32::MAX);
            self.drawing.replace(Some(Timeout::new(wait, move || {
                this.drawing.take();
                this.display.draw(this.session.borrow().replica());
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
    fn lost(self: &Rc<Self>, list_as_of: u64) {
        self.socket.take();
        self.is_waiting.set(true);
        let delay = self.session.borrow_mut().closed(self.moment(), random_number());
        let milliseconds = u32::try_from(delay.as_millis()).unwrap_or(u32::MAX);
        self.vain_attempts.set(self.vain_attempts.get().saturating_add(1));
        if self.feed_heard_at.get().is_some() && self.display.connection().is_live() {
            // The list is live all the same, and by now it is clear what the matter is.
            self.display.live(Connection::OnlyWatching);
        } else {
            let try_at = self.display.now() + u64::from(milliseconds);
            self.display.lost(list_as_of, Some(try_at));
            self.try_the_feed();
        }
        let this = Rc::clone(self);
        self.timer.replace(Some(Timeout::new(milliseconds, move || this.open())));
    }

    /// Where sockets don't get through, the feed may.
    fn try_the_feed(self: &Rc<Self>) {
        let is_needed = self.vain_attempts.get() >= MOST_VAIN_ATTEMPTS && !is_offline();
        if is_needed && self.feed.borrow().is_none() {
            let this = Rc::clone(self);
            self.feed_tried_at.set(self.display.now());
            self.feed.replace(Feed::open(&self.room, move |event| this.overhear(event)));
        }
    }

    fn overhear(self: &Rc<Self>, event: FeedEvent) {
        let FeedEvent::Frame(text) = event else {
            return self.feed_broke();
        };
        let Ok(event) = read_frame(&text) else { return };
        self.display.read_clock(&event);
        let overheard = self.session.borrow_mut().overhear(event);
        match overheard {
            Ok(outcome) if outcome.is_live => {
                self.feed_heard_at.set(Some(self.display.now()));
                // Sockets may do again by now: nothing is said of them before one more has failed.
                let old = self.display.connection();
                let new = if old.is_live() { old } else { Connection::Live };
                self.take_in(outcome, new);
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
        self.feed_tried_at.set(self.display.now());
        if let Some(heard_at) = self.feed_heard_at.take() {
            self.session.borrow_mut().interrupted();
            self.display.lost(heard_at, None);
        }
    }

    /// Every second, or more rarely while the page is hidden.
    fn tick(self: &Rc<Self>) {
        self.display.tell_the_time();
        self.look_at_the_list();
        self.look_for_life();
    }

    /// A server that fell silent is as good as none: nothing but its words proves that it lives.
    fn look_for_life(self: &Rc<Self>) {
        let now = self.display.now();
        let heard_at = self.heard_at.get();
        // Either way: a clock that was set back must not hide how long it has been.
        if !self.is_waiting.get() && now.abs_diff(heard_at) >= self.patience.get() {
            self.lost(heard_at);
        }
        let feed_heard_at = self.feed_heard_at.get().unwrap_or(self.feed_tried_at.get());
        let is_there = self.feed.borrow().is_some();
        if is_there && now.abs_diff(feed_heard_at) >= LONGEST_SILENCE {
            self.feed.take();
            self.feed_broke();
        }
    }

    fn surroundings(&self) -> Surroundings {
        Surroundings {
            tab: self.tab.id(),
            // A page on its way out is not hidden, it goes.
            is_visible: !document().hidden(),
            // A screen on the wall looks on, whoever may be listed in the same browser.
            has_left: is_wall() || storage::absence(&self.room).is_some_and(|it| it.holds()),
        }
    }

    fn moment(&self) -> Duration {
        Duration::from_millis(self.display.now())
    }
}
