//! The floor: what the system itself takes for the same frames.
//!
//! One thread of a process of its own, on the server's core, writes frames of one size to plain TCP
//! sockets and does nothing else; this program reads them. No server can be cheaper.

use std::{
    io::{self, BufRead, BufReader, ErrorKind, Read, Write},
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token, net::TcpStream};

use crate::error::LoadError;
use crate::measure::server_process::Cores;
use crate::measure::system::{pin_thread, thread_cpu_time};

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::Args)]
pub struct BaselineWork {
    /// To how many sockets.
    #[arg(long)]
    pub sockets: usize,
    /// How long a frame is, in bytes.
    #[arg(long)]
    pub frame_in_bytes: usize,
    /// How often each socket gets a frame.
    #[arg(long)]
    pub flushes: usize,
    /// The time from one flush to the next, in microseconds.
    #[arg(long)]
    pub pace_in_micros: u64,
}

impl BaselineWork {
    /// Every frame to every socket.
    pub fn frames(&self) -> usize {
        self.sockets * self.flushes
    }
}

/// How long a run of the floor may take.
const TIMEOUT: Duration = Duration::from_mins(1);

/// The word that makes this program the floor's writer.
pub const WRITER: &str = "baseline-writer";

/// Runs the floor, and says what each frame cost its writer.
pub fn run(work: BaselineWork, cores: Option<&Cores>) -> Result<Duration, LoadError> {
    let io_error = |source| LoadError::Io { what: "the floor", source };
    let mut writer = Writer::start(work, cores).map_err(io_error)?;
    read_all(writer.address().map_err(io_error)?, work).map_err(io_error)?;
    let used = writer.used().map_err(io_error)?;
    Ok(used.div_f64(f64::from(u32::try_from(work.frames().max(1)).unwrap_or(u32::MAX))))
}

struct Writer {
    child: Child,
    output: Option<BufReader<std::process::ChildStdout>>,
}

impl Writer {
    fn start(work: BaselineWork, cores: Option<&Cores>) -> io::Result<Self> {
        if let Some(cores) = cores {
            pin_thread(&cores.server)?;
        }
        let child = Command::new(std::env::current_exe()?)
            .arg(WRITER)
            .arg(format!("--sockets={}", work.sockets))
            .arg(format!("--frame-in-bytes={}", work.frame_in_bytes))
            .arg(format!("--flushes={}", work.flushes))
            .arg(format!("--pace-in-micros={}", work.pace_in_micros))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        if let Some(cores) = cores {
            pin_thread(&cores.generator)?;
        }
        let mut child = child?;
        let output = child.stdout.take().map(BufReader::new);
        Ok(Self { child, output })
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if let Some(output) = &mut self.output {
            output.read_line(&mut line)?;
        }
        Ok(line.trim().to_owned())
    }

    fn address(&mut self) -> io::Result<SocketAddr> {
        self.line()?.parse().map_err(io::Error::other)
    }

    fn used(&mut self) -> io::Result<Duration> {
        self.line()?.parse().map(Duration::from_nanos).map_err(io::Error::other)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // It ends by itself when its input does; one that hangs is ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_all(address: SocketAddr, work: BaselineWork) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(1024);
    let mut sockets = Vec::with_capacity(work.sockets);
    for index in 0..work.sockets {
        // The writer's greeting: more sockets than its queue holds would wait for seconds.
        let mut greeted = std::net::TcpStream::connect(address)?;
        greeted.read_exact(&mut [0])?;
        greeted.set_nonblocking(true)?;
        let mut socket = TcpStream::from_std(greeted);
        poll.registry().register(&mut socket, Token(index), Interest::READABLE)?;
        sockets.push(socket);
    }
    let mut scratch = vec![0; 256 * 1024];
    let mut left = work.frames() * work.frame_in_bytes;
    let until = Instant::now() + TIMEOUT;
    while left > 0 {
        if Instant::now() > until {
            return Err(io::Error::new(ErrorKind::TimedOut, "frames are missing"));
        }
        poll.poll(&mut events, Some(Duration::from_millis(100)))?;
        for event in &events {
            loop {
                match sockets[event.token().0].read(&mut scratch) {
                    Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                    Ok(read) => {
                        left = left.saturating_sub(read);
                        if read < scratch.len() {
                            break;
                        }
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error),
                }
            }
        }
    }
    Ok(())
}

/// The writer's own process: says its address, writes, and says the nanoseconds of processor it took.
pub fn write(work: BaselineWork, output: &mut impl Write) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    writeln!(output, "{}", listener.local_addr()?)?;
    output.flush()?;
    let mut sockets = Vec::with_capacity(work.sockets);
    for _ in 0..work.sockets {
        let (mut socket, _) = listener.accept()?;
        socket.set_nodelay(true)?;
        socket.write_all(b"!")?;
        sockets.push(socket);
    }
    let frame = vec![b'x'; work.frame_in_bytes];
    let timing = Duration::from_micros(work.pace_in_micros);
    let before = thread_cpu_time();
    let mut next = Instant::now();
    for _ in 0..work.flushes {
        if let Some(left) = next.checked_duration_since(Instant::now()) {
            sleep(left);
        }
        next += timing;
        for socket in &mut sockets {
            socket.write_all(&frame)?;
        }
    }
    let used = thread_cpu_time().saturating_sub(before);
    writeln!(output, "{}", used.as_nanos())?;
    output.flush()?;
    // The sockets stay until all is read.
    io::stdin().read_to_end(&mut Vec::new()).map(drop)
}
