//! Wakes one task for several reasons.

use std::{
    sync::atomic::{AtomicU8, Ordering},
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::task::AtomicWaker;

use super::direct_write::{Delivery, DirectWrites, LogPosition};

/// Wakes one task, and keeps the reasons until the task takes them. Broadcasts may spare it a wake by writing to its
/// socket themselves.
///
/// A task that waits for several notifiers enters the waiting list of each, behind its lock, whenever it is
/// polled. For a thousand tasks that are woken at once, that costs more than their work.
#[derive(Debug, Default)]
pub struct WakeFlags {
    reasons: AtomicU8,
    waker: AtomicWaker,
    pub(crate) direct_writes: DirectWrites,
}

/// A set of reasons for a wake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WakeReasons(u8);

impl WakeReasons {
    /// There may be new changes to read.
    pub const UPDATES: Self = Self(1);
    /// A deadline may have come.
    pub const TIME: Self = Self(2);
    /// Another socket has taken over the tab.
    pub const REPLACED: Self = Self(4);
    /// The server shuts down.
    pub const CLOSING: Self = Self(8);
    /// The operator closed the room.
    pub const ROOM_CLOSED: Self = Self(16);
    /// A request that was under way has its answer.
    pub const REPLY: Self = Self(32);
    /// The lists of this server are old from now on, or no longer.
    pub const FRESHNESS: Self = Self(64);

    /// Whether this reason is in the set.
    pub fn contains(self, reason: Self) -> bool {
        self.0 & reason.0 != 0
    }
}

impl WakeFlags {
    /// Adds a reason, and wakes the task.
    pub fn notify(&self, reason: WakeReasons) {
        // A task that has not taken this reason yet is woken already.
        if self.reasons.fetch_or(reason.0, Ordering::AcqRel) & reason.0 == 0 {
            self.waker.wake();
        }
    }

    /// Whether there are reasons that the task has not taken yet. Once no task can run, that is a lost wake.
    pub fn has_reasons(&self) -> bool {
        self.reasons.load(Ordering::Acquire) != 0
    }

    /// Writes the frame of a broadcast to the task's socket, or else wakes the task.
    pub(crate) fn deliver(&self, from: LogPosition, to: LogPosition, frame: &Bytes) -> Delivery {
        let delivery = self.direct_writes.write(from, to, frame);
        if delivery == Delivery::NeedsTask {
            self.notify(WakeReasons::UPDATES);
        }
        delivery
    }

    /// The task has ended: its waker and its socket are dropped, although the flags may live on.
    pub fn detach(&self) {
        drop(self.waker.take());
        self.direct_writes.end();
    }

    /// Takes the reasons since the last call; pending while there are none.
    pub fn poll(&self, context: &mut Context<'_>) -> Poll<WakeReasons> {
        // In this order: a reason that is added in between wakes the new waker.
        self.waker.register(context.waker());
        match self.reasons.swap(0, Ordering::AcqRel) {
            0 => Poll::Pending,
            reasons => Poll::Ready(WakeReasons(reasons)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, sync::Arc};

    use futures_util::FutureExt;

    use super::*;

    fn take_reasons(flags: &WakeFlags) -> Option<WakeReasons> {
        poll_fn(|context| flags.poll(context)).now_or_never()
    }

    #[test]
    fn reasons_accumulate_until_they_are_taken_once() {
        let flags = WakeFlags::default();
        assert_eq!(take_reasons(&flags), None);
        assert!(!flags.has_reasons());
        flags.notify(WakeReasons::UPDATES);
        flags.notify(WakeReasons::TIME);
        assert!(flags.has_reasons());
        flags.notify(WakeReasons::UPDATES);
        let reasons = take_reasons(&flags).unwrap();
        assert!(reasons.contains(WakeReasons::UPDATES) && reasons.contains(WakeReasons::TIME));
        assert!(
            !reasons.contains(WakeReasons::REPLACED) && !reasons.contains(WakeReasons::CLOSING)
        );
        assert_eq!(take_reasons(&flags), None);
    }

    #[tokio::test]
    async fn every_wake_reaches_a_task_that_polls_in_a_loop() {
        const WAKES: usize = 1_000;
        let flags = Arc::new(WakeFlags::default());
        let task = tokio::spawn({
            let flags = Arc::clone(&flags);
            async move {
                let mut wakes = 0;
                while !poll_fn(|context| flags.poll(context)).await.contains(WakeReasons::CLOSING) {
                    wakes += 1;
                }
                wakes
            }
        });
        for _ in 0..WAKES {
            flags.notify(WakeReasons::UPDATES);
            tokio::task::yield_now().await;
        }
        flags.notify(WakeReasons::CLOSING);
        assert_eq!(task.await.unwrap(), WAKES);
    }
}
