//! What is on its way to a client.

use std::collections::VecDeque;

use crate::presence::frame::{Batch, Frame};

/// The frames that bring a client to the position that its membership is at already,
/// and what it is told besides.
#[derive(Debug, Default)]
pub struct Outbox {
    /// These belong together.
    batch: Batch,
    /// What comes when the batch is through: refusals and beats, for one client only.
    after: VecDeque<Frame>,
}

impl Outbox {
    /// Whether all is said: only then there can be more news.
    pub fn is_empty(&self) -> bool {
        self.batch.is_empty() && self.after.is_empty()
    }

    /// How many frames there are left.
    pub(super) fn len(&self) -> usize {
        self.remaining().count()
    }

    /// What is left, in order.
    pub fn remaining(&self) -> impl Iterator<Item = &Frame> {
        self.batch.remaining().chain(&self.after)
    }

    /// Takes the next frame out.
    pub fn take_next(&mut self) -> Option<Frame> {
        let next = self.batch.take_next().or_else(|| self.after.pop_front());
        // Nothing is kept of what was sent: neither the list that it was nor the room that it took.
        if self.is_empty() {
            *self = Self::default();
        }
        next
    }

    /// Says this when all that waits is through.
    pub(super) fn push(&mut self, frame: Frame) {
        self.after.push_back(frame);
    }

    /// Goes on with news; they are taken only when all is said.
    pub(super) fn extend_with(&mut self, news: Batch) {
        if self.batch.is_empty() {
            self.batch = news;
        } else {
            self.after.extend(news);
        }
    }
}
