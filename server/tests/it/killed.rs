//! SIGKILL at moments drawn from a seed, twice within seconds: all rooms that stood for a second are there again.
//!
//! `KILLS=200 cargo nextest run -p server --test it killed` takes a minute. By default there are 20 moments, and a room
//! has to stand for two seconds, as many other tests use the cores at the same time.
//! `KILLS_SEED` repeats the moments of an earlier run.

#![cfg(unix)]

use std::{env, sync::Mutex, thread, time::Duration};

use fastrand::Rng;
use tokio::time::{Instant, sleep, sleep_until};

use crate::support::{
    Client,
    process::{ServerProcess, StoppedServer},
};

/// The longest life of a process, in milliseconds.
const LONGEST_LIFE: u64 = 3_000;

/// The longest life of one that is killed while it starts.
const LONGEST_START: u64 = 120;

/// How often somebody opens a room.
const OPENING_INTERVAL: Duration = Duration::from_millis(150);

/// Most of the time the servers of the lanes wait.
const LANES: usize = 8;

/// A room with one person, and since when it has stood.
struct Standing {
    room: String,
    since: Instant,
    _person: Client,
}

/// When the two processes of a round are killed.
#[derive(Clone, Copy, Debug)]
struct Moments {
    first: Duration,
    second: Duration,
    /// The second process is killed so long after it was started, whether or not it serves by then.
    while_starting: bool,
}

fn draw(rng: &mut Rng) -> Moments {
    let first = Duration::from_millis(rng.u64(0..LONGEST_LIFE));
    let while_starting = rng.bool();
    let longest = if while_starting { LONGEST_START } else { LONGEST_LIFE };
    Moments { first, second: Duration::from_millis(rng.u64(0..longest)), while_starting }
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

#[test]
fn rooms_that_stood_for_a_second_survive_two_kills_at_any_moment() {
    let seed = number("KILLS_SEED").unwrap_or_else(|| fastrand::u64(..));
    let asked = number("KILLS");
    let (kills, seconds) = (asked.unwrap_or(20), if asked.is_some() { 1 } else { 2 });
    println!("KILLS_SEED={seed} KILLS={kills}");
    let mut rng = Rng::with_seed(seed);
    let rounds: Vec<_> = (0..kills).map(|_| draw(&mut rng)).collect();
    let (rounds, standing) = (Mutex::new(rounds), Mutex::new(0));
    thread::scope(|scope| {
        for _ in 0..LANES {
            scope.spawn(|| {
                let runtime =
                    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                while let Some(moments) = { rounds.lock().unwrap().pop() } {
                    let rooms = runtime.block_on(kill_twice(moments, Duration::from_secs(seconds)));
                    *standing.lock().unwrap() += rooms;
                }
            });
        }
    });
    let standing = standing.lock().unwrap();
    println!("{standing} rooms stood for {seconds} s, and were there again");
}

/// Returns how many rooms had to be there in the end.
async fn kill_twice(moments: Moments, long_enough: Duration) -> usize {
    let server = StoppedServer::in_memory().start();
    let mut standing = open_rooms(&server, "first", moments.first).await;
    standing.retain(|room| room.since.elapsed() >= long_enough);
    let stopped = server.kill().anywhere();
    let stopped = if moments.while_starting {
        stopped.start_and_kill_after(moments.second).await
    } else {
        let server = stopped.start();
        let opened = open_rooms(&server, "second", moments.second).await;
        standing.extend(opened.into_iter().filter(|room| room.since.elapsed() >= long_enough));
        server.kill().anywhere()
    };
    let server = stopped.start();
    for Standing { room, since, .. } in &standing {
        let list = server.get(&format!("/api/rooms/{room}/users")).await;
        let stood = since.elapsed();
        assert!(list.contains(r#""name":"Ana""#), "{moments:?}, {room}, {stood:?} ago: {list}");
    }
    standing.len()
}

/// Opens one room after the other for so long.
async fn open_rooms(server: &ServerProcess, name: &str, duration: Duration) -> Vec<Standing> {
    let end = Instant::now() + duration;
    let mut standing = Vec::new();
    while Instant::now() < end {
        let room = format!("{name}-{}", standing.len());
        let mut person = server.connect(&room).await;
        person.join("Ana").await;
        standing.push(Standing { room, since: Instant::now(), _person: person });
        sleep(OPENING_INTERVAL).await;
    }
    sleep_until(end).await;
    standing
}
