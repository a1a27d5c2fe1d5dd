//! When a connection has to do something although nothing came.

use std::time::Duration;

use tokio::time::Instant;

use super::ConnectionConfig;

/// The deadlines of one connection. They are data: whoever is woken looks at what is due.
#[derive(Debug)]
pub(super) struct Deadlines {
    config: ConnectionConfig,
    /// Until when the first frame must be accepted; none once it was.
    first_frame_until: Option<Instant>,
    next_ping: Instant,
    /// Until when a ping must be answered; none while none waits for its answer.
    pong_until: Option<Instant>,
    /// Until when a frame that is on its way must be written; none while nothing waits.
    write_until: Option<Instant>,
    resync: Resync,
}

/// When the list is sent again: one at a time, and not too often.
#[derive(Clone, Copy, Debug)]
enum Resync {
    Idle { allowed_from: Instant },
    Due(Instant),
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// No first frame came in time.
    FirstFrame,
    /// A ping was not answered, or a frame could not be written, in time.
    Timeout,
    /// The client has to be pinged.
    Ping,
    /// The list is to be sent again.
    Resync,
}

impl Deadlines {
    /// Those of a connection that was opened `now`.
    pub(super) fn new(config: ConnectionConfig, now: Instant) -> Self {
        Self {
            first_frame_until: config.first_frame_within.map(|within| now + within),
            next_ping: now + config.heartbeat_every,
            pong_until: None,
            write_until: None,
            resync: Resync::Idle { allowed_from: now },
            config,
        }
    }

    /// Takes out something that is due `now`.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Due> {
        let is_over = |deadline: Option<Instant>| deadline.is_some_and(|deadline| deadline <= now);
        if is_over(self.first_frame_until) {
            return Some(Due::FirstFrame);
        }
        if is_over(self.pong_until) || is_over(self.write_until) {
            return Some(Due::Timeout);
        }
        if self.next_ping <= now {
            self.next_ping = now + self.config.heartbeat_every;
            return Some(Due::Ping);
        }
        match self.resync {
            Resync::Due(moment) if moment <= now => {
                self.resync = Resync::Idle { allowed_from: now + self.config.resync_every };
                Some(Due::Resync)
            }
            _ => None,
        }
    }

    /// When something is due next.
    pub(super) fn next(&self) -> Instant {
        let resync = match self.resync {
            Resync::Due(moment) => Some(moment),
            Resync::Idle { .. } => None,
        };
        [self.first_frame_until, self.pong_until, self.write_until, resync]
            .into_iter()
            .flatten()
            .fold(self.next_ping, Instant::min)
    }

    /// The first frame was accepted.
    pub(super) fn accepted(&mut self) {
        self.first_frame_until = None;
    }

    /// A ping was sent.
    pub(super) fn on_ping_sent(&mut self, now: Instant) {
        self.pong_until.get_or_insert(now + self.config.pong_within);
    }

    /// A ping was answered.
    pub(super) fn on_pong(&mut self) {
        self.pong_until = None;
    }

    /// Something waits to be written, and has waited since an earlier moment unless it `progressed`.
    pub(super) fn waits_to_write(&mut self, progressed: bool, now: Instant) {
        if progressed || self.write_until.is_none() {
            self.write_until = Some(now + self.config.write_within);
        }
    }

    /// All is written.
    pub(super) fn has_written(&mut self) {
        self.write_until = None;
    }

    /// The client wants the list again.
    pub(super) fn request_resync(&mut self) {
        if let Resync::Idle { allowed_from } = self.resync {
            self.resync = Resync::Due(allowed_from);
        }
    }

    /// How long a farewell may take.
    pub(super) fn close_within(&self) -> Duration {
        self.config.close_within
    }
}
