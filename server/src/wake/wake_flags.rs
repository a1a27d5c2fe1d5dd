//! What wakes a waiting task: one bell for all that it may have to be told.

use std::{
    sync::atomic::{AtomicU8, Ordering},
    task::{Context, Poll},
};

use futures_util::task::AtomicWaker;

/// Rings for one task, whatever there is to tell it.
///
/// To wait for several things at once, a task would else enter the waiting list of each, behind a lock of
/// each, every time that it wakes: with a thousand tasks woken at once that costs more than what they do.
#[derive(Debug, Default)]
pub struct Doorbell {
    signals: AtomicU8,
    waker: AtomicWaker,
}

/// Why a bell rang; several reasons at once are one ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signals(u8);

impl Signals {
    /// There may be news.
    pub const NEWS: Self = Self(1);
    /// A time that was waited for has come.
    pub const TIME: Self = Self(2);
    /// Another socket has this one's tab.
    pub const REPLACED: Self = Self(4);
    /// The server goes down.
    pub const CLOSING: Self = Self(8);
    /// The operator closed the room.
    pub const ROOM_CLOSED: Self = Self(16);

    /// Whether it rang for this reason, among others.
    pub fn include(self, reason: Self) -> bool {
        self.0 & reason.0 != 0
    }
}

impl Doorbell {
    /// Wakes whoever waits, now or when they wait next.
    pub fn ring(&self, reason: Signals) {
        // Who was woken for this reason and has not looked yet need not be woken again.
        if self.signals.fetch_or(reason.0, Ordering::AcqRel) & reason.0 == 0 {
            self.waker.wake();
        }
    }

    /// Nobody waits any more: what wakes them is not kept.
    pub fn unplug(&self) {
        drop(self.waker.take());
    }

    /// Why it rang since it was asked last; pending while it has not.
    pub fn poll(&self, context: &mut Context<'_>) -> Poll<Signals> {
        // In this order: a ring in between wakes the waker that is there already.
        self.waker.register(context.waker());
        match self.signals.swap(0, Ordering::AcqRel) {
            0 => Poll::Pending,
            signals => Poll::Ready(Signals(signals)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, sync::Arc};

    use futures_util::FutureExt;

    use super::*;

    fn rung(bell: &Doorbell) -> Option<Signals> {
        poll_fn(|context| bell.poll(context)).now_or_never()
    }

    #[test]
    fn reasons_gather_until_somebody_looks_and_are_told_once() {
        let bell = Doorbell::default();
        assert_eq!(rung(&bell), None);
        bell.ring(Signals::NEWS);
        bell.ring(Signals::TIME);
        bell.ring(Signals::NEWS);
        let signals = rung(&bell).unwrap();
        assert!(signals.include(Signals::NEWS) && signals.include(Signals::TIME));
        assert!(!signals.include(Signals::REPLACED) && !signals.include(Signals::CLOSING));
        assert_eq!(rung(&bell), None);
    }

    #[tokio::test]
    async fn every_ring_is_heard_by_one_who_looks_again_and_again() {
        const RINGS: usize = 1_000;
        let bell = Arc::new(Doorbell::default());
        let heard = tokio::spawn({
            let bell = Arc::clone(&bell);
            async move {
                let mut heard = 0;
                while !poll_fn(|context| bell.poll(context)).await.include(Signals::CLOSING) {
                    heard += 1;
                }
                heard
            }
        });
        for _ in 0..RINGS {
            bell.ring(Signals::NEWS);
            tokio::task::yield_now().await;
        }
        bell.ring(Signals::CLOSING);
        assert_eq!(heard.await.unwrap(), RINGS);
    }
}
