//! What is counted of one address.

use std::{sync::Arc, time::Duration};

use tokio::sync::Semaphore;

use super::{ConnectionLimits, Transport};
use crate::admission::{
    Rejection, account,
    client_addr::ClientSubnet,
    pace::Pace,
    processor_budget::{ProcessorBudget, ProcessorLimit},
    rate_limit::TokenBucket,
};

/// What an address may have in flight while all is used: some pages.
const BYTES_FOR_A_STRANGER: usize = 2_000_000;

/// The counts of an address, and of each /64 in it.
#[derive(Clone, Debug, Default)]
pub(super) struct AddressCounts {
    whole: Counts,
    /// Those that count anything: at most 256, and most often one.
    subnets: Vec<(ClientSubnet, Counts)>,
    /// While any of its requests is worked on, or waits for it.
    turns: Option<Arc<Semaphore>>,
    /// While any of its requests begins, or waits for it.
    pace: Option<Arc<Pace>>,
}

/// The counts of an address or of one /64 in it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) connections: usize,
    /// Including feeds.
    pub(super) sockets: usize,
    feeds: usize,
    pub(super) bytes_in_flight: usize,
    pub(super) new_sockets: TokenBucket,
    pub(super) wrong_secrets: TokenBucket,
    processor: ProcessorBudget,
}

impl AddressCounts {
    /// Counts something for the address and for the subnet: for both, or for neither if it exceeds a limit of one. The
    /// limits are those of an address and of a subnet.
    pub(super) fn admit(
        &mut self,
        subnet: Option<ClientSubnet>,
        [of_address, of_subnet]: [&ConnectionLimits; 2],
        admit: impl Fn(&mut Counts, &ConnectionLimits) -> Result<(), Rejection>,
    ) -> Result<(), Rejection> {
        let mut whole = self.whole;
        admit(&mut whole, of_address)?;
        if let Some(subnet) = subnet {
            let mut part = self.subnet(subnet).copied().unwrap_or_default();
            admit(&mut part, of_subnet)?;
            *self.subnet_mut(subnet) = part;
        }
        self.whole = whole;
        Ok(())
    }

    /// Whether the address and the subnet are within their limits.
    pub(super) fn check(
        &self,
        subnet: Option<ClientSubnet>,
        [of_address, of_subnet]: [&ConnectionLimits; 2],
        check: impl Fn(&Counts, &ConnectionLimits) -> Result<(), Rejection>,
    ) -> Result<(), Rejection> {
        check(&self.whole, of_address)?;
        let part = subnet.and_then(|subnet| self.subnet(subnet));
        part.map_or(Ok(()), |part| check(part, of_subnet))
    }

    /// Changes the counts of the address and of the subnet.
    pub(super) fn change(
        &mut self,
        subnet: Option<ClientSubnet>,
        [of_address, of_subnet]: [&ConnectionLimits; 2],
        now: Duration,
        change: impl Fn(&mut Counts, &ConnectionLimits),
    ) {
        change(&mut self.whole, of_address);
        if let Some(subnet) = subnet {
            change(self.subnet_mut(subnet), of_subnet);
            self.subnets.retain(|(_, counts)| !counts.is_removable(now));
        }
    }

    /// The processor time that is missing in the budget of the whole address.
    pub(super) fn used_of_budget(&self, limit: ProcessorLimit, now: Duration) -> Duration {
        self.whole.processor.used(limit, now)
    }

    /// The turns of the whole address.
    pub(super) fn turns(&mut self) -> Arc<Semaphore> {
        Arc::clone(self.turns.get_or_insert_with(account::turns))
    }

    /// The pace of the whole address.
    pub(super) fn pace(&mut self) -> Arc<Pace> {
        Arc::clone(self.pace.get_or_insert_default())
    }

    /// Whether it counts nothing, and all rates have recovered.
    pub(super) fn is_removable(&self, now: Duration) -> bool {
        if self.turns.as_ref().is_some_and(|turns| Arc::strong_count(turns) > 1)
            || self.pace.as_ref().is_some_and(|pace| Arc::strong_count(pace) > 1)
        {
            return false;
        }
        // The rates of a subnet are slower, so it may be the last one to recover.
        let mut all = self.subnets.iter().map(|(_, counts)| counts).chain([&self.whole]);
        all.all(|counts| counts.is_removable(now))
    }

    fn subnet(&self, subnet: ClientSubnet) -> Option<&Counts> {
        self.subnets.iter().find(|(of, _)| *of == subnet).map(|(_, counts)| counts)
    }

    fn subnet_mut(&mut self, subnet: ClientSubnet) -> &mut Counts {
        let place = self.subnets.iter().position(|(of, _)| *of == subnet);
        let place = place.unwrap_or_else(|| {
            self.subnets.push((subnet, Counts::default()));
            self.subnets.len() - 1
        });
        &mut self.subnets[place].1
    }
}

impl Counts {
    /// Counts a connection, or says which limit it exceeds, and counts nothing.
    pub(super) fn admit_connection(&mut self, limits: &ConnectionLimits) -> Result<(), Rejection> {
        let present = (self.connections + self.sockets).saturating_sub(self.feeds);
        if !limits.connections_per_address.allows_one_more_than(self.connections)
            || !limits.all_connections_per_address.allows_one_more_than(present)
        {
            return Err(Rejection::TooManyConnectionsPerAddress);
        }
        self.connections += 1;
        Ok(())
    }

    /// The same for a socket or feed.
    pub(super) fn admit_socket(
        &mut self,
        transport: Transport,
        limits: &ConnectionLimits,
        now: Duration,
    ) -> Result<(), Rejection> {
        if !limits.sockets_per_address.allows_one_more_than(self.sockets) {
            return Err(Rejection::TooManySocketsPerAddress);
        }
        if let Some(rate) = limits.socket_rate_per_address {
            self.new_sockets.take(rate, now).map_err(Rejection::SocketRateExceeded)?;
        }
        self.sockets += 1;
        self.feeds += usize::from(transport == Transport::Feed);
        Ok(())
    }

    /// Counts down.
    pub(super) fn release_connection(&mut self) {
        self.connections = self.connections.saturating_sub(1);
    }

    /// The same for a socket or feed.
    pub(super) fn release_socket(&mut self, transport: Transport) {
        self.sockets = self.sockets.saturating_sub(1);
        self.feeds = self.feeds.saturating_sub(usize::from(transport == Transport::Feed));
    }

    /// Whether more may be sent, also while all that there is for everybody is used.
    pub(super) fn check_flight(
        &self,
        limits: &ConnectionLimits,
        is_all_used: bool,
    ) -> Result<(), Rejection> {
        let is_within =
            limits.bytes_in_flight_per_address.allows_one_more_than(self.bytes_in_flight)
                && (!is_all_used || self.bytes_in_flight < BYTES_FOR_A_STRANGER);
        if is_within { Ok(()) } else { Err(Rejection::TooManyBytesInFlight) }
    }

    /// Whether the budget of processor time is not used up.
    pub(super) fn check_budget(
        &self,
        limits: &ConnectionLimits,
        now: Duration,
    ) -> Result<(), Rejection> {
        let Some(limit) = limits.processor_per_address else { return Ok(()) };
        self.processor.check(limit, now).map_err(Rejection::ProcessorRateExceeded)
    }

    /// Takes processor time from the budget.
    pub(super) fn charge(&mut self, limits: &ConnectionLimits, cost: Duration, now: Duration) {
        if let Some(limit) = limits.processor_per_address {
            self.processor.charge(cost, limit, now);
        }
    }

    fn is_removable(&self, now: Duration) -> bool {
        self.connections == 0
            && self.sockets == 0
            && self.bytes_in_flight == 0
            && self.new_sockets.is_full(now)
            && self.wrong_secrets.is_full(now)
            && self.processor.is_full(now)
    }
}
