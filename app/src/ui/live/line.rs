//! The line to the server: sockets one after the other, and the list that they bring.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use gloo_timers::callback::{Interval, Timeout};
use leptos::prelude::*;

use super::{
    super::{
        board::{Board, Wish},
        connection::{Connection, Loss},
        frame::read_frame,
        session::Session,
        texts,
    },
    announcing::Announcing,
    clock::Clock,
    keyboard,
    randomness::random_number,
    socket::{Socket, SocketEvent},
    storage,
};
use crate::presence::{ClientEvent, Name, Replica, ServerEvent};

/// How long an attempt may take until the list is there, in milliseconds.
const LONGEST_ATTEMPT: u32 = 10_000;
/// How often the rows are told the time, in milliseconds.
const ROWS_HEAR_THE_TIME: u32 = 10_000;
/// How often the banner is told the time, in milliseconds.
const BANNER_HEARS_THE_TIME: u32 = 1_000;

/// Keeps a socket to the room open, and the board as the room is.
pub(super) struct Line {
    board: Board,
    address: String,
    session: RefCell<Session>,
    socket: RefCell<Option<Socket>>,
    /// No socket is there or opening; the timer below says when one will.
    is_waiting: Cell<bool>,
    /// When to open the next socket, or when to give up the one that is opening.
    timer: RefCell<Option<Timeout>>,
    /// Runs while the connection is lost.
    banner_clock: RefCell<Option<Interval>>,
    /// Runs always, and tells the rows nothing while the connection is lost.
    rows_clock: RefCell<Option<Interval>>,
    clock: Clock,
    announcing: Rc<Announcing>,
}

impl Line {
    /// A line that is not open yet, with the list that came with the page.
    pub(super) fn new(board: Board, address: String, replica: Replica) -> Rc<Self> {
        let line = Rc::new(Self {
            board,
            address,
            session: RefCell::new(Session::new(replica)),
            socket: RefCell::default(),
            is_waiting: Cell::new(true),
            timer: RefCell::default(),
            banner_clock: RefCell::default(),
            rows_clock: RefCell::default(),
            clock: Clock::default(),
            announcing: Announcing::new(board),
        });
        // Until the server says what time it is, the page does.
        line.clock.set(board.now.get_untracked());
        let this = Rc::clone(&line);
        let tell_rows = move || this.tell_rows_the_time();
        line.rows_clock.replace(Some(Interval::new(ROWS_HEAR_THE_TIME, tell_rows)));
        line
    }

    /// Opens a socket, in place of the one that is there.
    pub(super) fn open(self: &Rc<Self>) {
        self.is_waiting.set(false);
        if let Connection::Lost(loss) = self.connection() {
            let try_at = Some(self.clock.now());
            self.connect(Connection::Lost(Loss { try_at, is_offline: is_offline(), ..loss }));
        }
        let this = Rc::clone(self);
        let give_up = move || this.give_up();
        self.timer.replace(Some(Timeout::new(LONGEST_ATTEMPT, give_up)));
        // The old socket goes before the new one comes, so that it can't be heard any more.
        self.socket.take();
        let this = Rc::clone(self);
        let socket = Socket::open(&self.address, move |event| this.react(event));
        if socket.is_none() {
            self.lost();
        }
        self.socket.replace(socket);
    }

    /// The visitor wants something of the server.
    pub(super) fn want(&self, wish: Wish) {
        let event = self.session.borrow_mut().want(wish);
        self.send(event);
    }

    /// The visitor does not want to wait.
    pub(super) fn try_now(self: &Rc<Self>) {
        if let Connection::Lost(Loss { try_at: None, .. }) = self.connection() {
            self.give_up();
        }
        if self.is_waiting.get() {
            self.open();
        }
    }

    /// The browser has a network again.
    pub(super) fn came_online(self: &Rc<Self>) {
        if self.is_waiting.get() {
            self.open();
        } else if let Connection::Lost(Loss { try_at: None, .. }) = self.connection() {
            self.live();
        }
    }

    /// The browser has no network any more. A socket may outlast that, but the list is not live.
    pub(super) fn went_offline(self: &Rc<Self>) {
        match self.connection() {
            Connection::Starting => {}
            Connection::Live => self.show_loss(Loss {
                list_as_of: self.clock.now(),
                try_at: None,
                is_offline: true,
            }),
            Connection::Lost(loss) => self.show_loss(Loss { is_offline: true, ..loss }),
        }
    }

    /// The page was hidden or shown.
    pub(super) fn was_seen(self: &Rc<Self>) {
        if !document().hidden() && self.is_waiting.get() {
            self.open();
        }
    }

    fn react(self: &Rc<Self>, event: SocketEvent) {
        match event {
            SocketEvent::Opened => {
                let first = self.session.borrow_mut().opened();
                self.send([first]);
            }
            SocketEvent::Frame(text) => {
                // What can't be read is newer than this page; if it mattered, a gap will show.
                if let Ok(event) = read_frame(&text) {
                    self.receive(event);
                }
            }
            SocketEvent::Closed => self.lost(),
        }
    }

    fn receive(self: &Rc<Self>, event: ServerEvent) {
        if let Some(now) = time_of(&event) {
            self.clock.set(now);
        }
        let mut session = self.session.borrow_mut();
        let outcome = session.receive(event);
        if outcome.is_changed {
            self.show(session.replica());
        }
        drop(session);
        self.announcing.note(outcome.arrived, outcome.departed);
        if let Some(refusal) = outcome.refusal {
            let sentence = Some(refusal.message.into_owned());
            self.board.desk.update(|desk| desk.refusal = sentence);
        }
        if outcome.is_live {
            self.live();
        }
        self.send(outcome.replies);
    }

    fn send(&self, events: impl IntoIterator<Item = ClientEvent>) {
        if let Some(socket) = &*self.socket.borrow() {
            for event in events {
                socket.send(&event);
            }
        }
    }

    fn show(&self, replica: &Replica) {
        let old_name = self.your_name();
        self.board.show(replica);
        let name = self.your_name();
        if old_name == name {
            return;
        }
        self.board.desk.update(|desk| {
            // What was asked for has come true, or never will.
            desk.is_renaming = false;
            if let Some(name) = name {
                storage::remember_name(name.as_str());
                desk.remembered_name = Some(name.to_string());
            }
        });
    }

    fn your_name(&self) -> Option<Name> {
        self.board.people.with_untracked(|people| people.your_name.clone())
    }

    fn connection(&self) -> Connection {
        self.board.desk.with_untracked(|desk| desk.connection)
    }

    fn connect(&self, connection: Connection) {
        self.board.desk.update(|desk| desk.connection = connection);
    }

    /// The list is the server's list.
    fn live(&self) {
        let connection = self.connection();
        if connection == Connection::Live {
            return;
        }
        if let Connection::Lost(_) = connection {
            Announcing::say(texts::CONNECTED_AGAIN);
            keyboard::leave_the_banner();
        }
        self.timer.take();
        self.banner_clock.take();
        self.connect(Connection::Live);
        self.tell_rows_the_time();
    }

    /// The socket is there, but it does not help.
    fn give_up(self: &Rc<Self>) {
        self.socket.take();
        self.lost();
    }

    /// The socket ended, or never opened.
    fn lost(self: &Rc<Self>) {
        self.is_waiting.set(true);
        let delay = self.session.borrow_mut().closed(random_number());
        let now = self.clock.now();
        let list_as_of = match self.connection() {
            Connection::Starting => self.board.now.get_untracked(),
            Connection::Live => now,
            Connection::Lost(loss) => loss.list_as_of,
        };
        let milliseconds = whole_milliseconds(delay);
        let try_at = Some(now + u64::from(milliseconds));
        self.show_loss(Loss { list_as_of, try_at, is_offline: is_offline() });
        let this = Rc::clone(self);
        self.timer.replace(Some(Timeout::new(milliseconds, move || this.open())));
    }

    fn show_loss(self: &Rc<Self>, loss: Loss) {
        let old = self.connection();
        if !matches!(old, Connection::Lost(old) if old.is_offline == loss.is_offline) {
            Announcing::say(loss.headline());
        }
        self.board.moment.set(self.clock.now());
        self.connect(Connection::Lost(loss));
        let this = Rc::clone(self);
        let tell_banner = move || this.board.moment.set(this.clock.now());
        self.banner_clock.replace(Some(Interval::new(BANNER_HEARS_THE_TIME, tell_banner)));
    }

    /// While the list stands still, so does the time that it tells.
    fn tell_rows_the_time(&self) {
        if self.connection() == Connection::Live {
            self.board.now.set(self.clock.now());
        }
    }
}

fn time_of(event: &ServerEvent) -> Option<u64> {
    match event {
        ServerEvent::ExistingUsers(list) => Some(list.now),
        ServerEvent::Resumed(resumed) => Some(resumed.now),
        ServerEvent::Beat(beat) => Some(beat.now),
        _ => None,
    }
}

fn is_offline() -> bool {
    !window().navigator().on_line()
}

fn whole_milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
