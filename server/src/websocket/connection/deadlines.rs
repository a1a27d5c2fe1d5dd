//! The deadlines of a connection.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::ConnectionConfig;

/// The deadlines of one connection. They are data: the connection checks them whenever it is woken.
#[derive(Clone, Debug)]
pub(super) struct Deadlines {
    config: Arc<ConnectionConfig>,
    /// For the first accepted frame; none once there was one.
    first_frame_until: Option<Instant>,
    next_ping: Instant,
    /// For the pong; none while no ping is unanswered.
    pong_until: Option<Instant>,
    /// For progress of a pending write; none while none is pending.
    write_until: Option<Instant>,
    resync: Resync,
    /// How often the wait for the next list has doubled.
    doublings: u8,
}

/// The wait between two lists doubles so often at most: a client whose list is wrong again and again has a fault that
/// another list does not remove.
const MOST_DOUBLINGS: u8 = 3;

/// A client that has not asked for so long, although it might have, waits as briefly as at first.
const CALM: Duration = Duration::from_mins(1);

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
    pub(super) fn new(config: Arc<ConnectionConfig>, now: Instant) -> Self {
        Self {
            first_frame_until: config.first_frame_within.map(|within| now + within),
            next_ping: now + config.heartbeat_every,
            pong_until: None,
            write_until: None,
            resync: Resync::Idle { allowed_from: now },
            doublings: 0,
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
                let wait = self.config.resync_every * 2_u32.pow(self.doublings.into());
                self.resync = Resync::Idle { allowed_from: now + wait };
                self.doublings = (self.doublings + 1).min(MOST_DOUBLINGS);
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
    pub(super) fn request_resync(&mut self, now: Instant) {
        if let Resync::Idle { allowed_from } = self.resync {
            if allowed_from + CALM <= now {
                self.doublings = 0;
            }
            self.resync = Resync::Due(allowed_from);
        }
    }

    /// Time limit for each step of the closing handshake.
    pub(super) fn close_within(&self) -> Duration {
        self.config.close_within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When lists are sent to a client that asks all the time from `start` on.
    fn lists(deadlines: &mut Deadlines, start: Instant, seconds: u64) -> Vec<u64> {
        let mut sent = Vec::new();
        for second in 0..=seconds {
            let now = start + Duration::from_secs(second);
            deadlines.request_resync(now);
            while let Some(due) = deadlines.take_due(now) {
                if due == Due::Resync {
                    sent.push(second);
                }
                deadlines.on_accepted();
                deadlines.on_pong();
            }
        }
        sent
    }

    #[test]
    fn client_that_goes_on_asking_for_the_list_waits_longer_each_time() {
        let start = Instant::now();
        let mut deadlines = Deadlines::new(Arc::default(), start);
        assert_eq!(lists(&mut deadlines, start, 195), [0, 5, 15, 35, 75, 115, 155, 195]);
        // The next one is allowed 40 s after the last one. It is calm for a minute from there on, or for less.
        let soon = start + Duration::from_secs(195 + 40 + 59);
        assert_eq!(lists(&mut deadlines.clone(), soon, 30), [0]);
        let late = start + Duration::from_secs(195 + 40 + 60);
        assert_eq!(lists(&mut deadlines, late, 30), [0, 5, 15]);
    }
}
