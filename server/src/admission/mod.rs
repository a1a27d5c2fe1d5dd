//! Admission: who may connect, and how many at a time. Pure policy and counts; the sockets are in `listener`.

mod address_counts;
mod client_addr;
mod origin;
mod person_counts;
pub mod rate_limit;
mod rejection;

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::http::HeaderMap;
use ipnet::IpNet;
use tokio::time::Instant;

pub(crate) use self::client_addr::PeerAddr;
pub use self::{
    address_counts::{ConnectionCounts, ConnectionLimits, Transport},
    client_addr::{ClientPrefix, ParseNetworkError, client_address, parse_network},
    origin::{Origin, OriginRejected, OriginRules, ParseOriginError, WithoutOrigin},
    rejection::Rejection,
};
use self::{client_addr::is_in_any, person_counts::PersonCounts, rate_limit::Limit};
use crate::{hub::room_stats::Occupancy, identity::person_cookie::Person};

/// The rules of the door.
#[derive(Clone, Debug)]
pub struct AdmissionPolicy {
    /// How many may be in.
    pub limits: ConnectionLimits,
    /// How many sockets one person may have, over all rooms.
    pub most_sockets_of_person: Limit,
    /// How many rooms there may be.
    pub most_rooms: Limit,
    /// How many sockets and live feeds a room takes, of those who only look too.
    pub most_sockets_of_room: Limit,
    /// Whom to believe where a request came from.
    pub trusted_proxies: Vec<IpNet>,
    /// Whose page may open a socket.
    pub origins: OriginRules,
    /// How long everybody may take.
    pub timeouts: Timeouts,
}

/// How long a client may take; without a time, as long as it likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a whole request, also for the first and the next one of a connection.
    pub request_within: Option<Duration>,
    /// Until it takes some of what it is sent.
    pub write_within: Option<Duration>,
}

impl AdmissionPolicy {
    /// No more connections than there may be open files, and no more sockets than nine tenths of them.
    #[must_use]
    pub fn respecting(mut self, open_files: Option<u64>) -> Self {
        if let Some(open_files) = open_files.and_then(|number| usize::try_from(number).ok()) {
            let most = Limit::at_most(connections_for(open_files));
            self.limits.connections = self.limits.connections.and_at_most(most);
        }
        if let Some(connections) = self.limits.connections.number() {
            // The page, which says that there is no room, has to get through all the same.
            let sockets = Limit::at_most(connections - connections / 10);
            self.limits.sockets = self.limits.sockets.and_at_most(sockets);
        }
        self
    }
}

/// How many connections so many open files are enough for: the site's own files need some too.
fn connections_for(open_files: usize) -> usize {
    const FOR_ALL_ELSE: usize = 256;
    (open_files - FOR_ALL_ELSE.min(open_files / 2)).max(1)
}

/// Lets in and counts.
#[derive(Debug)]
pub struct Admission {
    config: AdmissionPolicy,
    opened: Instant,
    counts: Mutex<ConnectionCounts>,
    person_counts: Mutex<PersonCounts>,
}

impl Admission {
    /// A door through which nobody came yet.
    pub fn new(config: AdmissionPolicy) -> Arc<Self> {
        let counts = Mutex::new(ConnectionCounts::new(config.limits));
        Arc::new(Self { config, opened: Instant::now(), counts, person_counts: Mutex::default() })
    }

    /// A connection comes in; it is counted until what is returned is dropped.
    pub(crate) fn connection(
        self: &Arc<Self>,
        peer: IpAddr,
    ) -> Result<ConnectionPermit, Rejection> {
        let is_proxy = is_in_any(&self.config.trusted_proxies, peer);
        let from = (!is_proxy).then(|| peer.into());
        self.lock().admit_connection(from)?;
        Ok(ConnectionPermit { admission: Arc::clone(self), from })
    }

    /// A socket is opened; it is counted until what is returned is dropped.
    pub(crate) fn socket(
        self: &Arc<Self>,
        peer: IpAddr,
        headers: &HeaderMap,
        occupancy: Occupancy,
    ) -> Result<SocketPermit, Rejection> {
        self.transport(Transport::Socket, peer, headers, occupancy)
    }

    /// A live feed is opened; it is counted until what is returned is dropped.
    pub(crate) fn feed(
        self: &Arc<Self>,
        peer: IpAddr,
        headers: &HeaderMap,
        occupancy: Occupancy,
    ) -> Result<SocketPermit, Rejection> {
        self.transport(Transport::Feed, peer, headers, occupancy)
    }

    fn transport(
        self: &Arc<Self>,
        transport: Transport,
        peer: IpAddr,
        headers: &HeaderMap,
        occupancy: Occupancy,
    ) -> Result<SocketPermit, Rejection> {
        self.room(occupancy)?;
        let from = client_address(peer, headers, &self.config.trusted_proxies).into();
        let now = self.opened.elapsed();
        self.lock().admit_transport(transport, from, now)?;
        Ok(SocketPermit { admission: Arc::clone(self), from, transport, person: None })
    }

    /// Forgets who is gone; to be called now and then.
    pub fn sweep(&self) {
        let now = self.opened.elapsed();
        self.lock().sweep(now);
        self.person_counts().sweep();
    }

    /// The rules.
    pub fn config(&self) -> &AdmissionPolicy {
        &self.config
    }

    /// Whether one more may look at a room. Who is on the way to it does not count yet.
    fn room(&self, occupancy: Occupancy) -> Result<(), Rejection> {
        match occupancy {
            Occupancy::Open { subscribers }
                if !self.config.most_sockets_of_room.allows_one_more_than(subscribers) =>
            {
                Err(Rejection::RoomAtCapacity)
            }
            Occupancy::Vacant { rooms } if !self.config.most_rooms.allows_one_more_than(rooms) => {
                Err(Rejection::TooManyRooms)
            }
            _ => Ok(()),
        }
    }

    fn person_counts(&self) -> MutexGuard<'_, PersonCounts> {
        self.person_counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, ConnectionCounts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that is in, until it ends or becomes a socket.
#[derive(Debug)]
pub(crate) struct ConnectionPermit {
    admission: Arc<Admission>,
    from: Option<ClientPrefix>,
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let now = self.admission.opened.elapsed();
        self.admission.lock().release_connection(self.from, now);
    }
}

/// A socket or a live feed that is in. Thousands of them are kept: it is a pointer, an address and a person.
#[derive(Debug)]
pub(crate) struct SocketPermit {
    admission: Arc<Admission>,
    from: ClientPrefix,
    transport: Transport,
    person: Option<Person>,
}

impl SocketPermit {
    /// Counts it as this person's too.
    pub(crate) fn of(mut self, person: Person) -> Result<Self, Rejection> {
        self.admission
            .person_counts()
            .admit(person, self.admission.config.most_sockets_of_person)?;
        self.person = Some(person);
        Ok(self)
    }
}

impl Drop for SocketPermit {
    fn drop(&mut self) {
        if let Some(person) = self.person {
            self.admission.person_counts().release(person);
        }
        let now = self.admission.opened.elapsed();
        self.admission.lock().release_transport(self.transport, self.from, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::admission::AdmissionSettings, url::Scheme};

    #[test]
    fn open_files_are_never_all_given_to_connections() {
        for (open_files, connections) in [(20_000, 19_744), (1_024, 768), (300, 150), (1, 1)] {
            assert_eq!(connections_for(open_files), connections);
        }
        let config =
            AdmissionSettings::default().into_config(None, Scheme::Http).respecting(Some(1_024));
        assert_eq!(config.limits.connections.number(), Some(768));
        assert_eq!(config.limits.sockets.number(), Some(692));
        let settings = AdmissionSettings { max_connections: 100, ..AdmissionSettings::default() };
        for open_files in [Some(1_024), None] {
            let config = settings.clone().into_config(None, Scheme::Http).respecting(open_files);
            assert_eq!(config.limits.connections.number(), Some(100));
            assert_eq!(config.limits.sockets.number(), Some(90));
        }
    }

    #[test]
    fn a_pass_is_small() {
        assert!(size_of::<SocketPermit>() <= 48);
    }
}
