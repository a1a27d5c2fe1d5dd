//! Output that neither holds up nor ends the program: a thread of its own writes the lines.

use std::{
    io::{self, ErrorKind, Write},
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use tracing_subscriber::fmt::MakeWriter;

use super::metrics::Counter;

/// How much may wait to be written, in bytes: some thousand lines of the log.
const MAX_QUEUED_BYTES: usize = 1 << 20;

/// The capacity that the queue keeps when it is empty, in bytes.
const IDLE_CAPACITY: usize = 1 << 14;

/// How soon a destination that takes nothing for now (`EAGAIN`) is tried again.
const RETRY_INTERVAL: Duration = Duration::from_millis(20);

/// A writer whose writes never wait and never fail: lines that find the queue full, or that can't be written,
/// are dropped and counted.
#[derive(Clone, Debug)]
pub struct BackgroundWriter {
    queue: Arc<Queue>,
}

#[derive(Debug)]
struct Queue {
    pending: Mutex<Pending>,
    changed: Condvar,
    dropped_lines: &'static Counter,
}

/// Whole lines.
#[derive(Debug, Default)]
struct Pending {
    lines: Vec<u8>,
    /// The thread has taken lines, and has not written them yet.
    is_writing: bool,
}

impl BackgroundWriter {
    /// Starts the thread, which runs until the process ends.
    pub fn start(
        destination: impl Write + Send + 'static,
        dropped_lines: &'static Counter,
    ) -> io::Result<Self> {
        let queue =
            Arc::new(Queue { pending: Mutex::default(), changed: Condvar::new(), dropped_lines });
        let writer = Self { queue: Arc::clone(&queue) };
        thread::Builder::new().name("output".into()).spawn(move || queue.write_to(destination))?;
        Ok(writer)
    }

    /// Waits until everything is written or dropped, for at most this long: a pipe may be full for ever.
    pub fn flush_within(&self, timeout: Duration) {
        let unwritten = |pending: &mut Pending| pending.is_writing || !pending.lines.is_empty();
        // Without its thread nothing would be written, however long this waits.
        let _ = self.queue.changed.wait_timeout_while(self.queue.lock(), timeout, unwritten);
    }
}

impl Write for &BackgroundWriter {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        self.queue.push(lines);
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for BackgroundWriter {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, lines: &[u8]) {
        let mut pending = self.lock();
        if pending.lines.len() + lines.len() > MAX_QUEUED_BYTES {
            self.dropped_lines.add(count_lines(lines));
            return;
        }
        pending.lines.extend_from_slice(lines);
        drop(pending);
        self.changed.notify_all();
    }

    fn write_to(&self, mut destination: impl Write) {
        let mut batch = Vec::new();
        let mut is_torn = false;
        let mut reported = 0;
        loop {
            batch.clear();
            batch.shrink_to(IDLE_CAPACITY);
            self.take(&mut batch);
            // A disk was full in the middle of a line: the next one must not continue it.
            is_torn = is_torn && write_what_fits(&mut destination, b"\n") == 0;
            let written = write_what_fits(&mut destination, &batch);
            let (complete, rest) = batch.split_at(written);
            is_torn = complete.last().map_or(is_torn, |last| *last != b'\n');
            self.dropped_lines.add(count_lines(rest));
            let dropped = self.dropped_lines.value();
            if rest.is_empty() && dropped > reported {
                tracing::warn!(since_start = dropped, "log lines were dropped");
                reported = dropped;
            }
        }
    }

    /// Waits for lines, and takes all of them.
    fn take(&self, batch: &mut Vec<u8>) {
        let mut pending = self.lock();
        pending.is_writing = false;
        self.changed.notify_all();
        let is_empty = |pending: &mut Pending| pending.lines.is_empty();
        let waited = self.changed.wait_while(pending, is_empty);
        let mut pending = waited.unwrap_or_else(PoisonError::into_inner);
        mem::swap(&mut pending.lines, batch);
        pending.is_writing = true;
    }
}

/// Returns how many bytes were written before the destination failed.
fn write_what_fits(destination: &mut impl Write, bytes: &[u8]) -> usize {
    let mut written = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        match destination.write(rest) {
            Ok(0) => break,
            Ok(count) => written += count,
            Err(error) => match error.kind() {
                ErrorKind::Interrupted => {}
                // Standard error may be shared with a program that made it non-blocking.
                ErrorKind::WouldBlock => thread::sleep(RETRY_INTERVAL),
                _ => break,
            },
        }
    }
    written
}

fn count_lines(lines: &[u8]) -> u64 {
    lines.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// What the destination does with the next write; it waits until it is told.
    enum Next {
        Take(usize),
        Fail(ErrorKind),
    }

    struct Destination {
        next: Receiver<Next>,
        written: Sender<Vec<u8>>,
    }

    impl Write for Destination {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // When the test has ended the thread waits for nothing more.
            match self.next.recv().unwrap_or(Next::Fail(ErrorKind::BrokenPipe)) {
                Next::Take(most) => {
                    let taken = &bytes[..most.min(bytes.len())];
                    let _ = self.written.send(taken.to_vec());
                    Ok(taken.len())
                }
                Next::Fail(kind) => Err(kind.into()),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn start(dropped: &'static Counter) -> (BackgroundWriter, Sender<Next>, Receiver<Vec<u8>>) {
        let ((tell, next), (written, look)) = (channel(), channel());
        (BackgroundWriter::start(Destination { next, written }, dropped).unwrap(), tell, look)
    }

    fn write(writer: &BackgroundWriter, lines: &str) {
        let mut writer = writer;
        writer.write_all(lines.as_bytes()).unwrap();
    }

    const NO_LIMIT: Duration = Duration::from_mins(1);

    #[test]
    fn writes_never_wait_and_what_does_not_fit_is_counted() {
        static DROPPED: Counter = Counter::new();
        let (writer, tell, look) = start(&DROPPED);
        let line = format!("{}\n", "a".repeat(999));
        // The destination takes nothing, and these writes return nevertheless.
        for _ in 0..5_000 {
            write(&writer, &line);
        }
        let dropped = DROPPED.value();
        // One batch may be with the thread, and one waits.
        assert!((5_000 - 2 * 1_048..=5_000 - 1_048).contains(&dropped), "{dropped}");
        writer.flush_within(Duration::ZERO);
        for _ in 0..2 {
            tell.send(Next::Take(usize::MAX)).unwrap();
        }
        drop(tell);
        writer.flush_within(NO_LIMIT);
        let written: usize = look.try_iter().map(|batch| batch.len() / line.len()).sum();
        assert_eq!(u64::try_from(written).unwrap() + DROPPED.value(), 5_000);
    }

    #[test]
    fn failed_lines_are_counted_and_the_next_one_begins_a_line() {
        static DROPPED: Counter = Counter::new();
        let (writer, tell, look) = start(&DROPPED);
        write(&writer, "one\ntwo\n");
        tell.send(Next::Take(5)).unwrap();
        tell.send(Next::Fail(ErrorKind::StorageFull)).unwrap();
        writer.flush_within(NO_LIMIT);
        assert_eq!((look.recv().unwrap().as_slice(), DROPPED.value()), (&b"one\nt"[..], 1));
        // No room for the line break, nor for the line.
        tell.send(Next::Fail(ErrorKind::StorageFull)).unwrap();
        tell.send(Next::Fail(ErrorKind::StorageFull)).unwrap();
        write(&writer, "three\n");
        writer.flush_within(NO_LIMIT);
        assert_eq!(DROPPED.value(), 2);
        tell.send(Next::Take(1)).unwrap();
        tell.send(Next::Take(2)).unwrap();
        tell.send(Next::Fail(ErrorKind::Interrupted)).unwrap();
        tell.send(Next::Fail(ErrorKind::WouldBlock)).unwrap();
        tell.send(Next::Take(usize::MAX)).unwrap();
        write(&writer, "four\n");
        writer.flush_within(NO_LIMIT);
        assert_eq!(look.try_iter().collect::<Vec<_>>().concat(), b"\nfour\n");
        assert_eq!(DROPPED.value(), 2);
    }
}
