//! What is on its way to a client.

use std::collections::VecDeque;

use registry::encoding::frame::{Batch, Frame};

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
    fn nothing_comes_in_between_what_belongs_together() {
        let mut outbox = Outbox::from(Batch::from(frames(&["list", "more", "last"])));
        assert_eq!(outbox.take_next(), Some(Frame::new("list")));
        outbox.push(Frame::new("refused"));
        outbox.extend_with(frames(&["changes"]).into());
        let rest: Vec<Frame> = std::iter::from_fn(|| outbox.take_next()).collect();
        assert_eq!(rest, frames(&["more", "last", "refused", "changes"]));
        assert!(outbox.is_empty());
    }
}
