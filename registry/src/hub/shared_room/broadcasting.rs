//! What follows from a change: a broadcast, now or later, and how its readers learn of it.

use std::sync::{Arc, MutexGuard, PoisonError, atomic::Ordering};

use app::presence::Since;
use tokio::{task::yield_now, time::Instant};

use super::{SharedRoom, State, direct_broadcast::DirectBroadcast};
use crate::{
    encoding::frame::total_len,
    hub::{
        batching::BroadcastTime,
        broadcast::{Broadcast, Payload, changes},
        processor_share::Charge,
    },
    presence::tab_key::ConnectionId,
    wake::wake_flags::WakeReasons,
};

/// What is to be done about a broadcast once the state of its room is unlocked, since readers may need it.
#[derive(Debug)]
#[must_use]
pub(super) enum Announcement {
    Nothing,
    /// The readers are woken, and read the room.
    Wake,
    /// The broadcast writes to their sockets.
    Direct(DirectBroadcast),
}

impl SharedRoom {
    /// What follows from a change: a broadcast, now or later, and the next deadline.
    pub(super) fn follow_up(self: &Arc<Self>, state: &mut State) -> Announcement {
        state.waiting_rows.follow(state.room.log());
        if !state.last_broadcast.is_current(&state.room)
            && !state.is_muted()
            && let Some((observer, observed)) = self.context.observer.get().zip(self.observed.get())
        {
            observer.mark(self, observed);
        }
        let announcement = self.announce_changes(state);
        self.schedule_wakeup(state);
        announcement
    }

    /// Broadcasts what has changed since the last broadcast, now or later.
    pub(super) fn announce_changes(self: &Arc<Self>, state: &mut State) -> Announcement {
        if state.last_broadcast.is_current(&state.room) || state.is_muted() {
            return Announcement::Nothing;
        }
        let now = Instant::now();
        let time = if *state.last_broadcast.epoch == *state.room.epoch() {
            let changes = state.room.log().seq().saturating_sub(state.last_broadcast.seq);
            let subscribers = self.expected_subscribers(state);
            state.broadcast_scheduler.on_change(now, subscribers, changes)
        } else {
            // Until readers know of the new epoch, its numbers look like those of the old one.
            BroadcastTime::Now
        };
        match time {
            BroadcastTime::Now => self.broadcast_now(state, now),
            BroadcastTime::At(time) => {
                self.broadcast_later(time);
                Announcement::Nothing
            }
            BroadcastTime::AlreadyScheduled => Announcement::Nothing,
        }
    }

    /// Broadcasts all changes, and decides how readers learn of it.
    fn broadcast_now(self: &Arc<Self>, state: &mut State, now: Instant) -> Announcement {
        let charge = self.broadcast(state, now);
        if !self.has_direct_sockets.load(Ordering::Relaxed) {
            return Announcement::Wake;
        }
        let (Some(charge), Some(frame)) = (charge, state.last_broadcast.single_frame()) else {
            return Announcement::Wake;
        };
        if !state.broadcast_scheduler.begin_delivery() {
            return Announcement::Wake;
        }
        Announcement::Direct(DirectBroadcast::new(Arc::clone(self), frame, charge))
    }

    /// Announces a broadcast to its readers. The state is unlocked first, because they may need it; not to a new subscriber,
    /// which reads after its own request anyway.
    pub(super) fn unlock_and_announce(
        self: &Arc<Self>,
        state: MutexGuard<'_, State>,
        announcement: Announcement,
        new_subscriber: Option<ConnectionId>,
    ) {
        drop(state);
        match announcement {
            Announcement::Nothing => {}
            Announcement::Wake => self.wake_subscribers(new_subscriber),
            Announcement::Direct(broadcast) => broadcast.spawn(new_subscriber),
        }
    }

    /// Wakes the subscribers for a broadcast, except one that reads next anyway: some now, and the others in turns, in
    /// between which other tasks run. So nobody's page waits for the writes to thousands of sockets.
    pub(super) fn wake_subscribers(self: &Arc<Self>, except: Option<ConnectionId>) {
        let most = self.context.processor.readers_at_a_time();
        let wake_next = move |room: &Self, after| {
            room.subscribers().notify_next_active(WakeReasons::UPDATES, after, except, most)
        };
        let Some(mut last) = wake_next(self, None) else { return };
        let room = Arc::clone(self);
        tokio::spawn(async move {
            loop {
                yield_now().await;
                let Some(next) = wake_next(&room, Some(last)) else { return };
                last = next;
            }
        });
    }

    /// The position of the last broadcast, if there is no change after it and it is not under way.
    pub(in crate::hub) fn settled_position(&self) -> Option<Since> {
        let state = self.lock();
        let is_settled = state.last_broadcast.is_current(&state.room)
            && !state.broadcast_scheduler.is_delivering()
            && !state.is_frozen
            && !state.is_muted();
        let Broadcast { epoch, seq, .. } = &*state.last_broadcast;
        is_settled.then(|| Since { epoch: (**epoch).clone(), seq: *seq })
    }

    /// A socket allows broadcasts to write to it. Where none does, readers are woken at once, and no task is needed.
    pub(in crate::hub) fn on_direct_socket(&self) {
        self.has_direct_sockets.store(true, Ordering::Relaxed);
    }

    /// The subscribers, or the rows if they are more: after a restart the rows are there before their people.
    ///
    /// If only subscribers counted, the first of thousands of clients that come back would receive a
    /// broadcast for each of the others.
    fn expected_subscribers(&self, state: &State) -> usize {
        self.subscribers().active_count().max(state.room.roster().len())
    }

    /// Encodes the changes since the last broadcast. The caller then tells the subscribers without the lock. `None` if
    /// the room is silent.
    pub(super) fn broadcast(&self, state: &mut State, now: Instant) -> Option<Charge> {
        // First of all, so that the next change is broadcast even if this one panics.
        let subscribers = self.expected_subscribers(state);
        let charge = state.broadcast_scheduler.on_broadcast(now, subscribers);
        if state.is_frozen || state.is_muted() {
            return None;
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
        Some(charge)
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
            let announcement = {
                let mut state = room.lock();
                // Many changes are broadcast earlier, and a new epoch at once.
                if !state.broadcast_scheduler.on_timer(time) {
                    return;
                }
                room.broadcast_now(&mut state, Instant::now())
            };
            match announcement {
                Announcement::Nothing => {}
                Announcement::Wake => room.wake_subscribers(None),
                Announcement::Direct(broadcast) => broadcast.run().await,
            }
        });
    }
}
