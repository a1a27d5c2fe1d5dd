//! Connections, sockets and event streams, counted by address. Pure: the time is a parameter.

mod counts;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::sync::Semaphore;

use self::counts::{AddressCounts, Counts};
use super::{
    Rejection,
    client_addr::{ClientKey, ClientPrefix},
    pace::Pace,
    processor_budget::ProcessorLimit,
    rate_limit::{Limit, Rate},
};

/// Limits in total and per address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Connections of every kind, including those that became a socket or carry a feed.
    pub connections: Limit,
    /// HTTP connections per address, not counting those that became a socket.
    pub connections_per_address: Limit,
    /// Connections of every kind per address.
    pub all_connections_per_address: Limit,
    /// Sockets and feeds.
    pub sockets: Limit,
    /// Sockets and feeds per address.
    pub sockets_per_address: Limit,
    /// New sockets and feeds per address.
    pub socket_rate_per_address: Option<Rate>,
    /// Bytes that are handed to the system or wait for it, and have not arrived yet.
    pub bytes_in_flight: Limit,
    /// The same per address.
    pub bytes_in_flight_per_address: Limit,
    /// Processor time that the answers to an address may take.
    pub processor_per_address: Option<ProcessorLimit>,
}

/// How a client follows a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A WebSocket: the connection that becomes one stops counting as an HTTP connection.
    Socket,
    /// A feed of server-sent events: the HTTP connection that carries it counts as well.
    Feed,
}

/// The counts. An address without connections is removed once its rate limits have recovered, so memory is
/// bounded by the connections, and behind a proxy by the requests of a few seconds.
#[derive(Debug)]
pub struct ConnectionCounts {
    limits: ConnectionLimits,
    /// Those of a /64 within its /56.
    limits_of_subnet: ConnectionLimits,
    connections: usize,
    /// Including feeds.
    sockets: usize,
    feeds: usize,
    bytes_in_flight: usize,
    addresses: HashMap<ClientPrefix, AddressCounts>,
    /// With so many addresses they are swept at once: proxies may tell of a new one with each request.
    sweep_at: usize,
}

/// So many addresses are never swept before it is time.
const MOST_UNSWEPT_ADDRESSES: usize = 4_096;

/// Wrong secrets of hosts that an address may send at once, and then in a second. More is no mistyped link.
const WRONG_SECRETS: (u32, u32) = (10, 1);

impl ConnectionLimits {
    /// What a /64 may use of what its /56 may, so that one customer who has a /64 leaves some to the others.
    ///
    /// It is most of it: a school with a /56 of its own has all its people in one /64.
    fn of_subnet(self) -> Self {
        Self {
            connections_per_address: self.connections_per_address.three_quarters(),
            all_connections_per_address: self.all_connections_per_address.three_quarters(),
            sockets_per_address: self.sockets_per_address.three_quarters(),
            bytes_in_flight_per_address: self.bytes_in_flight_per_address.three_quarters(),
            socket_rate_per_address: self.socket_rate_per_address.map(Rate::three_quarters),
            processor_per_address: self.processor_per_address.map(ProcessorLimit::three_quarters),
            ..self
        }
    }
}

impl ConnectionCounts {
    /// Without any connection.
    pub fn new(limits: ConnectionLimits) -> Self {
        Self {
            limits,
            limits_of_subnet: limits.of_subnet(),
            connections: 0,
            sockets: 0,
            feeds: 0,
            bytes_in_flight: 0,
            addresses: HashMap::new(),
            sweep_at: MOST_UNSWEPT_ADDRESSES,
        }
    }

    /// Counts a connection, or says which limit it exceeds. A proxy's connection counts for no address.
    pub fn admit_connection(
        &mut self,
        from: Option<ClientKey>,
        now: Duration,
    ) -> Result<(), Rejection> {
        let present = (self.connections + self.sockets).saturating_sub(self.feeds);
        if !self.limits.connections.allows_one_more_than(present) {
            return Err(Rejection::TooManyConnections);
        }
        if let Some(from) = from {
            self.admit(from, now, Counts::admit_connection)?;
        }
        self.connections += 1;
        Ok(())
    }

    /// Counts down when a connection ends or becomes a socket.
    pub fn release_connection(&mut self, from: Option<ClientKey>, now: Duration) {
        self.connections = self.connections.saturating_sub(1);
        if let Some(from) = from {
            self.release(from, now, Counts::release_connection);
        }
    }

    /// Counts a socket or feed, or says which limit it exceeds.
    pub fn admit_transport(
        &mut self,
        transport: Transport,
        from: ClientKey,
        now: Duration,
    ) -> Result<(), Rejection> {
        if !self.limits.sockets.allows_one_more_than(self.sockets) {
            return Err(Rejection::TooManySockets);
        }
        self.admit(from, now, |counts, limits| counts.admit_socket(transport, limits, now))?;
        self.sockets += 1;
        self.feeds += usize::from(transport == Transport::Feed);
        Ok(())
    }

    /// Whether a socket or feed would be admitted; it counts nothing.
    pub fn would_admit_transport(&self, from: ClientKey, now: Duration) -> Result<(), Rejection> {
        if !self.limits.sockets.allows_one_more_than(self.sockets) {
            return Err(Rejection::TooManySockets);
        }
        let mut counts = self.addresses.get(&from.prefix).cloned().unwrap_or_default();
        let limits = [&self.limits, &self.limits_of_subnet];
        counts.admit(from.subnet, limits, |counts, limits| {
            counts.admit_socket(Transport::Socket, limits, now)
        })
    }

    /// Counts a wrong secret of a host, or says that there were too many.
    pub fn admit_wrong_secret(&mut self, from: ClientKey, now: Duration) -> Result<(), Rejection> {
        let (burst, per_second) = WRONG_SECRETS;
        let Some(rate) = Rate::new(burst, per_second) else { return Ok(()) };
        self.admit(from, now, |counts, _| {
            counts.wrong_secrets.take(rate, now).map_err(Rejection::WrongSecretRateExceeded)
        })
    }

    /// Whether an address is within its budget of processor time; it counts nothing.
    pub fn check_budget(&self, from: ClientKey, now: Duration) -> Result<(), Rejection> {
        let Some(counts) = self.addresses.get(&from.prefix) else { return Ok(()) };
        let limits = [&self.limits, &self.limits_of_subnet];
        counts.check(from.subnet, limits, |counts, limits| counts.check_budget(limits, now))
    }

    /// The processor time that is missing in the budget of an address.
    pub(super) fn used_of_budget(
        &self,
        from: ClientKey,
        limit: ProcessorLimit,
        now: Duration,
    ) -> Duration {
        let counts = self.addresses.get(&from.prefix);
        counts.map(|counts| counts.used_of_budget(limit, now)).unwrap_or_default()
    }

    /// Takes processor time from the budget of an address.
    pub fn charge(&mut self, from: ClientKey, cost: Duration, now: Duration) {
        if self.addresses.len() >= self.sweep_at {
            self.sweep(now);
        }
        let limits = [&self.limits, &self.limits_of_subnet];
        let counts = self.addresses.entry(from.prefix).or_default();
        counts.change(from.subnet, limits, now, |counts, limits| counts.charge(limits, cost, now));
    }

    /// All bytes in flight.
    pub fn bytes_in_flight(&self) -> usize {
        self.bytes_in_flight
    }

    /// Whether more may be sent to an address. While all that there is for everybody is used, those go on that have
    /// little in flight; a proxy's connection is none of them.
    pub fn check_flight(&self, from: Option<ClientKey>) -> Result<(), Rejection> {
        let is_all_used = !self.limits.bytes_in_flight.allows_one_more_than(self.bytes_in_flight);
        let Some(from) = from else {
            return if is_all_used { Err(Rejection::TooManyBytesInFlight) } else { Ok(()) };
        };
        let Some(counts) = self.addresses.get(&from.prefix) else { return Ok(()) };
        let limits = [&self.limits, &self.limits_of_subnet];
        counts.check(from.subnet, limits, |counts, limits| counts.check_flight(limits, is_all_used))
    }

    /// Counts what a connection has in flight now instead of what it had before, and returns whether the address may
    /// be sent more again.
    pub fn change_bytes_in_flight(
        &mut self,
        from: Option<ClientKey>,
        before: usize,
        after: usize,
        now: Duration,
    ) -> bool {
        let was_all_used = self.check_flight(None).is_err();
        let was_used = self.check_flight(from).is_err();
        self.bytes_in_flight = (self.bytes_in_flight + after).saturating_sub(before);
        if let Some(from) = from {
            let limits = [&self.limits, &self.limits_of_subnet];
            let counts = self.addresses.entry(from.prefix).or_default();
            counts.change(from.subnet, limits, now, |counts, _| {
                counts.bytes_in_flight = (counts.bytes_in_flight + after).saturating_sub(before);
            });
            if counts.is_removable(now) {
                self.addresses.remove(&from.prefix);
            }
        }
        (was_used && self.check_flight(from).is_ok())
            || (was_all_used && self.check_flight(None).is_ok())
    }

    /// The turns by which the requests of an address are worked on.
    pub(super) fn turns(&mut self, from: ClientKey) -> Arc<Semaphore> {
        self.addresses.entry(from.prefix).or_default().turns()
    }

    /// The pace at which the requests of an address begin.
    pub(super) fn pace(&mut self, from: ClientKey) -> Arc<Pace> {
        self.addresses.entry(from.prefix).or_default().pace()
    }

    /// Counts down when a socket or feed ends.
    pub fn release_transport(&mut self, transport: Transport, from: ClientKey, now: Duration) {
        self.sockets = self.sockets.saturating_sub(1);
        self.feeds = self.feeds.saturating_sub(usize::from(transport == Transport::Feed));
        self.release(from, now, |counts| counts.release_socket(transport));
    }

    /// Removes addresses without connections; to be called regularly.
    pub fn sweep(&mut self, now: Duration) {
        self.addresses.retain(|_, counts| !counts.is_removable(now));
        self.sweep_at = MOST_UNSWEPT_ADDRESSES.max(2 * self.addresses.len());
        if self.addresses.len() < self.addresses.capacity() / 8 {
            self.addresses.shrink_to_fit();
        }
    }

    fn admit(
        &mut self,
        from: ClientKey,
        now: Duration,
        admit: impl Fn(&mut Counts, &ConnectionLimits) -> Result<(), Rejection>,
    ) -> Result<(), Rejection> {
        let counts = self.addresses.entry(from.prefix).or_default();
        let limits = [&self.limits, &self.limits_of_subnet];
        let admitted = counts.admit(from.subnet, limits, admit);
        if admitted.is_err() && counts.is_removable(now) {
            self.addresses.remove(&from.prefix);
        }
        admitted
    }

    fn release(&mut self, from: ClientKey, now: Duration, release: impl Fn(&mut Counts)) {
        if let Some(counts) = self.addresses.get_mut(&from.prefix) {
            let limits = [&self.limits, &self.limits_of_subnet];
            counts.change(from.subnet, limits, now, |counts, _| release(counts));
            if counts.is_removable(now) {
                self.addresses.remove(&from.prefix);
            }
        }
    }
}
