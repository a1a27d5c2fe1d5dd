//! A page that runs: the session that the real page has, and the decisions of its live layer.

mod invariants;

use std::{sync::Arc, time::Duration};

use app::{
    presence::{ClientEvent, CloseCode, DepartureReason, ServerEvent, TabId},
    ui::client::{Absence, Session, Surroundings, Unlisted, Wish, read_frame, write_frame},
};
use fastrand::Rng;
use tokio::{
    sync::{mpsc::UnboundedReceiver, oneshot},
    time::{Instant, sleep_until},
};

use self::invariants::count_frame;
use crate::client::command::{Command, Ending, Freeze, Next, Report};
use crate::client::load_page::fetch;
use crate::client::person::Person;
use crate::network::connect::dial;
use crate::network::link::{GOING_AWAY, PageEnd, SocketEvent};
use crate::world::World;

/// How long an attempt may take until the first frame comes, as in the page.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(6);
/// How long a server may say nothing, as in the page.
const LONGEST_SILENCE: Duration = Duration::from_secs(15);
/// What a browser calls the end of a socket that was not closed (RFC 6455, section 7.4.1).
const NO_CODE: u16 = 1005;

/// A page that runs.
pub(crate) struct LivePage {
    world: Arc<World>,
    person: usize,
    number: u64,
    tab: TabId,
    session: Session,
    rng: Rng,
    end: Option<PageEnd>,
    /// When the next socket is opened, while there is none.
    retry_at: Option<Instant>,
    heard_at: Instant,
    patience: Duration,
    is_visible: bool,
    is_live: bool,
    frozen: Option<Freeze>,
    /// What came while the tab was frozen.
    inbox: Vec<SocketEvent>,
    has_to_look_around: bool,
    asked: Asked,
}

/// What a page asked for and did not see yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Asked {
    /// An announcement was not answered yet.
    is_unanswered: bool,
    /// What the visitor wants: to be listed, or not to be.
    to_be_listed: Option<bool>,
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
            heard_at: Instant::now(),
            patience: LONGEST_ATTEMPT,
            is_visible: true,
            is_live: false,
            frozen: None,
            inbox: Vec::new(),
            has_to_look_around: false,
            asked: Asked::default(),
        }
    }

    /// Runs until it is closed or reloaded.
    pub(crate) async fn live(
        &mut self,
        commands: &mut UnboundedReceiver<Command>,
        first_rows: Option<usize>,
    ) -> Next {
        loop {
            let due = self.retry_at.unwrap_or(self.heard_at + self.patience);
            let is_running = self.frozen.is_none();
            let is_deaf = self.frozen == Some(Freeze::Machine) || self.end.is_none();
            tokio::select! {
                biased;
                command = commands.recv() => {
                    let Some(command) = command else { return Next::Gone };
                    if let Some(next) = self.obey(command, first_rows).await {
                        return next;
                    }
                }
                event = next_of(&mut self.end), if !is_deaf => {
                    if is_running { self.react(event) } else { self.inbox.push(event) }
                }
                () = sleep_until(due), if is_running => self.on_time(),
            }
            self.note_calm();
        }
    }

    fn of(&self) -> &Person {
        &self.world.persons[self.person]
    }

    async fn obey(&mut self, command: Command, first_rows: Option<usize>) -> Option<Next> {
        if self.frozen.is_some() {
            match command {
                Command::LookAround | Command::TryNow => self.has_to_look_around = true,
                Command::Thaw => self.thaw(),
                Command::Close(Ending::Closed) => {}
                Command::Close(ending) => return Some(self.close(ending)),
                Command::Report(report) => self.report(report),
                _ => {}
            }
            return None;
        }
        match command {
            Command::Join(name) => self.join(name),
            Command::Leave => self.leave(),
            Command::See(is_visible) => {
                if self.is_visible != is_visible {
                    self.world.recorder.count(if is_visible {
                        "page: shown"
                    } else {
                        "page: hidden"
                    });
                }
                self.is_visible = is_visible;
                self.look_around();
            }
            Command::LookAround => self.look_around(),
            Command::TryNow => {
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
                    Freeze::Tab => "page: the tab sleeps",
                    Freeze::Machine => "page: the machine sleeps",
                });
                self.frozen = Some(freeze);
            }
            Command::Thaw => {}
            Command::Reload { is_fetched_first, pause } => {
                return Some(self.reload(is_fetched_first, pause, first_rows).await);
            }
            Command::Close(ending) => return Some(self.close(ending)),
            Command::Report(report) => self.report(report),
        }
        None
    }

    async fn reload(
        &mut self,
        is_fetched_first: bool,
        pause: Duration,
        first_rows: Option<usize>,
    ) -> Next {
        self.world.recorder.count("page: reloaded");
        let world = Arc::clone(&self.world);
        let first_html = if is_fetched_first {
            // The old page stays until the new one is there; for this moment it does nothing.
            Some(Box::new(fetch(&world, self.person, first_rows, &mut self.rng).await))
        } else {
            None
        };
        self.ends();
        if let Some(end) = self.end.take() {
            end.close(GOING_AWAY);
        }
        let pause = if is_fetched_first { pause / 10 } else { pause };
        Next::Reloaded { tab: self.tab.clone(), first_html, pause }
    }

    fn close(&mut self, ending: Ending) -> Next {
        self.ends();
        self.world.recorder.count(match ending {
            Ending::Closed => "page: closed",
            Ending::Killed => "fault: a browser was killed",
            Ending::PoweredOff => "fault: a machine lost its power",
        });
        match (self.end.take(), ending) {
            (Some(end), Ending::Closed) => end.close(GOING_AWAY),
            (Some(end), Ending::PoweredOff) => end.vanish(),
            (_, _) => {}
        }
        Next::Gone
    }

    fn ends(&self) {
        self.of().page_ends(self.number, !self.is_listed());
    }

    fn report(&self, report: oneshot::Sender<Report>) {
        let replica = self.session.replica().clone();
        // Who asked may have given up.
        let _ = report.send(Report { is_live: self.is_live, replica });
    }

    fn thaw(&mut self) {
        self.frozen = None;
        // What is due and what has come: nobody says which is first.
        if self.rng.bool() {
            self.on_time();
        }
        for event in std::mem::take(&mut self.inbox) {
            // A socket that is gone is not heard any more.
            if self.end.is_some() {
                self.react(event);
            }
        }
        if std::mem::take(&mut self.has_to_look_around) {
            self.look_around();
        }
    }

    fn on_time(&mut self) {
        let now = Instant::now();
        if self.retry_at.unwrap_or(self.heard_at + self.patience) > now {
            return;
        }
        if self.retry_at.is_some() {
            self.open();
        } else {
            self.world.recorder.count("page: the watchdog barked");
            self.lost();
        }
    }

    fn surroundings(&self) -> Surroundings {
        let has_left = self.of().state().absence.as_ref().is_some_and(Absence::holds);
        Surroundings { tab: self.tab.clone(), is_visible: self.is_visible, has_left }
    }

    /// Opens a socket, in place of the one that is there.
    pub(crate) fn open(&mut self) {
        self.retry_at = None;
        self.heard_at = Instant::now();
        self.patience = LONGEST_ATTEMPT;
        if let Some(end) = self.end.take() {
            end.close(NO_CODE);
            self.session.closed(self.moment(), 0);
            self.is_live = false;
        }
        self.asked.is_unanswered = false;
        self.end = Some(dial(&self.world, self.person));
    }

    fn lost(&mut self) {
        if let Some(end) = self.end.take() {
            end.close(NO_CODE);
        }
        self.is_live = false;
        self.asked.is_unanswered = false;
        self.inbox.clear();
        let delay = self.session.closed(self.moment(), self.rng.u32(..));
        self.retry_at = Some(Instant::now() + delay);
    }

    fn react(&mut self, event: SocketEvent) {
        match event {
            SocketEvent::Opened => {
                self.heard_at = Instant::now();
                let first = self.session.opened(&self.surroundings());
                self.send([first]);
            }
            SocketEvent::Frame(text) => {
                self.tell(|| format!("hears {text}"));
                match read_frame(&text) {
                    Ok(event) => self.receive(event),
                    Err(_) => self.fail(&format!("this can't be read: {text}")),
                }
            }
            SocketEvent::Closed(code) => {
                if code == CloseCode::Replaced.number() {
                    self.world.recorder.count("page: replaced by one of the same tab");
                    self.tab = TabId::from_random(std::array::from_fn(|_| self.rng.u8(..)));
                }
                self.lost();
            }
        }
    }

    fn receive(&mut self, event: ServerEvent) {
        self.heard_at = Instant::now();
        self.patience = LONGEST_SILENCE;
        let before = self.session.replica().position().cloned();
        if let ServerEvent::Refused(refusal) = &event {
            self.world.recorder.count("page: refused");
            self.tell(|| format!("is refused: {refusal:?}"));
        }
        if matches!(event, ServerEvent::Resumed(_) | ServerEvent::ExistingUsers(_)) {
            self.asked.is_unanswered = false;
        }
        count_frame(&self.world, &event);
        let outcome = self.session.receive(event, &self.surroundings());
        self.is_live = outcome.is_live;
        if self.asked.to_be_listed == Some(self.is_listed()) {
            self.asked.to_be_listed = None;
        }
        self.check(before.as_ref(), &outcome);
        if let Some(Unlisted { reason: DepartureReason::Removed, end }) = outcome.was_unlisted
            && Absence::is_news(&end, self.absence().as_ref())
        {
            self.of().note_absence(self.number, Some(Absence::Removed(end)));
        }
        self.send(outcome.replies);
        if outcome.is_live {
            self.forget_removal();
        }
    }

    fn absence(&self) -> Option<Absence> {
        self.of().state().absence.clone()
    }

    fn forget_removal(&mut self) {
        if let Some(Absence::Removed(end)) = self.absence()
            && self.session.has_joined_since(&end)
        {
            self.of().note_absence(self.number, Some(Absence::TakenBack(end)));
            let events = self.session.look_around(&self.surroundings());
            self.send(events);
        }
    }

    fn is_listed(&self) -> bool {
        self.session.replica().your_row().is_some()
    }

    fn join(&mut self, name: String) {
        if self.is_listed() {
            self.world.recorder.count("page: rename");
            self.of().renames();
            self.want(Wish::Rename(name));
        } else {
            self.world.recorder.count("page: join");
            self.of().joins(self.number);
            self.want(Wish::Join(name));
        }
    }

    fn leave(&mut self) {
        if self.is_listed() {
            self.world.recorder.count("page: leave");
            self.of().leaves(self.number);
            self.want(Wish::Leave);
        }
    }

    fn want(&mut self, wish: Wish) {
        self.asked.to_be_listed = Some(wish != Wish::Leave);
        let absence = match wish {
            Wish::Leave => Some(Absence::Left),
            Wish::Join(_) | Wish::Rename(_) => self.absence().and_then(Absence::taken_back),
        };
        self.of().note_absence(self.number, absence);
        let event = self.session.want(wish, &self.surroundings());
        self.send(event);
    }

    fn look_around(&mut self) {
        self.forget_removal();
        let events = self.session.look_around(&self.surroundings());
        self.send(events);
        if self.is_visible {
            self.on_time();
            if self.retry_at.is_some() {
                self.open();
            }
        }
    }

    fn send(&mut self, events: impl IntoIterator<Item = ClientEvent>) {
        for mut event in events {
            if let ClientEvent::GotANewUser { tab, .. } = &mut event {
                self.asked.is_unanswered = true;
                if self.of().is_foreign {
                    *tab = None;
                }
            }
            let text = write_frame(&event);
            self.tell(|| format!("says {text}"));
            if let Some(end) = &self.end {
                end.send(text);
            }
        }
    }

    fn note_calm(&self) {
        let is_at_rest = self.is_live || self.frozen.is_some();
        let is_calm = is_at_rest && self.asked == Asked::default();
        if let Some(handle) = self.of().state().pages.get_mut(&self.number) {
            handle.is_calm = is_calm;
        }
    }

    fn whose(&self) -> String {
        format!("page {} of person {} ({})", self.number, self.person, self.of().who)
    }

    fn fail(&self, why: &str) {
        self.world.recorder.fail(&format!("{}: {why}", self.whose()));
    }

    fn tell(&self, what: impl FnOnce() -> String) {
        self.world.recorder.tell_detail(|| format!("page {}: {}", self.number, what()));
    }

    fn moment(&self) -> Duration {
        self.world.recorder.passed()
    }
}

async fn next_of(end: &mut Option<PageEnd>) -> SocketEvent {
    match end {
        Some(end) => end.next().await,
        None => std::future::pending().await,
    }
}
