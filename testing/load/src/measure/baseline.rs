//! The baseline: the CPU time that the system alone takes to write the same frames.
//!
//! One thread of a child process, on the server's core, writes frames of one size to plain TCP sockets and
//! does nothing else; this program reads them. No server can be cheaper.

use std::{
    io::{self, BufRead, BufReader, ErrorKind, Read, Write},
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token, net::TcpStream};

use crate::{
    error::LoadError,
    measure::{
        server_process::Cores,
        system::{pin_thread, thread_cpu_time},
    },
};

/// The frames to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::Args)]
pub struct BaselineWork {
    /// The number of sockets.
    #[arg(long)]
    pub sockets: usize,
    /// The size of a frame, in bytes.
    #[arg(long)]
    pub frame_in_bytes: usize,
    /// The number of frames for each socket.
    #[arg(long)]
    pub flushes: usize,
    /// The time between two frames of a socket, in microseconds.
    #[arg(long)]
    pub pace_in_micros: u64,
}

impl BaselineWork {
    /// The number of frames for all sockets.
    pub fn frames(&self) -> usize {
        self.sockets * self.flushes
    }
}

/// The time limit of a run.
const TIMEOUT: Duration = Duration::from_mins(1);

/// The subcommand that makes this program the writer.
pub const WRITER: &str = "baseline-writer";

/// Runs the baseline, and returns the writer's CPU time per frame.
pub fn run(work: BaselineWork, cores: Option<&Cores>) -> Result<Duration, LoadError> {
    let io_error = |source| LoadError::Io { what: "could not run the baseline", source };
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
        // It exits when its input ends. This kills one that hangs.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_all(address: SocketAddr, work: BaselineWork) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(1024);
    let mut sockets = Vec::with_capacity(work.sockets);
    for index in 0..work.sockets {
        // Waits for the writer's greeting: connections beyond its accept queue would be delayed by seconds.
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

/// Runs in the writer's process: prints its address, writes all frames, and prints its CPU time in
/// nanoseconds.
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
    // Keeps the sockets open until this program has read all.
    io::stdin().read_to_end(&mut Vec::new()).map(drop)
}
