//! What this server appends to the journal of a room: batches of requests, deadlines, and the end of servers.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{Replicated, Reply};
use crate::{
    hub::shared_room::{SharedRoom, State},
    presence::{command::Command, members::Moment, server_id::ServerId, servers::ServerExit},
    replication::replica::Append,
};

/// After an entry of this server that only notes a deadline, further deadlines wait for so long.
const TICKS_APART: Duration = Duration::from_millis(50);

impl SharedRoom {
    /// The next batch to append; `None` if there is none, or one is under way.
    pub(crate) fn next_append(&self) -> Option<Append> {
        let mut state = self.lock();
        let State { room, replicated, .. } = &mut *state;
        let Replicated { replica, cluster, .. } = &mut **replicated.as_mut()?;
        replica.next_append(room, || cluster.next_batch(), cluster.joining())
    }

    /// The batch whose fate was not known when the room was opened again.
    pub(crate) fn append_again(&self) -> Option<Append> {
        let mut state = self.lock();
        let State { room, replicated, .. } = &mut *state;
        let Replicated { replica, cluster, .. } = &mut **replicated.as_mut()?;
        replica.append_again(room, cluster.joining())
    }

    /// Whether a batch has this number and is not confirmed yet.
    pub(crate) fn is_under_way(&self, number: u64) -> bool {
        self.read_replica(|replica, _| replica.is_under_way(number)).unwrap_or_default()
    }

    /// A tick was not appended.
    pub(crate) fn withdraw_tick(self: &Arc<Self>, number: u64, early: Option<Duration>) {
        let now = self.moment();
        let mut state = self.lock();
        if let Some(replicated) = &mut state.replicated {
            replicated.replica.withdraw_tick(number, early, now);
        }
        state.next_wakeup = None;
        self.schedule_wakeup(&mut state);
    }

    /// This server leaves the room, if it is in it.
    pub(crate) fn submit_exit(&self, exit: ServerExit) {
        let mut state = self.lock();
        let State { room, replicated, .. } = &mut *state;
        let Some(replicated) = replicated else { return };
        if room.servers().contains(replicated.cluster.server())
            && replicated.replica.leave(exit, Reply::Nobody).is_ok()
        {
            replicated.request_append();
        }
    }

    /// Declares another server dead in this room.
    pub(crate) fn expire(&self, server: ServerId, ago: Option<Duration>) {
        if let Some(replicated) = &mut self.lock().replicated {
            let left = Command::ServerLeft { server, ago, exit: ServerExit::LeaseExpired };
            replicated.submit(left, Reply::Nobody);
        }
    }

    /// A deadline of the room has come, by this server's estimate: the journal has to say so.
    pub(in crate::hub) fn submit_tick(self: &Arc<Self>) {
        let now = self.moment();
        let mut state = self.lock();
        state.next_wakeup = None;
        let deadline = state.room.next_deadline();
        let State { replicated, .. } = &mut *state;
        if let Some(replicated) = replicated
            && let Some(deadline) = deadline
            && replicated.replica.present(now).is_some_and(|present| deadline <= present)
        {
            replicated.last_tick = Some(Instant::now());
            replicated.replica.submit_tick(deadline);
            replicated.request_append();
        } else {
            self.schedule_wakeup(&mut state);
        }
    }

    /// When the timers are to call a shared room for its next deadline.
    pub(in crate::hub::shared_room) fn tick_at(
        &self,
        state: &State,
        deadline: Moment,
    ) -> Option<Instant> {
        let replicated = state.replicated.as_ref()?;
        let present = replicated.replica.present(self.moment())?;
        // One server after the other, so that one entry does for all.
        let servers = state.room.servers().iter();
        let before = servers.take_while(|server| *server != replicated.cluster.server()).count();
        let turn = Duration::from_millis(15) * u32::try_from(before).unwrap_or(u32::MAX);
        let at = Instant::now() + deadline.saturating_sub(present) + turn;
        let earliest = replicated.last_tick.map(|last| last + TICKS_APART);
        Some(earliest.map_or(at, |earliest| at.max(earliest)))
    }
}
