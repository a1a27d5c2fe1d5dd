//! A room that several servers share: its commands go to the journal, and come back as entries.

mod answers;
mod appends;
mod entries;

use std::{collections::BTreeMap, sync::Arc};

use app::presence::{RoomName, UserId};
use tokio::{sync::oneshot, time::Instant};

use self::answers::Awaited;
pub use self::answers::{Accepted, Answer};
pub(crate) use self::entries::Receipt;
use super::{SharedRoom, State};
use crate::{
    presence::{
        command::{Command, Outcome},
        room::{Now, Room},
        tab_key::ConnectionId,
    },
    replication::{
        handle::{ClusterHandle, ClusterRequest},
        replica::Replica,
    },
};

/// The part of a shared room's state that a server alone does not have.
#[derive(Debug)]
pub(super) struct Replicated {
    name: RoomName,
    cluster: Arc<ClusterHandle>,
    replica: Replica<Reply>,
    /// The requests that are under way, by the socket's own number.
    awaited: BTreeMap<ConnectionId, Awaited>,
    last_tick: Option<Instant>,
}

/// Who waits for the outcome of a command.
#[derive(Debug, Default)]
pub(crate) enum Reply {
    #[default]
    Nobody,
    Socket(ConnectionId),
    Operator(oneshot::Sender<Outcome>),
}

/// What came of a request of the operator or a host.
#[derive(Debug)]
pub(in crate::hub) enum Requested {
    Applied(Outcome),
    UnderWay(oneshot::Receiver<Outcome>),
    /// A server in the room could not read the command: it is not handed in.
    OlderServer,
}

impl Replicated {
    pub(super) fn new(name: RoomName, cluster: Arc<ClusterHandle>) -> Self {
        let replica = Replica::new(cluster.server());
        Self { name, cluster, replica, awaited: BTreeMap::new(), last_tick: None }
    }

    pub(super) fn is_muted(&self, room: &Room) -> bool {
        self.replica.is_muted(room)
    }

    /// The id of a socket of this server in the room.
    pub(super) fn in_room(&self, connection: ConnectionId) -> ConnectionId {
        self.replica.connection(connection.number())
    }

    /// Hands in a command for which nobody waits.
    pub(super) fn submit(&mut self, command: Command, reply: Reply) {
        // A server that has left for good has no clients to answer.
        if self.replica.submit(command, reply).is_ok() {
            self.request_append();
        }
    }

    /// Says that there is something to append.
    fn request_append(&self) {
        self.cluster.request(ClusterRequest::Append(self.name.clone()));
    }

    /// Hands in a command for which the operator waits. Without the engine nothing is ever received.
    pub(super) fn submit_for_operator(&mut self, command: Command) -> oneshot::Receiver<Outcome> {
        let (reply, received) = oneshot::channel();
        self.submit(command, Reply::Operator(reply));
        received
    }

    pub(super) fn submit_visibility(
        &mut self,
        user_id: UserId,
        connection: ConnectionId,
        is_visible: bool,
    ) {
        if self.replica.note_visibility(connection.number(), is_visible) {
            let connection = self.in_room(connection);
            self.submit(
                Command::VisibilityChanged { user_id, connection, is_visible },
                Reply::Nobody,
            );
        }
    }

    /// A socket has ended that asked to be listed at some time.
    pub(super) fn note_end(&mut self, connection: ConnectionId) {
        self.awaited.remove(&connection);
        self.replica.note_end(connection.number());
    }
}

impl State {
    /// Whether readers are told nothing at present.
    pub(super) fn is_muted(&self) -> bool {
        self.replicated.as_ref().is_some_and(|replicated| replicated.is_muted(&self.room))
    }

    /// A command for which nobody waits, in a closure that has the lock.
    pub(super) fn submit_unanswered(&mut self, command: Command, now: Now) {
        match &mut self.replicated {
            None => drop(self.room.apply(command, now)),
            Some(replicated) => replicated.submit(command, Reply::Nobody),
        }
    }

    /// The id of a socket of this server in the room.
    pub(super) fn in_room(&self, connection: ConnectionId) -> ConnectionId {
        self.replicated.as_ref().map_or(connection, |replicated| replicated.in_room(connection))
    }
}

impl SharedRoom {
    /// Reads what this server knows of the journal, and the room; `None` for a room of a server alone.
    pub(crate) fn read_replica<T>(
        &self,
        read: impl FnOnce(&Replica<Reply>, &Room) -> T,
    ) -> Option<T> {
        let state = self.lock();
        state.replicated.as_ref().map(|replicated| read(&replicated.replica, &state.room))
    }
}
