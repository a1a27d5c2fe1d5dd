//! Counters of this process. They contain no name of a person or a room.
//!
//! Events are counted where they happen, with one atomic addition and no state per socket. What can be counted
//! on demand, like open sockets, is counted when the metrics are scraped: see [`Now`].

mod cluster;
mod process;
mod prometheus;

use std::sync::atomic::{AtomicU64, Ordering};

use app::presence::CloseCode;
use axum::http::StatusCode;

pub use self::prometheus::{CONTENT_TYPE, Now, exposition};

/// The counters of this process.
pub static METRICS: Metrics = Metrics::new();

/// A counter, which only grows.
#[derive(Debug)]
pub struct Counter(AtomicU64);

impl Counter {
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Adds one.
    pub fn count(&self) {
        self.add(1);
    }

    /// Adds a number.
    pub fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    /// The current value.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that grows and shrinks.
#[derive(Debug)]
pub struct Gauge(AtomicU64);

impl Gauge {
    const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// One of its parts was `before` and is `after`.
    pub fn moved(&self, before: usize, after: usize) {
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        self.0.fetch_add(number(after).wrapping_sub(number(before)), Ordering::Relaxed);
    }

    /// The current value.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Declares each counter without labels once: its field, its name and its help.
macro_rules! metrics {
    ($($field:ident: $name:literal, $help:literal;)+) => {
        /// The counters.
        #[derive(Debug)]
        pub struct Metrics {
            $(#[doc = concat!("`", $name, "`")] pub $field: Counter,)+
            /// Events that receivers of webhooks have not got yet.
            pub webhook_events_waiting: Gauge,
            /// By close code.
            sockets_closed: [(u16, Counter); 15],
            /// By the first digit of the status.
            http_responses: [Counter; 5],
            /// By the limit that was exceeded.
            rejections: [(&'static str, Counter); 21],
        }

        impl Metrics {
            pub(crate) const fn new() -> Self {
                Self {
                    $($field: Counter::new(),)+
                    webhook_events_waiting: Gauge::new(),
                    sockets_closed: close_code_counters(),
                    http_responses: [const { Counter::new() }; 5],
                    rejections: rejection_counters(),
                }
            }

            /// Name, help and value of each counter without labels.
            fn plain_counters(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
                [$(($name, $help, self.$field.value())),+].into_iter()
            }
        }
    };
}

metrics! {
    sockets_opened: "rollcall_sockets_opened_total", "WebSockets opened.";
    frames_sent: "rollcall_frames_sent_total", "Frames written to WebSockets.";
    frames_written_directly: "rollcall_frames_written_directly_total", "Of these, frames that broadcasts wrote without waking the socket's task.";
    bytes_sent: "rollcall_sent_bytes_total", "Bytes of the frames written to WebSockets.";
    refusals: "rollcall_refusals_total", "Client requests refused with an error code.";
    misdirected_requests: "rollcall_misdirected_requests_total",
        "Requests refused because they were for a name that is not the site's.";
    wrong_operator_tokens: "rollcall_wrong_operator_tokens_total",
        "Requests to the operator's listener with a wrong token, or with one that was not looked at after too many.";
    wrong_api_keys: "rollcall_wrong_api_keys_total",
        "Requests with a wrong API key, or with one that was not looked at after too many.";
    state_writes: "rollcall_state_writes_total", "Attempts to write the rooms file.";
    state_write_failures:
        "rollcall_state_write_failures_total", "Failed attempts to write the rooms file.";
    documents_made: "rollcall_documents_made_total",
        "Whole lists written as JSON, as a file or for paper; requests for the same one share it.";
    compressions: "rollcall_compressions_total", "Answers compressed with Brotli or gzip.";
    webhook_attempts: "rollcall_webhook_attempts_total",
        "Messages sent to receivers of webhooks, each time they are sent.";
    webhook_failures: "rollcall_webhook_failures_total",
        "Messages to receivers of webhooks that did not arrive, and are sent again.";
    panics: "rollcall_panics_total", "Panics in any task.";
    log_lines_dropped: "rollcall_log_lines_dropped_total",
        "Log lines dropped, because the log was not read or could not be written.";
}

/// The code of a connection that broke without a close frame (RFC 6455, section 7.4.1).
const ABNORMAL: u16 = CloseCode::Abnormal.number();

const fn close_code_counters() -> [(u16, Counter); 15] {
    const fn of(code: u16) -> (u16, Counter) {
        (code, Counter::new())
    }
    [
        of(1000),
        of(1002),
        of(1003),
        of(ABNORMAL),
        of(1007),
        of(1009),
        of(1011),
        of(1012),
        of(4400),
        of(4401),
        of(4403),
        of(4408),
        of(4409),
        of(4429),
        // All other codes.
        of(0),
    ]
}

/// The limits are named like their settings, without `max-`.
const fn rejection_counters() -> [(&'static str, Counter); 21] {
    [
        ("connections", Counter::new()),
        ("connections_per_address", Counter::new()),
        ("sockets", Counter::new()),
        ("sockets_per_address", Counter::new()),
        ("sockets_per_person", Counter::new()),
        ("socket_rate_per_address", Counter::new()),
        ("wrong_secret_rate_per_address", Counter::new()),
        ("processor_rate_per_address", Counter::new()),
        ("requests_per_address", Counter::new()),
        ("work", Counter::new()),
        ("bytes_in_flight_per_address", Counter::new()),
        ("sockets_per_room", Counter::new()),
        ("rooms", Counter::new()),
        ("rooms_per_address", Counter::new()),
        ("engine", Counter::new()),
        ("token_missing", Counter::new()),
        ("token_expired", Counter::new()),
        ("token_invalid", Counter::new()),
        ("invalid_tokens_per_address", Counter::new()),
        ("token_for_other_rooms", Counter::new()),
        ("room_not_open", Counter::new()),
    ]
}

impl Metrics {
    /// Counts a socket that the server closed with this code.
    pub fn socket_closed(&self, code: CloseCode) {
        self.closed_with(code.number());
    }

    /// Counts a socket that the client closed with a close frame.
    pub fn socket_closed_by_client(&self) {
        self.closed_with(CloseCode::Normal.number());
    }

    /// Counts a socket whose connection broke.
    pub fn socket_broken(&self) {
        self.closed_with(ABNORMAL);
    }

    fn closed_with(&self, code: u16) {
        let known = self.sockets_closed.iter().find(|(known, _)| *known == code);
        if let Some((_, counter)) = known.or(self.sockets_closed.last()) {
            counter.count();
        }
    }

    /// Counts a rejection by the limit that was exceeded.
    pub fn rejected(&self, limit: &str) {
        if let Some((_, counter)) = self.rejections.iter().find(|(known, _)| *known == limit) {
            counter.count();
        }
    }

    /// Counts an HTTP response with this status.
    pub fn responded(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100);
        if let Some(counter) = self.http_responses.get(class.saturating_sub(1)) {
            counter.count();
        }
    }
}
