//! Sockets are opened and reset repeatedly: the server's memory must not grow.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::Duration,
};

use app::presence::ClientEvent;

use super::{Outcome, RunContext};
use crate::{
    client::{handshake, websocket::FrameWriter},
    error::LoadError,
    measure::{
        report::{Figures, Report, figure},
        server_process::{AdmissionLimits, Server},
        system,
    },
    oracle::violations::Violations,
};

/// The number of rounds.
const ROUNDS: u32 = 20;

/// The largest accepted ratio of memory after the last round to memory after the first.
const MAX_GROWTH: f64 = 1.1;

/// The time limit of a response.
const TIMEOUT: Duration = Duration::from_secs(30);

pub(super) fn run(context: &RunContext) -> Result<Outcome, LoadError> {
    let server = context.server(AdmissionLimits::Off)?;
    let mut violations = Violations::default();
    let mut partial = Vec::new();
    for _ in 0..ROUNDS {
        open_and_reset(server.address, context.clients())?;
        partial.push(held_at_rest(context, &server));
    }
    let mut figures = Figures::from([("rounds", figure(ROUNDS))]);
    if let (Some(Some(first)), Some(Some(last))) = (partial.first(), partial.last()) {
        let growth = figure(*last) / figure(*first);
        figures.insert("mib_after_first_round", figure(*first) / 1024.0);
        figures.insert("mib_after_last_round", figure(*last) / 1024.0);
        figures.insert("last_round_to_first", growth);
        if growth > MAX_GROWTH {
            violations
                .add(|| format!("the server's memory grows: {partial:?} KiB after each round"));
        }
    }
    let report = Report::new("resets", context.options.clients, &violations, figures);
    Ok(Outcome { report, sent: None })
}

/// The server's memory in KiB, after it has noticed the resets.
fn held_at_rest(context: &RunContext, server: &Server) -> Option<u64> {
    thread::sleep(context.timing.settle_time);
    server.usage().memory.map(|memory| memory.resident)
}

/// Opens sockets, of which every second one watches a room, and resets all at once.
fn open_and_reset(server: SocketAddr, count: usize) -> Result<(), LoadError> {
    let sockets = (0..count).map(|index| open(server, index));
    let sockets = sockets.collect::<Result<Vec<_>, _>>()?;
    for socket in &sockets {
        let reset = system::reset_on_close(socket);
        reset.map_err(|source| LoadError::Io { what: "could not reset a socket", source })?;
    }
    drop(sockets);
    Ok(())
}

fn open(server: SocketAddr, index: usize) -> Result<TcpStream, LoadError> {
    let io_error = |source| LoadError::Io { what: "could not open a socket", source };
    let mut stream = TcpStream::connect(server).map_err(io_error)?;
    stream.set_read_timeout(Some(TIMEOUT)).map_err(io_error)?;
    let mut says = handshake::request(server, "resets", None).into_bytes();
    if index.is_multiple_of(2) {
        let watch = serde_json::to_string(&ClientEvent::Watch { since: None }).unwrap_or_default();
        says.extend(FrameWriter::default().text(&watch));
    }
    stream.write_all(&says).map_err(io_error)?;
    let mut answer = [0; 64];
    let read = stream.read(&mut answer).map_err(io_error)?;
    if answer[..read].starts_with(b"HTTP/1.1 101 ") {
        Ok(stream)
    } else {
        Err(LoadError::Server(String::from_utf8_lossy(&answer[..read]).into_owned()))
    }
}
