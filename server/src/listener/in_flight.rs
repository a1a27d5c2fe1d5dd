//! A stream that counts the bytes in flight, and bounds them.
//!
//! What a client does not read lies in the system's buffers, where neither this process nor its metrics see it. How
//! much that is can't be asked without `unsafe` code, but the system says whether nearly all is sent. So a connection
//! counts what it has handed over since that was last so, and at most what the system's buffer takes.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use registry::wake::direct_write::DirectSocket;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    runtime::Handle,
    time::{Instant, Sleep, sleep},
};
use tokio_rustls::server::TlsStream;

use super::tcp::{SEND_BUFFER_IN_BYTES, USER_TIMEOUT};
use crate::admission::Flight;

/// What no connection counts, and what it may hand over at a time while its address has used its share: small frames
/// and answers cost no counting.
const LITTLE_IN_BYTES: usize = 16 * 1024;

/// How soon the system is asked whether it has sent what it was handed. The pause doubles up to the longest one.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A stream into a buffer of the system.
pub(crate) trait SystemBuffer {
    /// Whether the buffer holds next to nothing that is not sent, or will never be sent.
    fn is_sent(&self) -> bool;

    /// What others than this stream's task write through; `None` where only the task can.
    fn direct_socket(&self) -> Option<Arc<dyn DirectSocket>> {
        None
    }

    /// How much of what was allowed was not written directly.
    fn direct_bytes_left(&self) -> usize {
        0
    }

    /// Allows direct writes of so many bytes.
    fn allow_direct_bytes(&self, bytes: usize) {
        let _ = bytes;
    }
}

impl SystemBuffer for TcpStream {
    fn is_sent(&self) -> bool {
        #[cfg(unix)]
        {
            use rustix::event::{PollFd, PollFlags, Timespec, poll};
            // Writable means that less is unsent than the listening socket's options say.
            let mut socket = [PollFd::new(self, PollFlags::OUT)];
            poll(&mut socket, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))
                .is_ok_and(|ready| ready > 0)
        }
        #[cfg(not(unix))]
        true
    }
}

impl SystemBuffer for TlsStream<TcpStream> {
    fn is_sent(&self) -> bool {
        self.get_ref().0.is_sent()
    }
}

/// A stream whose bytes in flight are counted. While the share of its address is used, it takes more only when the
/// client has received what it has.
#[derive(Debug)]
pub(crate) struct InFlight<S: SystemBuffer> {
    stream: S,
    /// None only while it is dropped.
    flight: Option<Flight>,
    /// Bytes that the system has taken since it had last sent nearly all.
    handed: usize,
    /// Of these, bytes that may be written directly before they are counted: little in all.
    direct_bytes: usize,
    /// Bytes that are to be written and that the system did not take.
    waiting: usize,
    /// Whether these are in the memory of this connection alone.
    is_waiting_counted: bool,
    /// When to ask the system, while anything is counted or waited for.
    check: Option<Pin<Box<Sleep>>>,
    pause: Duration,
}

impl<S: SystemBuffer> InFlight<S> {
    pub(crate) fn new(stream: S, flight: Flight) -> Self {
        Self {
            stream,
            flight: Some(flight),
            handed: 0,
            direct_bytes: 0,
            waiting: 0,
            is_waiting_counted: true,
            check: None,
            pause: FIRST_PAUSE,
        }
    }

    /// For a WebSocket: its frames are shared with others, so what waits costs nothing more, and broadcasts may write them
    /// directly.
    #[must_use]
    pub(crate) fn of_shared_frames(mut self) -> Self {
        self.is_waiting_counted = false;
        self.waiting = 0;
        self.count();
        self
    }

    /// What broadcasts write through, without this stream's task.
    pub(crate) fn direct_socket(&self) -> Option<Arc<dyn DirectSocket>> {
        self.stream.direct_socket()
    }

    /// Counts what was written directly since the last time.
    fn count_direct_writes(&mut self) {
        let left = self.stream.direct_bytes_left().min(self.direct_bytes);
        self.handed = self.handed.saturating_add(self.direct_bytes - left);
        self.direct_bytes = left;
    }

    /// How much of what is offered may be handed to the system.
    fn poll_room(&mut self, offered: usize, context: &mut Context<'_>) -> Poll<usize> {
        // Asking about the share costs a lock, so it is left out where it does not matter.
        let is_little = self.handed.saturating_add(offered) <= LITTLE_IN_BYTES;
        if is_little || !self.flight.as_ref().is_some_and(Flight::is_share_used) {
            return Poll::Ready(usize::MAX);
        }
        if self.handed >= LITTLE_IN_BYTES {
            self.waiting = offered;
            self.count();
            if self.stream.is_sent() {
                self.sent();
            } else {
                ready!(self.poll_sent(context));
            }
        }
        Poll::Ready(LITTLE_IN_BYTES - self.handed)
    }

    /// Ready when the system has sent nearly all.
    fn poll_sent(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let pause = self.pause;
            let check = self.check.get_or_insert_with(|| Box::pin(sleep(pause)));
            ready!(check.as_mut().poll(context));
            if self.stream.is_sent() {
                self.sent();
                return Poll::Ready(());
            }
            self.pause = (2 * pause).min(LONGEST_PAUSE);
            check.as_mut().reset(Instant::now() + self.pause);
        }
    }

    fn sent(&mut self) {
        self.handed = 0;
        self.check = None;
        self.pause = FIRST_PAUSE;
        self.count();
    }

    fn wrote(&mut self, offered: usize, outcome: &Poll<io::Result<usize>>) {
        match outcome {
            Poll::Ready(Ok(written)) => {
                self.handed = self.handed.saturating_add(*written);
                self.waiting = offered.saturating_sub(*written);
                self.pause = FIRST_PAUSE;
            }
            Poll::Ready(Err(_)) => self.waiting = 0,
            Poll::Pending => self.waiting = offered,
        }
        let is_new = self.flight.as_ref().is_some_and(|flight| flight.counted() == 0);
        if is_new && self.handed > LITTLE_IN_BYTES && self.waiting == 0 && self.stream.is_sent() {
            self.handed = 0;
        }
        self.count();
    }

    fn count(&mut self) {
        let waiting = if self.is_waiting_counted { self.waiting } else { 0 };
        let all = self.handed.min(SEND_BUFFER_IN_BYTES).saturating_add(waiting);
        if let Some(flight) = &mut self.flight {
            flight.count(if all > LITTLE_IN_BYTES { all } else { 0 });
        }
        // Little is not counted anyway. Once that is used up, the task writes, and asks the system what it has sent.
        self.direct_bytes = LITTLE_IN_BYTES.saturating_sub(self.handed);
        self.stream.allow_direct_bytes(self.direct_bytes);
    }
}

impl<S: SystemBuffer + AsyncRead + Unpin> AsyncRead for InFlight<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.count_direct_writes();
        let outcome = Pin::new(&mut this.stream).poll_read(context, buffer);
        // A connection is read from whenever it is not written to.
        if outcome.is_pending() && this.flight.as_ref().is_some_and(|flight| flight.counted() > 0) {
            // It wakes this task to ask again, and what comes of it is counted.
            let _ = this.poll_sent(context);
        }
        outcome
    }
}

impl<S: SystemBuffer + AsyncWrite + Unpin> AsyncWrite for InFlight<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.count_direct_writes();
        let room = ready!(this.poll_room(bytes.len(), context));
        let part = bytes.get(..room).unwrap_or(bytes);
        let outcome = Pin::new(&mut this.stream).poll_write(context, part);
        this.wrote(bytes.len(), &outcome);
        outcome
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.count_direct_writes();
        let offered = slices.iter().map(|slice| slice.len()).sum();
        let room = ready!(this.poll_room(offered, context));
        let stream = Pin::new(&mut this.stream);
        let outcome = if offered <= room {
            stream.poll_write_vectored(context, slices)
        } else {
            // One slice of several is enough: the rest is offered again.
            let first = slices.iter().find(|slice| !slice.is_empty());
            let first = first.map(|slice| &**slice).unwrap_or_default();
            stream.poll_write(context, first.get(..room).unwrap_or(first))
        };
        this.wrote(offered, &outcome);
        outcome
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

impl<S: SystemBuffer> Drop for InFlight<S> {
    /// The system keeps what is not sent after the connection's end, for as long as it waits for the client.
    fn drop(&mut self) {
        self.count_direct_writes();
        let Some(mut flight) = self.flight.take() else { return };
        if flight.counted() > 0
            && !self.stream.is_sent()
            && let Ok(runtime) = Handle::try_current()
        {
            flight.count(self.handed.min(SEND_BUFFER_IN_BYTES));
            runtime.spawn(async move {
                sleep(USER_TIMEOUT).await;
                drop(flight);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::IpAddr,
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
    };

    use futures_util::FutureExt;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;
    use crate::{
        admission::{Admission, rate_limit::Limit},
        config::admission::AdmissionSettings,
        listener::PlainStream,
        url::Scheme,
    };

    /// A stream whose system buffer takes much, and is said to be sent or not.
    struct Buffered {
        stream: DuplexStream,
        is_sent: Arc<AtomicBool>,
    }

    impl SystemBuffer for Buffered {
        fn is_sent(&self) -> bool {
            self.is_sent.load(Ordering::Relaxed)
        }
    }

    impl AsyncRead for Buffered {
        fn poll_read(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Pin::new(&mut self.stream).poll_read(context, buffer)
        }
    }

    impl AsyncWrite for Buffered {
        fn poll_write(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            Pin::new(&mut self.stream).poll_write(context, bytes)
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn admission(share: usize) -> Arc<Admission> {
        let mut policy = AdmissionSettings::default().into_policy(None, Scheme::Http);
        policy.limits.bytes_in_flight_per_address = Limit::at_most(share);
        Admission::new(policy)
    }

    /// A connection of one address, what the system says of it, and the client's end.
    fn connection(
        admission: &Arc<Admission>,
    ) -> (InFlight<Buffered>, Arc<AtomicBool>, DuplexStream) {
        let (ours, theirs) = duplex(1 << 20);
        let is_sent = Arc::new(AtomicBool::new(false));
        let stream = Buffered { stream: ours, is_sent: Arc::clone(&is_sent) };
        let permit = admission.connection(IpAddr::from([127, 0, 0, 1])).unwrap();
        (InFlight::new(stream, permit.flight()), is_sent, theirs)
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_count_until_the_system_has_sent_them() {
        let admission = admission(1 << 20);
        let (mut stream, is_sent, _client) = connection(&admission);
        stream.write_all(&vec![0; LITTLE_IN_BYTES]).await.unwrap();
        assert_eq!(admission.bytes_in_flight(), 0);
        stream.write_all(&vec![0; 1_000]).await.unwrap();
        assert_eq!(admission.bytes_in_flight(), LITTLE_IN_BYTES + 1_000);
        // The system's buffer takes no more, whatever is written.
        stream.write_all(&vec![0; 500_000]).await.unwrap();
        assert_eq!(admission.bytes_in_flight(), SEND_BUFFER_IN_BYTES);
        is_sent.store(true, Ordering::Relaxed);
        let mut buffer = [0];
        let reading = tokio::time::timeout(2 * LONGEST_PAUSE, stream.read(&mut buffer));
        assert!(reading.await.is_err());
        assert_eq!(admission.bytes_in_flight(), 0);
    }

    /// Else a broadcast could hand over without end what a client does not read.
    #[tokio::test]
    async fn direct_writes_use_up_the_little_that_is_not_counted() {
        let admission = admission(1 << 20);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        let permit = admission.connection(IpAddr::from([127, 0, 0, 1])).unwrap();
        let stream = InFlight::new(PlainStream::new(accepted), permit.flight());
        let direct = stream.direct_socket().unwrap();
        assert!(direct.try_write(&[7]).is_err(), "only a WebSocket has shared frames");
        let mut stream = stream.of_shared_frames();
        assert_eq!(direct.try_write(&vec![7; 10_000]).unwrap(), 10_000);
        stream.write_all(&vec![7; 5_000]).await.unwrap();
        assert_eq!(stream.stream.direct_bytes_left(), LITTLE_IN_BYTES - 15_000);
        assert!(direct.try_write(&vec![7; 2_000]).is_err());
        // The system has sent all that the task hands over then, and the client's buffer takes it.
        stream.write_all(&vec![7; 2_000]).await.unwrap();
        assert_eq!(direct.try_write(&vec![7; 2_000]).unwrap(), 2_000);
        assert_eq!(admission.bytes_in_flight(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_counts_unless_it_is_shared() {
        let admission = admission(10 << 20);
        let (mut stream, _says, _client) = connection(&admission);
        let all = vec![0; 3 << 20];
        assert!(stream.write_all(&all).now_or_never().is_none());
        let waiting = (3 << 20) - (1 << 20);
        assert_eq!(admission.bytes_in_flight(), SEND_BUFFER_IN_BYTES + waiting);
        let _socket = stream.of_shared_frames();
        assert_eq!(admission.bytes_in_flight(), SEND_BUFFER_IN_BYTES);
    }

    #[tokio::test(start_paused = true)]
    async fn connection_holds_little_while_the_share_is_used() {
        let admission = admission(100_000);
        let (mut greedy, _says, _client) = connection(&admission);
        greedy.write_all(&vec![0; 200_000]).await.unwrap();
        let (mut next, is_sent, mut client) = connection(&admission);
        let (first, second) = (vec![7; 50_000], vec![8; 50_000]);
        let slices = [IoSlice::new(&[]), IoSlice::new(&first), IoSlice::new(&second)];
        let written = next.write_vectored(&slices).await.unwrap();
        assert_eq!(written, LITTLE_IN_BYTES);
        assert!(next.write(&[9; 100]).now_or_never().is_none());
        // It goes on as fast as the client receives.
        is_sent.store(true, Ordering::Relaxed);
        next.write_all(&vec![9; 100_000]).await.unwrap();
        let mut received = vec![0; LITTLE_IN_BYTES + 100_000];
        client.read_exact(&mut received).await.unwrap();
        assert!(received[..LITTLE_IN_BYTES].iter().all(|byte| *byte == 7));
        assert!(received[LITTLE_IN_BYTES..].iter().all(|byte| *byte == 9));
    }

    /// Else closing and asking again would fill the system's memory.
    #[tokio::test(start_paused = true)]
    async fn bytes_count_after_the_end_while_the_system_keeps_them() {
        let admission = admission(1 << 20);
        let (mut stream, _says, _client) = connection(&admission);
        stream.write_all(&vec![0; 100_000]).await.unwrap();
        drop(stream);
        assert_eq!(admission.bytes_in_flight(), 100_000);
        sleep(USER_TIMEOUT + Duration::from_millis(1)).await;
        assert_eq!(admission.bytes_in_flight(), 0);
        let (mut stream, is_sent, _client) = connection(&admission);
        stream.write_all(&vec![0; 100_000]).await.unwrap();
        is_sent.store(true, Ordering::Relaxed);
        drop(stream);
        assert_eq!(admission.bytes_in_flight(), 0);
    }
}
