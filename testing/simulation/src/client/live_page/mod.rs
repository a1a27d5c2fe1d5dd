//! A running page: the real session, and the decisions of the page's connection.

mod invariants;
mod requests;

use std::{sync::Arc, time::Duration};

use app::{
    client::{Environment, RemovalNote, Session, Unlisted, read_frame, write_frame},
    presence::{ClientEvent, CloseCode, DepartureReason, ServerEvent, TabId},
};
use fastrand::Rng;
use tokio::{
    sync::{mpsc::UnboundedReceiver, oneshot},
    time::{Instant, sleep_until},
};

use self::invariants::count_frame;
use crate::{
    client::{
        command::{Command, Freeze, Next, PageExit, Report},
        load_page::load_page,
        person::Person,
    },
    network::{
        connect::connect,
        link::{ClientSocket, GOING_AWAY, SocketEvent},
    },
    world::World,
};

/// The time limit for a connection and its first frame, as in the page.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(6);
/// The longest silence of a server, as in the page.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);
/// The close code that a browser reports for a close frame without one (RFC 6455, section 7.4.1).
const NO_STATUS: u16 = 1005;

/// A running page.
pub(crate) struct LivePage {
    world: Arc<World>,
    person: usize,
    number: u64,
    tab: TabId,
    session: Session,
    rng: Rng,
    end: Option<ClientSocket>,
    /// When the next socket is opened, while there is none.
    retry_at: Option<Instant>,
    last_received_at: Instant,
    receive_timeout: Duration,
    is_visible: bool,
    is_live: bool,
    frozen: Option<Freeze>,
    /// The events that arrived while the tab was frozen.
    inbox: Vec<SocketEvent>,
    needs_sync: bool,
    pending: Pending,
}

/// The requests of a page that have not been fulfilled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Pending {
    /// A `got_a_new_user` has not been answered.
    awaits_reply: bool,
    /// Whether the visitor wants to be listed.
    wants_row: Option<bool>,
}

impl LivePage {
    pub(crate) fn new(
        world: Arc<World>,
        person: usize,
        number: u64,
        tab: TabId,
        session: Session,
        rng: Rng,
    ) -> Self {
        Self {
            world,
            person,
            number,
            tab,
            session,
            rng,
            end: None,
            retry_at: None,
            last_received_at: Instant::now(),
            receive_timeout: CONNECT_TIMEOUT,
            is_visible: true,
            is_live: false,
            frozen: None,
            inbox: Vec::new(),
            needs_sync: false,
            pending: Pending::default(),
        }
    }

    /// Runs until it is closed or reloaded.
    pub(crate) async fn live(
        &mut self,
        commands: &mut UnboundedReceiver<Command>,
        first_rows: Option<usize>,
    ) -> Next {
        loop {
            let due = self.retry_at.unwrap_or(self.last_received_at + self.receive_timeout);
            let is_running = self.frozen.is_none();
            let is_disconnected = self.frozen == Some(Freeze::Machine) || self.end.is_none();
            tokio::select! {
                biased;
                command = commands.recv() => {
                    let Some(command) = command else { return Next::Gone };
                    if let Some(next) = self.dispatch(command, first_rows).await {
                        return next;
                    }
                }
                event = next_event(&mut self.end), if !is_disconnected => {
                    if is_running { self.on_socket_event(event) } else { self.inbox.push(event) }
                }
                () = sleep_until(due), if is_running => self.check_deadline(),
            }
            self.update_idle();
        }
    }

    fn owner(&self) -> &Person {
        &self.world.persons[self.person]
    }

    async fn dispatch(&mut self, command: Command, first_rows: Option<usize>) -> Option<Next> {
        if self.frozen.is_some() {
            match command {
                Command::SyncEnvironment | Command::ReconnectNow => self.needs_sync = true,
                Command::Thaw => self.thaw(),
                Command::Close(PageExit::Closed) => {}
                Command::Close(exit) => return Some(self.close(exit)),
                Command::Report(report) => self.report(report),
                _ => {}
            }
            return None;
        }
        match command {
            Command::Join(name) => self.join(name),
            Command::Leave => self.leave(),
            Command::SetVisible(is_visible) => {
                if self.is_visible != is_visible {
                    self.world.recorder.count(if is_visible {
                        "page: shown"
                    } else {
                        "page: hidden"
                    });
                }
                self.is_visible = is_visible;
                self.sync_environment();
            }
            Command::SyncEnvironment => self.sync_environment(),
            Command::ReconnectNow => {
                if !self.is_live {
                    self.open();
                }
            }
            Command::Resync => {
                if self.is_live {
                    self.world.recorder.count("page: resync");
                    self.send([ClientEvent::Resync {}]);
                }
            }
            Command::Freeze(freeze) => {
                self.world.recorder.count(match freeze {
                    Freeze::Tab => "page: the tab is frozen",
                    Freeze::Machine => "page: the machine sleeps",
                });
                self.frozen = Some(freeze);
            }
            Command::Thaw => {}
            Command::Reload { loads_first, pause } => {
                return Some(self.reload(loads_first, pause, first_rows).await);
            }
            Command::Close(exit) => return Some(self.close(exit)),
            Command::Report(report) => self.report(report),
        }
        None
    }

    async fn reload(
        &mut self,
        loads_first: bool,
        pause: Duration,
        first_rows: Option<usize>,
    ) -> Next {
        self.world.recorder.count("page: reloaded");
        let world = Arc::clone(&self.world);
        let first_html = if loads_first {
            // The old page stays until the new one has loaded. It does nothing in this time.
            Some(Box::new(load_page(&world, self.person, first_rows, &mut self.rng).await))
        } else {
            None
        };
        self.on_closed();
        if let Some(end) = self.end.take() {
            end.close(GOING_AWAY);
        }
        let pause = if loads_first { pause / 10 } else { pause };
        Next::Reloaded { tab: self.tab.clone(), first_html, pause }
    }

    fn close(&mut self, exit: PageExit) -> Next {
        self.on_closed();
        self.world.recorder.count(match exit {
            PageExit::Closed => "page: closed",
            PageExit::Killed => "fault: a browser was killed",
            PageExit::PoweredOff => "fault: a machine lost power",
        });
        match (self.end.take(), exit) {
            (Some(end), PageExit::Closed) => end.close(GOING_AWAY),
            (Some(end), PageExit::PoweredOff) => end.drop_silently(),
            (_, _) => {}
        }
        Next::Gone
    }

    fn on_closed(&self) {
        self.owner().on_page_closed(self.number, !self.is_listed());
    }

    fn report(&self, report: oneshot::Sender<Report>) {
        let replica = self.session.replica().clone();
        // The receiver may have given up.
        let _ = report.send(Report { is_live: self.is_live, replica });
    }

    fn thaw(&mut self) {
        self.frozen = None;
        // The order of due timers and received events is not determined.
        if self.rng.bool() {
            self.check_deadline();
        }
        for event in std::mem::take(&mut self.inbox) {
            // Events of a closed socket are dropped.
            if self.end.is_some() {
                self.on_socket_event(event);
            }
        }
        if std::mem::take(&mut self.needs_sync) {
            self.sync_environment();
        }
    }

    fn check_deadline(&mut self) {
        let now = Instant::now();
        if self.retry_at.unwrap_or(self.last_received_at + self.receive_timeout) > now {
            return;
        }
        if self.retry_at.is_some() {
            self.open();
        } else {
            self.world.recorder.count("page: receive timeout");
            self.on_disconnect();
        }
    }

    fn environment(&self) -> Environment {
        let has_left = self.owner().state().absence.as_ref().is_some_and(RemovalNote::is_in_effect);
        Environment { tab: self.tab.clone(), is_visible: self.is_visible, has_left }
    }

    /// Opens a socket, and closes the one before.
    pub(crate) fn open(&mut self) {
        self.retry_at = None;
        self.last_received_at = Instant::now();
        self.receive_timeout = CONNECT_TIMEOUT;
        if let Some(end) = self.end.take() {
            end.close(NO_STATUS);
            self.session.closed(self.now(), 0);
            self.is_live = false;
        }
        self.pending.awaits_reply = false;
        self.end = Some(connect(&self.world, self.person));
    }

    fn on_disconnect(&mut self) {
        if let Some(end) = self.end.take() {
            end.close(NO_STATUS);
        }
        self.is_live = false;
        self.pending.awaits_reply = false;
        self.inbox.clear();
        let delay = self.session.closed(self.now(), self.rng.u32(..));
        self.retry_at = Some(Instant::now() + delay);
    }

    fn on_socket_event(&mut self, event: SocketEvent) {
        match event {
            SocketEvent::Opened => {
                self.last_received_at = Instant::now();
                let first = self.session.opened(&self.environment());
                self.send([first]);
            }
            SocketEvent::Frame(text) => {
                self.trace(|| format!("receives {text}"));
                match read_frame(&text) {
                    Ok(event) => self.receive(event),
                    Err(_) => self.fail(&format!("it received an invalid frame: {text}")),
                }
            }
            SocketEvent::Closed(code) => {
                if code == CloseCode::Replaced.number() {
                    self.world.recorder.count("page: replaced by a page of the same tab");
                    self.tab = TabId::from_random(std::array::from_fn(|_| self.rng.u8(..)));
                }
                self.on_disconnect();
            }
        }
    }

    fn receive(&mut self, event: ServerEvent) {
        self.last_received_at = Instant::now();
        self.receive_timeout = IDLE_TIMEOUT;
        let before = self.session.replica().position().cloned();
        if let ServerEvent::Refused(refusal) = &event {
            self.world.recorder.count("page: refused");
            self.trace(|| format!("is refused: {refusal:?}"));
            if refusal.is_of("got_a_new_user") {
                self.pending = Pending::default();
                self.owner().doubt();
            }
        }
        if matches!(event, ServerEvent::Resumed(_) | ServerEvent::ExistingUsers(_)) {
            self.pending.awaits_reply = false;
        }
        count_frame(&self.world, &event);
        let outcome = self.session.receive(event, &self.environment());
        self.is_live = outcome.is_live;
        if self.pending.wants_row == Some(self.is_listed()) {
            self.pending.wants_row = None;
        }
        self.check(before.as_ref(), &outcome);
        if let Some(Unlisted { reason: DepartureReason::Removed, end }) = outcome.was_unlisted
            && RemovalNote::supersedes(&end, self.absence().as_ref())
        {
            self.owner().note_absence(self.number, Some(RemovalNote::Removed(end)));
        }
        self.send(outcome.replies);
        if outcome.is_live {
            self.forget_removal();
        }
    }

    fn send(&mut self, events: impl IntoIterator<Item = ClientEvent>) {
        for mut event in events {
            if let ClientEvent::GotANewUser { tab, .. } = &mut event {
                self.pending.awaits_reply = true;
                if self.owner().is_third_party {
                    *tab = None;
                }
            }
            let text = write_frame(&event);
            self.trace(|| format!("sends {text}"));
            if let Some(end) = &self.end {
                end.send(text);
            }
        }
    }

    fn update_idle(&self) {
        let is_at_rest = self.is_live || self.frozen.is_some();
        let is_idle = is_at_rest && self.pending == Pending::default();
        if let Some(handle) = self.owner().state().pages.get_mut(&self.number) {
            handle.is_idle = is_idle;
        }
    }

    fn label(&self) -> String {
        format!("page {} of person {} ({})", self.number, self.person, self.owner().user_id)
    }

    fn fail(&self, why: &str) {
        self.world.recorder.fail(&format!("{}: {why}", self.label()));
    }

    fn trace(&self, what: impl FnOnce() -> String) {
        self.world.recorder.trace_detail(|| format!("page {}: {}", self.number, what()));
    }

    fn now(&self) -> Duration {
        self.world.recorder.elapsed()
    }
}

async fn next_event(end: &mut Option<ClientSocket>) -> SocketEvent {
    match end {
        Some(end) => end.next().await,
        None => std::future::pending().await,
    }
}
