//! The deadlines of a connection.

use std::time::Duration;

use tokio::time::Instant;

use super::ConnectionConfig;

/// The deadlines of one connection. They are data: the connection checks them whenever it is woken.
#[derive(Debug)]
pub(super) struct Deadlines {
    config: ConnectionConfig,
    /// For the first accepted frame; none once there was one.
    first_frame_until: Option<Instant>,
    next_ping: Instant,
    /// For the pong; none while no ping is unanswered.
    pong_until: Option<Instant>,
    /// For progress of a pending write; none while none is pending.
    write_until: Option<Instant>,
    resync: Resync,
}

/// When to send the list again on request: one at a time, and not too often.
#[derive(Clone, Copy, Debug)]
enum Resync {
    Idle { allowed_from: Instant },
    Due(Instant),
}

/// An action whose deadline has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Close: no first frame was accepted in time.
    FirstFrame,
    /// Give up: no pong, or no progress of a write, in time.
    Timeout,
    /// Send a ping.
    Ping,
    /// Send the list again.
    Resync,
}

impl Deadlines {
    /// The deadlines of a connection that was opened `now`.
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

    /// Takes one action that is due `now`.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Due> {
        let has_passed =
            |deadline: Option<Instant>| deadline.is_some_and(|deadline| deadline <= now);
        if has_passed(self.first_frame_until) {
            return Some(Due::FirstFrame);
        }
        if has_passed(self.pong_until) || has_passed(self.write_until) {
            return Some(Due::Timeout);
        }
        if self.next_ping <= now {
            self.next_ping = now + self.config.heartbeat_every;
            return Some(Due::Ping);
        }
        match self.resync {
            Resync::Due(at) if at <= now => {
                self.resync = Resync::Idle { allowed_from: now + self.config.resync_every };
                Some(Due::Resync)
            }
            _ => None,
        }
    }

    /// The earliest deadline.
    pub(super) fn next(&self) -> Instant {
        let resync = match self.resync {
            Resync::Due(at) => Some(at),
            Resync::Idle { .. } => None,
        };
        [self.first_frame_until, self.pong_until, self.write_until, resync]
            .into_iter()
            .flatten()
            .fold(self.next_ping, Instant::min)
    }

    /// The first frame was accepted.
    pub(super) fn on_accepted(&mut self) {
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

    /// A write is pending, and has `progressed` since the last call or not.
    pub(super) fn on_write_pending(&mut self, progressed: bool, now: Instant) {
        if progressed || self.write_until.is_none() {
            self.write_until = Some(now + self.config.write_within);
        }
    }

    /// Everything is written.
    pub(super) fn on_written(&mut self) {
        self.write_until = None;
    }

    /// The client requests the list again.
    pub(super) fn request_resync(&mut self) {
        if let Resync::Idle { allowed_from } = self.resync {
            self.resync = Resync::Due(allowed_from);
        }
    }

    /// Time limit for each step of the closing handshake.
    pub(super) fn close_within(&self) -> Duration {
        self.config.close_within
    }
}
