//! Connections, sockets and event streams, counted by address. Pure: the time is a parameter.

use std::{collections::HashMap, time::Duration};

use super::{
    ClientPrefix, Rejection,
    rate_limit::{Limit, Rate, TokenBucket},
};

/// Limits in total and per address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Connections of every kind, including those that became a socket or carry a feed.
    pub connections: Limit,
    /// HTTP connections per address, not counting those that became a socket.
    pub connections_per_address: Limit,
    /// Sockets and feeds.
    pub sockets: Limit,
    /// Sockets and feeds per address.
    pub sockets_per_address: Limit,
    /// New sockets and feeds per address.
    pub socket_rate_per_address: Option<Rate>,
}

/// How a client follows a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A WebSocket: the connection that becomes one stops counting as an HTTP connection.
    Socket,
    /// A feed of server-sent events: the HTTP connection that carries it counts as well.
    Feed,
}

/// The counts. An address without connections is removed once its rate limit has recovered, so memory is
/// bounded by the connections.
#[derive(Debug)]
pub struct ConnectionCounts {
    limits: ConnectionLimits,
    connections: usize,
    /// Including feeds.
    sockets: usize,
    feeds: usize,
    addresses: HashMap<ClientPrefix, AddressCounts>,
}

/// The counts of one address.
#[derive(Clone, Debug, Default)]
struct AddressCounts {
    connections: usize,
    sockets: usize,
    new_sockets: TokenBucket,
    wrong_secrets: TokenBucket,
}

impl AddressCounts {
    fn is_removable(&self, now: Duration) -> bool {
        self.connections == 0
            && self.sockets == 0
            && self.new_sockets.is_full(now)
            && self.wrong_secrets.is_full(now)
    }
}

/// Wrong secrets of hosts that an address may send at once, and then in a second. More is no mistyped link.
const WRONG_SECRETS: (u32, u32) = (10, 1);

impl ConnectionCounts {
    /// Without any connection.
    pub fn new(limits: ConnectionLimits) -> Self {
        Self { limits, connections: 0, sockets: 0, feeds: 0, addresses: HashMap::new() }
    }

    /// Counts a connection, or says which limit it exceeds. A proxy's connection counts for no address.
    pub fn admit_connection(&mut self, from: Option<ClientPrefix>) -> Result<(), Rejection> {
        let present = (self.connections + self.sockets).saturating_sub(self.feeds);
        if !self.limits.connections.allows_one_more_than(present) {
            return Err(Rejection::TooManyConnections);
        }
        if let Some(from) = from {
            let present = self.addresses.get(&from).map_or(0, |counts| counts.connections);
            if !self.limits.connections_per_address.allows_one_more_than(present) {
                return Err(Rejection::TooManyConnectionsPerAddress);
            }
            self.addresses.entry(from).or_default().connections += 1;
        }
        self.connections += 1;
        Ok(())
    }

    /// Counts down when a connection ends or becomes a socket.
    pub fn release_connection(&mut self, from: Option<ClientPrefix>, now: Duration) {
        self.connections = self.connections.saturating_sub(1);
        if let Some(from) = from {
            self.release(from, now, |address_counts| &mut address_counts.connections);
        }
    }

    /// Counts a socket or feed, or says which limit it exceeds.
    pub fn admit_transport(
        &mut self,
        transport: Transport,
        from: ClientPrefix,
        now: Duration,
    ) -> Result<(), Rejection> {
        if !self.limits.sockets.allows_one_more_than(self.sockets) {
            return Err(Rejection::TooManySockets);
        }
        let mut address_counts = self.addresses.remove(&from).unwrap_or_default();
        let admitted = self.admit_socket_of(&mut address_counts, now);
        if admitted.is_ok() {
            address_counts.sockets += 1;
            self.sockets += 1;
            self.feeds += usize::from(transport == Transport::Feed);
        }
        if !address_counts.is_removable(now) {
            self.addresses.insert(from, address_counts);
        }
        admitted
    }

    /// Whether a socket or feed would be admitted; it counts nothing.
    pub fn would_admit_transport(
        &self,
        from: ClientPrefix,
        now: Duration,
    ) -> Result<(), Rejection> {
        if !self.limits.sockets.allows_one_more_than(self.sockets) {
            return Err(Rejection::TooManySockets);
        }
        let mut address_counts = self.addresses.get(&from).cloned().unwrap_or_default();
        self.admit_socket_of(&mut address_counts, now)
    }

    /// Counts a wrong secret of a host, or says that there were too many.
    pub fn admit_wrong_secret(
        &mut self,
        from: ClientPrefix,
        now: Duration,
    ) -> Result<(), Rejection> {
        let (burst, per_second) = WRONG_SECRETS;
        let Some(rate) = Rate::new(burst, per_second) else { return Ok(()) };
        let tries = &mut self.addresses.entry(from).or_default().wrong_secrets;
        tries.take(rate, now).map_err(Rejection::WrongSecretRateExceeded)
    }

    /// Counts down when a socket or feed ends.
    pub fn release_transport(&mut self, transport: Transport, from: ClientPrefix, now: Duration) {
        self.sockets = self.sockets.saturating_sub(1);
        self.feeds = self.feeds.saturating_sub(usize::from(transport == Transport::Feed));
        self.release(from, now, |address_counts| &mut address_counts.sockets);
    }

    /// Removes addresses without connections; to be called regularly.
    pub fn sweep(&mut self, now: Duration) {
        self.addresses.retain(|_, address_counts| !address_counts.is_removable(now));
        if self.addresses.len() < self.addresses.capacity() / 8 {
            self.addresses.shrink_to_fit();
        }
    }

    fn admit_socket_of(
        &self,
        address_counts: &mut AddressCounts,
        now: Duration,
    ) -> Result<(), Rejection> {
        if !self.limits.sockets_per_address.allows_one_more_than(address_counts.sockets) {
            return Err(Rejection::TooManySocketsPerAddress);
        }
        match self.limits.socket_rate_per_address {
            Some(rate) => {
                address_counts.new_sockets.take(rate, now).map_err(Rejection::SocketRateExceeded)
            }
            None => Ok(()),
        }
    }

    fn release(
        &mut self,
        from: ClientPrefix,
        now: Duration,
        count: impl FnOnce(&mut AddressCounts) -> &mut usize,
    ) {
        if let Some(address_counts) = self.addresses.get_mut(&from) {
            let count = count(address_counts);
            *count = count.saturating_sub(1);
            if address_counts.is_removable(now) {
                self.addresses.remove(&from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;
    use crate::{config::admission::AdmissionSettings, url::Scheme};

    fn key(number: u16) -> ClientPrefix {
        std::net::IpAddr::from(Ipv4Addr::from_bits(number.into())).into()
    }

    fn limits() -> ConnectionLimits {
        ConnectionLimits {
            connections: Limit::at_most(12),
            connections_per_address: Limit::at_most(4),
            sockets: Limit::at_most(8),
            sockets_per_address: Limit::at_most(3),
            socket_rate_per_address: Rate::new(5, 1),
        }
    }

    #[test]
    fn wrong_secrets_are_limited_by_address_and_forgotten() {
        let mut counts = ConnectionCounts::new(limits());
        let now = Duration::from_secs(5);
        for _ in 0..10 {
            assert_eq!(counts.admit_wrong_secret(key(1), now), Ok(()));
        }
        let wait = Duration::from_secs(1);
        let refused = Err(Rejection::WrongSecretRateExceeded(wait));
        assert_eq!(counts.admit_wrong_secret(key(1), now), refused);
        assert_eq!(counts.admit_wrong_secret(key(2), now), Ok(()));
        assert_eq!(counts.admit_wrong_secret(key(1), now + wait), Ok(()));
        counts.sweep(now + wait);
        assert_eq!(counts.addresses.len(), 1);
        counts.sweep(now + Duration::from_secs(11));
        assert_eq!(counts.addresses.len(), 0);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Connect(u16),
        ConnectByProxy,
        OpenSocket(u16),
        /// On one of the open connections.
        OpenFeed(prop::sample::Index),
        EndConnection(prop::sample::Index),
        EndSocket(prop::sample::Index),
        Wait(u64),
        Sweep,
    }

    fn any_step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..4_u16).prop_map(Step::Connect),
            1 => Just(Step::ConnectByProxy),
            6 => (0..4_u16).prop_map(Step::OpenSocket),
            3 => any::<prop::sample::Index>().prop_map(Step::OpenFeed),
            3 => any::<prop::sample::Index>().prop_map(Step::EndConnection),
            4 => any::<prop::sample::Index>().prop_map(Step::EndSocket),
            2 => (0..3_000_u64).prop_map(Step::Wait),
            1 => Just(Step::Sweep),
        ]
    }

    proptest! {
        /// Every decision equals the model's, and nothing is kept when all connections have ended.
        #[test]
        fn admission_follows_the_limits_exactly(steps in prop::collection::vec(any_step(), 1..200)) {
            let mut counts = ConnectionCounts::new(limits());
            let mut now = Duration::ZERO;
            let (mut connections, mut sockets) = (Vec::new(), Vec::new());
            let total = |connections: &[Option<u16>], sockets: &[(Transport, u16)]| {
                // A feed's connection is counted already.
                connections.len() + sockets.iter().filter(|(transport, _)| *transport == Transport::Socket).count()
            };
            for step in steps {
                match step {
                    Step::Connect(number) => {
                        let address_counts = connections.iter().filter(|from| **from == Some(number)).count();
                        let expected = if total(&connections, &sockets) >= 12 {
                            Err(Rejection::TooManyConnections)
                        } else if address_counts >= 4 {
                            Err(Rejection::TooManyConnectionsPerAddress)
                        } else {
                            connections.push(Some(number));
                            Ok(())
                        };
                        prop_assert_eq!(counts.admit_connection(Some(key(number))), expected);
                    }
                    Step::ConnectByProxy => {
                        let is_full = total(&connections, &sockets) >= 12;
                        prop_assert_eq!(counts.admit_connection(None).is_err(), is_full);
                        if !is_full {
                            connections.push(None);
                        }
                    }
                    Step::OpenFeed(_) if connections.is_empty() => {}
                    Step::OpenSocket(_) | Step::OpenFeed(_) => {
                        let (transport, number) = match step {
                            Step::OpenSocket(number) => (Transport::Socket, number),
                            Step::OpenFeed(at) => {
                                let from = connections[at.index(connections.len())];
                                (Transport::Feed, from.unwrap_or_default())
                            }
                            _ => unreachable!(),
                        };
                        let address_counts = sockets.iter().filter(|(_, from)| *from == number).count();
                        let predicted = counts.would_admit_transport(key(number), now);
                        let admitted = counts.admit_transport(transport, key(number), now);
                        prop_assert_eq!(predicted, admitted);
                        if sockets.len() >= 8 {
                            prop_assert_eq!(admitted, Err(Rejection::TooManySockets));
                        } else if address_counts >= 3 {
                            prop_assert_eq!(admitted, Err(Rejection::TooManySocketsPerAddress));
                        } else if admitted.is_ok() {
                            sockets.push((transport, number));
                        } else {
                            prop_assert!(matches!(admitted, Err(Rejection::SocketRateExceeded(_))));
                        }
                    }
                    Step::EndConnection(at) if !connections.is_empty() => {
                        let from = connections.swap_remove(at.index(connections.len()));
                        counts.release_connection(from.map(key), now);
                    }
                    Step::EndSocket(at) if !sockets.is_empty() => {
                        let (transport, from) = sockets.swap_remove(at.index(sockets.len()));
                        counts.release_transport(transport, key(from), now);
                    }
                    Step::EndConnection(_) | Step::EndSocket(_) => {}
                    Step::Wait(milliseconds) => now += Duration::from_millis(milliseconds),
                    Step::Sweep => counts.sweep(now),
                }
            }
            for from in connections {
                counts.release_connection(from.map(key), now);
            }
            for (transport, from) in sockets {
                counts.release_transport(transport, key(from), now);
            }
            counts.sweep(now + Duration::from_secs(5));
            prop_assert!(counts.addresses.is_empty());
            prop_assert_eq!((counts.connections, counts.sockets, counts.feeds), (0, 0, 0));
        }
    }

    #[test]
    fn the_defaults_admit_a_school_and_reject_a_flood() {
        let mut counts = ConnectionCounts::new(
            AdmissionSettings::default().into_policy(None, Scheme::Http).limits,
        );
        let at = Duration::from_secs;
        let mut opened = |many: usize, now| {
            (0..many)
                .filter(|_| counts.admit_transport(Transport::Socket, key(1), now).is_ok())
                .count()
        };
        assert_eq!(opened(1_500, at(0)), 1_000);
        assert_eq!(opened(500, at(1)), 200);
        assert_eq!(opened(5_000, at(100)), 800);
        assert_eq!(
            counts.admit_transport(Transport::Socket, key(1), at(200)),
            Err(Rejection::TooManySocketsPerAddress)
        );
        assert_eq!(counts.admit_transport(Transport::Socket, key(2), at(200)), Ok(()));
    }
}
