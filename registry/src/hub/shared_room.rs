//! A room behind its lock: its changes are gathered, encoded once, and broadcast to its subscribers.

mod attendance;
mod broadcasting;
mod catch_up;
mod direct_broadcast;
pub(super) mod replicated;
mod requests;
mod subscribe;
#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use app::presence::{
    Beat, Epoch, ExistingUsers, RecentChange, RoomName, Roster, ServerEvent, Since, User, UserId,
};
use tokio::time::Instant;

use self::replicated::Replicated;
use super::{
    FirstRows,
    batching::BroadcastScheduler,
    broadcast::Broadcast,
    catch_up_cache::CatchUpCache,
    client_address::ClientAddress,
    cursor::Cursor,
    observer::{ObservedRoom, ObservedState},
    room_context::RoomContext,
    subscribers::Subscribers,
    waiting_rows::WaitingRows,
};
use crate::{
    encoding::{
        frame::Frame,
        messages::{EncodedResume, encode},
        snapshot_pages::EncodedList,
    },
    presence::{
        command::Command,
        count_history::{CountHistory, PastHour},
        members::Moment,
        recent_changes::recent_changes,
        room::{InvalidSavedRoom, Now, Room, RoomLimits, SavedRoom},
        watchers::Watchers,
    },
    replication::handle::ClusterHandle,
    wake::timer_queue::OnDeadline,
};

/// A room behind its lock.
///
/// All readers move from broadcast to broadcast, so that what they receive is encoded once. A list or a
/// reply leads to the `seq` of a broadcast as well.
#[derive(Debug)]
pub(crate) struct SharedRoom {
    context: Arc<RoomContext>,
    state: Mutex<State>,
    /// The same as in the state, for readers that need nothing else: after a broadcast they all come at once.
    last_broadcast: RwLock<Arc<Broadcast>>,
    /// Locked after the state, never before.
    subscribers: Mutex<Subscribers>,
    /// Whether there has been a socket that broadcasts may write to.
    has_direct_sockets: AtomicBool,
    /// For the observer of all rooms, if there is one.
    observed: OnceLock<Box<ObservedState>>,
    /// The room's present when this server's clock was started, in milliseconds since the Unix epoch; 0 for a
    /// server alone, whose time of day is its own.
    origin: AtomicU64,
}

#[derive(Debug)]
struct State {
    room: Room,
    watchers: Watchers,
    waiting_rows: WaitingRows,
    broadcast_scheduler: BroadcastScheduler,
    /// The next time at which the timers call the room, if nothing else happens.
    next_wakeup: Option<Moment>,
    /// The process ends: nothing is broadcast any more.
    is_frozen: bool,
    last_broadcast: Arc<Broadcast>,
    /// The subscribers of the last broadcast, who are sent the next one. Who came since is sent a reply.
    readers: usize,
    /// A reader waits for a list: the next broadcast encodes one.
    is_list_requested: bool,
    list: Option<Arc<EncodedList>>,
    /// When a list was encoded last that is ahead of the last broadcast.
    list_ahead_at: Option<Instant>,
    /// For clients that have come back since the last broadcast.
    resumes: CatchUpCache<Arc<EncodedResume>>,
    /// For subscribers that missed an earlier broadcast.
    missed_changes: CatchUpCache<Arc<[Frame]>>,
    /// What a room has besides if several servers share it.
    replicated: Option<Box<Replicated>>,
}

impl SharedRoom {
    pub(super) fn new(context: Arc<RoomContext>, epoch: Epoch, limits: RoomLimits) -> Self {
        let room = Room::new(limits, epoch, context.clocks.now());
        Self::from_room(context, room)
    }

    /// A room of several servers. What is known of it is nothing, until it is opened.
    pub(super) fn replicated(
        context: Arc<RoomContext>,
        cluster: Arc<ClusterHandle>,
        name: RoomName,
        limits: RoomLimits,
    ) -> Self {
        let shared = Self::new(context, no_epoch(), limits);
        shared.lock().replicated = Some(Box::new(Replicated::new(name, cluster)));
        shared
    }

    fn from_room(context: Arc<RoomContext>, room: Room) -> Self {
        let last_broadcast = Arc::new(Broadcast::initial(&room));
        let shared = RwLock::new(Arc::clone(&last_broadcast));
        let state = State {
            room,
            watchers: Watchers::default(),
            waiting_rows: WaitingRows::new(Arc::clone(&context.waiting_rows)),
            broadcast_scheduler: BroadcastScheduler::default(),
            next_wakeup: None,
            is_frozen: false,
            last_broadcast,
            readers: 0,
            is_list_requested: false,
            list: None,
            list_ahead_at: None,
            resumes: CatchUpCache::default(),
            missed_changes: CatchUpCache::default(),
            replicated: None,
        };
        Self {
            context,
            state: Mutex::new(state),
            last_broadcast: shared,
            subscribers: Mutex::default(),
            has_direct_sockets: AtomicBool::new(false),
            observed: OnceLock::new(),
            origin: AtomicU64::new(0),
        }
    }

    /// A room that the previous process saved.
    pub(super) fn restore(
        context: Arc<RoomContext>,
        epoch: Epoch,
        saved: SavedRoom,
        history: Option<CountHistory>,
        limits: RoomLimits,
    ) -> Result<Arc<Self>, InvalidSavedRoom> {
        let room = Room::restore(saved, epoch, history, limits, context.clocks.now())?;
        Ok(Arc::new(Self::from_room(context, room)))
    }

    /// What the next process needs to hold the rows.
    pub(super) fn save(&self) -> SavedRoom {
        self.lock().room.save(self.moment())
    }

    /// Saves the room for the last time. Later changes are not broadcast: the next process gives other
    /// changes the same `seq`.
    pub(super) fn freeze(&self) -> SavedRoom {
        let mut state = self.lock();
        state.is_frozen = true;
        state.room.save_at_the_end(self.context.clocks.now())
    }

    /// The count by minute, to be saved.
    pub(super) fn history(&self) -> CountHistory {
        self.lock().room.history().clone()
    }

    /// How many people were here in each of the last minutes.
    pub(super) fn past_hour(&self) -> PastHour {
        self.lock().room.history().past_hour(self.unix_milliseconds() / 60_000)
    }

    /// Who came, went and changed their name in the last hour, with the time of each in seconds since the Unix epoch.
    pub(super) fn recent_changes(&self) -> Vec<(u64, RecentChange)> {
        // In milliseconds: the time of a change would differ from one request to the next.
        let (now, moment) = (self.unix_milliseconds(), self.moment());
        let recent = recent_changes(self.lock().room.log(), moment).into_iter();
        let at = |ago: Duration| {
            now.saturating_sub(u64::try_from(ago.as_millis()).unwrap_or(u64::MAX)) / 1_000
        };
        recent.map(|(ago, change)| (at(ago), change)).collect()
    }

    /// Differs whenever `seq` begins at zero again.
    pub(super) fn epoch(&self) -> Epoch {
        self.lock().room.epoch().clone()
    }

    /// The position of a reader's list; `None` before the first one, and until a reader has the list of a
    /// new epoch.
    pub(super) fn position(&self, cursor: &Cursor) -> Option<Since> {
        let broadcast = self.last_broadcast();
        let seq = cursor.seq.filter(|_| cursor.generation == broadcast.generation)?;
        Some(Since { epoch: (*broadcast.epoch).clone(), seq })
    }

    /// Applies a command that no other server does: a fault of the program.
    #[cfg(test)]
    pub(crate) fn distort(&self, command: Command) {
        let mut state = self.lock();
        state.room.apply(command, self.context.clocks.now());
    }

    /// Reads the room itself.
    #[cfg(test)]
    pub(super) fn read<T>(&self, read: impl FnOnce(&Room) -> T) -> T {
        read(&self.lock().room)
    }

    /// Forgets which rows no longer wait, and replies that were encoded for many. To be called from time to time: a
    /// quiet room would keep up to sixteen of them, each as long as its list.
    pub(super) fn sweep(&self) {
        let mut state = self.lock();
        let State { room, waiting_rows, resumes, missed_changes, .. } = &mut *state;
        waiting_rows.compare(room);
        resumes.clear();
        missed_changes.clear();
    }

    /// The number of replies that are kept for others.
    #[cfg(test)]
    pub(super) fn cached_replies(&self) -> usize {
        let state = self.lock();
        state.resumes.len() + state.missed_changes.len()
    }

    /// About the size of the log in memory.
    pub(super) fn log_in_bytes(&self) -> usize {
        self.lock().room.log().size_in_bytes()
    }

    /// Has the log keep at most so many bytes. Who can't resume any more gets the list.
    pub(super) fn trim_log(&self, most_bytes: usize) {
        self.lock().room.trim_log(most_bytes);
    }

    /// Whether half of the people that may be listed are rows of this address that wait.
    pub(super) fn is_half_waiting(&self, from: ClientAddress) -> bool {
        let state = self.lock();
        state.waiting_rows.are_half(from, state.room.limits().most_people)
    }

    /// Whether a person is on the list.
    pub(super) fn is_listed(&self, user_id: UserId) -> bool {
        self.lock().room.roster().contains(&user_id)
    }

    /// The number of rows.
    pub(super) fn count(&self) -> usize {
        self.lock().room.roster().len()
    }

    /// Whether the room has neither a socket nor a row, and no client may resume from its log.
    pub(super) fn is_expired(&self) -> bool {
        let state = self.lock();
        let is_resumable = state.room.resumable_until().is_some_and(|until| self.moment() < until);
        state.is_empty() && !is_resumable
    }

    /// Whether the room has neither a socket nor a row.
    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Count and digest of the list for a reader that has received the last broadcast; `None` for others.
    pub(super) fn beat(&self, cursor: &Cursor) -> Option<Frame> {
        let Broadcast { generation, seq, count, digest, .. } = *self.last_broadcast();
        (cursor.generation == generation && cursor.seq == Some(seq)).then(|| {
            let now = self.unix_milliseconds();
            let as_of = self.context.stale_for().map(|silence| {
                now.saturating_sub(u64::try_from(silence.as_millis()).unwrap_or(u64::MAX))
            });
            encode(&ServerEvent::Beat(Beat { seq, count, digest, now, as_of }))
        })
    }

    /// The list of this moment, cut to these rows, and how many people of the whole list are away.
    pub(super) fn first_rows(
        &self,
        viewer: Option<UserId>,
        rows: FirstRows<'_>,
    ) -> (ExistingUsers, usize) {
        let state = self.lock();
        let roster = state.room.roster();
        // Changes of a frozen room are lost: no client may resume from them.
        let is_silent = state.is_frozen || state.is_muted();
        // Nor may one whose rows are not in order of arrival.
        let is_in_order = match rows {
            FirstRows::InOrderOfArrival(_) => true,
            FirstRows::Newest(most) => roster.len() <= most,
            FirstRows::These(_) => false,
        };
        let epoch = if is_silent || !is_in_order { no_epoch() } else { state.room.epoch().clone() };
        let list = ExistingUsers {
            epoch,
            seq: state.room.log().seq(),
            you: viewer,
            now: self.unix_milliseconds(),
            count: roster.len(),
            users: first_rows(roster, rows, viewer),
        };
        (list, roster.away())
    }

    /// The position of the list of this moment.
    pub(super) fn list_position(&self) -> Since {
        let state = self.lock();
        Since { epoch: state.room.epoch().clone(), seq: state.room.log().seq() }
    }

    /// The observer of all rooms follows this one from now on.
    pub(super) fn begin_observation(&self, name: &RoomName) {
        let state = self.lock();
        self.observed.get_or_init(|| Box::new(ObservedState::new(name.clone(), state.room.log())));
    }

    /// What happened since the observer read this room. Changes of a frozen room are lost.
    pub(super) fn read_observed(&self) -> Option<ObservedRoom> {
        let observed = self.observed.get()?;
        let state = self.lock();
        if state.is_frozen {
            return None;
        }
        let room = &state.room;
        observed.read(room.epoch(), room.log(), room.roster().len())
    }

    /// Runs `change` under the lock, and then what follows from a change.
    fn update<T>(self: &Arc<Self>, change: impl FnOnce(&mut State, Now) -> T) -> T {
        let mut state = self.lock();
        let outcome = change(&mut state, self.context.clocks.now());
        let announcement = self.follow_up(&mut state);
        self.unlock_and_announce(state, announcement, None);
        outcome
    }

    /// The clock has started: the deadlines that were set before count from now.
    pub(super) fn on_clock_start(self: &Arc<Self>) {
        self.schedule_wakeup(&mut self.lock());
    }

    /// Has the timer queue call the room at its next deadline, unless it calls it earlier anyway.
    fn schedule_wakeup(self: &Arc<Self>, state: &mut State) {
        let Some(deadline) = state.room.next_deadline() else { return };
        // No deadline comes before the clock starts. `on_clock_start` calls this again.
        let Some(started_at) = self.context.clocks.started_at() else { return };
        if state.next_wakeup.is_some_and(|wakeup| wakeup <= deadline) {
            return;
        }
        if state.replicated.is_some() {
            if let Some(at) = self.tick_at(state, deadline) {
                state.next_wakeup = Some(deadline);
                self.context.timers.insert_room(Arc::<Self>::downgrade(self), at);
            }
            return;
        }
        state.next_wakeup = Some(deadline);
        // A later entry of this room stays in the queue: when it fires, nothing is due.
        self.context.timers.insert_room(Arc::<Self>::downgrade(self), started_at + deadline);
    }

    fn moment(&self) -> Moment {
        self.context.clocks.moment()
    }

    /// The present, as readers are shown it.
    fn unix_milliseconds(&self) -> u64 {
        match self.origin.load(Ordering::Relaxed) {
            0 => self.context.clocks.unix_milliseconds(),
            origin => {
                let passed = u64::try_from(self.moment().as_millis()).unwrap_or(u64::MAX);
                origin.saturating_add(passed)
            }
        }
    }

    pub(super) fn last_broadcast(&self) -> Arc<Broadcast> {
        Arc::clone(&self.last_broadcast.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn subscribers(&self) -> MutexGuard<'_, Subscribers> {
        self.subscribers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic in between leaves at worst a change that is not broadcast yet: the next change does that.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_empty(&self) -> bool {
        // A room of several servers is forgotten when this one has left it.
        let is_alone = self.replicated.is_none();
        is_alone && self.room.is_empty() && self.watchers.is_empty()
    }
}

impl OnDeadline for SharedRoom {
    fn on_deadline(self: Arc<Self>) {
        if self.context.cluster.is_some() {
            return self.submit_tick();
        }
        self.update(|state, now| {
            if state.next_wakeup.is_some_and(|wakeup| wakeup <= now.moment) {
                state.next_wakeup = None;
            }
            state.room.apply(Command::Tick, now);
        });
    }
}

/// The epoch of no room: no client can resume from it.
pub(super) fn no_epoch() -> Epoch {
    Epoch::from_number(0)
}

/// The first rows of a list. The row of `viewer` replaces the last of them if it is further down, so that the
/// page of a listed person always has it.
fn first_rows(roster: &Roster, rows: FirstRows<'_>, viewer: Option<UserId>) -> Vec<User> {
    let mut users: Vec<User> = match rows {
        FirstRows::InOrderOfArrival(most) => roster.users().take(most).cloned().collect(),
        FirstRows::Newest(most) => {
            roster.users().skip(roster.len().saturating_sub(most)).cloned().collect()
        }
        FirstRows::These(ids) => ids.iter().filter_map(|id| roster.get(id)).cloned().collect(),
    };
    let own = viewer.and_then(|viewer| roster.get(&viewer));
    let missing = own.filter(|own| users.iter().all(|user| user.id != own.id));
    if let (Some(own), Some(last)) = (missing, users.last_mut()) {
        *last = own.clone();
    }
    users
}
