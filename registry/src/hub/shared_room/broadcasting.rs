//! What follows from a change: a broadcast, now or later, and who is woken for it.

use std::sync::{Arc, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::{SharedRoom, State};
use crate::{
    encoding::frame::total_len,
    hub::{
        batching::BroadcastTime,
        broadcast::{Broadcast, Payload, changes},
    },
    presence::tab_key::ConnectionId,
    wake::wake_flags::WakeReasons,
};

impl SharedRoom {
    /// What follows from a change: a broadcast, now or later, and the next deadline.
    pub(super) fn follow_up(self: &Arc<Self>, state: &mut State) -> BroadcastTime {
        state.waiting_rows.follow(state.room.log());
        let time = if state.last_broadcast.is_current(&state.room) || state.is_muted() {
            BroadcastTime::AlreadyScheduled
        } else {
            if let Some((observer, observed)) = self.context.observer.get().zip(self.observed.get())
            {
                observer.mark(self, observed);
            }
            self.broadcast_changes(state)
        };
        self.schedule_wakeup(state);
        time
    }

    /// Broadcasts what has changed since the last broadcast, now or later.
    fn broadcast_changes(self: &Arc<Self>, state: &mut State) -> BroadcastTime {
        let now = Instant::now();
        let time = if *state.last_broadcast.epoch == *state.room.epoch() {
            let subscribers = self.expected_subscribers(state.room.roster().len());
            state.broadcast_scheduler.on_change(now, subscribers)
        } else {
            // Until readers know of the new epoch, its numbers look like those of the old one.
            BroadcastTime::Now
        };
        match time {
            BroadcastTime::Now => self.broadcast(state, now),
            BroadcastTime::At(time) => self.broadcast_later(time),
            BroadcastTime::AlreadyScheduled => {}
        }
        time
    }

    /// Wakes the subscribers after a broadcast. The state is unlocked first, because they may need it; a
    /// new subscriber is not woken, because it reads after its own request anyway.
    pub(super) fn unlock_and_wake(
        &self,
        state: MutexGuard<'_, State>,
        time: BroadcastTime,
        new_subscriber: Option<ConnectionId>,
    ) {
        drop(state);
        if time == BroadcastTime::Now {
            self.subscribers().notify_active(WakeReasons::UPDATES, new_subscriber);
        }
    }

    /// The subscribers, or the rows if they are more: after a restart the rows are there before their people.
    ///
    /// If only subscribers counted, the first of thousands of clients that come back would receive a
    /// broadcast for each of the others.
    fn expected_subscribers(&self, rows: usize) -> usize {
        self.subscribers().active_count().max(rows)
    }

    /// Encodes the changes since the last broadcast. The caller then wakes the subscribers without the lock.
    pub(super) fn broadcast(&self, state: &mut State, now: Instant) {
        // First of all, so that the next change is broadcast even if this one panics.
        state.broadcast_scheduler.on_broadcast(now);
        if state.is_frozen || state.is_muted() {
            return;
        }
        state.resumes.clear();
        state.missed_changes.clear();
        let next = state.last_broadcast.next(&state.room);
        let Broadcast { from, seq, .. } = next;
        if next.generation != state.last_broadcast.generation {
            // Every reader needs the list of the new epoch.
            (state.list, state.is_list_requested) = (None, true);
        }
        self.context.stats.count_broadcast(seq.saturating_sub(from));
        state.last_broadcast = Arc::new(next);
        if std::mem::take(&mut state.is_list_requested) {
            state.encode_list();
        }
        let mut size_in_bytes = state.room.list_size_in_bytes();
        // The log may not hold all changes of one gap: then readers need the list.
        if let Some(difference) = state.room.log().difference(from, seq) {
            let frames = changes(from, seq, difference);
            let changes_in_bytes = total_len(&frames);
            if !state.is_list_shorter(changes_in_bytes) {
                size_in_bytes = changes_in_bytes;
                let payload = Payload::Frames(frames.into());
                let list = &*state.last_broadcast;
                let epoch = Arc::clone(&list.epoch);
                state.last_broadcast = Arc::new(Broadcast { epoch, payload, ..*list });
            }
        }
        *self.last_broadcast.write().unwrap_or_else(PoisonError::into_inner) =
            Arc::clone(&state.last_broadcast);
        self.charge(state, now, size_in_bytes);
    }

    /// Notes what a broadcast of this size sends to all of its readers.
    fn charge(&self, state: &mut State, now: Instant, size_in_bytes: usize) {
        let active = self.subscribers().active_count();
        let readers = std::mem::replace(&mut state.readers, active).min(active);
        let bytes = u64::try_from(size_in_bytes.saturating_mul(readers)).unwrap_or(u64::MAX);
        state.broadcast_scheduler.on_sent(now, bytes, self.context.fan_out);
    }

    /// Sleeps in a task of its own and not in the timer queue: each room that changes has one gap after the
    /// other, which would keep the queue's task and its lock busy, and delay the gaps of all other rooms.
    fn broadcast_later(self: &Arc<Self>, time: Instant) {
        let room = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep_until(time).await;
            room.broadcast(&mut room.lock(), Instant::now());
            room.subscribers().notify_active(WakeReasons::UPDATES, None);
        });
    }
}
