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

use self::attacker::{Attacker, Kind, Step};
use crate::{fault::LoadFault, system};

/// How long the thread sleeps at the most.
const TURN: Duration = Duration::from_millis(5);

/// How many connections are begun in such a time, so that the system's queue is not what is attacked.
const MOST_BEGUN_AT_ONCE: usize = 25;

/// Each connection that drips says so often one byte.
const DRIP_EVERY: Duration = Duration::from_secs(1);

/// How many attackers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strength {
    /// Connections that say nothing; on every second of them a socket is asked for first.
    pub silent: usize,
    /// Connections that say one byte of a request a second.
    pub dripping: usize,
    /// How often a second a socket is asked for and joined on, from one address.
    pub joins_per_second: u32,
    /// How often a second garbage, or a frame that is too long, is said on a socket.
    pub garbage_per_second: u32,
}

/// What came of the attack so far.
#[derive(Debug, Default)]
pub struct Toll {
    /// Silent connections that are open.
    pub silent: AtomicU64,
    /// Dripping connections that are open.
    pub dripping: AtomicU64,
    /// How often a join was refused at the door.
    pub joins_refused: AtomicU64,
    /// How often one was let in.
    pub joins_let_in: AtomicU64,
    /// How often a socket was ended for what was said on it.
    pub garbage_ended: AtomicU64,
}

/// An attack that goes on until this is dropped.
#[derive(Debug)]
pub struct Attack {
    toll: Arc<Toll>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Attack {
    /// Begins to attack the server at `address`.
    pub fn begin(address: SocketAddr, strength: Strength) -> Result<Self, LoadFault> {
        let fault = |source| LoadFault::Io { what: "no attack", source };
        let (toll, stop) = (Arc::new(Toll::default()), Arc::new(AtomicBool::new(false)));
        let mut field = Field::new(address, strength, Arc::clone(&toll)).map_err(fault)?;
        let until = Arc::clone(&stop);
        let thread = thread::Builder::new().name("attack".to_owned()).spawn(move || {
            // Without it the attack is no less of one.
            drop(system::give_way());
            while !until.load(Ordering::Relaxed) {
                if field.turn().is_err() {
                    return;
                }
            }
        });
        Ok(Self { toll, stop, thread: Some(thread.map_err(fault)?) })
    }

    /// What came of it so far.
    pub fn toll(&self) -> &Toll {
        &self.toll
    }

    /// Whether all who are to be there are there, and joins are being refused.
    pub fn is_at_full_strength(&self, strength: Strength) -> bool {
        let is_there = |count: &AtomicU64, wanted: usize| {
            count.load(Ordering::Relaxed) >= u64::try_from(wanted).unwrap_or(u64::MAX)
        };
        is_there(&self.toll.silent, strength.silent)
            && is_there(&self.toll.dripping, strength.dripping)
            && is_there(&self.toll.joins_refused, usize::from(strength.joins_per_second > 0))
    }

    /// Whether it goes on.
    pub fn goes_on(&self) -> bool {
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
struct Field {
    poll: Poll,
    events: Events,
    address: SocketAddr,
    attackers: Vec<Attacker>,
    toll: Arc<Toll>,
    /// Those who have no connection and want one at once.
    to_connect: VecDeque<usize>,
    /// When the next of them may begin.
    next_beginning: Instant,
    /// Those who have none and take turns, with how often and when next.
    taking_turns: Vec<Turns>,
    next_drip: Instant,
    /// Who drips next.
    dripping: usize,
}

/// Attackers of one kind, one of whom begins a connection so often.
struct Turns {
    kind: Kind,
    at_rest: Vec<usize>,
    every: Duration,
    next: Instant,
}

impl Field {
    fn new(address: SocketAddr, strength: Strength, toll: Arc<Toll>) -> io::Result<Self> {
        let Strength { silent, dripping, joins_per_second, garbage_per_second } = strength;
        let mut attackers = Vec::new();
        let mut add = |kind: Kind, count: usize| {
            let first = attackers.len();
            // A socket that is asked for is one of the address's many: two share them.
            attackers.extend((0..count).map(|index| Attacker::new(kind, host_of(kind, index))));
            (first..attackers.len()).collect::<Vec<_>>()
        };
        let mut to_connect = VecDeque::from(add(Kind::Silent, silent - silent / 2));
        to_connect.extend(add(Kind::SilentSocket, silent / 2));
        to_connect.extend(add(Kind::Dripping, dripping));
        let mut turns = |kind, per_second: u32| {
            let every = Duration::from_secs(1).checked_div(per_second)?;
            // Each takes up to two seconds, and nobody has to wait for another.
            let count = usize::try_from(per_second).unwrap_or_default() * 2;
            Some(Turns { kind, at_rest: add(kind, count), every, next: Instant::now() })
        };
        let taking_turns =
            [turns(Kind::Joining, joins_per_second), turns(Kind::Garbage, garbage_per_second)];
        let taking_turns = taking_turns.into_iter().flatten().collect();
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            address,
            attackers,
            toll,
            to_connect,
            next_beginning: Instant::now(),
            taking_turns,
            next_drip: Instant::now(),
            dripping: 0,
        })
    }

    fn turn(&mut self) -> io::Result<()> {
        match self.poll.poll(&mut self.events, Some(TURN)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        let events = std::mem::replace(&mut self.events, Events::with_capacity(1));
        for event in &events {
            let index = event.token().0;
            let step = self.attackers[index].step(self.address, &self.toll);
            if step == Step::Ended {
                self.rest(index);
            }
        }
        self.events = events;
        if self.next_beginning <= Instant::now() {
            self.next_beginning = Instant::now() + TURN;
            for _ in 0..MOST_BEGUN_AT_ONCE {
                let Some(index) = self.to_connect.pop_front() else { break };
                self.connect(index)?;
            }
        }
        self.take_turns()?;
        self.drip();
        Ok(())
    }

    /// An attacker has no connection any more.
    fn rest(&mut self, index: usize) {
        let kind = self.attackers[index].kind();
        match kind {
            Kind::Silent | Kind::SilentSocket | Kind::Dripping => self.to_connect.push_back(index),
            Kind::Joining | Kind::Garbage => {
                let own = self.taking_turns.iter_mut().find(|turns| turns.kind == kind);
                if let Some(own) = own {
                    own.at_rest.push(index);
                }
            }
        }
    }

    fn take_turns(&mut self) -> io::Result<()> {
        let now = Instant::now();
        let mut due = Vec::new();
        for turns in &mut self.taking_turns {
            while turns.next <= now {
                turns.next += turns.every;
                due.extend(turns.at_rest.pop());
            }
        }
        due.into_iter().try_for_each(|index| self.connect(index))
    }

    /// Lets as many drip as time has passed for.
    fn drip(&mut self) {
        let now = Instant::now();
        let dripping = |attacker: &Attacker| attacker.kind() == Kind::Dripping;
        let Some(first) = self.attackers.iter().position(dripping) else { return };
        let count = self.attackers.iter().filter(|attacker| dripping(attacker)).count();
        let every = DRIP_EVERY / u32::try_from(count).unwrap_or(u32::MAX);
        while self.next_drip <= now {
            self.next_drip += every;
            self.attackers[first + self.dripping % count].drip();
            self.dripping += 1;
        }
    }

    fn connect(&mut self, index: usize) -> io::Result<()> {
        let attacker = &mut self.attackers[index];
        let Ok(stream) = system::connect_from(attacker.host(), self.address) else {
            // All ports of the address are in use, or the server went: another time.
            self.rest(index);
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
fn host_of(kind: Kind, index: usize) -> Ipv4Addr {
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
