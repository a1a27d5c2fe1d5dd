//! Whether this server may still act in the cluster, and which others are dead.

use std::{collections::BTreeMap, time::Duration};

use super::engine::{LeaseTime, Leases};
use crate::presence::{room::Room, server_id::ServerId};

/// Whoever is not the first to declare a server dead waits for so long, in case that the first one does.
pub const SECOND_TURN: Duration = Duration::from_millis(500);

/// Leases are renewed at least so often.
const LONGEST_INTERVAL: Duration = Duration::from_millis(500);

/// The lease of this server, and what the engine said of the others.
///
/// `now` is by this server's monotonic clock everywhere. A lease counts from before its renewal was sent, so
/// that this server gives it up no later than the engine.
#[derive(Clone, Debug)]
pub struct Lease {
    server: ServerId,
    lasts: Duration,
    renewed_at: Duration,
    leases: Leases,
    /// Servers that the engine does not know, neither live nor expired, and since when.
    unknown: BTreeMap<ServerId, Duration>,
}

/// Whether a server in a room is dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has a lease, or had one until lately, as far as is known.
    Alive,
    /// Its lease ended so long ago; `None` if the engine forgot when.
    Dead {
        /// How long ago.
        ago: Option<Duration>,
    },
}

impl Lease {
    /// The life of a server begins. The request was sent at `sent_at`.
    pub fn begin(server: ServerId, lasts: Duration, leases: Leases, sent_at: Duration) -> Self {
        Self { server, lasts, renewed_at: sent_at, leases, unknown: BTreeMap::new() }
    }

    /// The lease was renewed.
    pub fn renew(&mut self, leases: Leases, sent_at: Duration) {
        (self.leases, self.renewed_at) = (leases, sent_at);
    }

    /// Whether this server may still count as alive: nothing is appended after that.
    pub fn is_lost(&self, now: Duration) -> bool {
        self.renewed_at + self.lasts <= now
    }

    /// When the lease is to be renewed. Renewals also tell whether the engine is there, so a long lease is renewed
    /// as often as a short one.
    pub fn next_renewal(&self) -> Duration {
        self.renewed_at + (self.lasts / 4).min(LONGEST_INTERVAL)
    }

    /// The last time of the leases' clock that this server saw, for the engine that lost its own.
    pub fn seen(&self) -> LeaseTime {
        self.leases.now
    }

    /// What is known of another server in a room.
    pub fn verdict(&mut self, other: ServerId, now: Duration) -> Verdict {
        if other == self.server || self.leases.live.contains(&other) {
            self.unknown.remove(&other);
            return Verdict::Alive;
        }
        let expired = self.leases.expired.iter().find(|(server, _)| *server == other);
        if let Some((_, ended_at)) = expired {
            let since_renewal = now.saturating_sub(self.renewed_at);
            // Nobody had a lease in a pause: whoever is alive begins anew, some a little later than the first.
            let is_beginning = self.leases.pause.is_some_and(|pause| {
                let ended = LeaseTime::from_millis(pause.id);
                *ended_at <= ended && self.leases.now.since(ended) + since_renewal < self.lasts
            });
            if is_beginning {
                return Verdict::Alive;
            }
            return Verdict::Dead { ago: Some(self.leases.now.since(*ended_at) + since_renewal) };
        }
        // The engine has forgotten its leases: whoever is alive begins anew within that time.
        let since = *self.unknown.entry(other).or_insert(now);
        if now < since + self.lasts { Verdict::Alive } else { Verdict::Dead { ago: None } }
    }

    /// How long this server waits before it declares another one dead in a room: the lowest live server there
    /// does it at once.
    pub fn turn(&self, room: &Room) -> Duration {
        let mut live = room.servers().iter().filter(|server| self.leases.live.contains(server));
        // A server that is not in the room yet joins it for that, and so comes after those that are.
        if live.next() == Some(self.server) { Duration::ZERO } else { SECOND_TURN }
    }
}

#[cfg(test)]
mod tests {
    use app::presence::Epoch;

    use super::*;
    use crate::presence::{
        entry::{Batch, Entry, Pause, Position, ServerJoined},
        members::Moment,
        room::{Now, RoomLimits},
    };

    const LASTS: Duration = Duration::from_secs(2);

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn server(number: u32) -> ServerId {
        ServerId::try_from(number).unwrap()
    }

    fn leases(now: u64, live: &[u32], expired: &[(u32, u64)]) -> Leases {
        let expired = expired.iter();
        Leases {
            now: LeaseTime::from_millis(now),
            pause: None,
            live: live.iter().copied().map(server).collect(),
            expired: expired.map(|(id, at)| (server(*id), LeaseTime::from_millis(*at))).collect(),
        }
    }

    #[test]
    fn lease_counts_from_before_its_renewal_was_sent() {
        let mut lease = Lease::begin(server(1), LASTS, leases(90_000, &[1], &[]), ms(100));
        assert_eq!(lease.next_renewal(), ms(600));
        assert!(!lease.is_lost(ms(2_099)));
        assert!(lease.is_lost(ms(2_100)));
        lease.renew(leases(90_500, &[1], &[]), ms(600));
        assert!(!lease.is_lost(ms(2_599)));
        assert_eq!(lease.seen(), LeaseTime::from_millis(90_500));
    }

    #[test]
    fn server_whose_lease_ended_is_dead_since_then() {
        let known = leases(90_000, &[1, 2], &[(3, 88_500)]);
        let mut lease = Lease::begin(server(1), LASTS, known, ms(100));
        assert_eq!(lease.verdict(server(1), ms(200)), Verdict::Alive);
        assert_eq!(lease.verdict(server(2), ms(200)), Verdict::Alive);
        let ago = Some(ms(1_600));
        assert_eq!(lease.verdict(server(3), ms(200)), Verdict::Dead { ago });
    }

    #[test]
    fn servers_have_a_lease_long_to_begin_anew_after_a_pause() {
        let pause = Some(Pause { id: 90_000, lasted: ms(5_000) });
        let at = |now| Leases { pause, ..leases(now, &[1], &[(2, 87_000), (3, 91_000)]) };
        let mut lease = Lease::begin(server(1), LASTS, at(90_000), ms(100));
        assert_eq!(lease.verdict(server(2), ms(2_099)), Verdict::Alive);
        assert_eq!(lease.verdict(server(2), ms(2_100)), Verdict::Dead { ago: Some(ms(5_000)) });
        // This one has begun anew, and has died since.
        lease.renew(at(91_500), ms(1_600));
        assert_eq!(lease.verdict(server(3), ms(1_600)), Verdict::Dead { ago: Some(ms(500)) });
        assert_eq!(lease.verdict(server(2), ms(1_600)), Verdict::Alive);
    }

    #[test]
    fn server_that_the_engine_forgot_has_a_lease_long_to_begin_anew() {
        let mut lease = Lease::begin(server(1), LASTS, leases(90_000, &[1], &[]), ms(100));
        assert_eq!(lease.verdict(server(2), ms(100)), Verdict::Alive);
        lease.renew(leases(91_000, &[1], &[]), ms(1_100));
        assert_eq!(lease.verdict(server(2), ms(2_099)), Verdict::Alive);
        assert_eq!(lease.verdict(server(2), ms(2_100)), Verdict::Dead { ago: None });
        // It is heard once, and then forgotten again.
        lease.renew(leases(92_000, &[1, 2], &[]), ms(2_100));
        assert_eq!(lease.verdict(server(2), ms(2_200)), Verdict::Alive);
        lease.renew(leases(93_000, &[1], &[]), ms(3_100));
        assert_eq!(lease.verdict(server(2), ms(3_100)), Verdict::Alive);
    }

    #[test]
    fn lowest_live_server_of_a_room_is_the_first_to_declare_another_dead() {
        let limits =
            RoomLimits { most_people: 9, most_connections_per_person: 9, keep_attendance: None };
        let now = Now { moment: Moment::ZERO, unix_seconds: 0 };
        let mut room = Room::new(limits, Epoch::from_number(1), now);
        for number in 1..=3 {
            let joined = Some(ServerJoined { limits, rules: 1, pause: None });
            let of = server(u32::try_from(number).unwrap());
            let batch = Batch { server: of, number, joined, commands: Vec::new() };
            let position = Position { number, nonce: 7 };
            room.apply_entry(Entry { position, moment: Moment::ZERO, batch }).unwrap();
        }
        let turn = |of| {
            let known = leases(90_000, &[2, 3, 4], &[(1, 89_000)]);
            Lease::begin(server(of), LASTS, known, ms(100)).turn(&room)
        };
        assert_eq!([2, 3, 4].map(turn), [Duration::ZERO, SECOND_TURN, SECOND_TURN]);
    }
}
