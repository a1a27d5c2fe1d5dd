//! What can happen to a cluster, and how often.

use std::time::Duration;

use app::presence::DepartureReason;
use fastrand::Rng;
use registry::{cluster::memory::Partition, presence::room::RoomLimits};

/// A step. The server, person or client that it applies to is drawn when it runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
    Open,
    Join,
    Rename,
    Leave,
    SetVisible(bool),
    Resync,
    Close(DepartureReason),
    /// A client goes on over another server, with the list that it has.
    Move,
    Remove,
    RestartServer {
        down: Duration,
    },
    KillServer {
        down: Duration,
        /// What a client asked for last arrives in the engine after so long.
        late: Option<Duration>,
    },
    /// No time passes in the rooms until the first one is back.
    KillAllServers {
        down: Duration,
    },
    StopServer {
        lasting: Duration,
        /// Something is under way then.
        is_busy: bool,
    },
    Cut,
    Partition {
        partition: Partition,
        lasting: Duration,
    },
    EngineHangs {
        lasting: Duration,
    },
    EngineAway {
        lasting: Duration,
    },
    EngineRestarts,
    EngineEmpty,
    EngineFallsBack {
        writes: usize,
    },
    LoseMessages {
        share: f64,
        lasting: Duration,
    },
    DelayAppend {
        delay: Duration,
    },
    OutOfMemory {
        lasting: Duration,
    },
    Latency {
        milliseconds: u64,
    },
    ClockJumps {
        milliseconds: i64,
    },
}

/// What goes wrong in a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing: clients move, and servers are restarted in order.
    Calm,
    /// Links end, and what was sent over them arrives late. No server is away for long.
    Links,
    /// Servers and the network to the engine.
    Servers,
    /// Everything, also what the engine loses.
    Everything,
}

impl Kind {
    pub(super) fn draw(rng: &mut Rng) -> Self {
        match rng.u8(0..8) {
            0 => Self::Calm,
            1 => Self::Links,
            2..4 => Self::Servers,
            _ => Self::Everything,
        }
    }
}

impl Step {
    /// Its name in the event counts.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Open => "cluster: a client opens",
            Self::Join => "cluster: a client joins",
            Self::Rename => "cluster: a client renames itself",
            Self::Leave => "cluster: a person leaves",
            Self::SetVisible(_) => "cluster: a page is shown or hidden",
            Self::Resync => "cluster: a client asks for the list",
            Self::Close(_) => "cluster: a client ends",
            Self::Move => "cluster: a client changes servers",
            Self::Remove => "cluster: the operator removes a person",
            Self::RestartServer { .. } => "cluster: a server restarts in order",
            Self::KillServer { .. } => "cluster fault: a server is killed",
            Self::KillAllServers { .. } => "cluster fault: all servers are killed",
            Self::StopServer { .. } => "cluster fault: a server is stopped for a while",
            Self::Cut => "cluster fault: a link is cut",
            Self::Partition { .. } => "cluster fault: a server is cut off",
            Self::EngineHangs { .. } => "cluster fault: the engine hangs",
            Self::EngineAway { .. } => "cluster fault: the engine is away",
            Self::EngineRestarts => "cluster fault: the engine restarts with its data",
            Self::EngineEmpty => "cluster fault: the engine restarts empty",
            Self::EngineFallsBack { .. } => "cluster fault: the engine falls back to a replica",
            Self::LoseMessages { .. } => "cluster fault: messages are lost",
            Self::DelayAppend { .. } => "cluster fault: an append arrives late",
            Self::OutOfMemory { .. } => "cluster fault: the engine is out of memory",
            Self::Latency { .. } => "cluster: the network becomes slow or fast",
            Self::ClockJumps { .. } => "cluster fault: the engine's clock jumps",
        }
    }

    /// Draws a step. More clients are opened while there are few.
    pub(super) fn draw(rng: &mut Rng, clients: usize, kind: Kind) -> Self {
        if clients < 6 && rng.bool() {
            return Self::Open;
        }
        let faults = match kind {
            Kind::Links if rng.u8(0..10) == 0 => {
                return if rng.bool() {
                    Self::Cut
                } else {
                    Self::DelayAppend { delay: lasting(rng, 8_000) }
                };
            }
            Kind::Calm | Kind::Links => 0,
            Kind::Servers => 160,
            Kind::Everything => 240,
        };
        match rng.u32(0..1_000 + faults) {
            0..120 if clients < 14 => Self::Open,
            0..330 => Self::Join,
            330..400 => Self::Rename,
            400..460 => Self::Leave,
            460..600 => Self::SetVisible(rng.bool()),
            600..640 => Self::Resync,
            640..740 => Self::Close(if rng.bool() {
                DepartureReason::Closed
            } else {
                DepartureReason::Lost
            }),
            740..900 => Self::Move,
            900..930 => Self::Remove,
            930..960 => Self::Latency { milliseconds: rng.u64(0..120) },
            960..1_000 => Self::RestartServer { down: lasting(rng, 8_000) },
            1_000..1_025 => Self::KillServer {
                down: lasting(rng, 20_000),
                late: rng.bool().then(|| lasting(rng, 12_000)),
            },
            1_025..1_032 => Self::KillAllServers { down: lasting(rng, 20_000) },
            1_032..1_057 => Self::StopServer { lasting: lasting(rng, 12_000), is_busy: rng.bool() },
            1_057..1_077 => Self::Cut,
            1_077..1_107 => Self::Partition {
                partition: if rng.bool() { Partition::Both } else { Partition::Answers },
                lasting: lasting(rng, 12_000),
            },
            1_107..1_125 => {
                Self::LoseMessages { share: rng.f64() / 2.0, lasting: lasting(rng, 5_000) }
            }
            1_125..1_160 => Self::DelayAppend { delay: lasting(rng, 8_000) },
            1_160..1_175 => Self::EngineHangs { lasting: lasting(rng, 10_000) },
            1_175..1_185 => Self::EngineAway { lasting: lasting(rng, 30_000) },
            1_185..1_195 => Self::EngineRestarts,
            1_195..1_202 => Self::EngineEmpty,
            1_202..1_222 => Self::EngineFallsBack { writes: rng.usize(1..10) },
            1_222..1_230 => Self::OutOfMemory { lasting: lasting(rng, 5_000) },
            _ => Self::ClockJumps { milliseconds: rng.i64(-5_000..5_000) },
        }
    }

    /// Whether the engine may lose what was written last.
    pub(super) fn is_lossy(self) -> bool {
        matches!(self, Self::EngineEmpty | Self::EngineFallsBack { .. })
    }

    /// Whether it is a fault, after which it is not certain what became of requests that were under way.
    pub(super) fn is_fault(self) -> bool {
        self.name().starts_with("cluster fault")
    }
}

/// Short, so that some are forgotten in a schedule.
const KEPT_FOR: Duration = Duration::from_mins(2);

/// In some schedules, rooms are soon full.
pub(super) fn draw_limits(rng: &mut Rng) -> RoomLimits {
    if rng.u8(0..3) == 0 {
        return RoomLimits {
            most_people: rng.usize(2..6),
            most_connections_per_person: 32,
            keep_attendance: None,
        };
    }
    RoomLimits {
        most_people: 1_000,
        most_connections_per_person: 32,
        keep_attendance: Some(KEPT_FOR),
    }
}

/// The pause until the next step.
pub(super) fn draw_pause(rng: &mut Rng) -> Duration {
    Duration::from_millis(match rng.u8(0..100) {
        0..30 => 0,
        30..75 => rng.u64(1..200),
        75..95 => rng.u64(200..2_000),
        _ => rng.u64(2_000..20_000),
    })
}

/// A random duration of any order of magnitude up to `longest` milliseconds, so that most are short.
fn lasting(rng: &mut Rng, longest: u64) -> Duration {
    let longest = longest >> rng.u8(0..5);
    Duration::from_millis(rng.u64(0..=longest))
}
