//! What this process has done, as numbers. No name of a person or a room is among them.
//!
//! They are counted where it happens, each with one atomic addition and nothing else: a socket keeps nothing
//! for them. What can be counted when somebody asks is counted then.

mod process;
mod prometheus;

use std::sync::atomic::{AtomicU64, Ordering};

use app::presence::CloseCode;
use axum::http::StatusCode;

pub use self::prometheus::{CONTENT_TYPE, Now, exposition};

/// The numbers of this process.
pub static METRICS: Metrics = Metrics::new();

/// What this process has done.
#[derive(Debug)]
pub struct Metrics {
    /// Sockets that were opened.
    pub sockets_opened: Counter,
    /// Sockets that ended, by their close code.
    sockets_closed: [(u16, Counter); 13],
    /// Frames that were written to sockets.
    pub frames_sent: Counter,
    /// Their bytes.
    pub bytes_sent: Counter,
    /// Requests of clients that were refused with a sentence.
    pub refusals: Counter,
    /// Who was not let in, by the reason.
    turned_away: [(&'static str, Counter); 8],
    /// HTTP answers, by the first digit of their status.
    http_answers: [Counter; 5],
    /// How often the rooms were kept for the next process.
    pub state_writes: Counter,
    /// How often that failed.
    pub state_write_failures: Counter,
    /// Panics, whatever they ended.
    pub panics: Counter,
}

/// A number that only grows.
#[derive(Debug)]
pub struct Counter(AtomicU64);

impl Counter {
    const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Counts one more.
    pub fn count(&self) {
        self.add(1);
    }

    /// Counts so many more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// How many until now.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The code of a connection that ended without any (RFC 6455, section 7.4.1).
const LOST: u16 = 1006;

impl Metrics {
    pub(crate) const fn new() -> Self {
        const fn of(code: u16) -> (u16, Counter) {
            (code, Counter::new())
        }
        Self {
            sockets_opened: Counter::new(),
            sockets_closed: [
                of(1000),
                of(1002),
                of(1003),
                of(LOST),
                of(1007),
                of(1009),
                of(1011),
                of(1012),
                of(4400),
                of(4408),
                of(4409),
                of(4429),
                // Codes that came later than this list.
                of(0),
            ],
            frames_sent: Counter::new(),
            bytes_sent: Counter::new(),
            refusals: Counter::new(),
            turned_away: [
                ("connections", Counter::new()),
                ("connections_of_address", Counter::new()),
                ("sockets", Counter::new()),
                ("sockets_of_address", Counter::new()),
                ("sockets_of_person", Counter::new()),
                ("too_fast", Counter::new()),
                ("room_crowded", Counter::new()),
                ("rooms", Counter::new()),
            ],
            http_answers: [const { Counter::new() }; 5],
            state_writes: Counter::new(),
            state_write_failures: Counter::new(),
            panics: Counter::new(),
        }
    }

    /// The server closed a socket with this code.
    pub fn socket_closed(&self, code: CloseCode) {
        self.closed_with(code.number());
    }

    /// The client closed a socket as one should.
    pub fn socket_closed_by_client(&self) {
        self.closed_with(CloseCode::Normal.number());
    }

    /// A socket's connection broke.
    pub fn socket_lost(&self) {
        self.closed_with(LOST);
    }

    fn closed_with(&self, code: u16) {
        let known = self.sockets_closed.iter().find(|(known, _)| *known == code);
        if let Some((_, counter)) = known.or(self.sockets_closed.last()) {
            counter.count();
        }
    }

    /// Somebody was not let in.
    pub fn rejected(&self, reason: &str) {
        if let Some((_, counter)) = self.turned_away.iter().find(|(known, _)| *known == reason) {
            counter.count();
        }
    }

    /// A request was answered with this status.
    pub fn answered(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100);
        if let Some(counter) = self.http_answers.get(class.saturating_sub(1)) {
            counter.count();
        }
    }
}
