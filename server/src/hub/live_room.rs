//! A room behind its lock: changes are gathered, encoded once, and announced to whoever listens.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use app::presence::{
    Beat, Changes, DepartureReason, Difference, Digest, Epoch, ExistingUsers, Resumed, ServerEvent,
    UserId,
};
use axum::extract::ws::Utf8Bytes;
use tokio::{sync::watch, time::Instant};

use super::gathering::{Dispatch, Gathering};
use crate::presence::{
    frames::{EncodedList, cut, encode},
    people::ConnectionId,
    room::{Room, RoomLimits},
};

/// A room behind its lock.
///
/// Everyone is brought to the same points of the count, the flushes: what they are told is encoded once.
/// Whoever takes a list or an answer takes it at such a point too, so subscribing and the snapshot are one.
#[derive(Debug)]
pub(super) struct LiveRoom {
    epoch: Epoch,
    state: Mutex<State>,
    /// The last point that everyone should be at.
    flushed: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    room: Room,
    gathering: Gathering,
    last_flush: Flush,
    /// Somebody waits for a list: the next flush encodes one.
    is_list_wanted: bool,
    list: Option<Arc<EncodedList>>,
}

/// What was told to everyone last.
#[derive(Debug)]
struct Flush {
    from: u64,
    seq: u64,
    news: News,
    count: usize,
    digest: Digest,
}

/// What those who were at a flush's `from` are told.
#[derive(Debug)]
enum News {
    /// These frames.
    Frames(Arc<[Utf8Bytes]>),
    /// The whole list, which is shorter than what happened, or all that can be said.
    List,
}

/// Where one connection is in the log: all that it keeps of what it was told.
#[derive(Debug)]
pub(super) struct Cursor {
    pub(super) who: UserId,
    pub(super) connection: ConnectionId,
    /// The last point sent; none while a whole list is owed.
    seq: Option<u64>,
    /// The client awaits a `resumed`, even if nothing changed.
    is_answer_due: bool,
}

impl Cursor {
    pub(super) fn new(who: UserId, connection: ConnectionId) -> Self {
        Self { who, connection, seq: None, is_answer_due: false }
    }

    /// The next thing sent is a whole list.
    pub(super) fn owe_list(&mut self) {
        self.seq = None;
    }

    /// The next thing sent is a `resumed`, or a list if one is owed.
    pub(super) fn owe_answer(&mut self) {
        self.is_answer_due = true;
    }
}

impl LiveRoom {
    pub(super) fn new(epoch: Epoch, limits: RoomLimits) -> Self {
        let room = Room::new(limits);
        let last_flush =
            Flush { from: 0, seq: 0, news: News::List, count: 0, digest: Digest::default() };
        let state = State {
            room,
            gathering: Gathering::default(),
            last_flush,
            is_list_wanted: false,
            list: None,
        };
        Self { epoch, state: Mutex::new(state), flushed: watch::Sender::new(0) }
    }

    /// Wakes at every flush.
    pub(super) fn listen(&self) -> watch::Receiver<u64> {
        self.flushed.subscribe()
    }

    /// Does something to the room, and sees to it that everyone is told what it changed.
    pub(super) fn change<T>(self: &Arc<Self>, act: impl FnOnce(&mut Room) -> T) -> T {
        let mut state = self.lock();
        let outcome = act(&mut state.room);
        if state.room.log().seq() != state.last_flush.seq {
            let now = Instant::now();
            match state.gathering.on_change(now, self.flushed.receiver_count()) {
                Dispatch::Now => self.flush(&mut state, now),
                Dispatch::At(moment) => self.flush_later(moment),
                Dispatch::WithTheNext => {}
            }
        }
        outcome
    }

    /// A socket is gone.
    pub(super) fn disconnect(self: &Arc<Self>, cursor: &Cursor, reason: DepartureReason) {
        self.change(|room| room.disconnect(cursor.who, cursor.connection, reason));
    }

    /// Whether there is neither a socket nor a row in it.
    pub(super) fn is_deserted(&self) -> bool {
        self.lock().room.is_deserted()
    }

    /// What brings a connection from where it is to the last flush; nothing if it is there,
    /// or if what it is owed has to wait for the next one.
    pub(super) fn catch_up(&self, cursor: &mut Cursor) -> Vec<Utf8Bytes> {
        let mut state = self.lock();
        let Some(from) = cursor.seq else { return self.whole_list(&mut state, cursor) };
        if cursor.is_answer_due {
            return self.answer(&mut state, cursor, from);
        }
        let flush = &state.last_flush;
        if from >= flush.seq {
            return Vec::new();
        }
        if from == flush.from {
            return match &flush.news {
                News::Frames(frames) => {
                    cursor.seq = Some(flush.seq);
                    frames.to_vec()
                }
                News::List => self.whole_list(&mut state, cursor),
            };
        }
        let frames = state.room.log().difference(from, flush.seq).and_then(|difference| {
            let seq = state.last_flush.seq;
            self.unless_longer_than_the_list(&mut state, changes(from, seq, difference))
        });
        let seq = state.last_flush.seq;
        match frames {
            Some(frames) => {
                cursor.seq = Some(seq);
                frames
            }
            None => self.whole_list(&mut state, cursor),
        }
    }

    /// Where this connection's list should be now, if it was told everything up to the last flush.
    pub(super) fn beat(&self, cursor: &Cursor) -> Option<Utf8Bytes> {
        let state = self.lock();
        let Flush { seq, count, digest, .. } = state.last_flush;
        (cursor.seq == Some(seq)).then(|| {
            encode(&ServerEvent::Beat(Beat { seq, count, digest, now: now_in_milliseconds() }))
        })
    }

    /// The list as it is, cut to its first `most_rows` rows, for a reader who is `you`.
    pub(super) fn snapshot(&self, you: Option<UserId>, most_rows: usize) -> ExistingUsers {
        let state = self.lock();
        let roster = state.room.roster();
        ExistingUsers {
            epoch: self.epoch.clone(),
            seq: state.room.log().seq(),
            you,
            now: now_in_milliseconds(),
            count: roster.len(),
            users: roster.users().take(most_rows).cloned().collect(),
        }
    }

    /// Whether the room takes no more people.
    pub(super) fn is_full(&self) -> bool {
        self.lock().room.is_full()
    }

    /// The answer to one who holds the list at `from`. It includes what their question did,
    /// so it waits until that has been told.
    fn answer(&self, state: &mut State, cursor: &mut Cursor, from: u64) -> Vec<Utf8Bytes> {
        let seq = state.last_flush.seq;
        if state.room.log().seq() != seq {
            return Vec::new();
        }
        let frames = state.room.log().difference(from, seq).and_then(|difference| {
            let frames = self.resumed(cursor.who, from, seq, difference);
            self.unless_longer_than_the_list(state, frames)
        });
        let Some(frames) = frames else { return self.whole_list(state, cursor) };
        cursor.seq = Some(seq);
        cursor.is_answer_due = false;
        frames
    }

    fn flush(&self, state: &mut State, now: Instant) {
        let from = state.last_flush.seq;
        let seq = state.room.log().seq();
        let roster = state.room.roster();
        state.last_flush =
            Flush { from, seq, news: News::List, count: roster.len(), digest: roster.digest() };
        state.list = None;
        if std::mem::take(&mut state.is_list_wanted) {
            self.list_at_flush(state);
        }
        // More may have happened in one gap than the log holds: then only the list can say it.
        if let Some(difference) = state.room.log().difference(from, seq)
            && let Some(frames) =
                self.unless_longer_than_the_list(state, changes(from, seq, difference))
        {
            state.last_flush.news = News::Frames(frames.into());
        }
        state.gathering.on_flush(now);
        self.flushed.send_replace(seq);
    }

    /// A difference longer than the list is replaced by the list, if that can be had.
    fn unless_longer_than_the_list(
        &self,
        state: &mut State,
        frames: Vec<Utf8Bytes>,
    ) -> Option<Vec<Utf8Bytes>> {
        let size_in_bytes: usize = frames.iter().map(|frame| frame.len()).sum();
        if size_in_bytes <= SHORT_IN_BYTES {
            return Some(frames);
        }
        let list = self.list_at_flush(state);
        let is_longer = list.is_some_and(|list| list.size_in_bytes() < size_in_bytes);
        (!is_longer).then_some(frames)
    }

    fn flush_later(self: &Arc<Self>, moment: Instant) {
        let room = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep_until(moment).await;
            room.flush(&mut room.lock(), Instant::now());
        });
    }

    /// The whole list at the last flush, if it can be had: else the next flush will have it.
    fn whole_list(&self, state: &mut State, cursor: &mut Cursor) -> Vec<Utf8Bytes> {
        let Some(list) = self.list_at_flush(state) else {
            state.is_list_wanted = true;
            return Vec::new();
        };
        cursor.seq = Some(list.seq());
        cursor.is_answer_due = false;
        list.frames_for(Some(cursor.who), now_in_milliseconds())
    }

    /// The encoded list at the last flush; none if the room moved on before anybody wanted it.
    fn list_at_flush(&self, state: &mut State) -> Option<Arc<EncodedList>> {
        let seq = state.last_flush.seq;
        if state.list.is_none() && state.room.log().seq() == seq {
            let list = EncodedList::new(self.epoch.clone(), seq, state.room.roster());
            state.list = Some(Arc::new(list));
        }
        state.list.clone()
    }

    fn resumed(&self, you: UserId, from: u64, seq: u64, difference: Difference) -> Vec<Utf8Bytes> {
        in_pieces(from, seq, difference, |seq, difference| {
            ServerEvent::Resumed(Resumed {
                epoch: self.epoch.clone(),
                from,
                seq,
                you: Some(you),
                now: now_in_milliseconds(),
                difference,
            })
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic in between leaves at worst a change that was not told yet: the next flush tells it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Up to this a difference is not compared with the list, which is hardly shorter.
const SHORT_IN_BYTES: usize = 4 * 1024;

fn changes(from: u64, seq: u64, difference: Difference) -> Vec<Utf8Bytes> {
    in_pieces(from, seq, difference, |seq, difference| {
        ServerEvent::Changes(Changes { from, seq, difference })
    })
}

/// All pieces but the last leave the count where it was.
fn in_pieces(
    from: u64,
    seq: u64,
    difference: Difference,
    event: impl Fn(u64, Difference) -> ServerEvent,
) -> Vec<Utf8Bytes> {
    let pieces = cut(difference);
    let last = pieces.len().saturating_sub(1);
    let numbered = pieces.into_iter().enumerate();
    numbered
        .map(|(index, piece)| encode(&event(if index == last { seq } else { from }, piece)))
        .collect()
}

/// The wall clock, in milliseconds since the Unix epoch.
pub(super) fn now_in_milliseconds() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}
