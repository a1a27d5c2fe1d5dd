//! What greedy addresses take of the memory, and what the server says that they may.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::measure::{server_process::Server, system};

/// How often the system is asked.
const INTERVAL: Duration = Duration::from_millis(50);

const MEBIBYTE: u64 = 1 << 20;

/// What a server says of one address, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MemoryBound {
    /// In this process and in the system together.
    pub(super) of_one_address: u64,
}

/// What the server plans for a connection and for a room (docs/capacity.md).
const BYTES_OF_A_CONNECTION: u64 = 16 * 1024;
const BYTES_OF_A_ROOM: u64 = 8 * 1024;

impl MemoryBound {
    /// By the line that the server prints at its start.
    pub(super) fn of(server: &Server) -> Option<Self> {
        Self::read(&server.capacity()?)
    }

    fn read(line: &str) -> Option<Self> {
        let share = line.split_once("of one address ")?.1;
        let numbers = share.split(|character: char| !character.is_ascii_digit());
        let numbers: Vec<u64> = numbers.filter_map(|number| number.parse().ok()).collect();
        let [connections, _sockets, rooms, in_flight, ..] = numbers[..] else { return None };
        let of_one_address =
            connections * BYTES_OF_A_CONNECTION + rooms * BYTES_OF_A_ROOM + in_flight * MEBIBYTE;
        Some(Self { of_one_address })
    }
}

/// The most memory that is used while it exists.
#[derive(Debug)]
pub(super) struct MemoryPeak {
    /// The server's at the start, and the most of it after the end.
    resident: Option<(u64, u64)>,
    /// That of all TCP sockets of the system, at the start and at most.
    kernel: Option<u64>,
    most_of_kernel: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl MemoryPeak {
    pub(super) fn start(server: &Server) -> Self {
        server.reset_peak();
        let resident = server.usage().memory.map(|memory| (memory.resident * 1024, 0));
        let (most_of_kernel, stop) =
            (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (most, is_over) = (Arc::clone(&most_of_kernel), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                most.fetch_max(system::tcp_memory().unwrap_or_default(), Ordering::Relaxed);
                thread::sleep(INTERVAL);
            }
        });
        let kernel = system::tcp_memory();
        Self { resident, kernel, most_of_kernel, stop, thread: Some(thread) }
    }

    /// None where the server's memory is not known.
    pub(super) fn end(mut self, server: &Server) -> Option<Self> {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
        let (before, _) = self.resident?;
        self.resident = Some((before, server.usage().memory?.peak * 1024));
        Some(self)
    }

    /// By how much the server's process grew at most, in bytes.
    pub(super) fn of_process(&self) -> u64 {
        self.resident.map_or(0, |(before, most)| most.saturating_sub(before))
    }

    /// By how much the system's memory for TCP grew at most, in bytes: also that of the clients, which are on the same
    /// machine.
    pub(super) fn of_kernel(&self) -> u64 {
        let most = self.most_of_kernel.load(Ordering::Relaxed);
        most.saturating_sub(self.kernel.unwrap_or(most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bound_is_what_the_server_prints() {
        let line = "INFO what this server can hold capacity=18558 connections, 16703 WebSockets and event streams, \
            50000 rooms and 3013 MiB in flight; of one address 8000 connections, 2000 WebSockets and event streams, \
            6250 rooms and 128 MiB";
        let of_one_address = 8_000 * 16 * 1024 + 6_250 * 8 * 1024 + 128 * MEBIBYTE;
        assert_eq!(MemoryBound::read(line), Some(MemoryBound { of_one_address }));
        assert_eq!(MemoryBound::read("any number of connections"), None);
        let unlimited = line.replace("8000 connections", "any number of connections");
        assert_eq!(MemoryBound::read(&unlimited), None);
    }
}
