//! A school behind one address: everybody opens the page with its files and joins at nine o'clock, three times in a row.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use super::{MAX_CONCURRENT_CONNECTS, Outcome, RunContext, swarm};
use crate::{
    client::{http::HttpConnection, swarm::Opening},
    error::LoadError,
    measure::{
        report::{Figures, Report, figure},
        server_process::AdmissionLimits,
    },
    oracle::violations::Violations,
};

const ROUNDS: usize = 3;

/// The files that a page loads at a first visit.
const FILES: usize = 10;

/// How many browsers load at the same time.
const BROWSERS: usize = 100;

/// The address of everybody: also that of the swarm's sockets.
const SCHOOL: Ipv4Addr = Ipv4Addr::LOCALHOST;

pub(super) fn run(context: &RunContext) -> Result<Outcome, LoadError> {
    let server = context.server(AdmissionLimits::Default)?;
    let interval = Duration::from_secs(context.options.seconds.into()) * 2;
    let (mut violations, mut longest) = (Violations::default(), Duration::ZERO);
    for _ in 0..ROUNDS {
        let started_at = Instant::now();
        let mut swarm = swarm(vec![server.address])?;
        let (address, room, people) = (server.address, swarm.room().to_owned(), context.clients());
        let refused = thread::scope(|scope| {
            let pages = scope.spawn(|| load_pages(address, &room, people));
            let sockets = swarm.add(people, Opening::Join);
            swarm.connect_all(sockets, MAX_CONCURRENT_CONNECTS)?;
            while !pages.is_finished() {
                swarm.run_for(Duration::from_millis(10))?;
            }
            pages.join().map_err(|_| LoadError::Server("a browser panicked".to_owned()))
        })?;
        longest = longest.max(started_at.elapsed());
        if refused > 0 {
            violations.add(|| format!("{refused} requests were refused"));
        }
        context.judge(&mut swarm)?;
        if swarm.violations.count > 0 {
            violations.add(|| format!("{:?}", swarm.violations.first));
        }
        swarm.run_for(interval.saturating_sub(started_at.elapsed()))?;
    }
    let figures = Figures::from([
        ("rounds", figure(ROUNDS)),
        ("longest_round_s", longest.as_secs_f64()),
        ("answers", figure(ROUNDS * context.clients() * (FILES + 1))),
    ]);
    let report = Report::new("school", context.options.clients, &violations, figures);
    Ok(Outcome { report, sent: None })
}

/// Loads the page and its files for each person, and returns how many requests were refused.
fn load_pages(address: SocketAddr, room: &str, people: usize) -> usize {
    let (next, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let page = format!("/r/{room}");
    thread::scope(|scope| {
        for _ in 0..BROWSERS.min(people) {
            scope.spawn(|| {
                while next.fetch_add(1, Ordering::Relaxed) < people {
                    let refusals = load_page(address, &page);
                    refused.fetch_add(refusals, Ordering::Relaxed);
                }
            });
        }
    });
    refused.into_inner()
}

/// A first visit: the page, and small files over the same connection.
fn load_page(address: SocketAddr, page: &str) -> usize {
    let Ok(mut connection) = HttpConnection::open(SCHOOL, address) else { return 1 };
    let mut is_refused = |path: &str| {
        let answer = connection.get(path, "br");
        usize::from(answer.map_or(true, |answer| answer.status != 200))
    };
    let files = (0..FILES).map(|_| "/robots.txt");
    std::iter::once(page).chain(files).map(&mut is_refused).sum()
}
