//! The frames to send to one client.

use std::collections::VecDeque;

use registry::encoding::frame::{Batch, Frame};

/// The frames that bring a client to its membership's position, and frames for this client only.
#[derive(Debug, Default)]
pub struct Outbox {
    /// Updates, between which no other frame may be sent.
    batch: Batch,
    /// Sent after the batch: refusals and beats, for this client only.
    after: VecDeque<Frame>,
}

impl Outbox {
    /// Whether all frames are sent: only then more updates may be added.
    pub fn is_empty(&self) -> bool {
        self.batch.is_empty() && self.after.is_empty()
    }

    /// The number of remaining frames.
    pub(crate) fn len(&self) -> usize {
        self.remaining().count()
    }

    /// The remaining frames in order.
    pub fn remaining(&self) -> impl Iterator<Item = &Frame> {
        self.batch.remaining().chain(&self.after)
    }

    /// Removes the next frame.
    pub fn take_next(&mut self) -> Option<Frame> {
        let next = self.batch.take_next().or_else(|| self.after.pop_front());
        // Frees the shared list, and the queue's capacity.
        if self.is_empty() {
            *self = Self::default();
        }
        next
    }

    /// Adds a frame to send after all others.
    pub(crate) fn push(&mut self, frame: Frame) {
        self.after.push_back(frame);
    }

    /// Adds updates.
    pub(crate) fn extend_with(&mut self, updates: Batch) {
        if self.batch.is_empty() {
            self.batch = updates;
        } else {
            self.after.extend(updates);
        }
    }
}

impl From<Batch> for Outbox {
    fn from(batch: Batch) -> Self {
        Self { batch, after: VecDeque::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(texts: &[&str]) -> Vec<Frame> {
        texts.iter().map(|text| Frame::new(text)).collect()
    }

    #[test]
    fn a_batch_is_sent_without_other_frames_in_between() {
        let mut outbox = Outbox::from(Batch::from(frames(&["list", "more", "last"])));
        assert_eq!(outbox.take_next(), Some(Frame::new("list")));
        outbox.push(Frame::new("refused"));
        outbox.extend_with(frames(&["changes"]).into());
        let rest: Vec<Frame> = std::iter::from_fn(|| outbox.take_next()).collect();
        assert_eq!(rest, frames(&["more", "last", "refused", "changes"]));
        assert!(outbox.is_empty());
    }
}
