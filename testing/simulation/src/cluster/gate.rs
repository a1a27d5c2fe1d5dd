//! A process that is stopped: its tasks are not polled until it goes on.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
};

use crate::sync::lock;

/// Stops and continues tasks.
#[derive(Clone, Debug, Default)]
pub(super) struct Gate {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    is_stopped: AtomicBool,
    wakers: Mutex<Vec<Waker>>,
}

impl Gate {
    pub(super) fn stop(&self) {
        self.shared.is_stopped.store(true, Ordering::Relaxed);
    }

    pub(super) fn go_on(&self) {
        self.shared.is_stopped.store(false, Ordering::Relaxed);
        lock(&self.shared.wakers).drain(..).for_each(Waker::wake);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.shared.is_stopped.load(Ordering::Relaxed)
    }

    /// A future that is not polled while it is stopped.
    pub(super) fn hold<F: Future>(self, future: F) -> Held<F> {
        Held { gate: self, future: Box::pin(future) }
    }
}

/// A future behind a [`Gate`].
pub(super) struct Held<F> {
    gate: Gate,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Held<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        if self.gate.is_stopped() {
            lock(&self.gate.shared.wakers).push(context.waker().clone());
            return Poll::Pending;
        }
        self.future.as_mut().poll(context)
    }
}
