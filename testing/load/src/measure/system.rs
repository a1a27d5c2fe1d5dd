//! Operating system interfaces: cores, open files, CPU and memory counters. Only Linux has all of them.

use std::{collections::HashMap, fs, io, time::Duration};

/// The CPU time of a process, by thread.
#[derive(Clone, Debug, Default)]
pub struct CpuUsage {
    nanoseconds_by_thread: HashMap<String, u64>,
}

impl CpuUsage {
    /// The CPU time of process `pid` until now.
    ///
    /// `schedstat` counts nanoseconds; `/proc/PID/stat` only counts hundredths of a second.
    pub fn of(pid: u32) -> Option<Self> {
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
        let nanoseconds_by_thread = tasks
            .filter_map(|task| {
                let task = task.ok()?;
                let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
                let used = text.split(' ').next()?.parse().ok()?;
                Some((task.file_name().to_string_lossy().into_owned(), used))
            })
            .collect();
        Some(Self { nanoseconds_by_thread })
    }

    /// The time of both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        // The ids of threads are unique in a system.
        self.nanoseconds_by_thread.extend(other.nanoseconds_by_thread);
        self
    }

    /// The CPU time since `earlier`, without threads that have ended since.
    pub fn since(&self, earlier: &Self) -> Duration {
        let used = self.nanoseconds_by_thread.iter().map(|(task, now)| {
            now.saturating_sub(earlier.nanoseconds_by_thread.get(task).copied().unwrap_or(0))
        });
        Duration::from_nanos(used.sum())
    }
}

/// The memory of a process, in KiB.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    /// Resident memory.
    pub resident: u64,
    /// The peak of resident memory.
    pub peak: u64,
}

impl Memory {
    /// The memory of process `pid`.
    pub fn of(pid: u32) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let value = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().split(' ').next()?.parse().ok()
        };
        Some(Self { resident: value("VmRSS:")?, peak: value("VmHWM:")? })
    }

    /// The memory of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { resident: self.resident + other.resident, peak: self.peak + other.peak }
    }

    /// Resets the peak of process `pid`.
    pub fn reset_peak(pid: u32) -> io::Result<()> {
        fs::write(format!("/proc/{pid}/clear_refs"), "5")
    }
}

/// The memory that the system uses for all of its TCP sockets, in bytes.
pub fn tcp_memory() -> Option<u64> {
    const PAGE_IN_BYTES: u64 = 4096;
    let text = fs::read_to_string("/proc/net/sockstat").ok()?;
    Some(tcp_pages(&text)? * PAGE_IN_BYTES)
}

/// The number after `mem` in the line of TCP.
fn tcp_pages(sockstat: &str) -> Option<u64> {
    let line = sockstat.lines().find_map(|line| line.strip_prefix("TCP:"))?;
    let mut words = line.split_whitespace().skip_while(|word| *word != "mem");
    words.nth(1)?.parse().ok()
}

/// What a process can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessSignal {
    /// SIGKILL: it ends at once.
    Kill,
    /// SIGTERM: it shuts down.
    Terminate,
    /// SIGSTOP: it stands still.
    Stop,
    /// SIGCONT: it goes on.
    Continue,
}

/// How many connections met a full accept queue since the system started.
pub fn listen_overflows() -> Option<u64> {
    let text = fs::read_to_string("/proc/net/netstat").ok()?;
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("TcpExt: "));
    let (names, values) = (lines.next()?, lines.next()?);
    let column = names.split(' ').position(|name| name == "ListenOverflows")?;
    values.split(' ').nth(column)?.parse().ok()
}

#[cfg(target_os = "linux")]
pub use linux::{
    connect_from, connect_from_with_buffer, connect_with_small_buffers, lower_priority, pin_thread,
    raise_file_limit, reset_on_close, send_signal, thread_cpu_time, yield_to_all,
};

#[cfg(target_os = "linux")]
mod linux {
    use std::{
        io,
        net::{Ipv4Addr, SocketAddr, TcpStream},
        os::fd::AsFd,
        process::{Command, Stdio},
        time::Duration,
    };

    use rustix::{
        io::Errno,
        net::sockopt,
        process::{
            Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setpriority_process, setrlimit,
        },
        thread::{CpuSet, gettid, sched_setaffinity},
        time::{ClockId, clock_gettime},
    };
    use socket2::{Domain, Protocol, Socket, Type};

    /// The segment size of Ethernet. On loopback it would be 64 KiB, and the sender's system buffers several
    /// segments of every connection.
    const SEGMENT_SIZE_IN_BYTES: u32 = 1400;

    /// Restricts this thread, and threads and processes that it starts, to these cores.
    pub fn pin_thread(cores: &[usize]) -> io::Result<()> {
        let mut set = CpuSet::new();
        for core in cores.iter().copied().filter(|core| *core < CpuSet::MAX_CPU) {
            set.set(core);
        }
        Ok(sched_setaffinity(None, &set)?)
    }

    /// Sends a signal to a process.
    pub fn send_signal(pid: u32, signal: super::ProcessSignal) -> io::Result<()> {
        let signal = match signal {
            super::ProcessSignal::Kill => Signal::KILL,
            super::ProcessSignal::Terminate => Signal::TERM,
            super::ProcessSignal::Stop => Signal::STOP,
            super::ProcessSignal::Continue => Signal::CONT,
        };
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(kill_process(pid, signal)?)
    }

    /// Raises the limit of open files to the hard limit, and returns it.
    pub fn raise_file_limit() -> io::Result<u64> {
        let limit = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?;
        Ok(limit.maximum.unwrap_or(u64::MAX))
    }

    /// Makes closing this socket reset the connection, as when a process with unread data is killed.
    pub fn reset_on_close(socket: &impl AsFd) -> io::Result<()> {
        Ok(sockopt::set_socket_linger(socket, Some(Duration::ZERO))?)
    }

    /// Starts to connect from this local address.
    pub fn connect_from(host: Ipv4Addr, address: SocketAddr) -> io::Result<TcpStream> {
        start_from(host, address, |_| Ok(()))
    }

    /// The same with a receive buffer of this size, which the system raises to its minimum, and Ethernet's segment
    /// size: so little of what is not read is in the client's system.
    pub fn connect_from_with_buffer(
        host: Ipv4Addr,
        address: SocketAddr,
        bytes: usize,
    ) -> io::Result<TcpStream> {
        start_from(host, address, |socket| {
            socket.set_recv_buffer_size(bytes)?;
            socket.set_tcp_mss(SEGMENT_SIZE_IN_BYTES)
        })
    }

    fn start_from(
        host: Ipv4Addr,
        address: SocketAddr,
        configure: impl FnOnce(&Socket) -> io::Result<()>,
    ) -> io::Result<TcpStream> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        configure(&socket)?;
        socket.bind(&SocketAddr::from((host, 0)).into())?;
        socket.set_nonblocking(true)?;
        start_connect(&socket, address)?;
        Ok(socket.into())
    }

    /// Gives this thread the lowest priority.
    pub fn lower_priority() -> io::Result<()> {
        const LOWEST: i32 = 19;
        // On Linux the call accepts thread ids.
        let this_thread = Pid::from_raw(gettid().as_raw_nonzero().get());
        Ok(setpriority_process(this_thread, LOWEST)?)
    }

    /// Gives this thread, and those that it starts, a processor only while no other thread wants it (`SCHED_IDLE`).
    ///
    /// No safe crate sets a policy, so `chrt` of util-linux does. Without it the priority is the lowest.
    pub fn yield_to_all() -> io::Result<()> {
        lower_priority()?;
        let this_thread = gettid().as_raw_nonzero().to_string();
        let status = Command::new("chrt")
            .args(["--idle", "--pid", "0", &this_thread])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        if status.success() { Ok(()) } else { Err(io::ErrorKind::Unsupported.into()) }
    }

    fn start_connect(socket: &Socket, address: SocketAddr) -> io::Result<()> {
        match socket.connect(&address.into()) {
            Err(error) if error.raw_os_error() != Some(Errno::INPROGRESS.raw_os_error()) => {
                Err(error)
            }
            _ => Ok(()),
        }
    }

    /// Starts to connect with the smallest receive buffer and Ethernet's segment size, so that neither
    /// side's system buffers many unread bytes.
    pub fn connect_with_small_buffers(address: SocketAddr) -> io::Result<TcpStream> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        // The system raises this to its minimum.
        socket.set_recv_buffer_size(1)?;
        socket.set_tcp_mss(SEGMENT_SIZE_IN_BYTES)?;
        socket.set_nonblocking(true)?;
        start_connect(&socket, address)?;
        Ok(socket.into())
    }

    /// The CPU time of this thread.
    pub fn thread_cpu_time() -> Duration {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
        let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or_default();
        Duration::new(seconds, nanoseconds)
    }
}

#[cfg(not(target_os = "linux"))]
pub use elsewhere::{
    connect_from, connect_from_with_buffer, connect_with_small_buffers, lower_priority, pin_thread,
    raise_file_limit, reset_on_close, send_signal, thread_cpu_time, yield_to_all,
};

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use std::{
        io,
        net::{Ipv4Addr, SocketAddr, TcpStream},
        time::Duration,
    };

    /// Unsupported: threads can't be pinned.
    pub fn pin_thread(_cores: &[usize]) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Unsupported: there are no signals.
    pub fn send_signal(_pid: u32, _signal: super::ProcessSignal) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Unsupported: the limit is not known.
    pub fn raise_file_limit() -> io::Result<u64> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Unsupported: connections can't be reset.
    pub fn reset_on_close<T>(_socket: &T) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Unsupported: the local address can't be chosen.
    pub fn connect_from(_host: Ipv4Addr, _address: SocketAddr) -> io::Result<TcpStream> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Unsupported: buffers can't be limited.
    pub fn connect_from_with_buffer(
        _host: Ipv4Addr,
        _address: SocketAddr,
        _bytes: usize,
    ) -> io::Result<TcpStream> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Unsupported: threads have no priorities.
    pub fn yield_to_all() -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Unsupported: threads have no priorities.
    pub fn lower_priority() -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Unsupported: buffers can't be limited.
    pub fn connect_with_small_buffers(_address: SocketAddr) -> io::Result<TcpStream> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Unsupported: a thread's CPU time is not known.
    pub fn thread_cpu_time() -> Duration {
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn memory_of_tcp_is_counted_in_pages() {
        let sockstat =
            "sockets: used 18\nTCP: inuse 3 orphan 0 tw 0 alloc 3 mem 57\nUDP: inuse 0 mem 9\n";
        assert_eq!(super::tcp_pages(sockstat), Some(57));
        assert_eq!(super::tcp_pages("UDP: inuse 0 mem 9\n"), None);
    }
}
