//! The possible steps, and their probabilities.

use std::time::Duration;

use fastrand::Rng;

use crate::{
    client::command::{Freeze, PageExit},
    network::link::Direction,
};

/// A step. The page or person that it applies to is drawn when it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Open {
        first_rows: Option<usize>,
    },
    Duplicate,
    Join,
    Leave,
    SetVisible(bool),
    Resync,
    ReconnectNow,
    Reload {
        loads_first: bool,
        pause: Duration,
    },
    Close(PageExit),
    Freeze {
        freeze: Freeze,
        lasting: Duration,
    },
    Remove,
    /// A reader resumes from a past position.
    Resume,
    CrowdJoins,
    CrowdLeaves,
    CrowdRenames,
    /// So many changes that the log drops the oldest.
    CrowdStorm,
    Cut {
        at_page: Option<Duration>,
        at_server: Option<Duration>,
    },
    HalfClose(Direction),
    Starve {
        direction: Direction,
        lasting: Duration,
    },
    Slow {
        latency: Duration,
    },
    GoOffline {
        lasting: Duration,
    },
    Restart {
        down: Duration,
        loading: Duration,
    },
    Crash {
        down: Duration,
        loading: Duration,
    },
}

/// The kinds of steps in a schedule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ScheduleKind {
    pub(crate) has_crowd: bool,
    /// Whether the server is restarted now and then. A long epoch needs a schedule without restarts.
    pub(crate) has_outages: bool,
}

impl Step {
    /// Its name in the event counts.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Open { first_rows: None } => "step: open a page without a list",
            Self::Open { .. } => "step: open a page",
            Self::Duplicate => "step: duplicate a tab",
            Self::Join => "step: join or rename",
            Self::Leave => "step: leave",
            Self::SetVisible(_) => "step: show or hide",
            Self::Resync => "step: resync",
            Self::ReconnectNow => "step: reconnect now",
            Self::Reload { .. } => "step: reload",
            Self::Close(_) => "step: end a page",
            Self::Freeze { .. } => "step: freeze",
            Self::Remove => "step: the operator removes a person",
            Self::Resume => "step: resume from any position",
            Self::CrowdJoins => "step: a crowd joins",
            Self::CrowdLeaves => "step: a crowd leaves",
            Self::CrowdRenames => "step: a crowd renames itself",
            Self::CrowdStorm => "step: a crowd outgrows the log",
            Self::Cut { at_server: None, .. } => "fault: a cut that only the page notices",
            Self::Cut { at_page: None, .. } => "fault: a cut that only the server notices",
            Self::Cut { .. } => "fault: a cut that both sides notice",
            Self::HalfClose(Direction::Down) => "fault: nothing reaches the page",
            Self::HalfClose(Direction::Up) => "fault: nothing reaches the server",
            Self::Starve { .. } => "fault: a link stalls for a while",
            Self::Slow { .. } => "fault: a link becomes slow or fast",
            Self::GoOffline { .. } => "fault: a machine is offline for a while",
            Self::Restart { .. } => "fault: the server restarts",
            Self::Crash { .. } => "fault: the server is killed",
        }
    }

    /// Draws a step. More pages are opened while only few are open.
    pub(crate) fn draw(rng: &mut Rng, pages: usize, kind: ScheduleKind) -> Self {
        let ScheduleKind { has_crowd, has_outages } = kind;
        if pages < 8 {
            return Self::draw_opening(rng);
        }
        let crowd = if has_crowd { 60 } else { 0 };
        match rng.u32(0..1000 + crowd) {
            0..60 if pages < 12 => Self::draw_opening(rng),
            60..80 if pages < 12 => Self::Duplicate,
            960..982 if has_outages => {
                let (down, loading) = outage(rng);
                Self::Restart { down, loading }
            }
            982..1000 if has_outages => {
                let (down, loading) = outage(rng);
                Self::Crash { down, loading }
            }
            0..230 | 960..1000 => Self::Join,
            230..260 => Self::Resume,
            260..320 => Self::Leave,
            320..430 => Self::SetVisible(rng.bool()),
            430..455 => Self::Resync,
            455..475 => Self::ReconnectNow,
            475..605 => {
                Self::Reload { loads_first: rng.bool(), pause: milliseconds(rng, 0, 3_000) }
            }
            605..675 => Self::Close(match rng.u8(0..6) {
                0 => PageExit::Killed,
                1 => PageExit::PoweredOff,
                _ => PageExit::Closed,
            }),
            675..715 => Self::Freeze {
                freeze: if rng.bool() { Freeze::Tab } else { Freeze::Machine },
                lasting: lasting(rng, 180_000),
            },
            715..740 => Self::Remove,
            740..810 => Self::draw_cut(rng),
            810..850 => Self::HalfClose(draw_direction(rng)),
            850..910 => {
                Self::Starve { direction: draw_direction(rng), lasting: lasting(rng, 30_000) }
            }
            910..930 => Self::Slow { latency: lasting(rng, 2_000) },
            930..960 => Self::GoOffline { lasting: lasting(rng, 60_000) },
            1000..1025 => Self::CrowdJoins,
            1025..1040 => Self::CrowdLeaves,
            1040..1044 => Self::CrowdStorm,
            _ => Self::CrowdRenames,
        }
    }

    fn draw_opening(rng: &mut Rng) -> Self {
        Self::Open {
            first_rows: match rng.u8(0..6) {
                0 => None,
                1 => Some(rng.usize(0..4)),
                _ => Some(200),
            },
        }
    }

    fn draw_cut(rng: &mut Rng) -> Self {
        let mut delay = || Some(lasting(rng, 3_000));
        let (at_page, at_server) = (delay(), delay());
        match rng.u8(0..5) {
            0 => Self::Cut { at_page, at_server: None },
            1 => Self::Cut { at_page: None, at_server },
            _ => Self::Cut { at_page, at_server },
        }
    }
}

/// The pause until the next step: often none, seldom longer than a deadline of the protocol's table.
pub(crate) fn draw_pause(rng: &mut Rng) -> Duration {
    match rng.u8(0..100) {
        0..35 => Duration::ZERO,
        35..70 => milliseconds(rng, 1, 300),
        70..90 => milliseconds(rng, 300, 3_000),
        90..98 => milliseconds(rng, 3_000, 10_000),
        _ => milliseconds(rng, 10_000, 40_000),
    }
}

fn draw_direction(rng: &mut Rng) -> Direction {
    if rng.bool() { Direction::Down } else { Direction::Up }
}

fn outage(rng: &mut Rng) -> (Duration, Duration) {
    (lasting(rng, 3_000), lasting(rng, 20_000))
}

/// A random duration of any order of magnitude up to `longest`, so that most are short.
fn lasting(rng: &mut Rng, longest: u64) -> Duration {
    let longest = longest >> rng.u8(0..6);
    milliseconds(rng, 0, longest)
}

fn milliseconds(rng: &mut Rng, from: u64, to: u64) -> Duration {
    Duration::from_millis(rng.u64(from..=to))
}
