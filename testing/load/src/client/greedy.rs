//! Clients that ask for as much as they can get: each of their connections sends the next request as soon as an answer
//! has come.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::http::HttpConnection;
use crate::{error::LoadError, measure::system};

/// The pause before a connection that has failed is opened again.
const PAUSE: Duration = Duration::from_millis(10);

/// What the clients ask for.
#[derive(Clone, Debug)]
pub struct Appetite {
    /// The addresses that ask.
    pub hosts: Vec<Ipv4Addr>,
    /// Of each address.
    pub connections: usize,
    /// The path of a request, by its number.
    pub path: fn(room: &str, number: u64) -> String,
    /// The room whose list is asked for.
    pub room: String,
    /// The content coding that they accept.
    pub coding: &'static str,
}

/// Counters of what they got.
#[derive(Debug, Default)]
pub struct Helpings {
    /// Answers with 200.
    pub answers: AtomicU64,
    /// Answers with 429.
    pub rejections: AtomicU64,
    /// Of all answers.
    pub bytes: AtomicU64,
    /// Requests so far.
    requests: AtomicU64,
}

/// The running clients. Dropping it ends them.
#[derive(Debug)]
pub struct Greedy {
    helpings: Arc<Helpings>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Greedy {
    /// Starts to ask the server at `address`.
    pub fn start(address: SocketAddr, appetite: &Appetite) -> Result<Self, LoadError> {
        let io_error = |source| LoadError::Io { what: "could not start greedy clients", source };
        let (helpings, stop) = (Arc::new(Helpings::default()), Arc::new(AtomicBool::new(false)));
        let mut greedy = Self { helpings, stop, threads: Vec::new() };
        for host in &appetite.hosts {
            for _ in 0..appetite.connections {
                let (appetite, host) = (appetite.clone(), *host);
                let (helpings, stop) = (Arc::clone(&greedy.helpings), Arc::clone(&greedy.stop));
                let ask = move || {
                    // The measured latency is the server's, and does not come from this program's scheduling.
                    drop(system::lower_priority());
                    while !stop.load(Ordering::Relaxed) {
                        // The server may refuse the connection, or end it.
                        drop(ask_until_it_fails(host, address, &appetite, &helpings, &stop));
                        thread::sleep(PAUSE);
                    }
                };
                let thread = thread::Builder::new().name("greedy".to_owned()).spawn(ask);
                greedy.threads.push(thread.map_err(io_error)?);
            }
        }
        Ok(greedy)
    }

    /// The counters so far.
    pub fn helpings(&self) -> &Helpings {
        &self.helpings
    }
}

impl Drop for Greedy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn ask_until_it_fails(
    host: Ipv4Addr,
    address: SocketAddr,
    appetite: &Appetite,
    helpings: &Helpings,
    stop: &AtomicBool,
) -> std::io::Result<()> {
    let mut connection = HttpConnection::open(host, address)?;
    while !stop.load(Ordering::Relaxed) {
        let number = helpings.requests.fetch_add(1, Ordering::Relaxed);
        let answer = connection.get(&(appetite.path)(&appetite.room, number), appetite.coding)?;
        let counter = if answer.status == 429 { &helpings.rejections } else { &helpings.answers };
        counter.fetch_add(1, Ordering::Relaxed);
        let bytes = u64::try_from(answer.bytes).unwrap_or(u64::MAX);
        helpings.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
    Ok(())
}
