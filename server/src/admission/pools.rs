//! How large the pools are on this machine, and what one address may have of each. Pure.

use std::{
    fmt::{self, Display},
    num::NonZeroUsize,
};

use registry::hub::HubLimits;

use super::{AdmissionPolicy, rate_limit::Limit};

/// What the machine has for this process; none where it is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// How many files the process may have open.
    pub open_files: Option<u64>,
    /// How much memory it may use, in bytes.
    pub memory: Option<u64>,
}

/// Where the memory is unknown.
const USUAL_MEMORY_IN_BYTES: u64 = 1 << 30;

/// What a connection at rest may need in this process and in the system: some times what it was measured to.
const BYTES_OF_A_CONNECTION: u64 = 16 * 1024;

/// What a room may need that was empty again soon: some times what it was measured to.
const BYTES_OF_A_ROOM: u64 = 8 * 1024;

impl Machine {
    /// So many connections take at most half of the memory.
    fn connections(self) -> Limit {
        self.part_of_memory(2, BYTES_OF_A_CONNECTION)
    }

    /// So many things of this size take at most this part of the memory.
    fn part_of_memory(self, part: u64, size_in_bytes: u64) -> Limit {
        let number = self.memory.map(|memory| (memory / part / size_in_bytes).max(1));
        number.and_then(|number| usize::try_from(number).ok()).map_or(Limit::OFF, Limit::at_most)
    }

    /// The limits of all rooms: at most a quarter of the memory, with a sixteenth for their logs, and rows of one address
    /// by the sockets that it may have.
    #[must_use]
    pub fn cap_rooms(self, mut limits: HubLimits, policy: &AdmissionPolicy) -> HubLimits {
        let most = Limit::at_most(limits.rooms.most.map_or(0, NonZeroUsize::get));
        let most = most.and_at_most(self.part_of_memory(4, BYTES_OF_A_ROOM));
        limits.rooms.most = most.number().and_then(NonZeroUsize::new);
        limits.most_rows_per_address = most_rows(policy.limits.sockets_per_address);
        let of_logs = self.part_of_memory(16, 1).number();
        limits.most_log_bytes = limits.most_log_bytes.min(of_logs.unwrap_or(usize::MAX));
        limits
    }

    /// An eighth of the memory, for bytes that are sent and not received yet.
    fn bytes_in_flight(self) -> usize {
        let bytes = self.memory.unwrap_or(USUAL_MEMORY_IN_BYTES) / 8;
        usize::try_from(bytes).unwrap_or(usize::MAX).max(1)
    }
}

/// How many rows one address may have made, by the sockets that it may have: as many may wait for their people as sockets
/// may be open. So there is room for two classes that have just left, while a third one comes.
pub(crate) fn most_rows(sockets_per_address: Limit) -> Option<NonZeroUsize> {
    NonZeroUsize::new(sockets_per_address.number()?.saturating_mul(2))
}

impl AdmissionPolicy {
    /// Caps connections by the limit of open files and by the memory, sockets at nine tenths of the connections, and
    /// what one address may have at half of each: whatever it does, as much is left to everybody else.
    ///
    /// A share that is switched off stays off: all visitors may come from one address, as behind a proxy that says
    /// nothing of them.
    #[must_use]
    pub fn capped_by(mut self, machine: Machine) -> Self {
        let limits = &mut self.limits;
        self.files = FileShares::of(machine.open_files);
        limits.connections = limits
            .connections
            .and_at_most(self.files.connections)
            .and_at_most(machine.connections());
        if let Some(connections) = limits.connections.number() {
            // Pages have to be served also when no more sockets are accepted.
            let sockets = Limit::at_most(connections - connections / 10);
            limits.sockets = limits.sockets.and_at_most(sockets);
        }
        if limits.connections_per_address != Limit::OFF {
            limits.all_connections_per_address = limits.connections.half();
        }
        limits.connections_per_address =
            limits.connections_per_address.at_most_half_of(limits.connections);
        if limits.bytes_in_flight == Limit::OFF {
            limits.bytes_in_flight = Limit::at_most(machine.bytes_in_flight());
        }
        limits.bytes_in_flight_per_address =
            limits.bytes_in_flight_per_address.at_most_half_of(limits.bytes_in_flight);
        limits.sockets_per_address = limits.sockets_per_address.at_most_half_of(limits.sockets);
        self
    }
}

/// How many of the files that a process may have open are for what: no part can take those of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileShares {
    /// Visitors' connections.
    pub connections: Limit,
    /// Connections that are accepted, and that nobody has looked at yet.
    pub waiting: usize,
    /// Rejected connections that are still answered.
    pub rejected: usize,
    /// The operator's connections.
    pub operator: usize,
}

impl FileShares {
    /// For this limit of open files; none is no limit.
    pub fn of(open_files: Option<u64>) -> Self {
        let open_files = open_files.and_then(|number| usize::try_from(number).ok());
        let part = open_files.unwrap_or(usize::MAX) / 16;
        let (waiting, rejected) = (part.clamp(4, MOST_WAITING), part.clamp(4, MOST_REJECTED));
        let operator = (part / 2).clamp(4, MOST_OF_THE_OPERATOR);
        let connections = open_files.map_or(Limit::OFF, |open_files| {
            let reserve = (FILES_OF_THE_SERVER + waiting + rejected + operator).min(open_files / 2);
            Limit::at_most((open_files - reserve).max(1))
        });
        Self { connections, waiting, rejected, operator }
    }
}

/// The site's files, the rooms file, listening sockets, and the runtime's own.
const FILES_OF_THE_SERVER: usize = 96;

/// Prometheus and a browser keep one or two each.
const MOST_OF_THE_OPERATOR: usize = 32;

/// As long as the system's own queue.
const MOST_WAITING: usize = 4_096;

/// More rejected connections than these are dropped unanswered, so that a flood of them does not keep the server busy.
const MOST_REJECTED: usize = 64;

/// What a server can hold, as it says at its start.
#[derive(Clone, Copy, Debug)]
pub struct Capacity<'a> {
    /// For visitors.
    pub policy: &'a AdmissionPolicy,
    /// For rooms.
    pub hub: &'a HubLimits,
}

impl Display for Capacity<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |limit: Option<usize>| {
            limit.map_or_else(|| "any number of".to_owned(), |limit| limit.to_string())
        };
        let limits = &self.policy.limits;
        let mebibytes = |limit: Limit| shown(limit.number().map(|bytes| bytes >> 20));
        write!(
            formatter,
            "{} connections, {} WebSockets and event streams, {} rooms and {} MiB in flight; of one address {} connections, {} WebSockets and event streams, {} rooms and {} MiB",
            shown(limits.connections.number()),
            shown(limits.sockets.number()),
            shown(self.hub.rooms.most.map(NonZeroUsize::get)),
            mebibytes(limits.bytes_in_flight),
            shown(limits.connections_per_address.number()),
            shown(limits.sockets_per_address.number()),
            shown(self.hub.rooms.share()),
            mebibytes(limits.bytes_in_flight_per_address),
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use registry::hub::MOST_LOG_BYTES;

    use super::*;
    use crate::{config::admission::AdmissionSettings, url::Scheme};

    fn policy(settings: AdmissionSettings, open_files: Option<u64>) -> AdmissionPolicy {
        settings.into_policy(None, Scheme::Http).capped_by(Machine { open_files, memory: None })
    }

    #[test]
    fn connections_never_use_all_open_files() {
        for (open_files, connections) in [(20_000, 18_558), (1_024, 768), (64, 32), (1, 1)] {
            let files = FileShares::of(Some(open_files));
            assert_eq!(files.connections.number(), Some(connections));
        }
        assert_eq!(FileShares::of(None).connections, Limit::OFF);
        let limits = policy(AdmissionSettings::default(), Some(1_024)).limits;
        assert_eq!(limits.connections.number(), Some(768));
        assert_eq!(limits.sockets.number(), Some(692));
        let settings = AdmissionSettings { max_connections: 100, ..AdmissionSettings::default() };
        for open_files in [Some(1_024), None] {
            let limits = policy(settings.clone(), open_files).limits;
            assert_eq!(limits.connections.number(), Some(100));
            assert_eq!(limits.sockets.number(), Some(90));
        }
    }

    /// F05: with 1,024 files one address held all 768 connections.
    #[test]
    fn shares_shrink_with_their_pools() {
        let limits = policy(AdmissionSettings::default(), Some(1_024)).limits;
        assert_eq!(limits.connections_per_address.number(), Some(384));
        assert_eq!(limits.all_connections_per_address.number(), Some(384));
        assert_eq!(limits.sockets_per_address.number(), Some(346));
        // Where there is enough, the shares are those that are set.
        let limits = policy(AdmissionSettings::default(), Some(100_000)).limits;
        let set = AdmissionSettings::default();
        assert_eq!(limits.connections_per_address.number(), Some(set.max_connections_per_address));
        assert_eq!(limits.sockets_per_address.number(), Some(set.max_sockets_per_address));
    }

    #[test]
    fn bytes_in_flight_are_a_part_of_the_memory() {
        let policy = |memory, settings: AdmissionSettings| {
            let machine = Machine { open_files: None, memory };
            let limits = settings.into_policy(None, Scheme::Http).capped_by(machine).limits;
            [limits.bytes_in_flight, limits.bytes_in_flight_per_address]
                .map(|limit| limit.number().unwrap() >> 20)
        };
        let defaults = AdmissionSettings::default();
        assert_eq!(policy(Some(1 << 30), defaults.clone()), [128, 64]);
        assert_eq!(policy(Some(8 << 30), defaults.clone()), [1_024, 128]);
        assert_eq!(policy(None, defaults.clone()), [128, 64]);
        let set = AdmissionSettings { max_bytes_in_flight: 100 << 20, ..defaults };
        assert_eq!(policy(Some(8 << 30), set), [100, 50]);
    }

    #[test]
    fn little_memory_holds_fewer_connections_and_rooms() {
        let machine = Machine { open_files: Some(100_000), memory: Some(64 << 20) };
        let settings = AdmissionSettings::default();
        let room = crate::config::Config::default().room_limits;
        let hub = settings.hub_limits(room);
        let policy = settings.into_policy(None, Scheme::Http).capped_by(machine);
        let hub = machine.cap_rooms(hub, &policy);
        assert_eq!(
            Capacity { policy: &policy, hub: &hub }.to_string(),
            "2048 connections, 1844 WebSockets and event streams, 2048 rooms and 8 MiB in flight; of one address 1024 connections, 922 WebSockets and event streams, 1024 rooms and 4 MiB",
        );
        assert_eq!(hub.most_rows_per_address.map(NonZeroUsize::get), Some(1_844));
        assert_eq!(hub.most_log_bytes, 4 << 20);
        let off = AdmissionSettings {
            max_rooms: 0,
            max_sockets_per_address: 0,
            ..AdmissionSettings::default()
        };
        let hub = off.hub_limits(room);
        let policy = off.into_policy(None, Scheme::Http).capped_by(Machine::default());
        let capped = Machine::default().cap_rooms(hub, &policy);
        assert_eq!((capped.rooms.most, capped.most_rows_per_address), (None, None));
        assert_eq!(capped.most_log_bytes, MOST_LOG_BYTES);
        let said = Capacity { policy: &policy, hub: &capped }.to_string();
        assert!(said.starts_with("any number of connections, "), "{said}");
    }

    #[test]
    fn share_that_is_off_stays_off() {
        let off = AdmissionSettings {
            max_connections_per_address: 0,
            max_sockets_per_address: 0,
            ..AdmissionSettings::default()
        };
        let limits = policy(off, Some(1_024)).limits;
        assert_eq!(limits.connections_per_address, Limit::OFF);
        assert_eq!(limits.all_connections_per_address, Limit::OFF);
        assert_eq!(limits.sockets_per_address, Limit::OFF);
    }

    proptest! {
        /// Whatever is set and however little there is, two addresses get in, and one has no more than half, but for
        /// pools of one.
        #[test]
        fn no_address_has_more_than_half_of_a_pool(
            open_files in prop::option::of(0..100_000_u64),
            max_connections in 0..20_000_usize,
            max_sockets in 0..20_000_usize,
            per_address in 1..20_000_usize,
        ) {
            let limits = policy(
                AdmissionSettings {
                    max_connections,
                    max_sockets,
                    max_connections_per_address: per_address,
                    max_sockets_per_address: per_address,
                    ..AdmissionSettings::default()
                },
                open_files,
            ).limits;
            for (pool, shares) in [
                (
                    limits.connections,
                    [limits.connections_per_address, limits.all_connections_per_address],
                ),
                (limits.sockets, [limits.sockets_per_address; 2]),
            ] {
                let Some(pool) = pool.number() else { continue };
                for share in shares {
                    let share = share.number().unwrap();
                    prop_assert!(share >= 1 && (share <= pool / 2 || pool == 1));
                }
            }
        }
    }
}
