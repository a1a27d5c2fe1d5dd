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
pub struct WakeFlags {
    signals: AtomicU8,
    waker: AtomicWaker,
}

/// Why a bell rang; several reasons at once are one ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WakeReasons(u8);

impl WakeReasons {
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
    pub fn contains(self, reason: Self) -> bool {
        self.0 & reason.0 != 0
    }
}

impl WakeFlags {
    /// Wakes whoever waits, now or when they wait next.
    pub fn notify(&self, reason: WakeReasons) {
        // Who was woken for this reason and has not looked yet need not be woken again.
        if self.signals.fetch_or(reason.0, Ordering::AcqRel) & reason.0 == 0 {
            self.waker.wake();
        }
    }

    /// Nobody waits any more: what wakes them is not kept.
    pub fn detach(&self) {
        drop(self.waker.take());
    }

    /// Why it rang since it was asked last; pending while it has not.
    pub fn poll(&self, context: &mut Context<'_>) -> Poll<WakeReasons> {
        // In this order: a ring in between wakes the waker that is there already.
        self.waker.register(context.waker());
        match self.signals.swap(0, Ordering::AcqRel) {
            0 => Poll::Pending,
            signals => Poll::Ready(WakeReasons(signals)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, sync::Arc};

    use futures_util::FutureExt;

    use super::*;

    fn rung(flags: &WakeFlags) -> Option<WakeReasons> {
        poll_fn(|context| flags.poll(context)).now_or_never()
    }

    #[test]
    fn reasons_gather_until_somebody_looks_and_are_told_once() {
        let flags = WakeFlags::default();
        assert_eq!(rung(&flags), None);
        flags.notify(WakeReasons::NEWS);
        flags.notify(WakeReasons::TIME);
        flags.notify(WakeReasons::NEWS);
        let signals = rung(&flags).unwrap();
        assert!(signals.contains(WakeReasons::NEWS) && signals.contains(WakeReasons::TIME));
        assert!(
            !signals.contains(WakeReasons::REPLACED) && !signals.contains(WakeReasons::CLOSING)
        );
        assert_eq!(rung(&flags), None);
    }

    #[tokio::test]
    async fn every_ring_is_heard_by_one_who_looks_again_and_again() {
        const RINGS: usize = 1_000;
        let flags = Arc::new(WakeFlags::default());
        let heard = tokio::spawn({
            let flags = Arc::clone(&flags);
            async move {
                let mut heard = 0;
                while !poll_fn(|context| flags.poll(context)).await.contains(WakeReasons::CLOSING) {
                    heard += 1;
                }
                heard
            }
        });
        for _ in 0..RINGS {
            flags.notify(WakeReasons::NEWS);
            tokio::task::yield_now().await;
        }
        flags.notify(WakeReasons::CLOSING);
        assert_eq!(heard.await.unwrap(), RINGS);
    }
}
