//! One direction of a connection: ordered, delayed, bounded, and able to fail.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use fastrand::Rng;
use tokio::time::{Instant, Sleep, sleep_until};

/// One direction of a connection. Messages arrive in order and delayed, or never.
#[derive(Debug)]
pub(crate) struct Pipe<T> {
    state: Arc<Mutex<State<T>>>,
}

/// The delay and the capacity of a pipe.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PipeConfig {
    /// The delay of every message.
    pub(crate) latency: Duration,
    /// The largest additional random delay.
    pub(crate) jitter: Duration,
    /// The number of messages in flight at which the writer has to wait.
    pub(crate) capacity: usize,
}

/// How a pipe ends for its reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PipeEnd {
    /// After all messages.
    Finished,
    /// At once: messages in flight are lost.
    Reset,
}

/// The pipe is broken for its writer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Broken;

#[derive(Debug)]
struct State<T> {
    config: PipeConfig,
    rng: Rng,
    in_flight: VecDeque<(Instant, T)>,
    /// The last arrival: messages don't overtake each other.
    last_arrival: Instant,
    /// Whether delivery is suspended.
    is_stalled: bool,
    end: Option<(Instant, PipeEnd)>,
    /// Whether the writer finds no room, whatever is in flight.
    is_blocked: bool,
    /// When the writer notices that the pipe is broken.
    writer_broken_at: Option<Instant>,
    /// The number of further messages before the pipe breaks.
    break_after_messages: Option<u32>,
    /// Whether the reader is gone: further messages are dropped.
    is_reader_closed: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl<T> Clone for Pipe<T> {
    fn clone(&self) -> Self {
        Self { state: Arc::clone(&self.state) }
    }
}

impl<T> Pipe<T> {
    pub(crate) fn new(config: PipeConfig, rng: Rng) -> Self {
        let state = State {
            config,
            rng,
            in_flight: VecDeque::new(),
            last_arrival: Instant::now(),
            is_stalled: false,
            end: None,
            is_blocked: false,
            writer_broken_at: None,
            break_after_messages: None,
            is_reader_closed: false,
            reader: None,
            writer: None,
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Ready when there is capacity for a message.
    pub(crate) fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        if self.is_ready()? {
            return Poll::Ready(Ok(()));
        }
        self.lock().writer = Some(context.waker().clone());
        Poll::Pending
    }

    /// Whether there is capacity for a message.
    pub(crate) fn is_ready(&self) -> Result<bool, Broken> {
        let state = self.lock();
        if state.writer_broken_at.is_some_and(|at| at <= Instant::now()) {
            return Err(Broken);
        }
        let has_room = !state.is_blocked && state.in_flight.len() < state.config.capacity;
        Ok(state.is_reader_closed || has_room)
    }

    /// Sends a message.
    pub(crate) fn write(&self, message: T) {
        let mut state = self.lock();
        if state.is_reader_closed || state.end.is_some() {
            return;
        }
        let arrival = state.next_arrival();
        match &mut state.break_after_messages {
            Some(0) => state.end = Some((arrival, PipeEnd::Finished)),
            left => {
                if let Some(left) = left {
                    *left -= 1;
                }
                state.in_flight.push_back((arrival, message));
            }
        }
        state.wake_reader();
    }

    /// Ends the pipe after all messages.
    pub(crate) fn finish(&self) {
        let mut state = self.lock();
        if state.end.is_none() {
            let arrival = state.next_arrival();
            state.end = Some((arrival, PipeEnd::Finished));
            state.wake_reader();
        }
    }

    /// Breaks the pipe for the reader after this time.
    pub(crate) fn reset_for_reader(&self, after: Duration) {
        let mut state = self.lock();
        state.end = Some((Instant::now() + after, PipeEnd::Reset));
        state.wake_reader();
    }

    /// Breaks the pipe for the writer after this time.
    pub(crate) fn reset_for_writer(&self, after: Duration) {
        let mut state = self.lock();
        state.writer_broken_at = Some(Instant::now() + after);
        state.wake_writer();
    }

    /// Whether the writer finds no room from now on, whatever is in flight.
    pub(crate) fn set_blocked(&self, is_blocked: bool) {
        let mut state = self.lock();
        state.is_blocked = is_blocked;
        if !is_blocked {
            state.wake_writer();
        }
    }

    /// Breaks the pipe for the reader after so many more messages.
    pub(crate) fn break_after(&self, messages: u32) {
        self.lock().break_after_messages = Some(messages);
    }

    /// Suspends or resumes delivery.
    pub(crate) fn set_stalled(&self, is_stalled: bool) {
        let mut state = self.lock();
        state.is_stalled = is_stalled;
        state.wake_reader();
    }

    /// Changes the delay of further messages.
    pub(crate) fn set_latency(&self, latency: Duration) {
        self.lock().config.latency = latency;
    }

    /// Marks the reader as gone.
    pub(crate) fn close_reader(&self) {
        let mut state = self.lock();
        state.is_reader_closed = true;
        state.in_flight.clear();
        state.wake_writer();
    }

    /// Whether the reader is gone.
    pub(crate) fn is_reader_closed(&self) -> bool {
        self.lock().is_reader_closed
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn next_arrival(&mut self) -> Instant {
        let jitter = u64::try_from(self.config.jitter.as_millis()).unwrap_or_default();
        let jitter = Duration::from_millis(self.rng.u64(0..=jitter));
        let arrival = Instant::now() + self.config.latency + jitter;
        self.last_arrival = self.last_arrival.max(arrival);
        self.last_arrival
    }

    fn wake_reader(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    fn wake_writer(&mut self) {
        if let Some(writer) = self.writer.take() {
            writer.wake();
        }
    }
}

/// The reading end of a pipe, with its timer.
#[derive(Debug)]
pub(crate) struct PipeReader<T> {
    pipe: Pipe<T>,
    sleep: Pin<Box<Sleep>>,
}

/// What a reader receives.
#[derive(Debug)]
pub(crate) enum Received<T> {
    Message(T),
    Ended(PipeEnd),
}

impl<T> PipeReader<T> {
    pub(crate) fn new(pipe: Pipe<T>) -> Self {
        Self { pipe, sleep: Box::pin(sleep_until(Instant::now())) }
    }

    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Received<T>> {
        loop {
            let next = {
                let mut state = self.pipe.lock();
                let now = Instant::now();
                if let Some((at, PipeEnd::Reset)) = state.end
                    && at <= now
                {
                    state.in_flight.clear();
                    return Poll::Ready(Received::Ended(PipeEnd::Reset));
                }
                let front = state.in_flight.front().map(|(arrival, _)| *arrival);
                if !state.is_stalled {
                    if front.is_some_and(|arrival| arrival <= now)
                        && let Some((_, message)) = state.in_flight.pop_front()
                    {
                        state.wake_writer();
                        return Poll::Ready(Received::Message(message));
                    }
                    if let Some((at, end)) = state.end
                        && front.is_none()
                        && at <= now
                    {
                        return Poll::Ready(Received::Ended(end));
                    }
                }
                state.reader = Some(context.waker().clone());
                let front = front.filter(|_| !state.is_stalled);
                let end = state.end.filter(|(_, end)| {
                    *end == PipeEnd::Reset || (!state.is_stalled && front.is_none())
                });
                front.into_iter().chain(end.map(|(at, _)| at)).min()
            };
            let Some(next) = next else { return Poll::Pending };
            self.sleep.as_mut().reset(next);
            match self.sleep.as_mut().poll(context) {
                Poll::Ready(()) => {}
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}
