//! Direct writes against a task that may be anywhere between its steps.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use proptest::prelude::*;

use super::*;
use crate::wake::wake_flags::WakeFlags;

const GENERATION: u32 = 3;

fn at(seq: u64) -> LogPosition {
    LogPosition { generation: GENERATION, seq }
}

/// The frame that leads from one number to another, with a text of many bytes.
fn frame(from: u64, to: u64) -> Bytes {
    format!("[{from:05}>{to:05}]").into()
}

/// What a socket takes of the next bytes.
#[derive(Clone, Copy, Debug)]
enum Takes {
    All,
    Some(usize),
    Nothing,
    Fails,
}

#[derive(Debug)]
struct Pipe {
    received: Mutex<Vec<u8>>,
    takes: Mutex<Takes>,
}

impl Default for Pipe {
    fn default() -> Self {
        Self { received: Mutex::default(), takes: Mutex::new(Takes::All) }
    }
}

impl Pipe {
    fn write(&self, bytes: &[u8]) {
        self.received.lock().unwrap().extend_from_slice(bytes);
    }

    /// Where the frames that were received lead to; they have to continue one another.
    fn end_of_frames(&self) -> Result<u64, String> {
        let text = String::from_utf8(self.received.lock().unwrap().clone()).unwrap();
        let mut end = 0;
        for piece in text.split_inclusive(']') {
            let numbers = piece.strip_prefix('[').and_then(|piece| piece.strip_suffix(']'));
            let numbers = numbers.and_then(|numbers| numbers.split_once('>'));
            let Some((from, to)) = numbers else { return Err(format!("{piece} in {text}")) };
            if from.parse() != Ok(end) {
                return Err(format!("a frame from {from} at {end}: {text}"));
            }
            end = to.parse().map_err(|_| text.clone())?;
        }
        Ok(end)
    }
}

impl DirectSocket for Pipe {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let count = match *self.takes.lock().unwrap() {
            Takes::All => bytes.len(),
            Takes::Some(count) => count.min(bytes.len() - 1),
            Takes::Nothing => return Err(io::ErrorKind::WouldBlock.into()),
            Takes::Fails => return Err(io::ErrorKind::BrokenPipe.into()),
        };
        self.write(&bytes[..count]);
        Ok(count)
    }
}

#[derive(Debug, Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

/// The steps of a task in one poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Pending,
    HasRight,
    HasRead,
}

/// A reader's task and its socket.
struct Reader {
    flags: WakeFlags,
    pipe: Arc<Pipe>,
    woken: Arc<Woken>,
    stage: Stage,
    seq: u64,
}

impl Reader {
    fn new() -> Self {
        let (flags, pipe) = (WakeFlags::default(), Arc::new(Pipe::default()));
        flags.direct_writes.allow(Arc::<Pipe>::clone(&pipe));
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        Self { flags, pipe, woken, stage: Stage::Pending, seq: 0 }
    }

    /// The next step of its task, if it has one.
    fn step(&mut self, last_broadcast: u64) {
        match self.stage {
            Stage::Pending if self.woken.0.swap(false, Ordering::AcqRel) => {
                let waker = Waker::from(Arc::clone(&self.woken));
                let _: Poll<_> = self.flags.poll(&mut Context::from_waker(&waker));
                if let Some(Written { at, rest }) = self.flags.direct_writes.take() {
                    self.seq = at.seq;
                    self.pipe.write(&rest.unwrap_or_default());
                }
                self.stage = Stage::HasRight;
            }
            Stage::Pending => {}
            Stage::HasRight => {
                if self.seq < last_broadcast {
                    self.pipe.write(&frame(self.seq, last_broadcast));
                    self.seq = last_broadcast;
                }
                self.stage = Stage::HasRead;
            }
            Stage::HasRead => {
                self.flags.direct_writes.give(at(self.seq));
                self.stage = Stage::Pending;
            }
        }
    }

    fn is_asleep(&self) -> bool {
        self.stage == Stage::Pending && !self.woken.0.load(Ordering::Acquire)
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// The room broadcasts a change.
    Broadcast,
    /// The oldest broadcast that was not delivered, or one after it, reaches the reader.
    Deliver(usize, Takes),
    /// A broadcast reaches the reader again, as when another overtook it.
    DeliverAgain(usize),
    /// The task goes on.
    Task,
    /// Something else wakes the task: its client, a deadline.
    Wake,
}

fn any_step() -> impl Strategy<Value = Step> {
    let takes = prop_oneof![
        4 => Just(Takes::All),
        2 => (1..12_usize).prop_map(Takes::Some),
        1 => Just(Takes::Nothing),
        1 => Just(Takes::Fails),
    ];
    prop_oneof![
        3 => Just(Step::Broadcast),
        4 => (0..3_usize, takes).prop_map(|(which, takes)| Step::Deliver(which, takes)),
        1 => (0..6_usize).prop_map(Step::DeliverAgain),
        5 => Just(Step::Task),
        1 => Just(Step::Wake),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever reaches the reader between the steps of its task: its frames continue one another, none is missing or
    /// torn, and once all broadcasts are delivered it does not sleep behind them.
    #[test]
    fn frames_of_broadcasts_and_of_the_task_continue_one_another(
        steps in prop::collection::vec(any_step(), 0..60),
    ) {
        let mut reader = Reader::new();
        let mut last = 0;
        let mut undelivered = Vec::new();
        let deliver = |reader: &Reader, to: u64, takes| {
            *reader.pipe.takes.lock().unwrap() = takes;
            reader.flags.deliver(at(to - 1), at(to), &frame(to - 1, to))
        };
        for step in steps {
            match step {
                Step::Broadcast => {
                    last += 1;
                    undelivered.push(last);
                }
                Step::Deliver(which, takes) => {
                    if which < undelivered.len() {
                        deliver(&reader, undelivered.remove(which), takes);
                    }
                }
                Step::DeliverAgain(back) => {
                    let again = last.saturating_sub(u64::try_from(back).unwrap());
                    if again > 0 && !undelivered.contains(&again) {
                        deliver(&reader, again, Takes::All);
                    }
                }
                Step::Task => reader.step(last),
                Step::Wake => reader.flags.notify(crate::wake::wake_flags::WakeReasons::TIME),
            }
            if undelivered.is_empty() && reader.is_asleep() {
                prop_assert_eq!(reader.pipe.end_of_frames(), Ok(last));
            }
        }
        for to in undelivered {
            deliver(&reader, to, Takes::All);
        }
        for _ in 0..12 {
            reader.step(last);
        }
        prop_assert!(reader.is_asleep());
        prop_assert_eq!(reader.pipe.end_of_frames(), Ok(last));
    }
}

#[test]
fn broadcast_writes_only_where_the_task_is_at_rest_before_it() {
    let reader = Reader::new();
    let writes = &reader.flags.direct_writes;
    let write = |from, to| writes.write(from, to, &frame(from.seq, to.seq));
    assert_eq!(write(at(0), at(1)), Delivery::NeedsTask, "the task has the right");
    writes.give(at(0));
    assert_eq!(write(at(0), at(1)), Delivery::Written);
    assert_eq!(write(at(0), at(1)), Delivery::Known);
    assert_eq!(write(at(2), at(3)), Delivery::NeedsTask, "one is missing");
    let newer = LogPosition { generation: GENERATION + 1, seq: 1 };
    let next = LogPosition { generation: GENERATION + 1, seq: 2 };
    assert_eq!(write(newer, next), Delivery::NeedsTask, "its number is that of another epoch");
    assert_eq!(writes.take(), Some(Written { at: at(1), rest: None }));
    assert_eq!(writes.take(), None);
    assert_eq!(write(at(1), at(2)), Delivery::NeedsTask);
    assert_eq!(reader.pipe.end_of_frames(), Ok(1));
}

/// The timer queue and a shutdown may keep the flags for long after the end.
#[test]
fn reader_that_has_ended_keeps_no_socket() {
    let reader = Reader::new();
    reader.flags.direct_writes.give(at(0));
    reader.flags.detach();
    assert_eq!(Arc::strong_count(&reader.pipe), 1);
    reader.flags.direct_writes.give(at(0));
    let written = reader.flags.direct_writes.write(at(0), at(1), &frame(0, 1));
    assert_eq!(written, Delivery::NeedsTask);
    assert_eq!(reader.flags.direct_writes.take(), None);
}

/// Real threads: a task that is polled whenever it is woken, and two broadcasts at a time that overtake each other.
#[test]
fn frames_continue_one_another_on_real_threads() {
    const CHANGES: u64 = 20_000;
    let Reader { flags, pipe, woken, .. } = Reader::new();
    let last = AtomicUsize::new(0);
    let number = |count: usize| u64::try_from(count).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..2_usize {
            let (flags, last) = (&flags, &last);
            scope.spawn(move || {
                for change in 1..=CHANGES {
                    // Both deliver each change; it is broadcast once.
                    if thread == 0 {
                        last.store(usize::try_from(change).unwrap(), Ordering::Release);
                    } else {
                        while number(last.load(Ordering::Acquire)) < change {
                            std::thread::yield_now();
                        }
                    }
                    flags.deliver(at(change - 1), at(change), &frame(change - 1, change));
                }
            });
        }
        scope.spawn(|| {
            let waker = Waker::from(Arc::clone(&woken));
            let mut seq = 0;
            while seq < CHANGES {
                let _: Poll<_> = flags.poll(&mut Context::from_waker(&waker));
                if let Some(Written { at, rest }) = flags.direct_writes.take() {
                    seq = at.seq;
                    pipe.write(&rest.unwrap_or_default());
                }
                let now = number(last.load(Ordering::Acquire));
                if seq < now {
                    pipe.write(&frame(seq, now));
                    seq = now;
                }
                flags.direct_writes.give(at(seq));
                while !woken.0.swap(false, Ordering::AcqRel)
                    && number(last.load(Ordering::Acquire)) < CHANGES
                {
                    std::thread::yield_now();
                }
            }
        });
    });
    assert_eq!(pipe.end_of_frames(), Ok(CHANGES));
}
