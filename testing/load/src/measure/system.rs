//! What is asked of the operating system: cores, files, counters. Only Linux answers all of it.

use std::{collections::HashMap, fs, io, time::Duration};

/// What a process has used of the processors, thread by thread.
#[derive(Clone, Debug, Default)]
pub struct CpuUsage {
    nanoseconds_by_thread: HashMap<String, u64>,
}

impl CpuUsage {
    /// What process `pid` has used until now.
    ///
    /// The kernel's scheduler counts in nanoseconds; `/proc/PID/stat` would count in hundredths of a second.
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

    /// What was used since `earlier`; a thread that ended since is left out.
    pub fn since(&self, earlier: &Self) -> Duration {
        let used = self.nanoseconds_by_thread.iter().map(|(task, now)| {
            now.saturating_sub(earlier.nanoseconds_by_thread.get(task).copied().unwrap_or(0))
        });
        Duration::from_nanos(used.sum())
    }
}

/// What a process holds of the memory, in KiB.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    /// Resident now.
    pub resident: u64,
    /// The most that was resident.
    pub peak: u64,
}

impl Memory {
    /// What process `pid` holds.
    pub fn of(pid: u32) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let value = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().split(' ').next()?.parse().ok()
        };
        Some(Self { resident: value("VmRSS:")?, peak: value("VmHWM:")? })
    }

    /// Lets the peak of process `pid` begin anew.
    pub fn reset_peak(pid: u32) -> io::Result<()> {
        fs::write(format!("/proc/{pid}/clear_refs"), "5")
    }
}

/// How often a connection came to a full queue of a listening socket, since the system started.
pub fn listen_overflows() -> Option<u64> {
    let text = fs::read_to_string("/proc/net/netstat").ok()?;
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("TcpExt: "));
    let (names, values) = (lines.next()?, lines.next()?);
    let place = names.split(' ').position(|name| name == "ListenOverflows")?;
    values.split(' ').nth(place)?.parse().ok()
}

#[cfg(target_os = "linux")]
pub use linux::{
    connect_from, connect_with_small_buffers, lower_priority, pin_thread, raise_file_limit,
    reset_on_close, thread_cpu_time,
};

#[cfg(target_os = "linux")]
mod linux {
    use std::{
        io,
        net::{Ipv4Addr, SocketAddr, TcpStream},
        os::fd::AsFd,
        time::Duration,
    };

    use rustix::{
        io::Errno,
        net::sockopt,
        process::{Pid, Resource, Rlimit, getrlimit, setpriority_process, setrlimit},
        thread::{CpuSet, gettid, sched_setaffinity},
        time::{ClockId, clock_gettime},
    };
    use socket2::{Domain, Protocol, Socket, Type};

    /// How many bytes a segment carries over Ethernet. Over loopback it would be 64 KiB, and the sender's
    /// system keeps a buffer for several segments of every connection: megabytes there.
    const BYTES_IN_A_SEGMENT: u32 = 1400;

    /// Lets this thread, and what it starts from now on, run on these cores only.
    pub fn pin_thread(cores: &[usize]) -> io::Result<()> {
        let mut set = CpuSet::new();
        for core in cores.iter().copied().filter(|core| *core < CpuSet::MAX_CPU) {
            set.set(core);
        }
        Ok(sched_setaffinity(None, &set)?)
    }

    /// Raises the number of files that may be open as far as it goes, and says how far.
    pub fn raise_file_limit() -> io::Result<u64> {
        let limit = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?;
        Ok(limit.maximum.unwrap_or(u64::MAX))
    }

    /// Closing this socket resets its connection: what a killed program's system does.
    pub fn reset_on_close(socket: &impl AsFd) -> io::Result<()> {
        Ok(sockopt::set_socket_linger(socket, Some(Duration::ZERO))?)
    }

    /// Begins a connection from this address of one's own.
    pub fn connect_from(host: Ipv4Addr, address: SocketAddr) -> io::Result<TcpStream> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.bind(&SocketAddr::from((host, 0)).into())?;
        socket.set_nonblocking(true)?;
        begin(&socket, address)?;
        Ok(socket.into())
    }

    /// Lets all others have the processor before this thread.
    pub fn lower_priority() -> io::Result<()> {
        const LAST: i32 = 19;
        // To Linux a thread is a process like any other here.
        let this_thread = Pid::from_raw(gettid().as_raw_nonzero().get());
        Ok(setpriority_process(this_thread, LAST)?)
    }

    fn begin(socket: &Socket, address: SocketAddr) -> io::Result<()> {
        match socket.connect(&address.into()) {
            Err(error) if error.raw_os_error() != Some(Errno::INPROGRESS.raw_os_error()) => {
                Err(error)
            }
            _ => Ok(()),
        }
    }

    /// Begins a connection for which neither side's system takes much that nobody reads: the smallest
    /// receive buffer that there is, and segments as over a real network.
    pub fn connect_with_small_buffers(address: SocketAddr) -> io::Result<TcpStream> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        // The system makes the least of it that it allows.
        socket.set_recv_buffer_size(1)?;
        socket.set_tcp_mss(BYTES_IN_A_SEGMENT)?;
        socket.set_nonblocking(true)?;
        begin(&socket, address)?;
        Ok(socket.into())
    }

    /// What this thread has used of the processors.
    pub fn thread_cpu_time() -> Duration {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
        let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or_default();
        Duration::new(seconds, nanoseconds)
    }
}

#[cfg(not(target_os = "linux"))]
pub use elsewhere::{
    connect_from, connect_with_small_buffers, lower_priority, pin_thread, raise_file_limit,
    reset_on_close, thread_cpu_time,
};

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use std::{
        io,
        net::{Ipv4Addr, SocketAddr, TcpStream},
        time::Duration,
    };

    /// Cores can't be chosen here.
    pub fn pin_thread(_cores: &[usize]) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// The limit is not known here.
    pub fn raise_file_limit() -> io::Result<u64> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Connections can't be reset here.
    pub fn reset_on_close<T>(_socket: &T) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Connections come from where the system has them come from here.
    pub fn connect_from(_host: Ipv4Addr, _address: SocketAddr) -> io::Result<TcpStream> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Priorities can't be chosen here.
    pub fn lower_priority() -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// What the systems take for a connection can't be bounded here.
    pub fn connect_with_small_buffers(_address: SocketAddr) -> io::Result<TcpStream> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// A thread's use is not known here.
    pub fn thread_cpu_time() -> Duration {
        Duration::ZERO
    }
}
