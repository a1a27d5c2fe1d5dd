//! What waits to be sent to one client, in steps that its queue takes whole or not at all. Pure, but for the queue.

use std::{collections::VecDeque, sync::Arc};

use engineioxide::{
    Str,
    socket::{Permit, Socket},
};

use crate::telemetry::metrics::METRICS;

/// The most packets in a queue of Engine.IO.
pub(super) const QUEUE_LENGTH: usize = 128;

/// So many places of the queue stay free for others: the heartbeat ends a session whose ping finds no place.
const KEPT_FREE: usize = 16;

/// The most packets in a step.
const LONGEST_STEP: usize = 48;

/// Why a step was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum QueueError {
    /// The client has not received what was sent before.
    Full,
    /// The session has ended.
    Closed,
}

/// Where packets of one client wait until its transport takes them.
pub(super) trait Queue {
    /// Sends all of these packets, or none.
    fn send(&self, step: &[Str]) -> Result<(), QueueError>;
}

impl<D: Default + Send + Sync> Queue for Socket<D> {
    fn send(&self, step: &[Str]) -> Result<(), QueueError> {
        if self.is_closed() {
            return Err(QueueError::Closed);
        }
        let permits: Result<Vec<Permit<'_>>, _> =
            (0..step.len() + KEPT_FREE).map(|_| self.reserve()).collect();
        // Of the two errors, a closed queue is told by the line above, and soon.
        let permits = permits.map_err(|_| QueueError::Full)?;
        for (permit, packet) in permits.into_iter().zip(step) {
            METRICS.bytes_sent.add(u64::try_from(packet.len()).unwrap_or(u64::MAX));
            permit.emit(packet.clone());
        }
        METRICS.frames_sent.add(u64::try_from(step.len()).unwrap_or(u64::MAX));
        Ok(())
    }
}

/// The packets that wait: those of an update, which many clients share, and then those for this client alone.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    update: Option<Arc<[Str]>>,
    /// The number of packets of the update that are sent.
    sent: usize,
    own: VecDeque<Str>,
}

impl Outgoing {
    /// Whether everything is sent: only then an update may be added.
    pub(super) fn is_empty(&self) -> bool {
        self.update.is_none() && self.own.is_empty()
    }

    /// Adds the packets of an update.
    pub(super) fn add_update(&mut self, packets: Arc<[Str]>) {
        if self.is_empty() {
            (self.update, self.sent) = ((!packets.is_empty()).then_some(packets), 0);
        } else {
            self.own.extend(packets.iter().cloned());
        }
    }

    /// Adds a packet for this client alone, after all others.
    pub(super) fn push(&mut self, packet: impl Into<Str>) {
        self.own.push_back(packet.into());
    }

    /// Sends step by step; a step that fails is sent again by the next call.
    pub(super) fn send_to(&mut self, queue: &impl Queue) -> Result<(), QueueError> {
        while let Some(update) = &self.update {
            let rest = update.get(self.sent..).unwrap_or_default();
            let step = rest.get(..LONGEST_STEP).unwrap_or(rest);
            queue.send(step)?;
            self.sent += step.len();
            if self.sent >= update.len() {
                self.update = None;
            }
        }
        while !self.own.is_empty() {
            let step = self.own.make_contiguous();
            let step = step.get(..LONGEST_STEP).unwrap_or(step);
            queue.send(step)?;
            let length = step.len();
            self.own.drain(..length);
        }
        // An idle client keeps no buffer.
        self.own = VecDeque::new();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use proptest::prelude::*;

    use super::*;

    /// A queue that takes so many packets, and then is full until it is emptied.
    struct Bounded {
        free: RefCell<usize>,
        sent: RefCell<Vec<String>>,
    }

    impl Queue for Bounded {
        fn send(&self, step: &[Str]) -> Result<(), QueueError> {
            let mut free = self.free.borrow_mut();
            *free = free.checked_sub(step.len()).ok_or(QueueError::Full)?;
            self.sent.borrow_mut().extend(step.iter().map(ToString::to_string));
            Ok(())
        }
    }

    fn packets(texts: &[String]) -> Arc<[Str]> {
        texts.iter().cloned().map(Str::from).collect()
    }

    proptest! {
        /// Whatever the queue takes at a time, each packet is sent once, and in order.
        #[test]
        fn every_packet_is_sent_once_and_in_order(
            update in prop::collection::vec("[a-z]{1,3}", 0..200),
            own in prop::collection::vec("[A-Z]{1,3}", 0..60),
            later in prop::collection::vec("[0-9]{1,3}", 0..60),
            free in prop::collection::vec(0..150_usize, 1..60),
        ) {
            let mut outgoing = Outgoing::default();
            outgoing.add_update(packets(&update));
            own.iter().cloned().for_each(|packet| outgoing.push(packet));
            outgoing.add_update(packets(&later));
            let queue = Bounded { free: RefCell::new(0), sent: RefCell::default() };
            for free in free.into_iter().chain([LONGEST_STEP; 20]) {
                *queue.free.borrow_mut() = free;
                let is_done = outgoing.send_to(&queue).is_ok();
                prop_assert_eq!(is_done, outgoing.is_empty());
            }
            let expected: Vec<String> = [update, own, later].concat();
            prop_assert_eq!(queue.sent.into_inner(), expected);
        }
    }

    #[test]
    fn steps_fit_the_queue() {
        const { assert!(LONGEST_STEP + KEPT_FREE <= QUEUE_LENGTH) };
    }
}
