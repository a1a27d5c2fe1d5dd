//! What broadcasts write to a socket of the server without its task: all, a part, or nothing, as the seed decides.

use std::{
    io::{self, ErrorKind},
    sync::{Arc, Mutex},
    time::Duration,
};

use fastrand::Rng;
use registry::wake::direct_write::DirectSocket;
use tokio::time::sleep;
use tungstenite::Message;

use crate::{
    network::{
        link::Down,
        pipe::{Broken, Pipe},
    },
    recorder::Recorder,
    server::{socket::SocketObserver, told::Told},
    sync::lock,
};

/// How long a socket is full at most, in milliseconds; sometimes ten times as long.
const LONGEST_BLOCK: u64 = 300;

/// The bytes on their way to a page, of which the network knows whole frames only.
#[derive(Debug)]
pub(crate) struct ByteStream<O> {
    down: Pipe<Down>,
    observer: Arc<O>,
    recorder: Arc<Recorder>,
    told: Arc<Mutex<Told>>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    rng: Rng,
    /// The beginning of a frame whose rest was not written yet.
    begun: Vec<u8>,
}

impl<O: SocketObserver> ByteStream<O> {
    pub(crate) fn new(
        down: Pipe<Down>,
        observer: Arc<O>,
        recorder: Arc<Recorder>,
        rng: Rng,
    ) -> Self {
        let state = Mutex::new(State { rng, begun: Vec::new() });
        Self { down, observer, recorder, told: Arc::default(), state }
    }

    /// What the page has been told by then.
    pub(crate) fn told(&self) -> &Arc<Mutex<Told>> {
        &self.told
    }

    /// Whether a frame is written in part.
    fn is_within_a_frame(&self) -> bool {
        lock(&self.told).is_within_a_frame()
    }

    /// Writes a message of the socket's task.
    pub(crate) fn write(&self, message: Message) {
        if self.is_within_a_frame() {
            self.recorder.fail(&format!("{message:?} is sent within another frame"));
        }
        if let Message::Text(text) = &message {
            lock(&self.told).on_frame(text);
        }
        self.down.write(Down::Message(message));
    }

    /// A socket that takes less than it is given is full, for a while.
    fn block(&self) {
        let full_for = {
            let rng = &mut lock(&self.state).rng;
            let longest = [0, LONGEST_BLOCK, LONGEST_BLOCK, 10 * LONGEST_BLOCK][rng.usize(..4)];
            Duration::from_millis(rng.u64(0..=longest))
        };
        if !full_for.is_zero() {
            self.down.set_blocked(true);
            let down = self.down.clone();
            tokio::spawn(async move {
                sleep(full_for).await;
                down.set_blocked(false);
            });
        }
    }

    /// Writes bytes that end with a whole frame.
    pub(crate) fn write_bytes(&self, bytes: &[u8]) {
        let mut frame = std::mem::take(&mut lock(&self.state).begun);
        frame.extend_from_slice(bytes);
        match text_of(&frame) {
            Some(text) => {
                lock(&self.told).on_frame(text);
                self.down.write(Down::Message(Message::text(text)));
            }
            None => self.recorder.fail(&format!("these bytes are no frame: {frame:?}")),
        }
    }
}

impl<O: SocketObserver> DirectSocket for ByteStream<O> {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        // What the frame is about is recorded before a page can have it.
        self.observer.observe();
        match self.down.is_ready() {
            Err(Broken) => return Err(ErrorKind::BrokenPipe.into()),
            Ok(false) => return Err(ErrorKind::WouldBlock.into()),
            Ok(true) => {}
        }
        if self.is_within_a_frame() {
            self.recorder.fail("a broadcast writes within another frame");
        }
        let draw = lock(&self.state).rng.u8(..);
        match draw {
            0..10 => {
                self.recorder.count("direct write: broken");
                Err(ErrorKind::ConnectionReset.into())
            }
            10..30 => {
                self.recorder.count("direct write: refused");
                self.block();
                Err(ErrorKind::WouldBlock.into())
            }
            30..80 => {
                self.recorder.count("direct write: in part");
                let mut state = lock(&self.state);
                let written = state.rng.usize(1..bytes.len());
                state.begun.extend_from_slice(&bytes[..written]);
                lock(&self.told).on_part();
                drop(state);
                self.block();
                Ok(written)
            }
            80.. => {
                self.recorder.count("direct write: whole");
                self.write_bytes(bytes);
                Ok(bytes.len())
            }
        }
    }
}

/// The text of a whole frame (RFC 6455, section 5.2); `None` if it is anything else.
fn text_of(frame: &[u8]) -> Option<&str> {
    let (&[first, second], rest) = frame.split_first_chunk::<2>()?;
    let (length, text) = match second {
        126 => {
            let (length, text) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), text)
        }
        short => (usize::from(short), rest),
    };
    let is_whole_text = first == 0x81 && text.len() == length;
    is_whole_text.then(|| std::str::from_utf8(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use registry::encoding::frame::Frame;

    use super::*;

    #[test]
    fn only_whole_frames_have_a_text() {
        for length in [0, 1, 125, 126, 4_000] {
            let text = "x".repeat(length);
            let frame = Frame::new(&text);
            assert_eq!(text_of(frame.bytes()), Some(&*text));
            assert_eq!(text_of(&frame.bytes()[..frame.bytes().len() - 1]), None);
            assert_eq!(text_of(&frame.bytes().repeat(2)), None);
        }
    }
}
