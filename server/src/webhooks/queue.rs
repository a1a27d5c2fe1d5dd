//! What one receiver is sent, and when. Pure: the time, ids and randomness are parameters.
//!
//! One message is under way at a time, so events arrive in order. What can't be kept or delivered becomes a
//! `presence.resync` with the rooms that the receiver has to read: nothing is lost in silence.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use app::presence::RoomName;

use super::{event::Event, retry};

/// Events gather for so long before they are sent.
const BATCH_INTERVAL: Duration = Duration::from_millis(250);

/// So many events are sent at once.
const MOST_IN_A_MESSAGE: usize = 100;

/// The most rooms that one event names.
const MOST_ROOMS_IN_AN_EVENT: usize = 1_000;

/// How much is kept, and for how long it is sent again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueueLimits {
    /// Events that wait, about 300 bytes each.
    pub(crate) most_waiting: usize,
    /// Rooms to be read, one by one; beyond them it is all rooms.
    pub(crate) most_rooms: usize,
    /// A message that is older is given up.
    pub(crate) longest_retry: Duration,
}

impl Default for QueueLimits {
    fn default() -> Self {
        let longest_retry = Duration::from_hours(24);
        Self { most_waiting: 10_000, most_rooms: 10_000, longest_retry }
    }
}

/// What one receiver is sent. All times are since the server's start.
#[derive(Debug)]
pub(crate) struct DeliveryQueue {
    limits: QueueLimits,
    under_way: Option<UnderWay>,
    to_read: RoomsToRead,
    waiting: VecDeque<Event>,
    /// The receiver wants no more.
    is_closed: bool,
    /// Since when the first of what waits does.
    waiting_since: Option<Duration>,
}

/// A message that is sent until it arrives. Its events, and so its body, stay as they are.
#[derive(Debug)]
struct UnderWay {
    message: QueuedMessage,
    begun: Duration,
    attempts: u32,
    next_attempt: Duration,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct QueuedMessage {
    /// The same at each attempt, so that a receiver recognises what it has.
    pub(crate) id: String,
    /// When it was made, RFC 3339.
    pub(crate) timestamp: String,
    /// In order.
    pub(crate) events: Vec<Event>,
}

/// What a new message needs from outside.
#[derive(Debug)]
pub(crate) struct Stamp<Rooms> {
    /// No other message has it.
    pub(crate) id: String,
    /// The present, RFC 3339.
    pub(crate) timestamp: String,
    /// All rooms that there are, as far as the receiver takes them. Also those in which nobody is: their next event
    /// continues their log. Only called for a receiver that has to read all of them.
    pub(crate) rooms: Rooms,
}

/// The rooms that the receiver has to read, because it lacks events of them.
#[derive(Debug, PartialEq, Eq)]
enum RoomsToRead {
    Some(BTreeSet<RoomName>),
    All,
}

impl DeliveryQueue {
    /// A receiver that may have missed everything before: the server has started.
    pub(crate) fn new(limits: QueueLimits, now: Duration) -> Self {
        Self {
            limits,
            under_way: None,
            to_read: RoomsToRead::All,
            waiting: VecDeque::new(),
            is_closed: false,
            waiting_since: Some(now),
        }
    }

    /// Something has happened.
    pub(crate) fn push(&mut self, event: Event, now: Duration) {
        if self.is_closed {
            return;
        }
        // The receiver reads these rooms when it is told to, and has this event then.
        if event.rooms().iter().all(|room| self.to_read.contains(room)) {
            return;
        }
        self.waiting.push_back(event);
        self.waiting_since.get_or_insert(now);
        if self.waiting.len() > self.limits.most_waiting {
            self.give_up_waiting(now);
        }
    }

    /// Something has happened in a room, and is not known any more.
    pub(crate) fn lost(&mut self, room: &RoomName, now: Duration) {
        if self.is_closed {
            return;
        }
        self.waiting.retain(|event| event.rooms() != std::slice::from_ref(room));
        self.to_read.add(room, self.limits.most_rooms);
        self.waiting_since.get_or_insert(now);
        self.forget_what_is_read();
    }

    /// When the next attempt is due; none while there is nothing to send.
    pub(crate) fn next_attempt(&self) -> Option<Duration> {
        if let Some(under_way) = &self.under_way {
            return Some(under_way.next_attempt);
        }
        let since = self.waiting_since?;
        Some(if self.waiting.len() >= MOST_IN_A_MESSAGE { since } else { since + BATCH_INTERVAL })
    }

    /// The message to send now; none before the next attempt is due.
    pub(crate) fn attempt<Rooms: FnOnce() -> Vec<RoomName>>(
        &mut self,
        now: Duration,
        stamp: impl FnOnce() -> Stamp<Rooms>,
    ) -> Option<&QueuedMessage> {
        if self.next_attempt().is_none_or(|due| now < due) {
            return None;
        }
        let longest = self.limits.longest_retry;
        if self.under_way.as_ref().is_some_and(|old| now.saturating_sub(old.begun) > longest) {
            self.give_up(now);
        }
        if self.under_way.is_none() {
            let Stamp { id, timestamp, rooms } = stamp();
            let events = self.take_events(rooms);
            self.waiting_since = (!self.waiting.is_empty()).then_some(now);
            let message = QueuedMessage { id, timestamp, events };
            self.under_way = Some(UnderWay { message, begun: now, attempts: 0, next_attempt: now });
        }
        let under_way = self.under_way.as_mut()?;
        under_way.attempts = under_way.attempts.saturating_add(1);
        Some(&under_way.message)
    }

    /// The message has arrived.
    pub(crate) fn arrived(&mut self) {
        self.under_way = None;
    }

    /// The message may not have arrived: it is sent again. `random` is from 0 to 1.
    pub(crate) fn failed(&mut self, now: Duration, random: f64, retry_after: Option<Duration>) {
        if let Some(under_way) = &mut self.under_way {
            under_way.next_attempt = now + retry::gap(under_way.attempts, random, retry_after);
        }
    }

    /// The receiver wants no more: nothing is kept for it from now on.
    pub(crate) fn close(&mut self) {
        self.is_closed = true;
        (self.under_way, self.waiting_since) = (None, None);
        self.waiting = VecDeque::new();
        self.to_read = RoomsToRead::Some(BTreeSet::new());
    }

    /// How many events wait, with those of the message that is under way.
    pub(crate) fn len(&self) -> usize {
        let under_way = self.under_way.as_ref().map_or(0, |sent| sent.message.events.len());
        self.waiting.len() + under_way
    }

    /// The next events: which rooms to read, or else those that wait.
    fn take_events(&mut self, all_rooms: impl FnOnce() -> Vec<RoomName>) -> Vec<Event> {
        let to_read = std::mem::replace(&mut self.to_read, RoomsToRead::Some(BTreeSet::new()));
        let (all, rooms) = match to_read {
            RoomsToRead::All => (true, all_rooms()),
            RoomsToRead::Some(rooms) => (false, rooms.into_iter().collect()),
        };
        if all || !rooms.is_empty() {
            return resync(all, &rooms);
        }
        let most = MOST_IN_A_MESSAGE.min(self.waiting.len());
        self.waiting.drain(..most).collect()
    }

    /// The message under way is too old, and so is what waits behind it.
    fn give_up(&mut self, now: Duration) {
        let Some(UnderWay { message, .. }) = self.under_way.take() else { return };
        for event in &message.events {
            if matches!(event, Event::Resync { all: true, .. }) {
                self.to_read = RoomsToRead::All;
            }
            for room in event.rooms() {
                self.to_read.add(room, self.limits.most_rooms);
            }
        }
        self.give_up_waiting(now);
    }

    fn give_up_waiting(&mut self, now: Duration) {
        for event in std::mem::take(&mut self.waiting) {
            for room in event.rooms() {
                self.to_read.add(room, self.limits.most_rooms);
            }
        }
        self.waiting_since.get_or_insert(now);
    }

    fn forget_what_is_read(&mut self) {
        let to_read = &self.to_read;
        self.waiting.retain(|event| !event.rooms().iter().all(|room| to_read.contains(room)));
    }
}

impl RoomsToRead {
    fn contains(&self, room: &RoomName) -> bool {
        match self {
            Self::All => true,
            Self::Some(rooms) => rooms.contains(room),
        }
    }

    fn add(&mut self, room: &RoomName, most: usize) {
        if let Self::Some(rooms) = self {
            rooms.insert(room.clone());
            if rooms.len() > most {
                *self = Self::All;
            }
        }
    }
}

/// The events that say which rooms to read. Only the first one may be about all rooms, and those after it add rooms.
fn resync(all: bool, rooms: &[RoomName]) -> Vec<Event> {
    if rooms.is_empty() {
        return vec![Event::Resync { all, rooms: Vec::new() }];
    }
    let parts = rooms.chunks(MOST_ROOMS_IN_AN_EVENT).enumerate();
    parts
        .map(|(index, part)| Event::Resync { all: all && index == 0, rooms: part.to_vec() })
        .collect()
}

#[cfg(test)]
mod tests;
