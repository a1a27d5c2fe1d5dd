//! Several servers over one engine in memory: hubs, their nodes, and clients that read.
//!
//! Pages are those of the other schedules: the real session over the server's real sockets, through networks that
//! fail. Each connection leads to any server. The other clients have no network to their server, so that they show at
//! once what a server says. Faults are those of servers, of the engine, and of the network between them.
//!
//! Invariants:
//!
//! - There are never two lists at one point, on one server or between two, as servers have them or clients.
//! - No frame has a gap, and none contradicts a client's list.
//! - What an entry of a journal changes is what it may change (`audit`).
//! - A server that never was away for long keeps its id.
//! - Without faults, nobody who is connected and has joined is ever missing.
//! - In the end, all servers have one list at one point, and so have their clients; whoever wants to be listed is
//!   listed once, nobody else is, and no server is in a room that is not alive.

mod actions;
mod audit;
pub(crate) mod balancer;
mod checks;
mod client;
mod gate;
mod lists;
mod servers;
mod step;

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use app::presence::{RoomName, UserId};
use fastrand::Rng;
use registry::{
    cluster::memory::{Availability, Faults, MemoryEngine},
    presence::room::RoomLimits,
};
use tokio::time::Instant;

use self::{
    audit::Audit,
    balancer::Balancer,
    client::Client,
    lists::Lists,
    servers::Server,
    step::{Kind, Step, draw_limits, draw_pause},
};
use crate::{
    recorder::Recorder,
    schedule::{Outcome, Schedule as PageSchedule, make_persons, names::room_name},
    server::quiescence::Quiescence,
    sync::lock,
    world::World,
};

/// The number of steps of a schedule.
const STEPS: usize = 200;

const SERVERS: usize = 3;

/// So many of ten steps are those of pages.
const PAGE_STEPS: u8 = 4;

/// Within this time after its faults, everything must be right.
const SETTLE_TIME: Duration = Duration::from_secs(85);

/// The engine's time at the start, in milliseconds since the Unix epoch.
const ENGINE_CLOCK: u64 = 1_900_000_000_000;

/// A person, and what is expected of the row.
#[derive(Debug)]
struct Person {
    user_id: UserId,
    expected: Expected,
    /// Counts what made it uncertain whether requests that were under way were executed.
    doubts: u64,
    /// The last removal on purpose.
    removed_at: Option<Instant>,
    /// Whether the last removal may still come after a later join in the journal.
    is_removal_open: bool,
}

/// Whether a person who is connected is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Listed,
    Unlisted,
    /// Two requests have crossed, or a fault has met one.
    Unknown,
}

struct Schedule {
    rng: Rng,
    recorder: Arc<Recorder>,
    /// The pages, which reach any server through simulated networks. Other clients have none.
    pages: PageSchedule,
    world: Arc<World>,
    engine: MemoryEngine,
    kind: Kind,
    limits: RoomLimits,
    /// `None` while the process is down.
    servers: Vec<Option<Server>>,
    rooms: Vec<RoomName>,
    lists: Vec<Arc<Mutex<Lists>>>,
    audits: Vec<Audit>,
    /// Makes the name of each request a different one.
    next_name: u64,
    persons: Vec<Person>,
    clients: Vec<Client>,
    next_tab: u8,
    /// Clients that found no server to go on over.
    homeless: Vec<Client>,
    /// Servers that were killed while something of them was still on its way to the engine.
    outlived: BTreeSet<usize>,
    /// What ends at some time.
    ends: Vec<(Instant, End)>,
    /// The last fault, or the end of one.
    troubled_at: Option<Instant>,
}

/// The end of something that lasts for a while.
#[derive(Clone, Copy, Debug)]
enum End {
    Down(usize),
    Stop(usize),
    Partition(usize),
    Engine,
    LostMessages,
    OutOfMemory,
}

/// Runs the schedule of a seed, on the paused clock of the current runtime.
pub(crate) async fn run_schedule(
    seed: u64,
    is_detailed: bool,
    quiescence: Arc<Quiescence>,
) -> Outcome {
    let mut rng = Rng::with_seed(seed);
    let engine = MemoryEngine::new(rng.u64(..), ENGINE_CLOCK);
    let rooms: Vec<RoomName> = (0..rng.usize(1..=2)).map(room_name).collect();
    let persons = (0..rng.usize(3..=6)).map(|_| Person {
        user_id: UserId::from_leading_bits(rng.u128(..)),
        expected: Expected::Unlisted,
        doubts: 0,
        removed_at: None,
        is_removal_open: false,
    });
    let persons = persons.collect();
    let lists: Vec<_> = rooms.iter().map(|_| Arc::default()).collect();
    let visitors = rng.usize(3..=4);
    let visitors = make_persons(&mut rng, visitors, rooms.len());
    let recorder = Recorder::new(is_detailed, rng.fork());
    let mut world =
        World::new(rooms.clone(), visitors, Vec::new(), PathBuf::new(), recorder, quiescence);
    world.balancer = Some(Balancer::new(SERVERS, lists.clone(), rng.fork()));
    let world = Arc::new(world);
    let recorder = Arc::clone(&world.recorder);
    let mut schedule = Schedule {
        pages: PageSchedule::in_cluster(Arc::clone(&world), rng.fork()),
        world,
        kind: Kind::draw(&mut rng),
        limits: draw_limits(&mut rng),
        recorder,
        engine,
        servers: Vec::new(),
        lists,
        audits: rooms.iter().map(|_| Audit::default()).collect(),
        next_name: 0,
        rooms,
        persons,
        clients: Vec::new(),
        homeless: Vec::new(),
        outlived: BTreeSet::new(),
        next_tab: 0,
        ends: Vec::new(),
        troubled_at: None,
        rng,
    };
    for server in 0..SERVERS {
        let started = schedule.start_server(server);
        schedule.servers.push(Some(started));
    }
    schedule.run().await;
    let (trace, failure) = schedule.recorder.take_trace();
    schedule.recorder.count("schedules");
    Outcome { counts: schedule.recorder.counts(), trace, failure }
}

impl Schedule {
    async fn run(&mut self) {
        self.recorder.trace(|| format!("{:?}, {} people", self.kind, self.persons.len()));
        for number in 0..STEPS {
            self.step().await;
            let pause = draw_pause(&mut self.rng);
            self.pass(pause).await;
            if self.recorder.has_failed() {
                self.recorder.trace(|| format!("after {number} steps"));
                return;
            }
        }
        self.recorder.trace(|| "all failures end".to_owned());
        for (_, end) in std::mem::take(&mut self.ends) {
            self.end(end);
        }
        self.pages.repair_clients();
        self.pass(SETTLE_TIME).await;
        self.check_final().await;
    }

    async fn step(&mut self) {
        if self.rng.u8(0..10) < PAGE_STEPS {
            return self.pages.step();
        }
        let step = Step::draw(&mut self.rng, self.clients.len(), self.kind);
        self.recorder.count("events");
        self.recorder.count(step.name());
        self.recorder.trace(|| format!("{step:?}"));
        if step.is_fault() {
            self.doubt_everyone();
        }
        if step.is_lossy() {
            self.lists.iter().for_each(|lists| lock(lists).fall());
        }
        match step {
            Step::Open => self.open(),
            Step::Join => self.join(),
            Step::Rename => {
                let name = self.name();
                self.with_client(|client| client.rename(&name));
            }
            Step::Leave => self.leave(),
            Step::SetVisible(is_visible) => {
                self.with_client(|client| client.set_visible(is_visible));
            }
            Step::Resync => self.with_client(Client::resync),
            Step::Close(reason) => {
                if let Some(client) = self.take_client() {
                    self.doubt_if_waiting(&client);
                    client.close(reason);
                }
            }
            Step::Move => self.move_client(),
            Step::Remove => self.remove().await,
            Step::RestartServer { down } => self.restart(down).await,
            Step::KillServer { down, late } => self.kill(down, late).await,
            Step::KillAllServers { down } => self.kill_all(down),
            Step::StopServer { lasting, is_busy } => self.stop(lasting, is_busy),
            Step::Cut => self.engine.cut(self.rng.usize(..SERVERS)),
            Step::Partition { partition, lasting } => {
                let server = self.rng.usize(..SERVERS);
                self.set_faults(|faults| {
                    faults.partitions.insert(server, partition);
                });
                self.ends_after(lasting, End::Partition(server));
            }
            Step::EngineHangs { lasting } => {
                self.set_faults(|faults| faults.availability = Availability::Hanging);
                self.ends_after(lasting, End::Engine);
            }
            Step::EngineAway { lasting } => {
                self.set_faults(|faults| faults.availability = Availability::Away);
                self.ends_after(lasting, End::Engine);
            }
            Step::EngineRestarts => self.engine.restart(),
            Step::EngineEmpty => self.engine.restart_empty(),
            Step::EngineFallsBack { writes } => self.engine.fall_back(writes),
            Step::LoseMessages { share, lasting } => {
                self.set_faults(|faults| faults.lost_messages = share);
                self.ends_after(lasting, End::LostMessages);
            }
            Step::DelayAppend { delay } => {
                let server = self.rng.usize(..SERVERS);
                self.set_faults(|faults| {
                    faults.delayed_appends.insert(server, delay);
                });
            }
            Step::OutOfMemory { lasting } => {
                self.set_faults(|faults| faults.is_out_of_memory = true);
                self.ends_after(lasting, End::OutOfMemory);
            }
            Step::Latency { milliseconds } => {
                self.set_faults(|faults| faults.latency = 0..milliseconds);
            }
            Step::ClockJumps { milliseconds } => self.engine.jump(milliseconds),
        }
    }

    fn set_faults(&self, change: impl FnOnce(&mut Faults)) {
        self.engine.set_faults(change);
    }

    fn ends_after(&mut self, lasting: Duration, end: End) {
        self.ends.push((Instant::now() + lasting, end));
    }

    fn end(&mut self, end: End) {
        self.recorder.trace(|| format!("ends: {end:?}"));
        self.troubled_at = Some(Instant::now());
        match end {
            End::Down(server) if self.servers[server].is_none() => {
                self.servers[server] = Some(self.start_server(server));
                self.move_homeless();
            }
            End::Down(_) => {}
            End::Stop(server) => {
                if let Some(stopped) = &self.servers[server] {
                    stopped.gate.go_on();
                }
                self.move_homeless();
            }
            End::Partition(server) => self.set_faults(|faults| {
                faults.partitions.remove(&server);
            }),
            End::Engine => self.set_faults(|faults| faults.availability = Availability::Up),
            End::LostMessages => self.set_faults(|faults| faults.lost_messages = 0.0),
            End::OutOfMemory => self.set_faults(|faults| faults.is_out_of_memory = false),
        }
    }
}
