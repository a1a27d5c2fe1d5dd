//! Frames that a broadcast writes to a socket itself, so that the socket's task need not be woken.

use std::{
    fmt::Debug,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError},
};

use bytes::Bytes;

/// A socket that others than its own task may write to.
pub trait DirectSocket: Debug + Send + Sync {
    /// Writes as many of these bytes as the socket takes at once. An error, also [`io::ErrorKind::WouldBlock`], means
    /// that it took none.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize>;
}

/// How far a reader has been sent the log of its room. A later position is greater: no number of a room goes back within
/// a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LogPosition {
    /// Counts the epochs of the room on this server.
    pub(crate) generation: u32,
    pub(crate) seq: u64,
}

/// Who may write to a socket: its task, or else a broadcast.
///
/// 1. The task has the right from the first line of a poll until it is pending, and for good once it ends. It gives the
///    right away only where it has nothing to write: its outbox is empty and flushed, no frame is written in part, no
///    reply or beat is due. So pings, refusals, beats and goodbyes need no order of their own.
/// 2. A broadcast moves [`WriteRight::AtRest`] from the position before it to the one after it, or to
///    [`WriteRight::Begun`], and wakes the task after the latter. It never touches the reader's cursor: the task moves
///    it when it takes the right back.
/// 3. The task asks its wake flags before it takes the right and before it reads the room, in the same poll. Whoever
///    finds the right taken wakes the task after that, so that no broadcast is missed.
/// 4. Broadcasts may overlap or overtake one another: positions are compared and never assumed. A reader at another
///    position is woken, and reads what it lacks.
#[derive(Debug, Default)]
pub(crate) struct DirectWrites(Mutex<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// `None` for readers that are not sockets, or whose bytes are encrypted by their task.
    socket: Option<Arc<dyn DirectSocket>>,
    right: WriteRight,
}

#[derive(Debug, Default)]
enum WriteRight {
    /// The task has it.
    #[default]
    Taken,
    /// All frames up to this position are written.
    AtRest(LogPosition),
    /// The frame that leads to a position is written in part; the task writes the rest. In a box, since it is rare.
    Begun(Box<BegunFrame>),
}

/// A frame that was written in part.
#[derive(Debug)]
struct BegunFrame {
    leads_to: LogPosition,
    rest: Bytes,
}

/// What broadcasts wrote while a task was at rest.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// The position after all of it.
    pub(crate) at: LogPosition,
    /// The rest of the last frame, which has to be written before anything else.
    pub(crate) rest: Option<Bytes>,
}

/// What came of a broadcast to one reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// The frame is written.
    Written,
    /// The reader was sent it before.
    Known,
    /// The task has to be woken: it writes the frame, or the rest of it.
    NeedsTask,
}

impl DirectWrites {
    /// From now on broadcasts may write to this socket, while the task lets them.
    pub(crate) fn allow(&self, socket: Arc<dyn DirectSocket>) {
        self.lock().socket = Some(socket);
    }

    /// The reader has ended: nobody writes any more, and the socket is no longer kept from here.
    pub(crate) fn end(&self) {
        *self.lock() = Shared::default();
    }

    /// The task takes the right to write; `None` if it had it.
    pub(crate) fn take(&self) -> Option<Written> {
        match std::mem::take(&mut self.lock().right) {
            WriteRight::Taken => None,
            WriteRight::AtRest(at) => Some(Written { at, rest: None }),
            WriteRight::Begun(frame) => {
                let BegunFrame { leads_to, rest } = *frame;
                Some(Written { at: leads_to, rest: Some(rest) })
            }
        }
    }

    /// The task has nothing to write, and has written all up to this position. It is about to be pending.
    pub(crate) fn give(&self, at: LogPosition) {
        let mut shared = self.lock();
        if shared.socket.is_some() {
            shared.right = WriteRight::AtRest(at);
        }
    }

    /// Writes the frame of a broadcast that leads from one position to another, if the task is at rest there.
    pub(crate) fn write(&self, from: LogPosition, to: LogPosition, frame: &Bytes) -> Delivery {
        let mut shared = match self.0.try_lock() {
            Ok(shared) => shared,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // The task takes the right or gives it away just now, or another broadcast writes.
            Err(TryLockError::WouldBlock) => return Delivery::NeedsTask,
        };
        let Shared { socket: Some(socket), right } = &mut *shared else {
            return Delivery::NeedsTask;
        };
        match right {
            WriteRight::AtRest(at) if *at >= to => Delivery::Known,
            WriteRight::AtRest(at) if *at == from => match socket.try_write(frame) {
                Ok(written) if written == frame.len() => {
                    *at = to;
                    Delivery::Written
                }
                Ok(written) if written > 0 => {
                    let rest = frame.slice(written..);
                    *right = WriteRight::Begun(Box::new(BegunFrame { leads_to: to, rest }));
                    Delivery::NeedsTask
                }
                // The task finds the same error, or waits until the socket takes more.
                Ok(_) | Err(_) => Delivery::NeedsTask,
            },
            WriteRight::AtRest(_) | WriteRight::Begun(_) | WriteRight::Taken => Delivery::NeedsTask,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
