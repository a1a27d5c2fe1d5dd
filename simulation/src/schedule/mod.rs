//! One schedule: who there is, what happens to them, and what has to be true in the end.

mod names;
mod step;

use std::{path::Path, sync::Arc, time::Duration};

use app::presence::{ClientEvent, Since, TabId, UserId};
use fastrand::Rng;
use server::shutdown::Shutdown;
use tokio::{
    sync::{mpsc::unbounded_channel, oneshot},
    time::{sleep, timeout},
};

use crate::client::command::{Command, Report};
use crate::client::page::{self, Opening};
use crate::client::person::{PageHandle, Person, Wanted, Weather};
use crate::client::sse_reader;
use crate::oracle::event_counts::Tally;
use crate::schedule::names::{name, room_name};
use crate::schedule::step::{Kind, Step, draw_pause};
use crate::server::lifecycle::clear;
use crate::sync::lock;
use crate::world::World;

/// How many things happen at least in a schedule.
const STEPS: usize = 200;

/// More than the server's log holds when they are old: half of a crowd or more is renamed each time.
const CHANGES_OF_A_STORM: usize = 2_400;

/// When nothing fails any more, everything is right after this: a page may have to find that its
/// server is silent, wait, and try twice, and a row may have to be let go, or to become away.
const UNTIL_ALL_IS_QUIET: Duration = Duration::from_secs(80);

/// What became of a schedule.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// How often what happened.
    pub tally: Tally,
    /// What happened, one line each.
    pub story: Vec<String>,
    /// Which law was broken.
    pub failure: Option<String>,
}

/// Plays the schedule of a seed, on the paused clock of the runtime that this runs on.
pub(crate) async fn play(seed: u64, state_directory: &Path, is_detailed: bool) -> Outcome {
    clear(state_directory);
    let mut rng = Rng::with_seed(seed);
    let world = Arc::new(make_world(&mut rng, state_directory, is_detailed));
    let kind = Kind { has_crowd: !world.crowd.is_empty(), has_outages: rng.u8(0..3) > 0 };
    let mut schedule = Schedule { world: Arc::clone(&world), rng, next_page: 0, kind };
    schedule.run().await;
    let (story, failure) = world.recorder.take_story();
    world.recorder.count("schedules");
    Outcome { tally: world.recorder.tally(), story, failure }
}

fn make_world(rng: &mut Rng, state_directory: &Path, is_detailed: bool) -> World {
    let rooms = rng.usize(1..=2);
    let persons = (0..rng.usize(4..=6)).map(|number| {
        let weather = Weather {
            latency: Duration::from_millis(if rng.bool() {
                rng.u64(0..4)
            } else {
                rng.u64(4..250)
            }),
            jitter: Duration::from_millis(if rng.bool() { 0 } else { rng.u64(0..80) }),
            capacity: rng.usize(4..40),
            is_offline: false,
        };
        let is_foreign = number == 3 && rng.bool();
        Person::new(number, rng.usize(0..rooms), any_id(rng), is_foreign, weather)
    });
    let persons = persons.collect();
    let crowd = if rng.u8(0..6) == 0 { rng.usize(14..36) } else { 0 };
    let crowd = (0..crowd).map(|_| any_id(rng)).collect();
    let rooms = (0..rooms).map(room_name).collect();
    let own = rng.fork();
    World::new(rooms, persons, crowd, state_directory.to_owned(), is_detailed, own)
}

fn any_id(rng: &mut Rng) -> UserId {
    UserId::from_leading_bits(rng.u128(..))
}

struct Schedule {
    world: Arc<World>,
    rng: Rng,
    next_page: u64,
    kind: Kind,
}

impl Schedule {
    async fn run(&mut self) {
        let world = Arc::clone(&self.world);
        world.start(Duration::ZERO).await;
        for room in 0..world.rooms.len() {
            tokio::spawn(sse_reader::run(Arc::clone(&world), room, self.rng.fork()));
        }
        for step in 0..STEPS {
            self.step();
            sleep(draw_pause(&mut self.rng)).await;
            world.look_everywhere();
            if world.recorder.has_failed() {
                world.recorder.tell(|| format!("after {step} steps"));
                return;
            }
        }
        self.heal().await;
        sleep(UNTIL_ALL_IS_QUIET).await;
        world.look_everywhere();
        if !world.recorder.has_failed() {
            self.check_the_end().await;
        }
    }

    fn step(&mut self) {
        let pages = self.pages().len();
        let step = Step::draw(&mut self.rng, pages, self.kind);
        self.world.recorder.count("events");
        self.world.recorder.count(step.name());
        self.world.recorder.tell(|| format!("{step:?}"));
        match step {
            Step::Open { first_rows } => self.open(first_rows, None),
            Step::Duplicate => {
                if let Some((person, _)) = self.any_page() {
                    let tab = lock(&self.world.tabs).get(&person).cloned();
                    self.open(Some(200), tab.map(|tab| (person, tab)));
                }
            }
            Step::Join => {
                let name = name(&mut self.rng);
                self.command(|_| Command::Join(name));
            }
            Step::Leave => self.command(|_| Command::Leave),
            Step::See(is_visible) => self.command(|_| Command::See(is_visible)),
            Step::Resync => self.command(|_| Command::Resync),
            Step::TryNow => self.command(|_| Command::TryNow),
            Step::Reload { is_fetched_first, pause } => {
                self.command(|_| Command::Reload { is_fetched_first, pause });
            }
            Step::Close(ending) => self.command(|_| Command::Close(ending)),
            Step::Freeze { freeze, lasting } => {
                if let Some((person, page)) = self.any_page() {
                    self.send(person, page, Command::Freeze(freeze));
                    self.later(lasting, move |world| send(world, person, page, Command::Thaw));
                }
            }
            Step::Remove => {
                let person = &self.world.persons[self.rng.usize(0..self.world.persons.len())];
                person.is_removed();
                self.world.remove(person.room, person.who);
            }
            Step::CrowdComes | Step::CrowdGoes | Step::CrowdIsRenamed => {
                self.break_some_links();
                self.crowd(step);
            }
            Step::ComeBack => self.come_back(),
            Step::CrowdStorms => {
                self.crowd(Step::CrowdComes);
                for _ in 0..CHANGES_OF_A_STORM / self.world.crowd.len() {
                    self.crowd(Step::CrowdIsRenamed);
                }
            }
            Step::Cut { at_page, at_server } => {
                self.any_link(|link| link.cut(at_page, at_server));
            }
            Step::HalfClose(direction) => self.any_link(|link| link.stall(direction)),
            Step::Starve { direction, lasting } => {
                let mut starved = None;
                self.any_link(|link| {
                    link.stall(direction);
                    starved = Some(link.clone());
                });
                if let Some(link) = starved {
                    self.later(lasting, move |_| link.set_stalled(false));
                }
            }
            Step::Slow { latency } => self.any_link(|link| {
                link.down.set_latency(latency);
                link.up.set_latency(latency);
            }),
            Step::GoOffline { lasting } => {
                let person = self.rng.usize(0..self.world.persons.len());
                self.world.persons[person].state().weather.is_offline = true;
                for link in self.world.links().iter().filter(|link| link.person == person) {
                    link.set_stalled(true);
                }
                self.later(lasting, move |world| go_online(world, person));
            }
            Step::Restart { down, loading } => self.end_server(World::terminate, down, loading),
            Step::Crash { down, loading } => {
                let crash = |world: &World| {
                    world.crash();
                    None
                };
                self.end_server(crash, down, loading);
            }
        }
    }

    /// The server ends, in order or not, and another process takes its place.
    fn end_server(
        &self,
        how: impl FnOnce(&World) -> Option<Shutdown>,
        down: Duration,
        loading: Duration,
    ) {
        let world = Arc::clone(&self.world);
        if !lock(&world.process).is_up() {
            return;
        }
        let shutdown = how(&world);
        tokio::spawn(async move {
            if let Some(shutdown) = shutdown {
                world.end(shutdown).await;
            }
            sleep(down).await;
            world.start(loading).await;
        });
    }

    fn open(&mut self, first_rows: Option<usize>, of: Option<(usize, TabId)>) {
        let has_room = |person: &&Person| person.state().pages.len() < 3;
        let candidates = self.world.persons.iter().filter(has_room).collect::<Vec<_>>();
        let drawn = self.rng.choice(&candidates).map(|person| person.number);
        let new_tab = TabId::from_random(std::array::from_fn(|_| self.rng.u8(..)));
        let of = of.or(drawn.map(|person| (person, new_tab)));
        let Some((person, tab)) = of else { return };
        let number = self.next_page;
        self.next_page += 1;
        let (commands, heard) = unbounded_channel();
        let handle = PageHandle { commands, is_calm: false };
        self.world.persons[person].state().pages.insert(number, handle);
        lock(&self.world.tabs).insert(person, tab.clone());
        self.world.recorder.tell(|| format!("page {number} is person {person}'s"));
        let opening = Opening { world: Arc::clone(&self.world), person, number, tab, first_rows };
        tokio::spawn(page::run(opening, heard, self.rng.fork()));
    }

    /// Somebody who only looks comes back to each room, from any point of its past.
    fn come_back(&mut self) {
        for room in 0..self.world.rooms.len() {
            let points = self.world.books(room).truth.points_to_come_back_from(&mut self.rng);
            for (point, users) in points {
                let world = Arc::clone(&self.world);
                tokio::spawn(sse_reader::come_back(world, room, point, users));
            }
        }
    }

    /// Much is told now: some hear only the beginning of it.
    fn break_some_links(&mut self) {
        for _ in 0..self.rng.usize(0..4) {
            let messages = self.rng.u32(0..4);
            self.world.recorder.count("fault: a link breaks within what is told");
            self.any_link(|link| link.down.break_after(messages));
        }
    }

    fn crowd(&mut self, step: Step) {
        let count = self.world.crowd.len();
        let from = self.rng.usize(0..count / 2);
        for member in from..count {
            let event = match step {
                Step::CrowdComes => {
                    let name = name(&mut self.rng);
                    ClientEvent::GotANewUser { name, tab: None, visible: None, since: None }
                }
                Step::CrowdGoes => ClientEvent::Leave {},
                _ => ClientEvent::Rename { name: name(&mut self.rng) },
            };
            self.world.crowd_says(member, &event);
        }
    }

    fn pages(&self) -> Vec<(usize, u64)> {
        let pages = |person: &Person| {
            let pages = person.state().pages.keys().copied().collect::<Vec<_>>();
            pages.into_iter().map(|page| (person.number, page)).collect::<Vec<_>>()
        };
        self.world.persons.iter().flat_map(pages).collect()
    }

    fn any_page(&mut self) -> Option<(usize, u64)> {
        let pages = self.pages();
        self.rng.choice(&pages).copied()
    }

    fn command(&mut self, command: impl FnOnce(&mut Rng) -> Command) {
        if let Some((person, page)) = self.any_page() {
            let command = command(&mut self.rng);
            self.send(person, page, command);
        }
    }

    fn send(&self, person: usize, page: u64, command: Command) {
        self.world.recorder.tell(|| format!("  page {page} of person {person}"));
        send(&self.world, person, page, command);
    }

    fn any_link(&mut self, act: impl FnOnce(&crate::network::link::Link)) {
        let links = self.world.links();
        if let Some(link) = self.rng.choice(&links) {
            self.world.recorder.tell(|| format!("  a link of person {}", link.person));
            act(link);
        }
    }

    fn later(&self, after: Duration, act: impl FnOnce(&Arc<World>) + Send + 'static) {
        let world = Arc::clone(&self.world);
        tokio::spawn(async move {
            sleep(after).await;
            act(&world);
        });
    }

    /// Nothing fails any more: the server is there, so is every network, and everybody is awake.
    async fn heal(&mut self) {
        self.world.recorder.tell(|| "all is healed".to_owned());
        while !lock(&self.world.process).is_up() {
            sleep(Duration::from_millis(100)).await;
        }
        for link in self.world.links() {
            if self.rng.bool() {
                link.set_stalled(false);
            } else {
                link.cut(Some(Duration::ZERO), Some(Duration::ZERO));
            }
        }
        for person in 0..self.world.persons.len() {
            go_online(&self.world, person);
        }
        for (person, page) in self.pages() {
            send(&self.world, person, page, Command::Thaw);
        }
    }

    /// Every page shows what the server has, and what the persons wanted is so.
    async fn check_the_end(&mut self) {
        let world = Arc::clone(&self.world);
        let Some(hub) = lock(&world.process).serving_hub() else {
            return world.recorder.fail("there is no server in the end");
        };
        for (person, page) in self.pages() {
            let of = &world.persons[person];
            let whose = format!("page {page} of person {person} ({})", of.who);
            let (ask, answer) = oneshot::channel();
            send(&world, person, page, Command::Report(ask));
            let Ok(Ok(Report { is_live, replica })) = timeout(Duration::from_secs(1), answer).await
            else {
                return world.recorder.fail(&format!("{whose}: it does not answer"));
            };
            let list = hub.snapshot(&world.rooms[of.room].name, Some(of.who), usize::MAX);
            if !is_live {
                return world
                    .recorder
                    .fail(&format!("{whose}: it is not live in the end: {replica:?}"));
            }
            let point = Since { epoch: list.epoch.clone(), seq: list.seq };
            let is_same = replica.position() == Some(&point)
                && replica.you() == Some(of.who)
                && replica.roster().users().eq(&list.users);
            if !is_same {
                return world.recorder.fail(&format!(
                    "{whose}: its list is not the server's: {replica:?} and {list:?}"
                ));
            }
            world.recorder.count("pages that were right in the end");
        }
        for person in &world.persons {
            let list = hub.snapshot(&world.rooms[person.room].name, None, usize::MAX);
            let rows = list.users.iter().filter(|user| user.id == person.who).count();
            let state = person.state();
            let is_alone = state.pages.is_empty();
            let wanted = match state.wanted {
                _ if is_alone => Some(0),
                Wanted::Nothing | Wanted::Unlisted { .. } => Some(0),
                Wanted::Listed { .. } => Some(1),
                Wanted::Either => None,
            };
            let what = format!("person {} has {rows} rows in the end: {:?}", person.number, *state);
            drop(state);
            if wanted.is_some_and(|wanted| wanted != rows) {
                return world.recorder.fail(&what);
            }
            world.recorder.count(match wanted {
                Some(0) => "persons that were rightly not listed in the end",
                Some(_) => "persons that were rightly listed in the end",
                None => "persons that might be listed or not in the end",
            });
        }
    }
}

fn go_online(world: &Arc<World>, person: usize) {
    let of = &world.persons[person];
    if !std::mem::replace(&mut of.state().weather.is_offline, false) {
        return;
    }
    for link in world.links().iter().filter(|link| link.person == person) {
        link.set_stalled(false);
    }
    for page in of.state().pages.values() {
        // A page that is gone has no network either.
        let _ = page.commands.send(Command::TryNow);
    }
}

fn send(world: &World, person: usize, page: u64, command: Command) {
    if let Some(handle) = world.persons[person].state().pages.get(&page) {
        // A page that is on its way out listens no more.
        let _ = handle.commands.send(command);
    }
}
