//! Admission control: which clients may connect, and how many at a time. Policy and counts without I/O; the
//! sockets are in `listener`.

mod account;
mod address_counts;
mod client_addr;
mod flight;
mod forwarded;
mod origin;
mod pace;
mod payer;
mod person_counts;
pub mod pools;
pub mod processor_budget;
pub mod rate_limit;
mod rejection;
mod site_names;

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ipnet::IpNet;
use tokio::{
    sync::{Notify, Semaphore},
    time::Instant,
};

pub(crate) use self::{
    account::{Account, Bill},
    client_addr::PeerAddr,
    flight::Flight,
    pace::Pace,
};
pub use self::{
    address_counts::{ConnectionCounts, ConnectionLimits, Transport},
    client_addr::{ClientKey, ClientPrefix, ParseNetworkError, parse_network},
    forwarded::ForwardedRequest,
    origin::{Origin, OriginRejected, OriginRules, ParseOriginError, RequestOrigin, WithoutOrigin},
    payer::Payer,
    rejection::Rejection,
    site_names::{HostName, MisdirectedError, ParseHostNameError, SiteNames},
};
use self::{
    client_addr::is_in_any, person_counts::PersonCounts, pools::FileShares, rate_limit::Limit,
};
use crate::identity::person_cookie::Person;
use registry::hub::room_stats::Occupancy;

/// The rules by which clients are admitted.
#[derive(Clone, Debug)]
pub struct AdmissionPolicy {
    /// Limits of connections and sockets, in total and per address.
    pub limits: ConnectionLimits,
    /// Sockets per person, over all rooms.
    pub most_sockets_per_person: Limit,
    /// Sockets and feeds per room, including those that only watch.
    pub most_sockets_per_room: Limit,
    /// Proxies whose `X-Forwarded-…` and `Forwarded` headers are trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// The origins that may open a socket.
    pub origins: OriginRules,
    /// Time limits of HTTP connections.
    pub timeouts: Timeouts,
    /// How the open files are divided.
    pub files: FileShares,
}

/// Time limits of a client; none is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a request to arrive, from the connection's start or the response before.
    pub request_timeout: Option<Duration>,
    /// For the client to read some of what is sent to it.
    pub write_timeout: Option<Duration>,
}

/// To accept a connection and to end it, with the system calls that they need.
const CONNECTION_PRICE: Duration = Duration::from_micros(50);

/// Admits clients and counts them.
#[derive(Debug)]
pub struct Admission {
    policy: AdmissionPolicy,
    started: Instant,
    counts: Mutex<ConnectionCounts>,
    person_counts: Mutex<PersonCounts>,
    /// When an address has less in flight than its share again.
    bytes_arrived: Notify,
}

impl Admission {
    /// Without any client.
    pub fn new(policy: AdmissionPolicy) -> Arc<Self> {
        let counts = Mutex::new(ConnectionCounts::new(policy.limits));
        Arc::new(Self {
            policy,
            started: Instant::now(),
            counts,
            person_counts: Mutex::default(),
            bytes_arrived: Notify::new(),
        })
    }

    /// Admits a connection, which counts until the permit is dropped.
    pub(crate) fn connection(
        self: &Arc<Self>,
        peer: IpAddr,
    ) -> Result<ConnectionPermit, Rejection> {
        let is_proxy = is_in_any(&self.policy.trusted_proxies, peer);
        let from = (!is_proxy).then(|| peer.into());
        let now = self.started.elapsed();
        let mut counts = self.lock();
        counts.admit_connection(from, now)?;
        if let Some(from) = from {
            counts.charge(from, CONNECTION_PRICE, now);
        }
        drop(counts);
        Ok(ConnectionPermit { admission: Arc::clone(self), from })
    }

    /// Admits a socket, which counts until the permit is dropped.
    pub(crate) fn socket(
        self: &Arc<Self>,
        client: IpAddr,
        occupancy: Occupancy,
    ) -> Result<SocketPermit, Rejection> {
        self.transport(Transport::Socket, client, occupancy)
    }

    /// Admits a feed, which counts until the permit is dropped.
    pub(crate) fn feed(
        self: &Arc<Self>,
        client: IpAddr,
        occupancy: Occupancy,
    ) -> Result<SocketPermit, Rejection> {
        self.transport(Transport::Feed, client, occupancy)
    }

    /// Counts a wrong secret of a host, or says that this client sent too many.
    ///
    /// It limits what a broken or hostile client costs, and no more: a secret has 128 bits, so nobody guesses one. The
    /// right one is always accepted, or anyone at the same address could lock a host out.
    pub(crate) fn wrong_secret(&self, client: IpAddr) -> Result<(), Rejection> {
        self.lock().admit_wrong_secret(client.into(), self.started.elapsed())
    }

    /// Whether a socket of this client would be admitted; it counts nothing.
    pub(crate) fn would_admit_socket(
        &self,
        client: IpAddr,
        person: Option<Person>,
        occupancy: Occupancy,
    ) -> Result<(), Rejection> {
        self.check_room(occupancy)?;
        self.lock().would_admit_transport(client.into(), self.started.elapsed())?;
        match person {
            Some(person) => self.person_counts().check(person, self.policy.most_sockets_per_person),
            None => Ok(()),
        }
    }

    /// Whether the client's address is within its budget of processor time.
    fn check_budget(&self, client: ClientKey) -> Result<(), Rejection> {
        match self.policy.limits.processor_per_address {
            Some(_) => self.lock().check_budget(client, self.started.elapsed()),
            None => Ok(()),
        }
    }

    /// The processor time that is missing in the budget of the client's address.
    fn used_of_budget(&self, client: ClientKey) -> Duration {
        match self.policy.limits.processor_per_address {
            Some(limit) => self.lock().used_of_budget(client, limit, self.started.elapsed()),
            None => Duration::ZERO,
        }
    }

    /// Takes processor time from the budget of the client's address.
    fn charge(&self, client: ClientKey, cost: Duration) {
        if self.policy.limits.processor_per_address.is_some() {
            self.lock().charge(client, cost, self.started.elapsed());
        }
    }

    /// All bytes that are handed to the system or wait for it, and have not arrived yet: at most so many.
    pub(crate) fn bytes_in_flight(&self) -> usize {
        self.lock().bytes_in_flight()
    }

    /// Whether more may be sent to the client's address; without one, to a proxy.
    fn check_flight(&self, from: Option<ClientKey>) -> Result<(), Rejection> {
        self.lock().check_flight(from)
    }

    /// Counts the bytes that a connection has in flight now instead of those before.
    fn change_bytes_in_flight(&self, from: Option<ClientKey>, before: usize, after: usize) {
        let now = self.started.elapsed();
        if self.lock().change_bytes_in_flight(from, before, after, now) {
            self.bytes_arrived.notify_waiters();
        }
    }

    /// The turns of the client's address; none if it has no budget to keep.
    fn turns(&self, client: ClientKey) -> Option<Arc<Semaphore>> {
        self.policy.limits.processor_per_address?;
        Some(self.lock().turns(client))
    }

    /// The pace of the client's address; none if it has no budget to keep.
    fn pace(&self, client: ClientKey) -> Option<Arc<Pace>> {
        self.policy.limits.processor_per_address?;
        Some(self.lock().pace(client))
    }

    fn transport(
        self: &Arc<Self>,
        transport: Transport,
        client: IpAddr,
        occupancy: Occupancy,
    ) -> Result<SocketPermit, Rejection> {
        self.check_room(occupancy)?;
        let from = client.into();
        let now = self.started.elapsed();
        self.lock().admit_transport(transport, from, now)?;
        Ok(SocketPermit { admission: Arc::clone(self), from, transport, person: None })
    }

    /// Frees the memory of clients that have left; to be called regularly.
    pub fn sweep(&self) {
        let now = self.started.elapsed();
        self.lock().sweep(now);
        self.person_counts().sweep();
    }

    /// The rules by which clients are admitted.
    pub fn policy(&self) -> &AdmissionPolicy {
        &self.policy
    }

    /// Checks the limits of a room. Clients whose handshake is not finished do not count yet.
    pub(crate) fn check_room(&self, occupancy: Occupancy) -> Result<(), Rejection> {
        match occupancy {
            Occupancy::Open { subscribers }
                if !self.policy.most_sockets_per_room.allows_one_more_than(subscribers) =>
            {
                Err(Rejection::RoomAtCapacity)
            }
            Occupancy::Open { .. } | Occupancy::Vacant { .. } => Ok(()),
        }
    }

    fn person_counts(&self) -> MutexGuard<'_, PersonCounts> {
        self.person_counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, ConnectionCounts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a connection until it ends or becomes a socket.
#[derive(Debug)]
pub(crate) struct ConnectionPermit {
    admission: Arc<Admission>,
    from: Option<ClientKey>,
}

impl ConnectionPermit {
    /// Whom the connection is charged to; none for that of a proxy.
    pub(crate) fn account(&self) -> Option<Account> {
        self.from.map(|client| Account::of(&self.admission, client))
    }

    /// What counts its bytes in flight, also after it became a socket.
    pub(crate) fn flight(&self) -> Flight {
        Flight::new(&self.admission, self.from)
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let now = self.admission.started.elapsed();
        self.admission.lock().release_connection(self.from, now);
    }
}

/// Counts a socket or feed. Every socket keeps one, so it is small: a pointer, an address and a person.
#[derive(Debug)]
pub(crate) struct SocketPermit {
    admission: Arc<Admission>,
    from: ClientKey,
    transport: Transport,
    person: Option<Person>,
}

impl SocketPermit {
    /// Counts it for this person as well.
    pub(crate) fn with_person(mut self, person: Person) -> Result<Self, Rejection> {
        self.admission
            .person_counts()
            .admit(person, self.admission.policy.most_sockets_per_person)?;
        self.person = Some(person);
        Ok(self)
    }
}

impl Drop for SocketPermit {
    fn drop(&mut self) {
        if let Some(person) = self.person {
            self.admission.person_counts().release(person);
        }
        let now = self.admission.started.elapsed();
        self.admission.lock().release_transport(self.transport, self.from, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_permit_is_small() {
        assert!(size_of::<SocketPermit>() <= 48);
    }
}
