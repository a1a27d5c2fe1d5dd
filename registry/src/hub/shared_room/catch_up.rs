//! What brings a reader from where they are to the last flush: changes, an answer, or the list.

use std::sync::Arc;

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
    },
};

impl SharedRoom {
    /// What brings a reader from where they are to the last flush; nothing if they are there,
    /// or if what they are owed has to wait for the next one.
    pub(crate) fn catch_up(&self, cursor: &mut Cursor) -> Batch {
        if let Some(batch) = self.last_broadcast().advance(cursor) {
            return batch;
        }
        let mut state = self.lock();
        let is_told = cursor.pending_reply.min_seq() <= state.last_broadcast.seq;
        match (cursor.seq, cursor.pending_reply) {
            (None, _) => self.whole_list(&mut state, cursor),
            (Some(_), PendingReply::BeforeUpdates { .. }) if !is_told => Batch::default(),
            (
                Some(from),
                PendingReply::BeforeUpdates { .. } | PendingReply::AmongUpdates { .. },
            ) if is_told => self.answer(&mut state, cursor, from),
            (Some(from), _) => self.changes_since(&mut state, cursor, from),
        }
    }

    fn changes_since(&self, state: &mut State, cursor: &mut Cursor, from: u64) -> Batch {
        let flush = Arc::clone(&state.last_broadcast);
        if from >= flush.seq {
            return Batch::default();
        }
        let seq = flush.seq;
        let frames = match &flush.payload {
            Payload::Frames(frames) if from == flush.from => Some(Batch::from(Arc::clone(frames))),
            Payload::List if from == flush.from => None,
            _ => {
                let State { room, missed, .. } = &mut *state;
                let frames = missed.get_or_make(from, || {
                    let difference = room.log().difference(from, seq)?;
                    Some(changes(from, seq, difference).into())
                });
                frames
                    .filter(|frames| !self.is_the_list_shorter(state, total_len(frames)))
                    .map(Batch::from)
            }
        };
        let Some(frames) = frames else {
            cursor.request_snapshot();
            return self.whole_list(state, cursor);
        };
        cursor.seq = Some(seq);
        frames
    }

    /// The answer to one who holds the list at `from`.
    fn answer(&self, state: &mut State, cursor: &mut Cursor, from: u64) -> Batch {
        let State { room, answers, last_broadcast, .. } = &mut *state;
        let answer = answers.get_or_make(from, || {
            let seq = last_broadcast.seq;
            let difference = room.log().difference(from, seq)?;
            Some(Arc::new(EncodedResume::new(self.epoch.clone(), from, seq, difference)))
        });
        let answer =
            answer.filter(|answer| !self.is_the_list_shorter(state, answer.size_in_bytes()));
        let Some(answer) = answer else {
            cursor.request_snapshot();
            return self.whole_list(state, cursor);
        };
        self.context.stats.count_resume();
        cursor.seq = Some(state.last_broadcast.seq);
        cursor.pending_reply = PendingReply::Nothing;
        answer.frames_for(cursor.you, self.context.clocks.unix_milliseconds())
    }

    /// A difference longer than the list is replaced by the list, if that can be had at once.
    pub(super) fn is_the_list_shorter(&self, state: &mut State, size_in_bytes: usize) -> bool {
        state.room.list_size_in_bytes() < size_in_bytes
            && self.list_since(state, state.last_broadcast.seq).is_some()
    }

    /// A whole list, if one can be had: else the next flush will have it.
    fn whole_list(&self, state: &mut State, cursor: &mut Cursor) -> Batch {
        let Some(list) = self.list_since(state, cursor.pending_reply.min_seq()) else {
            state.is_list_wanted = true;
            return Batch::default();
        };
        self.context.stats.count_snapshot();
        cursor.seq = Some(list.seq());
        cursor.pending_reply = PendingReply::Nothing;
        list.frames_for(cursor.you, self.context.clocks.unix_milliseconds())
    }

    /// A list at a flush not before `seq`: the one at the last flush, if the room has not moved on;
    /// else the last that was encoded, if it can still be brought forward.
    fn list_since(&self, state: &mut State, seq: u64) -> Option<Arc<EncodedList>> {
        let flushed = state.last_broadcast.seq;
        let is_fresh = state.list.as_ref().is_some_and(|list| list.seq() == flushed);
        if !is_fresh && state.room.log().seq() == flushed {
            self.encode_list(state);
        }
        let log = state.room.log();
        let list = state.list.as_ref()?;
        (seq <= list.seq() && log.covers(list.seq())).then(|| Arc::clone(list))
    }

    /// Encodes the list as it is; all of it has been told.
    pub(super) fn encode_list(&self, state: &mut State) {
        let (log, roster) = (state.room.log(), state.room.roster());
        let seq = log.seq();
        // Where more has happened since than there are rows, working out what takes longer than writing them.
        let most_changes = u64::try_from(roster.len()).unwrap_or(u64::MAX);
        let old = state.list.as_ref().filter(|list| seq.saturating_sub(list.seq()) <= most_changes);
        let list = match old.and_then(|list| Some((list, log.difference(list.seq(), seq)?))) {
            Some((list, difference)) => list.updated(seq, &difference, roster),
            None => EncodedList::new(self.epoch.clone(), seq, roster),
        };
        state.list = Some(Arc::new(list));
    }
}
