//! Clients that take as much as they can get. Each thread does one kind of work of one address again and again.

mod busy_sockets;
mod idle_connections;
mod requests;
mod short_visits;
mod slow_readers;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use self::{
    busy_sockets::BusySockets, idle_connections::IdleConnections, requests::Requests,
    short_visits::ShortVisits, slow_readers::SlowReaders,
};
pub use self::{busy_sockets::Frames, requests::Path, short_visits::Ending, slow_readers::Unread};
use crate::{error::LoadError, measure::system};

/// The pause after an attempt that failed.
const PAUSE: Duration = Duration::from_millis(10);

/// What an address does.
#[derive(Clone, Copy, Debug)]
pub enum Appetite {
    /// Requests, each as soon as the last one of its connection is answered.
    Requests {
        /// How many at a time.
        connections: usize,
        /// What they ask for.
        path: Path,
        /// The content coding that they accept.
        coding: &'static str,
    },
    /// Answers or lists that nobody reads.
    SlowReaders {
        /// How many at a time.
        connections: usize,
        /// What they do not read.
        unread: Unread,
    },
    /// Joins by people who do not stay, as fast as they are let in.
    ShortVisits {
        /// How many at a time.
        visitors: usize,
        /// Whether each visitor opens a room, or leaves a row.
        ending: Ending,
    },
    /// Sockets that send as many frames as they may.
    BusySockets {
        /// How many.
        sockets: usize,
        /// What they send.
        frames: Frames,
    },
    /// Connections that are kept open, as many as are accepted.
    IdleConnections {
        /// At most.
        connections: usize,
    },
}

/// Which threads get a processor first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// All are equal.
    Equal,
    /// The greedy ones run only while no other thread of their cores does: in reality they are on other machines.
    OthersFirst,
}

/// Whom they ask.
#[derive(Clone, Debug)]
pub struct Target {
    /// The server.
    pub server: SocketAddr,
    /// The room whose list they ask for, and which they watch.
    pub room: String,
}

/// Counters of what they got.
#[derive(Debug, Default)]
pub struct Helpings {
    /// Answers, opened sockets and connections.
    pub answers: AtomicU64,
    /// Refusals of any kind.
    pub rejections: AtomicU64,
}

impl Helpings {
    /// Whether they got nothing yet, and were not refused either.
    pub fn is_empty(&self) -> bool {
        self.answers.load(Ordering::Relaxed) == 0 && self.rejections.load(Ordering::Relaxed) == 0
    }

    fn count_answer(&self) {
        self.answers.fetch_add(1, Ordering::Relaxed);
    }

    fn count_rejection(&self) {
        self.rejections.fetch_add(1, Ordering::Relaxed);
    }
}

/// The running clients. Dropping it ends them.
#[derive(Debug)]
pub struct Greedy {
    helpings: Arc<Helpings>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// What one thread does.
trait Work: Send {
    /// Does some of it. The thread pauses after an error.
    fn turn(&mut self, helpings: &Helpings) -> Result<(), LoadError>;
}

impl Greedy {
    /// Starts to do this from each of these addresses.
    pub fn start(
        hosts: &[Ipv4Addr],
        target: &Target,
        appetites: &[Appetite],
        priority: Priority,
    ) -> Result<Self, LoadError> {
        let work: Vec<_> = hosts
            .iter()
            .flat_map(|host| appetites.iter().flat_map(|appetite| appetite.work(*host, target)))
            .collect();
        let (helpings, stop) = (Arc::new(Helpings::default()), Arc::new(AtomicBool::new(false)));
        let (own_helpings, own_stop) = (Arc::clone(&helpings), Arc::clone(&stop));
        let thread = thread::Builder::new().name("greedy".to_owned()).spawn(move || {
            if priority == Priority::OthersFirst {
                // Where it fails the priority is the lowest all the same.
                drop(system::yield_to_all());
            }
            thread::scope(|scope| {
                for mut work in work {
                    let (helpings, stop) = (&own_helpings, &own_stop);
                    scope.spawn(move || {
                        while !stop.load(Ordering::Relaxed) {
                            // The server may refuse it, or end the connection.
                            if work.turn(helpings).is_err() {
                                thread::sleep(PAUSE);
                            }
                        }
                    });
                }
            });
        });
        let io_error = |source| LoadError::Io { what: "could not start greedy clients", source };
        Ok(Self { helpings, stop, thread: Some(thread.map_err(io_error)?) })
    }

    /// The counters so far.
    pub fn helpings(&self) -> &Helpings {
        &self.helpings
    }
}

impl Drop for Greedy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Appetite {
    /// The same by a part of as many clients, and at least by one.
    #[must_use]
    pub fn scaled(self, part: usize, of: usize) -> Self {
        let scaled = |count: usize| (count * part.min(of) / of).max(1);
        match self {
            Self::Requests { connections, path, coding } => {
                Self::Requests { connections: scaled(connections), path, coding }
            }
            Self::SlowReaders { connections, unread } => {
                Self::SlowReaders { connections: scaled(connections), unread }
            }
            Self::ShortVisits { visitors, ending } => {
                Self::ShortVisits { visitors: scaled(visitors), ending }
            }
            Self::BusySockets { sockets, frames } => {
                Self::BusySockets { sockets: scaled(sockets), frames }
            }
            Self::IdleConnections { connections } => {
                Self::IdleConnections { connections: scaled(connections) }
            }
        }
    }

    /// What the threads of one address do.
    fn work(self, host: Ipv4Addr, target: &Target) -> Vec<Box<dyn Work>> {
        let boxed =
            |count: usize, work: &dyn Fn(usize) -> Box<dyn Work>| (0..count).map(work).collect();
        match self {
            Self::Requests { connections, path, coding } => boxed(connections, &|number| {
                Box::new(Requests::new(host, target, (path, coding), number))
            }),
            Self::SlowReaders { connections, unread } => {
                vec![Box::new(SlowReaders::new(host, target, unread, connections))]
            }
            Self::ShortVisits { visitors, ending } => {
                boxed(visitors, &|number| Box::new(ShortVisits::new(host, target, ending, number)))
            }
            Self::BusySockets { sockets, frames } => {
                vec![Box::new(BusySockets::new(host, target, frames, sockets))]
            }
            Self::IdleConnections { connections } => {
                vec![Box::new(IdleConnections::new(host, target.server, connections))]
            }
        }
    }
}
