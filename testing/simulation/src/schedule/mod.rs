//! One schedule: its people, its steps, and the check at the end.

mod final_state;
pub(crate) mod names;
mod step;

use std::{path::Path, sync::Arc, time::Duration};

use app::presence::{ClientEvent, TabId, UserId};
use fastrand::Rng;
use server::lifecycle::graceful_shutdown::Drain;
use tokio::{sync::mpsc::unbounded_channel, time::sleep};

use crate::{
    client::{
        command::Command,
        page::{self, PageConfig},
        person::{NetworkConditions, PageHandle, Person},
        sse_reader,
    },
    oracle::event_counts::EventCounts,
    recorder::Recorder,
    schedule::{
        names::{name, room_name},
        step::{ScheduleKind, Step, draw_pause},
    },
    server::{lifecycle::clear, quiescence::Quiescence},
    sync::lock,
    world::World,
};

/// The minimum number of steps of a schedule.
const STEPS: usize = 200;

/// More changes than the server's log keeps. Each step renames half of the crowd or more.
const STORM_CHANGES: usize = 2_400;

/// The time without failures after which everything must be right: a page may have to notice a silent
/// server, back off and retry twice, and a row may have to be removed or become away.
const SETTLE_TIME: Duration = Duration::from_secs(85);

/// The result of a schedule.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Counts of events.
    pub counts: EventCounts,
    /// The trace, one line per event.
    pub trace: Vec<String>,
    /// The first violation.
    pub failure: Option<String>,
}

/// Runs the schedule of a seed, on the paused clock of the current runtime.
pub(crate) async fn run_schedule(
    seed: u64,
    state_directory: &Path,
    is_detailed: bool,
    quiescence: Arc<Quiescence>,
) -> Outcome {
    clear(state_directory);
    let mut rng = Rng::with_seed(seed);
    let world = Arc::new(make_world(&mut rng, state_directory, is_detailed, quiescence));
    let kind = ScheduleKind { has_crowd: !world.crowd.is_empty(), has_outages: rng.u8(0..3) > 0 };
    let mut schedule = Schedule { world: Arc::clone(&world), rng, next_page: 0, kind };
    schedule.run().await;
    let (trace, failure) = world.recorder.take_trace();
    world.recorder.count("schedules");
    Outcome { counts: world.recorder.counts(), trace, failure }
}

fn make_world(
    rng: &mut Rng,
    state_directory: &Path,
    is_detailed: bool,
    quiescence: Arc<Quiescence>,
) -> World {
    let rooms = rng.usize(1..=2);
    let persons = rng.usize(4..=6);
    let persons = make_persons(rng, persons, rooms);
    let crowd = if rng.u8(0..6) == 0 { rng.usize(14..36) } else { 0 };
    let crowd = (0..crowd).map(|_| random_id(rng)).collect();
    let rooms = (0..rooms).map(room_name).collect();
    let recorder = Recorder::new(is_detailed, rng.fork());
    World::new(rooms, persons, crowd, state_directory.to_owned(), recorder, quiescence)
}

/// People with networks of all kinds, each in any of so many rooms.
pub(crate) fn make_persons(rng: &mut Rng, count: usize, rooms: usize) -> Vec<Person> {
    let persons = (0..count).map(|number| {
        let network = NetworkConditions {
            latency: Duration::from_millis(if rng.bool() {
                rng.u64(0..4)
            } else {
                rng.u64(4..250)
            }),
            jitter: Duration::from_millis(if rng.bool() { 0 } else { rng.u64(0..80) }),
            capacity: rng.usize(4..40),
            is_offline: false,
        };
        let is_third_party = number == 3 && rng.bool();
        Person::new(number, rng.usize(0..rooms), random_id(rng), is_third_party, network)
    });
    persons.collect()
}

fn random_id(rng: &mut Rng) -> UserId {
    UserId::from_leading_bits(rng.u128(..))
}

/// What pages, people and their networks do.
pub(crate) struct Schedule {
    world: Arc<World>,
    rng: Rng,
    next_page: u64,
    kind: ScheduleKind,
}

impl Schedule {
    /// The pages of a cluster, whose servers end by other steps.
    pub(crate) fn in_cluster(world: Arc<World>, rng: Rng) -> Self {
        let kind = ScheduleKind { has_crowd: false, has_outages: false };
        Self { world, rng, next_page: 0, kind }
    }

    async fn run(&mut self) {
        let world = Arc::clone(&self.world);
        world.start(Duration::ZERO).await;
        for room in 0..world.rooms.len() {
            tokio::spawn(sse_reader::run(Arc::clone(&world), room, self.rng.fork()));
        }
        for step in 0..STEPS {
            self.step();
            sleep(draw_pause(&mut self.rng)).await;
            world.observe_all();
            if world.recorder.has_failed() {
                world.recorder.trace(|| format!("after {step} steps"));
                return;
            }
        }
        self.repair().await;
        sleep(SETTLE_TIME).await;
        world.observe_all();
        if !world.recorder.has_failed() {
            self.check_final_state().await;
        }
    }

    pub(crate) fn step(&mut self) {
        let pages = self.pages().len();
        let step = Step::draw(&mut self.rng, pages, self.kind);
        self.world.recorder.count("events");
        self.world.recorder.count(step.name());
        self.world.recorder.trace(|| format!("{step:?}"));
        match step {
            Step::Open { first_rows } => self.open(first_rows, None),
            Step::Duplicate => {
                if let Some((person, _)) = self.random_page() {
                    let tab = lock(&self.world.tabs).get(&person).cloned();
                    self.open(Some(200), tab.map(|tab| (person, tab)));
                }
            }
            Step::Join => {
                let name = name(&mut self.rng);
                self.command(|_| Command::Join(name));
            }
            Step::Leave => self.command(|_| Command::Leave),
            Step::SetVisible(is_visible) => self.command(|_| Command::SetVisible(is_visible)),
            Step::Resync => self.command(|_| Command::Resync),
            Step::ReconnectNow => self.command(|_| Command::ReconnectNow),
            Step::Reload { loads_first, pause } => {
                self.command(|_| Command::Reload { loads_first, pause });
            }
            Step::Close(exit) => self.command(|_| Command::Close(exit)),
            Step::Freeze { freeze, lasting } => {
                if let Some((person, page)) = self.random_page() {
                    self.send(person, page, Command::Freeze(freeze));
                    self.schedule_after(lasting, move |world| {
                        send(world, person, page, Command::Thaw);
                    });
                }
            }
            Step::Remove => {
                let person = &self.world.persons[self.rng.usize(0..self.world.persons.len())];
                person.on_removed();
                self.world.remove(person.room, person.user_id);
            }
            Step::CrowdJoins | Step::CrowdLeaves | Step::CrowdRenames => {
                self.break_some_links();
                self.crowd(step);
            }
            Step::Resume => self.resume(),
            Step::CrowdStorm => {
                self.crowd(Step::CrowdJoins);
                for _ in 0..STORM_CHANGES / self.world.crowd.len() {
                    self.crowd(Step::CrowdRenames);
                }
            }
            Step::Cut { at_page, at_server } => {
                self.with_random_link(|link| link.cut(at_page, at_server));
            }
            Step::HalfClose(direction) => self.with_random_link(|link| link.stall(direction)),
            Step::Starve { direction, lasting } => {
                let mut starved = None;
                self.with_random_link(|link| {
                    link.stall(direction);
                    starved = Some(link.clone());
                });
                if let Some(link) = starved {
                    self.schedule_after(lasting, move |_| link.set_stalled(false));
                }
            }
            Step::Slow { latency } => self.with_random_link(|link| {
                link.down.set_latency(latency);
                link.up.set_latency(latency);
            }),
            Step::GoOffline { lasting } => {
                let person = self.rng.usize(0..self.world.persons.len());
                self.world.persons[person].state().network.is_offline = true;
                for link in self.world.links().iter().filter(|link| link.person == person) {
                    link.set_stalled(true);
                }
                self.schedule_after(lasting, move |world| go_online(world, person));
            }
            Step::Restart { down, loading } => {
                self.end_server(World::begin_shutdown, down, loading);
            }
            Step::Crash { down, loading } => {
                let kill = |world: &World| {
                    world.kill();
                    None
                };
                self.end_server(kill, down, loading);
            }
        }
    }

    /// Ends the server by shutdown or kill, and starts the next process.
    fn end_server(
        &self,
        how: impl FnOnce(&World) -> Option<Drain>,
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
                world.finish_shutdown(shutdown).await;
            }
            sleep(down).await;
            world.start(loading).await;
        });
    }

    fn open(&mut self, first_rows: Option<usize>, owner: Option<(usize, TabId)>) {
        let has_room = |person: &&Person| person.state().pages.len() < 3;
        let candidates = self.world.persons.iter().filter(has_room).collect::<Vec<_>>();
        let drawn = self.rng.choice(&candidates).map(|person| person.number);
        let new_tab = TabId::from_random(std::array::from_fn(|_| self.rng.u8(..)));
        let owner = owner.or(drawn.map(|person| (person, new_tab)));
        let Some((person, tab)) = owner else { return };
        let number = self.next_page;
        self.next_page += 1;
        let (commands, heard) = unbounded_channel();
        let handle = PageHandle { commands, is_idle: false };
        self.world.persons[person].state().pages.insert(number, handle);
        lock(&self.world.tabs).insert(person, tab.clone());
        self.world.recorder.trace(|| format!("page {number} belongs to person {person}"));
        let opening =
            PageConfig { world: Arc::clone(&self.world), person, number, tab, first_rows };
        tokio::spawn(page::run(opening, heard, self.rng.fork()));
    }

    /// Lets a reader of each room resume from past positions.
    fn resume(&mut self) {
        for room in 0..self.world.rooms.len() {
            let points = self.world.record(room).history.resume_points(&mut self.rng);
            for (point, users) in points {
                let world = Arc::clone(&self.world);
                tokio::spawn(sse_reader::resume(world, room, point, users));
            }
        }
    }

    /// Breaks some links during a large broadcast.
    fn break_some_links(&mut self) {
        for _ in 0..self.rng.usize(0..4) {
            let messages = self.rng.u32(0..4);
            self.world.recorder.count("fault: a link breaks during a broadcast");
            self.with_random_link(|link| link.down.break_after(messages));
        }
    }

    fn crowd(&mut self, step: Step) {
        let count = self.world.crowd.len();
        let from = self.rng.usize(0..count / 2);
        for member in from..count {
            let event = match step {
                Step::CrowdJoins => {
                    let name = name(&mut self.rng);
                    ClientEvent::GotANewUser { name, tab: None, visible: None, since: None }
                }
                Step::CrowdLeaves => ClientEvent::Leave {},
                _ => ClientEvent::Rename { name: name(&mut self.rng) },
            };
            self.world.crowd_send(member, &event);
        }
    }

    fn pages(&self) -> Vec<(usize, u64)> {
        let pages = |person: &Person| {
            let pages = person.state().pages.keys().copied().collect::<Vec<_>>();
            pages.into_iter().map(|page| (person.number, page)).collect::<Vec<_>>()
        };
        self.world.persons.iter().flat_map(pages).collect()
    }

    fn random_page(&mut self) -> Option<(usize, u64)> {
        let pages = self.pages();
        self.rng.choice(&pages).copied()
    }

    fn command(&mut self, command: impl FnOnce(&mut Rng) -> Command) {
        if let Some((person, page)) = self.random_page() {
            let command = command(&mut self.rng);
            self.send(person, page, command);
        }
    }

    fn send(&self, person: usize, page: u64, command: Command) {
        self.world.recorder.trace(|| format!("  page {page} of person {person}"));
        send(&self.world, person, page, command);
    }

    fn with_random_link(&mut self, act: impl FnOnce(&crate::network::link::Link)) {
        let links = self.world.links();
        if let Some(link) = self.rng.choice(&links) {
            self.world.recorder.trace(|| format!("  a link of person {}", link.person));
            act(link);
        }
    }

    fn schedule_after(&self, after: Duration, act: impl FnOnce(&Arc<World>) + Send + 'static) {
        let world = Arc::clone(&self.world);
        tokio::spawn(async move {
            sleep(after).await;
            act(&world);
        });
    }
}

fn go_online(world: &Arc<World>, person: usize) {
    let owner = &world.persons[person];
    if !std::mem::replace(&mut owner.state().network.is_offline, false) {
        return;
    }
    for link in world.links().iter().filter(|link| link.person == person) {
        link.set_stalled(false);
    }
    for page in owner.state().pages.values() {
        // Sending to a page that has ended fails, which is fine.
        let _ = page.commands.send(Command::ReconnectNow);
    }
}

fn send(world: &World, person: usize, page: u64, command: Command) {
    if let Some(handle) = world.persons[person].state().pages.get(&page) {
        // Sending to a page that is ending fails, which is fine.
        let _ = handle.commands.send(command);
    }
}
