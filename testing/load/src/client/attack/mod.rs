//! People who mean harm: very many sockets that say nothing, too little, too much, or what makes no sense.
//!
//! All in one thread of little priority, from addresses of their own: what is measured is what the server
//! does for the others, not who gets the processor of this program.

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

use self::attacker::{Advance, Attacker, Kind};
use crate::error::LoadError;
use crate::measure::system;

/// How long the thread sleeps at the most.
const POLL_TIMEOUT: Duration = Duration::from_millis(1);

/// In how many seconds all who are to be there come; the server ends each after ten. At once they would go
/// and come again at once too, every time.
const RAMP_UP_SECONDS: u32 = 8;

/// Fewer need not take that long.
const MIN_CONNECTS_PER_SECOND: u32 = 100;

/// How many attackers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttackConfig {
    /// Connections that say nothing, at any time; on every second of them a socket is asked for first.
    pub silent: usize,
    /// Connections that say one byte of a request a second, at any time.
    pub dripping: usize,
    /// How often a second a socket is asked for and joined on, from one address.
    pub joins_per_second: u32,
    /// How often a second garbage, or a frame that is too long, is said on a socket.
    pub garbage_per_second: u32,
}

/// What came of the attack so far.
#[derive(Debug, Default)]
pub struct AttackStats {
    /// Silent connections that are open.
    pub silent: AtomicU64,
    /// Dripping connections that are open.
    pub dripping: AtomicU64,
    /// How often a join was refused at the door.
    pub joins_refused: AtomicU64,
    /// How often one was let in.
    pub joins_accepted: AtomicU64,
    /// How often a socket was ended for what was said on it.
    pub garbage_ended: AtomicU64,
}

/// An attack that goes on until this is dropped.
#[derive(Debug)]
pub struct Attack {
    stats: Arc<AttackStats>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Attack {
    /// Begins to attack the server at `address`.
    pub fn start(address: SocketAddr, config: AttackConfig) -> Result<Self, LoadError> {
        let io_error = |source| LoadError::Io { what: "no attack", source };
        let (stats, stop) = (Arc::new(AttackStats::default()), Arc::new(AtomicBool::new(false)));
        let mut attack_loop =
            AttackLoop::new(address, config, Arc::clone(&stats)).map_err(io_error)?;
        let until = Arc::clone(&stop);
        let thread = thread::Builder::new().name("attack".to_owned()).spawn(move || {
            // Without it the attack is no less of one.
            drop(system::lower_priority());
            while !until.load(Ordering::Relaxed) {
                if attack_loop.turn().is_err() {
                    return;
                }
            }
        });
        Ok(Self { stats, stop, thread: Some(thread.map_err(io_error)?) })
    }

    /// What came of it so far.
    pub fn stats(&self) -> &AttackStats {
        &self.stats
    }

    /// Whether all who are to be there are there, and joins are being refused.
    pub fn is_ramped_up(&self, config: AttackConfig) -> bool {
        let is_reached = |count: &AtomicU64, wanted: usize| {
            count.load(Ordering::Relaxed) >= u64::try_from(wanted).unwrap_or(u64::MAX)
        };
        is_reached(&self.stats.silent, config.silent)
            && is_reached(&self.stats.dripping, config.dripping)
            && is_reached(&self.stats.joins_refused, usize::from(config.joins_per_second > 0))
    }

    /// Whether it goes on.
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

/// Where the attack takes place: the attackers and their sockets.
struct AttackLoop {
    poll: Poll,
    events: Events,
    address: SocketAddr,
    attackers: Vec<Attacker>,
    stats: Arc<AttackStats>,
    /// Those who have no connection and want one at once.
    to_connect: VecDeque<usize>,
    /// How often one of them begins.
    connect_interval: Interval,
    /// Those who have none and take turns.
    rotations: Vec<Rotation>,
    /// Those who drip, the next one first, and how often one of them does.
    dripping: VecDeque<usize>,
    drip_interval: Interval,
}

/// Attackers of one kind, one of whom begins a connection so often.
struct Rotation {
    kind: Kind,
    idle: Vec<usize>,
    interval: Interval,
}

/// Something that is done so often.
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

    /// Whether it is time again: to be asked until it is not.
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
        let mut add = |kind: Kind, count: usize| {
            let first = attackers.len();
            // A socket that is asked for is one of the address's many: two share them.
            attackers
                .extend((0..count).map(|index| Attacker::new(kind, source_address(kind, index))));
            (first..attackers.len()).collect::<Vec<_>>()
        };
        // Some have just been ended by the server, and are on their way again.
        let with_reserve = |count: usize| count + count.div_ceil(12);
        let mut to_connect = VecDeque::from(add(Kind::Silent, with_reserve(silent - silent / 2)));
        to_connect.extend(add(Kind::SilentSocket, with_reserve(silent / 2)));
        let dripping = VecDeque::from(add(Kind::Dripping, with_reserve(dripping)));
        to_connect.extend(&dripping);
        let mut rotation = |kind, per_second: u32| {
            // Each takes up to two seconds, and nobody has to wait for another.
            let count = usize::try_from(per_second).unwrap_or_default() * 2;
            Rotation { kind, idle: add(kind, count), interval: Interval::per_second(per_second) }
        };
        let rotations = vec![
            rotation(Kind::Joining, joins_per_second),
            rotation(Kind::Garbage, garbage_per_second),
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
            // Each says one byte a second.
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
            if step == Advance::Ended {
                self.on_closed(index);
            }
        }
        self.events = events;
        let now = Instant::now();
        // What could not be begun in time is not made up for: it would come, and be ended, all at once.
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

    /// An attacker has no connection any more.
    fn on_closed(&mut self, index: usize) {
        let kind = self.attackers[index].kind();
        match kind {
            Kind::Silent | Kind::SilentSocket | Kind::Dripping => self.to_connect.push_back(index),
            Kind::Joining | Kind::Garbage => {
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

    /// Lets as many drip as time has passed for.
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
            // All ports of the address are in use, or the server went: another time.
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

/// From which of loopback's many addresses.
fn source_address(kind: Kind, index: usize) -> Ipv4Addr {
    let last = match kind {
        Kind::Silent => 2,
        Kind::Dripping => 3,
        Kind::Joining => 4,
        Kind::Garbage => 5,
        // No address has more than 2,000 sockets, or opens more than 1,000 at once.
        Kind::SilentSocket => 6 + u8::try_from(index % 4).unwrap_or_default(),
    };
    Ipv4Addr::new(127, 0, 0, last)
}
