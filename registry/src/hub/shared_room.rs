//! A room behind its lock: changes are gathered, encoded once, and announced to whoever listens.

mod catch_up;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use app::presence::{
    Beat, DepartureReason, Epoch, ExistingUsers, Name, Roster, ServerEvent, Since, User, UserId,
};
use tokio::time::Instant;

use super::{
    batching::{Flush, FlushScheduler},
    broadcast::{Broadcast, Payload, changes},
    catch_up_cache::CatchUpCache,
    cursor::{Cursor, PendingReply},
    room_context::RoomContext,
    subscribers::Subscribers,
};
use crate::{
    encoding::{
        frame::{Frame, total_len},
        messages::{EncodedResume, encode},
        snapshot_pages::EncodedList,
    },
    presence::{
        count_history::CountHistory,
        members::{Announced, ConnectionId, Moment},
        refusal::Refused,
        room::{InvalidSavedRoom, JoinKind, Now, Room, RoomLimits, SavedRoom},
    },
    wake::wake_flags::WakeReasons,
};

/// A room behind its lock.
///
/// Everyone is brought to the same points of the count, the flushes: what they are told is encoded once.
/// Whoever follows the room takes their list or answer at such a point too.
#[derive(Debug)]
pub(super) struct SharedRoom {
    context: Arc<RoomContext>,
    epoch: Epoch,
    state: Mutex<State>,
    /// What was told last, for those who come for it: they are many at once, and need nothing else.
    last_broadcast: RwLock<Arc<Broadcast>>,
    /// Who is woken at every flush. Locked after the state, never before.
    subscribers: Mutex<Subscribers>,
}

#[derive(Debug)]
struct State {
    room: Room,
    history: CountHistory,
    flush_scheduler: FlushScheduler,
    /// When the room is looked at next, if nothing else happens: somebody sleeps until then.
    alarm: Option<Moment>,
    /// The process ends: nobody is told anything any more.
    is_frozen: bool,
    last_broadcast: Arc<Broadcast>,
    /// Somebody waits for a list: the next flush encodes one.
    is_list_wanted: bool,
    list: Option<Arc<EncodedList>>,
    /// What those have missed who came back since the last flush.
    answers: CatchUpCache<Arc<EncodedResume>>,
    /// What those have missed who were not told of the flush before the last.
    missed: CatchUpCache<Arc<[Frame]>>,
}

impl SharedRoom {
    pub(super) fn new(context: Arc<RoomContext>, epoch: Epoch, limits: RoomLimits) -> Self {
        Self::of(context, epoch, Room::new(limits), None)
    }

    fn of(
        context: Arc<RoomContext>,
        epoch: Epoch,
        room: Room,
        history: Option<CountHistory>,
    ) -> Self {
        // Nobody was told anything yet: all is as after a flush that nobody had to hear.
        let (seq, roster) = (room.log().seq(), room.roster());
        let (count, digest) = (roster.len(), roster.digest());
        let last_broadcast =
            Arc::new(Broadcast { from: seq, seq, payload: Payload::List, count, digest });
        let shared = RwLock::new(Arc::clone(&last_broadcast));
        let state = State {
            room,
            history: history
                .unwrap_or_else(|| CountHistory::new(context.clocks.unix_minutes(), count)),
            flush_scheduler: FlushScheduler::default(),
            alarm: None,
            is_frozen: false,
            last_broadcast,
            is_list_wanted: false,
            list: None,
            answers: CatchUpCache::default(),
            missed: CatchUpCache::default(),
        };
        Self {
            context,
            epoch,
            state: Mutex::new(state),
            last_broadcast: shared,
            subscribers: Mutex::default(),
        }
    }

    /// The room as the process before this one kept it.
    pub(super) fn restore(
        context: Arc<RoomContext>,
        epoch: Epoch,
        saved: SavedRoom,
        history: Option<CountHistory>,
        limits: RoomLimits,
    ) -> Result<Arc<Self>, InvalidSavedRoom> {
        let room = Room::restore(saved, limits, context.clocks.moment())?;
        let live = Arc::new(Self::of(context, epoch, room, history));
        live.schedule_wakeup(&mut live.lock());
        Ok(live)
    }

    /// All that the next process needs to hold the rows.
    pub(super) fn save(&self) -> SavedRoom {
        self.lock().room.save(self.now())
    }

    /// The same once and for all: whatever happens from now on, nobody is told,
    /// so that nobody knows a number that the next process gives again.
    pub(super) fn freeze(&self) -> SavedRoom {
        let mut state = self.lock();
        state.is_frozen = true;
        state.room.save(self.now())
    }

    /// How many were here when, for the next process too.
    pub(super) fn history(&self) -> CountHistory {
        self.lock().history.clone()
    }

    /// How many were here in each of the last minutes, the oldest first.
    pub(super) fn count_history(&self) -> Vec<u32> {
        self.lock().history.counts(self.context.clocks.unix_minutes())
    }

    /// Names this life of the room.
    pub(super) fn epoch(&self) -> &Epoch {
        &self.epoch
    }

    /// Announces a tab; the socket that had it until now is told so.
    pub(super) fn announce(
        self: &Arc<Self>,
        who: UserId,
        announced: Announced,
        name: Name,
        announcement: JoinKind,
    ) -> Result<(), Refused> {
        self.update(|state, moment| {
            let now = Now { moment, unix_seconds: self.context.clocks.unix_milliseconds() / 1000 };
            let replaced = state.room.announce(who, announced, name, announcement, now)?;
            // Nobody hears where the old socket is on its way out already.
            if let Some(old) = replaced {
                self.subscribers().notify(old, WakeReasons::REPLACED);
            }
            Ok(())
        })
    }

    /// Does something to the room that may change its list.
    pub(super) fn with_room<T>(self: &Arc<Self>, act: impl FnOnce(&mut Room, Moment) -> T) -> T {
        self.update(|state, now| act(&mut state.room, now))
    }

    /// Takes everybody off the list, and ends whoever looks at it once they know; says how many were listed.
    pub(super) fn close(self: &Arc<Self>) -> usize {
        let people = self.with_room(Room::remove_all_rows);
        // Told at once: who ends without having heard of it would come back and be listed again.
        self.flush(&mut self.lock(), Instant::now());
        self.subscribers().notify_all(WakeReasons::ROOM_CLOSED);
        people
    }

    /// How many are listed.
    pub(super) fn people(&self) -> usize {
        self.lock().room.roster().len()
    }

    /// A socket is gone.
    pub(super) fn disconnect(
        self: &Arc<Self>,
        who: UserId,
        connection: ConnectionId,
        reason: DepartureReason,
    ) {
        self.with_room(|room, now| room.disconnect(who, connection, reason, now));
    }

    /// Whether there is neither a socket nor a row in it, and nobody may resume from its log.
    pub(super) fn is_expired(&self) -> bool {
        let state = self.lock();
        let is_honoured =
            state.room.log().resumable_until().is_some_and(|until| self.now() < until);
        state.room.is_empty() && !is_honoured
    }

    /// Whether somebody may have been told this point of the count.
    pub(super) fn has_issued(&self, since: &Since) -> bool {
        since.epoch == self.epoch && since.seq <= self.lock().room.log().seq()
    }

    /// Starts a reader at `since`, if that can be used; else with the list.
    pub(super) fn start_from(&self, cursor: &mut Cursor, since: Option<&Since>) {
        let state = self.lock();
        let log = state.room.log();
        cursor.seq = since
            .filter(|since| since.epoch == self.epoch && log.covers(since.seq))
            .map(|since| since.seq);
        cursor.pending_reply = PendingReply::BeforeUpdates { min_seq: log.seq() };
    }

    /// A reader who follows asked something: they get what is missing, which includes what they did.
    pub(super) fn expect_reply(&self, cursor: &mut Cursor) {
        let min_seq = self.lock().room.log().seq();
        // One who still waits for the first answer gets it first of all, and this with it.
        cursor.pending_reply = match cursor.pending_reply {
            PendingReply::BeforeUpdates { .. } => PendingReply::BeforeUpdates { min_seq },
            PendingReply::Nothing | PendingReply::AmongUpdates { .. } => {
                PendingReply::AmongUpdates { min_seq }
            }
        };
    }

    /// Where this connection's list should be now, if it was told everything up to the last flush.
    pub(super) fn beat(&self, cursor: &Cursor) -> Option<Frame> {
        let Broadcast { seq, count, digest, .. } = *self.last_broadcast();
        (cursor.seq == Some(seq)).then(|| {
            encode(&ServerEvent::Beat(Beat {
                seq,
                count,
                digest,
                now: self.context.clocks.unix_milliseconds(),
            }))
        })
    }

    /// The list as it is, cut to its first `most_rows` rows, for a reader who is `you`.
    pub(super) fn snapshot(&self, you: Option<UserId>, most_rows: usize) -> ExistingUsers {
        let state = self.lock();
        let roster = state.room.roster();
        // What happens to a frozen room is not kept: nobody is to come back to it.
        let epoch = if state.is_frozen { no_epoch() } else { self.epoch.clone() };
        ExistingUsers {
            epoch,
            seq: state.room.log().seq(),
            you,
            now: self.context.clocks.unix_milliseconds(),
            count: roster.len(),
            users: first_rows(roster, most_rows, you),
        }
    }

    /// Whether the room takes no more people.
    pub(super) fn is_full(&self) -> bool {
        self.lock().room.is_full()
    }

    /// Says what everyone is told next; they have to be woken after that, without the lock.
    fn flush(&self, state: &mut State, now: Instant) {
        // First of all: whatever happens below, the next change is told.
        state.flush_scheduler.on_flush(now);
        if state.is_frozen {
            return;
        }
        state.answers.forget();
        state.missed.forget();
        let from = state.last_broadcast.seq;
        let seq = state.room.log().seq();
        let roster = state.room.roster();
        let (count, digest) = (roster.len(), roster.digest());
        self.context.stats.count_broadcast(seq.saturating_sub(from));
        state.last_broadcast =
            Arc::new(Broadcast { from, seq, payload: Payload::List, count, digest });
        if std::mem::take(&mut state.is_list_wanted) {
            self.encode_list(state);
        }
        // More may have happened in one gap than the log holds: then only the list can say it.
        if let Some(difference) = state.room.log().difference(from, seq) {
            let frames = changes(from, seq, difference);
            if !self.is_the_list_shorter(state, total_len(&frames)) {
                let payload = Payload::Frames(frames.into());
                state.last_broadcast = Arc::new(Broadcast { from, seq, payload, count, digest });
            }
        }
        *self.last_broadcast.write().unwrap_or_else(PoisonError::into_inner) =
            Arc::clone(&state.last_broadcast);
    }

    /// Does something, and sees to it that everyone is told what it changed, and that what is due later is done.
    fn update<T>(self: &Arc<Self>, act: impl FnOnce(&mut State, Moment) -> T) -> T {
        let mut state = self.lock();
        let outcome = act(&mut state, self.now());
        let count = state.room.roster().len();
        if !state.history.is_current(count) {
            state.history.observe(self.context.clocks.unix_minutes(), count);
        }
        let dispatch = if state.room.log().seq() == state.last_broadcast.seq {
            Flush::AlreadyScheduled
        } else {
            let now = Instant::now();
            let dispatch = state.flush_scheduler.on_change(now, self.listeners(count));
            match dispatch {
                Flush::Now => self.flush(&mut state, now),
                Flush::At(moment) => self.flush_later(moment),
                Flush::AlreadyScheduled => {}
            }
            dispatch
        };
        self.schedule_wakeup(&mut state);
        drop(state);
        if dispatch == Flush::Now {
            self.wake_everyone();
        }
        outcome
    }

    /// How many a change is told to, or will be: as many as follow, or as there are rows that wait for
    /// their people to come back, whichever is more.
    ///
    /// If only the first counted, who is among the first of thousands to come back would be told at once
    /// that the others are not there, each anew, and then once more of everyone.
    fn listeners(&self, rows: usize) -> usize {
        self.subscribers().active_count().max(rows)
    }

    fn wake_everyone(&self) {
        self.subscribers().notify_active(WakeReasons::NEWS);
    }

    fn flush_later(self: &Arc<Self>, moment: Instant) {
        let room = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep_until(moment).await;
            room.flush(&mut room.lock(), Instant::now());
            room.wake_everyone();
        });
    }

    /// Sees to it that somebody looks at the room when its next deadline has come.
    fn schedule_wakeup(self: &Arc<Self>, state: &mut State) {
        let Some(deadline) = state.room.next_deadline() else { return };
        if state.alarm.is_some_and(|alarm| alarm <= deadline) {
            return;
        }
        state.alarm = Some(deadline);
        let room = Arc::clone(self);
        tokio::spawn(async move {
            let began = room.context.clocks.began().await;
            tokio::time::sleep_until(began + deadline).await;
            room.update(|state, now| {
                // A later sleeper that was overtaken by an earlier one finds nothing due.
                if state.alarm.is_some_and(|alarm| alarm <= now) {
                    state.alarm = None;
                }
                state.room.tick(now);
            });
        });
    }

    fn now(&self) -> Moment {
        self.context.clocks.moment()
    }

    pub(super) fn last_broadcast(&self) -> Arc<Broadcast> {
        Arc::clone(&self.last_broadcast.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn subscribers(&self) -> MutexGuard<'_, Subscribers> {
        self.subscribers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic in between leaves at worst a change that was not told yet: the next one tells it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// No life of a room has this one: it can't be resumed from.
pub(super) fn no_epoch() -> Epoch {
    Epoch::from_number(0)
}

/// The first rows of a list, so many at most; who is `you` is one of them if they are on the list at
/// all, as the last where they stand further down: so their page knows that they are listed.
fn first_rows(roster: &Roster, most_rows: usize, you: Option<UserId>) -> Vec<User> {
    let mut users: Vec<User> = roster.users().take(most_rows).cloned().collect();
    let own = you.and_then(|you| roster.get(&you));
    let missing = own.filter(|own| users.iter().all(|user| user.id != own.id));
    if let (Some(own), Some(last)) = (missing, users.last_mut()) {
        *last = own.clone();
    }
    users
}
