//! The life of this server in the cluster, and the death of others.

use std::{convert::Infallible, time::Duration};

use tokio::time::Instant;

use super::{Dead, Done, End, Node, Session};
use crate::{
    presence::server_id::ServerId,
    replication::{
        engine::{Begun, Leases, Link, SharedConfig},
        lease::{Lease, Verdict},
    },
};

/// For so long a room has time to say that a dead server has left it, before it is told again.
const TELL_AGAIN: Duration = Duration::from_secs(1);

/// Why this server may not take part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClusterError {
    /// The other servers share another configuration.
    #[error("the other servers of this cluster have another configuration")]
    Mismatch(SharedConfig),
}

impl Node {
    /// Renews the lease over a new link, or begins another life if it has ended.
    pub(super) async fn take_lease(&mut self, link: &impl Link) -> Result<(), End> {
        let sent_at = self.now();
        if self.lease.as_ref().is_some_and(|lease| !lease.is_lost(sent_at)) {
            let server = self.cluster.server();
            if let Some(leases) = link.renew(server, self.config.lease).await? {
                self.on_renewed(leases, sent_at);
                return Ok(());
            }
        }
        self.begin_incarnation(link).await
    }

    /// Goes on under another id: the first one, if there was none. The rooms tell of their sockets again.
    pub(super) async fn begin_incarnation(&mut self, link: &impl Link) -> Result<(), End> {
        let mut server = match self.lease {
            None => self.cluster.server(),
            Some(_) => self.new_server_id(),
        };
        let seen = self.lease.as_ref().map(Lease::seen);
        let (leases, sent_at) = loop {
            let sent_at = self.now();
            match link.begin(server, &self.config, seen).await? {
                Begun::Begun(leases) => break (leases, sent_at),
                Begun::Taken => server = self.new_server_id(),
                Begun::Mismatch(theirs) => {
                    return Err(End::Refused(ClusterError::Mismatch(theirs)));
                }
            }
        };
        self.cluster.stats().incarnations.count();
        self.note_leases(&leases);
        self.lease = Some(Lease::begin(server, self.config.lease, leases, sent_at));
        if server != self.cluster.server() {
            self.cluster.begin_incarnation(server);
            for (_, room, _) in self.hub.rooms_by_name() {
                room.begin_incarnation(server);
            }
        }
        Ok(())
    }

    fn new_server_id(&mut self) -> ServerId {
        let random =
            || Ok::<_, Infallible>(u32::try_from((self.random)() >> 32).unwrap_or_default());
        let Ok(server) = ServerId::draw(random);
        server
    }

    /// When the lease is to be renewed.
    pub(super) fn next_renewal(&self) -> Instant {
        let next = self.lease.as_ref().map(Lease::next_renewal).unwrap_or_default();
        self.origin + next
    }

    pub(super) fn renew<L: Link>(&self, session: &mut Session<L>) {
        session.is_renewing = true;
        let (link, sent_at) = (session.link.clone(), self.now());
        let (server, lease) = (self.cluster.server(), self.config.lease);
        session.tasks.spawn(async move {
            Done::Renewed { sent_at, result: link.renew(server, lease).await }
        });
    }

    pub(super) fn on_renewed(&mut self, leases: Leases, sent_at: Duration) {
        self.note_leases(&leases);
        if let Some(lease) = &mut self.lease {
            lease.renew(leases, sent_at);
        }
    }

    fn note_leases(&self, leases: &Leases) {
        self.cluster.note_heard();
        self.cluster.note_pause(leases.pause);
        self.cluster.note_live_servers(leases.live.len());
    }

    /// Tells the rooms which of their servers are dead.
    pub(super) fn expire_dead<L>(&mut self, session: &mut Session<L>) {
        let now = self.now();
        let Some(lease) = &mut self.lease else { return };
        let mut dead = std::mem::take(&mut session.dead);
        for (name, room, _) in self.hub.rooms_by_name() {
            let read = room.read_replica(|replica, room| {
                let servers: Vec<_> = room.servers().iter().collect();
                (replica.is_open(), servers, lease.turn(room))
            });
            let Some((true, servers, turn)) = read else { continue };
            for server in servers {
                let Verdict::Dead { ago } = lease.verdict(server, now) else { continue };
                let key = (name.clone(), server);
                let known = dead.remove(&key);
                let since = known.as_ref().map_or_else(Instant::now, |known| known.since);
                let mut submitted_at = known.and_then(|known| known.submitted_at);
                let is_told = submitted_at.is_some_and(|at| at.elapsed() < TELL_AGAIN);
                if turn <= since.elapsed() && !is_told {
                    room.expire(server, ago);
                    self.cluster.stats().expirations.count();
                    submitted_at = Some(Instant::now());
                }
                session.dead.insert(key, Dead { since, submitted_at });
            }
        }
    }
}
