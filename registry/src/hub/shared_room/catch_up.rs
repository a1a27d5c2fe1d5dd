//! What brings a reader from its position to the last broadcast: changes, a reply, or the list.

use std::sync::Arc;

use tokio::time::Instant;

use super::{SharedRoom, State};
use crate::{
    encoding::{
        frame::{Batch, total_len},
        messages::EncodedResume,
        snapshot_pages::EncodedList,
    },
    hub::{
        broadcast::{Payload, changes},
        cursor::{Cursor, PendingReply},
        processor_share::LONGEST_GAP,
    },
};

impl SharedRoom {
    /// The frames that bring a reader to the last broadcast. Empty if the reader is there, or if its
    /// reply has to wait for the next broadcast.
    pub(in crate::hub) fn catch_up(&self, cursor: &mut Cursor) -> Batch {
        if let Some(batch) = self.last_broadcast().advance(cursor) {
            return batch;
        }
        let mut state = self.lock();
        if state.is_muted() {
            return Batch::default();
        }
        if cursor.generation != state.last_broadcast.generation {
            cursor.begin_generation(state.last_broadcast.generation);
        }
        let is_reply_ready = cursor.pending_reply.min_seq() <= state.last_broadcast.seq;
        match (cursor.seq, cursor.pending_reply) {
            (None, _) => self.full_list(&mut state, cursor),
            (Some(_), PendingReply::BeforeUpdates { .. }) if !is_reply_ready => {
                self.list_ahead(&mut state, cursor)
            }
            (
                Some(from),
                PendingReply::BeforeUpdates { .. } | PendingReply::AmongUpdates { .. },
            ) if is_reply_ready => self.resume(&mut state, cursor, from),
            (Some(from), _) => {
                let list = self.list_ahead(&mut state, cursor);
                if list.is_empty() { self.changes_since(&mut state, cursor, from) } else { list }
            }
        }
    }

    /// When a reader that waits for a reply may get a list ahead of the next broadcast, if it has not got one.
    pub(in crate::hub) fn next_list_ahead(&self, cursor: &Cursor) -> Option<Instant> {
        let state = self.lock();
        let at = state.list_ahead_at.map(|at| at + LONGEST_GAP);
        at.filter(|_| state.owes_list_ahead(cursor))
    }

    /// The list of this moment, for a reader whose reply waits for the room's rate: who comes into a room that changes
    /// all the time does not wait for it. Empty for others, and if one was encoded just now.
    fn list_ahead(&self, state: &mut State, cursor: &mut Cursor) -> Batch {
        if !state.owes_list_ahead(cursor) {
            return Batch::default();
        }
        let min_seq = cursor.min_seq();
        if state.list_since(min_seq).is_none() {
            let now = Instant::now();
            if state.list_ahead_at.is_some_and(|at| now < at + LONGEST_GAP) {
                return Batch::default();
            }
            state.list_ahead_at = Some(now);
            state.encode_list();
        }
        cursor.lists_ahead -= 1;
        cursor.request_snapshot();
        self.full_list(state, cursor)
    }

    fn changes_since(&self, state: &mut State, cursor: &mut Cursor, from: u64) -> Batch {
        let broadcast = Arc::clone(&state.last_broadcast);
        if from >= broadcast.seq {
            return Batch::default();
        }
        let seq = broadcast.seq;
        let frames = match &broadcast.payload {
            Payload::Frames(frames) if from == broadcast.from => {
                Some(Batch::from(Arc::clone(frames)))
            }
            Payload::List if from == broadcast.from => None,
            _ => {
                let State { room, missed_changes, .. } = &mut *state;
                let frames = missed_changes.get_or_insert_with(from, || {
                    let difference = room.log().difference(from, seq)?;
                    Some(changes(from, seq, difference).into())
                });
                frames.filter(|frames| !state.is_list_shorter(total_len(frames))).map(Batch::from)
            }
        };
        let Some(frames) = frames else {
            cursor.request_snapshot();
            return self.full_list(state, cursor);
        };
        cursor.seq = Some(seq);
        frames
    }

    /// The reply to a client that holds the list at `from`.
    fn resume(&self, state: &mut State, cursor: &mut Cursor, from: u64) -> Batch {
        let State { room, resumes, last_broadcast, .. } = &mut *state;
        let resume = resumes.get_or_insert_with(from, || {
            let seq = last_broadcast.seq;
            let difference = room.log().difference(from, seq)?;
            Some(Arc::new(EncodedResume::new(room.epoch().clone(), from, seq, difference)))
        });
        let resume = resume.filter(|resume| !state.is_list_shorter(resume.size_in_bytes()));
        let Some(resume) = resume else {
            cursor.request_snapshot();
            return self.full_list(state, cursor);
        };
        self.context.stats.count_resume();
        cursor.seq = Some(state.last_broadcast.seq);
        cursor.pending_reply = PendingReply::Nothing;
        resume.frames_for(cursor.viewer, self.unix_milliseconds())
    }

    /// The whole list. Empty if none is available: then the next broadcast encodes one.
    fn full_list(&self, state: &mut State, cursor: &mut Cursor) -> Batch {
        let Some(list) = state.list_since(cursor.pending_reply.min_seq()) else {
            state.is_list_requested = true;
            return self.list_ahead(state, cursor);
        };
        self.context.stats.count_snapshot();
        cursor.seq = Some(list.seq());
        cursor.pending_reply = PendingReply::Nothing;
        list.frames_for(cursor.viewer, self.unix_milliseconds())
    }
}

impl State {
    /// Whether a reader waits for a reply that would wait for the room's rate.
    fn owes_list_ahead(&self, cursor: &Cursor) -> bool {
        cursor.is_waiting()
            && cursor.lists_ahead > 0
            && self.broadcast_scheduler.is_throttled()
            && !self.is_frozen
    }

    /// Whether the list is shorter than a difference of this size, and available now.
    pub(super) fn is_list_shorter(&mut self, size_in_bytes: usize) -> bool {
        self.room.list_size_in_bytes() < size_in_bytes
            && self.list_since(self.last_broadcast.seq).is_some()
    }

    /// A list at the `seq` of a broadcast that is not before `seq`: the last broadcast's, if the room has
    /// not changed since; else the last one that was encoded, if the log leads on from there.
    fn list_since(&mut self, seq: u64) -> Option<Arc<EncodedList>> {
        let broadcast = self.last_broadcast.seq;
        let is_current = self.list.as_ref().is_some_and(|list| list.seq() == broadcast);
        if !is_current && self.room.log().seq() == broadcast {
            self.encode_list();
        }
        let log = self.room.log();
        let list = self.list.as_ref()?;
        (seq <= list.seq() && log.covers(list.seq())).then(|| Arc::clone(list))
    }

    /// Encodes the list of this moment. All of its changes are broadcast already, or just now.
    pub(super) fn encode_list(&mut self) {
        let (log, roster) = (self.room.log(), self.room.roster());
        let seq = log.seq();
        // With more changes than rows, computing the difference takes longer than encoding all rows.
        let most_changes = u64::try_from(roster.len()).unwrap_or(u64::MAX);
        let old = self.list.as_ref().filter(|list| seq.saturating_sub(list.seq()) <= most_changes);
        let list = match old.and_then(|list| Some((list, log.difference(list.seq(), seq)?))) {
            Some((list, difference)) => list.updated(seq, &difference, roster),
            None => EncodedList::new(self.room.epoch().clone(), seq, roster),
        };
        self.list = Some(Arc::new(list));
    }
}
