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
    batching::{Dispatch, Gathering},
    broadcast::{Flush, News, changes},
    catch_up_cache::ByPoint,
    clock::Clocks,
    cursor::{Cursor, Owed},
    subscribers::Bells,
};
use crate::{
    encoding::{
        frame::{Frame, total_len},
        messages::{EncodedAnswer, encode},
        snapshot_pages::EncodedList,
    },
    presence::{
        count_history::History,
        members::{Announced, ConnectionId, Moment},
        refusal::Refused,
        room::{Announcement, NotARoom, Now, Room, RoomLimits, SavedRoom},
    },
    telemetry::metrics::METRICS,
    wake::wake_flags::Signals,
};

/// A room behind its lock.
///
/// Everyone is brought to the same points of the count, the flushes: what they are told is encoded once.
/// Whoever follows the room takes their list or answer at such a point too.
#[derive(Debug)]
pub(super) struct LiveRoom {
    clocks: Clocks,
    epoch: Epoch,
    state: Mutex<State>,
    /// What was told last, for those who come for it: they are many at once, and need nothing else.
    told: RwLock<Arc<Flush>>,
    /// Who is woken at every flush. Locked after the state, never before.
    bells: Mutex<Bells>,
}

#[derive(Debug)]
struct State {
    room: Room,
    history: History,
    gathering: Gathering,
    /// When the room is looked at next, if nothing else happens: somebody sleeps until then.
    alarm: Option<Moment>,
    /// The process ends: nobody is told anything any more.
    is_frozen: bool,
    last_flush: Arc<Flush>,
    /// Somebody waits for a list: the next flush encodes one.
    is_list_wanted: bool,
    list: Option<Arc<EncodedList>>,
    /// What those have missed who came back since the last flush.
    answers: ByPoint<Arc<EncodedAnswer>>,
    /// What those have missed who were not told of the flush before the last.
    missed: ByPoint<Arc<[Frame]>>,
}

impl LiveRoom {
    pub(super) fn new(clocks: Clocks, epoch: Epoch, limits: RoomLimits) -> Self {
        Self::of(clocks, epoch, Room::new(limits), None)
    }

    fn of(clocks: Clocks, epoch: Epoch, room: Room, history: Option<History>) -> Self {
        // Nobody was told anything yet: all is as after a flush that nobody had to hear.
        let (seq, roster) = (room.log().seq(), room.roster());
        let (count, digest) = (roster.len(), roster.digest());
        let last_flush = Arc::new(Flush { from: seq, seq, news: News::List, count, digest });
        let told = RwLock::new(Arc::clone(&last_flush));
        let state = State {
            room,
            history: history.unwrap_or_else(|| History::new(clocks.unix_minutes(), count)),
            gathering: Gathering::default(),
            alarm: None,
            is_frozen: false,
            last_flush,
            is_list_wanted: false,
            list: None,
            answers: ByPoint::default(),
            missed: ByPoint::default(),
        };
        Self { clocks, epoch, state: Mutex::new(state), told, bells: Mutex::default() }
    }

    /// The room as the process before this one kept it.
    pub(super) fn restore(
        clocks: Clocks,
        epoch: Epoch,
        saved: SavedRoom,
        history: Option<History>,
        limits: RoomLimits,
    ) -> Result<Arc<Self>, NotARoom> {
        let room = Room::restore(saved, limits, clocks.moment())?;
        let live = Arc::new(Self::of(clocks, epoch, room, history));
        live.set_alarm(&mut live.lock());
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
    pub(super) fn history(&self) -> History {
        self.lock().history.clone()
    }

    /// How many were here in each of the last minutes, the oldest first.
    pub(super) fn counts(&self) -> Vec<u32> {
        self.lock().history.counts(self.clocks.unix_minutes())
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
        announcement: Announcement,
    ) -> Result<(), Refused> {
        self.change(|state, moment| {
            let now = Now { moment, unix_seconds: self.clocks.unix_milliseconds() / 1000 };
            let replaced = state.room.announce(who, announced, name, announcement, now)?;
            // Nobody hears where the old socket is on its way out already.
            if let Some(old) = replaced {
                self.bells().ring(old, Signals::REPLACED);
            }
            Ok(())
        })
    }

    /// Does something to the room that may change its list.
    pub(super) fn act<T>(self: &Arc<Self>, act: impl FnOnce(&mut Room, Moment) -> T) -> T {
        self.change(|state, now| act(&mut state.room, now))
    }

    /// Takes everybody off the list, and ends whoever looks at it once they know; says how many were listed.
    pub(super) fn close(self: &Arc<Self>) -> usize {
        let people = self.act(Room::unlist_all);
        // Told at once: who ends without having heard of it would come back and be listed again.
        self.flush(&mut self.lock(), Instant::now());
        self.bells().ring_everyone(Signals::ROOM_CLOSED);
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
        self.act(|room, now| room.disconnect(who, connection, reason, now));
    }

    /// Whether there is neither a socket nor a row in it, and nobody may resume from its log.
    pub(super) fn is_over(&self) -> bool {
        let state = self.lock();
        let is_honoured = state.room.log().honoured_until().is_some_and(|until| self.now() < until);
        state.room.is_deserted() && !is_honoured
    }

    /// Whether somebody may have been told this point of the count.
    pub(super) fn has_given(&self, since: &Since) -> bool {
        since.epoch == self.epoch && since.seq <= self.lock().room.log().seq()
    }

    /// Starts a reader at `since`, if that can be used; else with the list.
    pub(super) fn start(&self, cursor: &mut Cursor, since: Option<&Since>) {
        let state = self.lock();
        let log = state.room.log();
        cursor.seq = since
            .filter(|since| since.epoch == self.epoch && log.reaches_back_to(since.seq))
            .map(|since| since.seq);
        cursor.owed = Owed::AnswerFirst { not_before: log.seq() };
    }

    /// A reader who follows asked something: they get what is missing, which includes what they did.
    pub(super) fn owe_answer(&self, cursor: &mut Cursor) {
        let not_before = self.lock().room.log().seq();
        // One who still waits for the first answer gets it first of all, and this with it.
        cursor.owed = match cursor.owed {
            Owed::AnswerFirst { .. } => Owed::AnswerFirst { not_before },
            Owed::Nothing | Owed::AnswerAmongNews { .. } => Owed::AnswerAmongNews { not_before },
        };
    }

    /// Where this connection's list should be now, if it was told everything up to the last flush.
    pub(super) fn beat(&self, cursor: &Cursor) -> Option<Frame> {
        let Flush { seq, count, digest, .. } = *self.told();
        (cursor.seq == Some(seq)).then(|| {
            encode(&ServerEvent::Beat(Beat {
                seq,
                count,
                digest,
                now: self.clocks.unix_milliseconds(),
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
            now: self.clocks.unix_milliseconds(),
            count: roster.len(),
            users: beginning(roster, most_rows, you),
        }
    }

    /// Whether the room takes no more people.
    pub(super) fn is_full(&self) -> bool {
        self.lock().room.is_full()
    }

    /// Says what everyone is told next; they have to be woken after that, without the lock.
    fn flush(&self, state: &mut State, now: Instant) {
        // First of all: whatever happens below, the next change is told.
        state.gathering.on_flush(now);
        if state.is_frozen {
            return;
        }
        state.answers.forget();
        state.missed.forget();
        let from = state.last_flush.seq;
        let seq = state.room.log().seq();
        let roster = state.room.roster();
        let (count, digest) = (roster.len(), roster.digest());
        METRICS.flushes.count();
        METRICS.changes.add(seq.saturating_sub(from));
        state.last_flush = Arc::new(Flush { from, seq, news: News::List, count, digest });
        if std::mem::take(&mut state.is_list_wanted) {
            self.encode_list(state);
        }
        // More may have happened in one gap than the log holds: then only the list can say it.
        if let Some(difference) = state.room.log().difference(from, seq) {
            let frames = changes(from, seq, difference);
            if !self.is_the_list_shorter(state, total_len(&frames)) {
                let news = News::Frames(frames.into());
                state.last_flush = Arc::new(Flush { from, seq, news, count, digest });
            }
        }
        *self.told.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&state.last_flush);
    }

    /// Does something, and sees to it that everyone is told what it changed, and that what is due later is done.
    fn change<T>(self: &Arc<Self>, act: impl FnOnce(&mut State, Moment) -> T) -> T {
        let mut state = self.lock();
        let outcome = act(&mut state, self.now());
        let count = state.room.roster().len();
        if !state.history.says(count) {
            state.history.observe(self.clocks.unix_minutes(), count);
        }
        let dispatch = if state.room.log().seq() == state.last_flush.seq {
            Dispatch::WithTheNext
        } else {
            let now = Instant::now();
            let dispatch = state.gathering.on_change(now, self.listeners(count));
            match dispatch {
                Dispatch::Now => self.flush(&mut state, now),
                Dispatch::At(moment) => self.flush_later(moment),
                Dispatch::WithTheNext => {}
            }
            dispatch
        };
        self.set_alarm(&mut state);
        drop(state);
        if dispatch == Dispatch::Now {
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
        self.bells().followers().max(rows)
    }

    fn wake_everyone(&self) {
        self.bells().ring_followers(Signals::NEWS);
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
    fn set_alarm(self: &Arc<Self>, state: &mut State) {
        let Some(deadline) = state.room.next_deadline() else { return };
        if state.alarm.is_some_and(|alarm| alarm <= deadline) {
            return;
        }
        state.alarm = Some(deadline);
        let room = Arc::clone(self);
        tokio::spawn(async move {
            let began = room.clocks.began().await;
            tokio::time::sleep_until(began + deadline).await;
            room.change(|state, now| {
                // A later sleeper that was overtaken by an earlier one finds nothing due.
                if state.alarm.is_some_and(|alarm| alarm <= now) {
                    state.alarm = None;
                }
                state.room.let_time_pass(now);
            });
        });
    }

    fn now(&self) -> Moment {
        self.clocks.moment()
    }

    pub(super) fn told(&self) -> Arc<Flush> {
        Arc::clone(&self.told.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn bells(&self) -> MutexGuard<'_, Bells> {
        self.bells.lock().unwrap_or_else(PoisonError::into_inner)
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
fn beginning(roster: &Roster, most_rows: usize, you: Option<UserId>) -> Vec<User> {
    let mut users: Vec<User> = roster.users().take(most_rows).cloned().collect();
    let own = you.and_then(|you| roster.get(&you));
    let missing = own.filter(|own| users.iter().all(|user| user.id != own.id));
    if let (Some(own), Some(last)) = (missing, users.last_mut()) {
        *last = own.clone();
    }
    users
}
