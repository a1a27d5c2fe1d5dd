//! The stream below a WebSocket of Engine.IO: what was read with the request comes first, and reading has a budget.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

use super::upgrades::UpgradeSlot;
use crate::websocket::budget::{ChunkBudget, FrameLimits};

/// Bytes are paid for by the chunk.
const CHUNK_IN_BYTES: usize = 4096;

/// A stream that fails when its client sends twice as much as all permitted frames could hold. Frames that mean nothing
/// to Engine.IO are counted nowhere else.
#[derive(Debug)]
pub(super) struct BudgetedStream<S> {
    stream: S,
    already_read: Bytes,
    opened: Instant,
    /// None is no limit.
    budget: Option<ChunkBudget>,
    _slot: Option<UpgradeSlot>,
}

impl<S> BudgetedStream<S> {
    /// The slot is free again when the stream ends.
    pub(super) fn new(
        stream: S,
        already_read: Bytes,
        limits: FrameLimits,
        slot: Option<UpgradeSlot>,
    ) -> Self {
        Self {
            stream,
            already_read,
            opened: Instant::now(),
            budget: limits.rate.map(|rate| ChunkBudget::new(CHUNK_IN_BYTES, rate)),
            _slot: slot,
        }
    }

    fn pay(&mut self, bytes: usize) -> io::Result<()> {
        let now = self.opened.elapsed();
        if self.budget.as_mut().is_none_or(|budget| budget.take(bytes, now)) {
            return Ok(());
        }
        Err(io::Error::other("the client sends too much"))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for BudgetedStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        if this.already_read.is_empty() {
            ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
        } else {
            let length = this.already_read.len().min(buffer.remaining());
            buffer.put_slice(&this.already_read[..length]);
            this.already_read.advance(length);
        }
        Poll::Ready(this.pay(buffer.filled().len() - before))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for BudgetedStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_was_read_before_comes_first() {
        let (ours, mut theirs) = duplex(100);
        theirs.write_all(b"later").await.unwrap();
        drop(theirs);
        let limits = FrameLimits::default();
        let mut stream = BudgetedStream::new(ours, Bytes::from_static(b"first "), limits, None);
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "first later");
    }

    #[tokio::test(start_paused = true)]
    async fn client_may_send_twice_what_its_frames_hold() {
        let (ours, mut theirs) = duplex(1024 * 1024);
        theirs.write_all(&vec![0; 1024 * 1024]).await.unwrap();
        let mut stream = BudgetedStream::new(ours, Bytes::new(), FrameLimits::default(), None);
        let mut read = 0;
        let mut buffer = [0; 1024];
        while let Ok(length) = stream.read(&mut buffer).await {
            read += length;
        }
        // 40 frames of 4 KiB at once.
        let allowed = 2 * 40 * CHUNK_IN_BYTES;
        assert!((allowed..=allowed + CHUNK_IN_BYTES).contains(&read), "{read}");
    }
}
