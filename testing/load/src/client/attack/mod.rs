//! Attackers: thousands of connections that send nothing, too little, too much, or garbage.
//!
//! They run in one thread of low priority, from addresses of their own, so that the measured latency is the
//! server's and does not come from this program's scheduling.

mod attacker;
mod garbage;

use std::{
    collections::VecDeque,
    io::{self, ErrorKind},
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token, net::TcpStream};

use self::attacker::{AttackKind, AttackProgress, Attacker};
use crate::{error::LoadError, measure::system};

/// The longest sleep of the thread.
const POLL_TIMEOUT: Duration = Duration::from_millis(1);

/// The server ends each silent connection after ten seconds. Connecting over eight seconds keeps them from
/// all ending, and reconnecting, at the same time.
const RAMP_UP_SECONDS: u32 = 8;

/// With few attackers, connecting takes less than `RAMP_UP_SECONDS`.
const MIN_CONNECTS_PER_SECOND: u32 = 100;

/// The numbers of attackers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttackConfig {
    /// Concurrent silent connections; half of them upgrade to a WebSocket first.
    pub silent: usize,
    /// Concurrent connections that send a request at one byte per second.
    pub dripping: usize,
    /// Joins per second, all from one address.
    pub joins_per_second: u32,
    /// Sockets per second on which garbage, or a frame that is too long, is sent.
    pub garbage_per_second: u32,
}

/// Counters of a running attack.
#[derive(Debug, Default)]
pub struct AttackStats {
    /// Open silent connections.
    pub silent: AtomicU64,
    /// Open dripping connections.
    pub dripping: AtomicU64,
    /// Joins that were refused with 429.
    pub joins_refused: AtomicU64,
    /// Joins that were accepted.
    pub joins_accepted: AtomicU64,
    /// Sockets that the server ended because of garbage.
    pub garbage_ended: AtomicU64,
}

/// A running attack. Dropping it ends the attack.
#[derive(Debug)]
pub struct Attack {
    stats: Arc<AttackStats>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Attack {
    /// Starts to attack the server at `address`.
    pub fn start(address: SocketAddr, config: AttackConfig) -> Result<Self, LoadError> {
        let io_error = |source| LoadError::Io { what: "could not start the attack", source };
        let (stats, stop) = (Arc::new(AttackStats::default()), Arc::new(AtomicBool::new(false)));
        let mut attack_loop =
            AttackLoop::new(address, config, Arc::clone(&stats)).map_err(io_error)?;
        let until = Arc::clone(&stop);
        let thread = thread::Builder::new().name("attack".to_owned()).spawn(move || {
            // The attack also works at normal priority.
            drop(system::lower_priority());
            while !until.load(Ordering::Relaxed) {
                if attack_loop.turn().is_err() {
                    return;
                }
            }
        });
        Ok(Self { stats, stop, thread: Some(thread.map_err(io_error)?) })
    }

    /// The counters so far.
    pub fn stats(&self) -> &AttackStats {
        &self.stats
    }

    /// Whether all attackers are connected, and joins are being refused.
    pub fn is_ramped_up(&self, config: AttackConfig) -> bool {
        let is_reached = |count: &AtomicU64, expected: usize| {
            count.load(Ordering::Relaxed) >= u64::try_from(expected).unwrap_or(u64::MAX)
        };
        is_reached(&self.stats.silent, config.silent)
            && is_reached(&self.stats.dripping, config.dripping)
            && is_reached(&self.stats.joins_refused, usize::from(config.joins_per_second > 0))
    }

    /// Whether the thread is still running.
    pub fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

impl Drop for Attack {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// The attackers, their sockets, and what each has to do next.
struct AttackLoop {
    poll: Poll,
    events: Events,
    address: SocketAddr,
    attackers: Vec<Attacker>,
    stats: Arc<AttackStats>,
    /// Attackers that have to connect again.
    to_connect: VecDeque<usize>,
    /// The time between two of these connects.
    connect_interval: Interval,
    /// The attackers that connect in turns.
    rotations: Vec<Rotation>,
    /// The dripping attackers, the next one first, and the time between two bytes of all of them.
    dripping: VecDeque<usize>,
    drip_interval: Interval,
}

/// Attackers of one kind, of which one connects at each interval.
struct Rotation {
    kind: AttackKind,
    idle: Vec<usize>,
    interval: Interval,
}

/// A recurring deadline.
struct Interval {
    every: Duration,
    next: Instant,
}

impl Interval {
    fn per_second(attempts: u32) -> Self {
        let every =
            Duration::from_secs(1).checked_div(attempts).unwrap_or(Duration::from_hours(24));
        Self { every, next: Instant::now() }
    }

    fn skip_until(&mut self, time: Instant) {
        self.next = self.next.max(time);
    }

    /// Whether the deadline has passed, which advances it. The caller asks until it returns false.
    fn is_due(&mut self, now: Instant) -> bool {
        let is_due = self.next <= now;
        if is_due {
            self.next += self.every;
        }
        is_due
    }
}

impl AttackLoop {
    fn new(address: SocketAddr, config: AttackConfig, stats: Arc<AttackStats>) -> io::Result<Self> {
        let AttackConfig { silent, dripping, joins_per_second, garbage_per_second } = config;
        let mut attackers = Vec::new();
        let mut add = |kind: AttackKind, count: usize| {
            let first = attackers.len();
            // Limits are per address, so attackers share few addresses.
            attackers
                .extend((0..count).map(|index| Attacker::new(kind, source_address(kind, index))));
            (first..attackers.len()).collect::<Vec<_>>()
        };
        // Some of the attackers are always reconnecting, because the server has just ended them.
        let with_reserve = |count: usize| count + count.div_ceil(12);
        let mut to_connect =
            VecDeque::from(add(AttackKind::Silent, with_reserve(silent - silent / 2)));
        to_connect.extend(add(AttackKind::SilentSocket, with_reserve(silent / 2)));
        let dripping = VecDeque::from(add(AttackKind::Dripping, with_reserve(dripping)));
        to_connect.extend(&dripping);
        let mut rotation = |kind, per_second: u32| {
            // An attacker is busy for up to two seconds.
            let count = usize::try_from(per_second).unwrap_or_default() * 2;
            Rotation { kind, idle: add(kind, count), interval: Interval::per_second(per_second) }
        };
        let rotations = vec![
            rotation(AttackKind::Joining, joins_per_second),
            rotation(AttackKind::Garbage, garbage_per_second),
        ];
        let count = |list: &VecDeque<usize>| u32::try_from(list.len()).unwrap_or(u32::MAX);
        let connects_per_second =
            (count(&to_connect) / RAMP_UP_SECONDS).max(MIN_CONNECTS_PER_SECOND);
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            address,
            attackers,
            stats,
            to_connect,
            connect_interval: Interval::per_second(connects_per_second),
            rotations,
            // Each of them sends one byte per second.
            drip_interval: Interval::per_second(count(&dripping)),
            dripping,
        })
    }

    fn turn(&mut self) -> io::Result<()> {
        match self.poll.poll(&mut self.events, Some(POLL_TIMEOUT)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        let events = std::mem::replace(&mut self.events, Events::with_capacity(1));
        for event in &events {
            let index = event.token().0;
            let step = self.attackers[index].step(self.address, &self.stats);
            if step == AttackProgress::Ended {
                self.on_closed(index);
            }
        }
        self.events = events;
        let now = Instant::now();
        // Overdue connects are skipped, because in one burst they would also end at the same time.
        if let Some(time) = now.checked_sub(POLL_TIMEOUT * 5) {
            self.connect_interval.skip_until(time);
        }
        while self.connect_interval.is_due(now) {
            if let Some(index) = self.to_connect.pop_front() {
                self.connect(index)?;
            }
        }
        self.start_due(now)?;
        self.drip(now);
        Ok(())
    }

    /// The connection of an attacker has ended.
    fn on_closed(&mut self, index: usize) {
        let kind = self.attackers[index].kind();
        match kind {
            AttackKind::Silent | AttackKind::SilentSocket | AttackKind::Dripping => {
                self.to_connect.push_back(index);
            }
            AttackKind::Joining | AttackKind::Garbage => {
                let own = self.rotations.iter_mut().find(|rotation| rotation.kind == kind);
                if let Some(own) = own {
                    own.idle.push(index);
                }
            }
        }
    }

    fn start_due(&mut self, now: Instant) -> io::Result<()> {
        let mut due = Vec::new();
        for rotation in &mut self.rotations {
            while rotation.interval.is_due(now) {
                due.extend(rotation.idle.pop());
            }
        }
        due.into_iter().try_for_each(|index| self.connect(index))
    }

    /// Sends a byte of every attacker that is due.
    fn drip(&mut self, now: Instant) {
        while !self.dripping.is_empty() && self.drip_interval.is_due(now) {
            self.dripping.rotate_left(1);
            if let Some(index) = self.dripping.back() {
                self.attackers[*index].drip();
            }
        }
    }

    fn connect(&mut self, index: usize) -> io::Result<()> {
        let attacker = &mut self.attackers[index];
        let Ok(stream) = system::connect_from(attacker.host(), self.address) else {
            // All ports of the address are in use, or the server is gone.
            self.on_closed(index);
            return Ok(());
        };
        let mut stream = TcpStream::from_std(stream);
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut stream, Token(index), interest)?;
        attacker.connecting(stream);
        Ok(())
    }
}

/// The loopback address of an attacker.
fn source_address(kind: AttackKind, index: usize) -> Ipv4Addr {
    let last = match kind {
        AttackKind::Silent => 2,
        AttackKind::Dripping => 3,
        AttackKind::Joining => 4,
        AttackKind::Garbage => 5,
        // Four addresses, to stay below the server's limits per address.
        AttackKind::SilentSocket => 6 + u8::try_from(index % 4).unwrap_or_default(),
    };
    Ipv4Addr::new(127, 0, 0, last)
}
