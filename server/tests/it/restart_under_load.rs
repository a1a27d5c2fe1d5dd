//! A restart of the real program with 300 sockets, which must not cause a change.

#![cfg(unix)]

use std::time::Instant;

use crate::support::{Client, Site, process::ServerProcess};
use app::{
    client::Replica,
    presence::{Difference, PresenceState, ServerEvent},
};
use futures_util::future::join_all;

const ROOMS: [&str; 3] = ["team", "class-4b", "lobby"];

/// The state of a tab at the restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// It watches without being listed.
    Watches,
    /// It is connected and visible.
    Stays,
    /// It is connected, and has been hidden for long.
    Hides,
    /// It has just lost its connection.
    Breaks,
    /// It is being reloaded.
    Reloads,
}

/// Each part with its people per room and their tabs: a hundred sockets.
const CAST: [(Part, usize, usize); 6] = [
    (Part::Watches, 20, 1),
    (Part::Stays, 30, 1),
    (Part::Stays, 10, 2),
    (Part::Hides, 10, 1),
    (Part::Breaks, 10, 1),
    (Part::Reloads, 10, 1),
];

/// The number of rows in a room.
const LISTED: usize = 70;

/// A tab without a socket.
struct Tab {
    part: Part,
    room: &'static str,
    /// The fields of its first frame.
    opening: String,
    cookie: Option<String>,
    list: Replica,
}

impl Tab {
    /// Opens a socket, and records the changes from then on.
    async fn open(self, site: &Site) -> OpenTab {
        let mut client = site.connect_as(self.room, self.cookie.as_deref()).await;
        let mut received = Vec::new();
        if self.list.position().is_none() {
            client.send(&format!("{{{}}}", self.opening)).await;
            client.list().await;
        } else {
            let epoch = self.list.epoch().unwrap().clone();
            let answer = client.resume_with(self.list, &self.opening).await;
            let ServerEvent::Resumed(resumed) = answer else { panic!("{answer:?}") };
            assert_eq!(resumed.epoch, epoch);
            received.push(resumed.difference);
        }
        let (part, room, opening) = (self.part, self.room, self.opening);
        OpenTab { part, room, opening, client, received }
    }
}

struct OpenTab {
    part: Part,
    room: &'static str,
    opening: String,
    client: Client,
    received: Vec<Difference>,
}

impl OpenTab {
    /// Receives events until so many rows have this state.
    async fn wait_until(&mut self, state: PresenceState, rows: usize) {
        self.client.wait_until(|list| count(list, state) == rows).await;
    }

    /// Receives events until this name is listed, and records the changes.
    async fn wait_until_listed(&mut self, name: &str) {
        while !self.client.names().iter().any(|listed| listed == name) {
            self.received.push(self.client.changes().await.difference);
        }
    }

    fn without_socket(self) -> (Tab, Client) {
        let Self { part, room, opening, client, .. } = self;
        let (cookie, list) = (Some(client.cookie.clone()), client.replica.clone());
        (Tab { part, room, opening, cookie, list }, client)
    }
}

fn count(list: &Replica, state: PresenceState) -> usize {
    list.roster().users().filter(|user| user.state == state).count()
}

/// Opens all tabs. Tabs of the same person have the same cookie.
async fn arrive(site: &Site) -> Vec<OpenTab> {
    let mut open = Vec::new();
    for room in ROOMS {
        for (part, people, tabs) in CAST {
            for person in 0..people {
                let mut cookie = None;
                for tab in 0..tabs {
                    let is_visible = part != Part::Hides;
                    let opening = match part {
                        Part::Watches => r#""event":"watch""#.to_owned(),
                        _ => format!(
                            r#""event":"got_a_new_user","name":"{part:?} {tabs} {person}","tab":"t{tab}","visible":{is_visible}"#
                        ),
                    };
                    let list = Replica::default();
                    let tab = Tab { part, room, opening, cookie, list }.open(site).await;
                    cookie = Some(tab.client.cookie.clone());
                    open.push(tab);
                }
            }
        }
    }
    open
}

#[tokio::test]
async fn restart_under_300_sockets_causes_no_change() {
    let started_at = Instant::now();
    let server = ServerProcess::start();
    let mut open = arrive(&server).await;
    assert_eq!(open.len(), 300);
    println!("all are there after {:.3} s", started_at.elapsed().as_secs_f64());
    join_all(open.iter_mut().map(|tab| tab.wait_until(PresenceState::Away, 10))).await;
    println!("the hidden ones are away after {:.3} s", started_at.elapsed().as_secs_f64());

    // Some connections break, which everyone sees. Then some pages start to reload.
    let mut gone = Vec::new();
    let (breaking, mut open): (Vec<_>, Vec<_>) =
        open.into_iter().partition(|tab| tab.part == Part::Breaks);
    for (number, tab) in breaking.into_iter().enumerate() {
        let (tab, client) = tab.without_socket();
        if number % 2 == 0 {
            client.reset();
        } else {
            client.abort();
        }
        gone.push(tab);
    }
    join_all(open.iter_mut().map(|tab| tab.wait_until(PresenceState::Reconnecting, 10))).await;
    let (reloading, open): (Vec<_>, Vec<_>) =
        open.into_iter().partition(|tab| tab.part == Part::Reloads);
    join_all(reloading.into_iter().map(async |tab| {
        let (tab, client) = tab.without_socket();
        client.close().await;
        tab
    }))
    .await
    .into_iter()
    .for_each(|tab| gone.push(tab));

    let term = Instant::now();
    let ending = tokio::spawn(server.terminate());
    let received = join_all(open.into_iter().map(async |mut tab| {
        assert_eq!(tab.client.close_code().await, Some(1012));
        let told_after = term.elapsed();
        (tab.without_socket().0, told_after)
    }))
    .await;
    let (stopped, status) = ending.await.unwrap();
    assert!(status.success(), "{status}");
    let first = received.iter().map(|(_, after)| *after).min().unwrap();
    let last = received.iter().map(|(_, after)| *after).max().unwrap();
    println!(
        "1012 to {} sockets from {:.3} s to {:.3} s after TERM; the process ends after {:.3} s",
        received.len(),
        first.as_secs_f64(),
        last.as_secs_f64(),
        term.elapsed().as_secs_f64()
    );
    gone.extend(received.into_iter().map(|(tab, _)| tab));
    assert_eq!(gone.len(), 300);

    let listening = Instant::now();
    let server = stopped.start();
    let mut open = join_all(gone.into_iter().map(|tab| tab.open(&server))).await;
    println!("all are back {:.3} s after the start", listening.elapsed().as_secs_f64());
    for room in ROOMS {
        // All earlier changes are received before this join.
        let mut control = server.connect(room).await;
        control.announce("Control", "c").await;
        control.wait_until(|list| list.roster().len() == LISTED + 1).await;
        let here: Vec<_> = open.iter_mut().filter(|tab| tab.room == room).collect();
        assert_eq!(here.len(), 100);
        for tab in join_all(here.into_iter().map(async |tab| {
            tab.wait_until_listed("Control").await;
            tab
        }))
        .await
        {
            let left: usize =
                tab.received.iter().map(|received| received.disconnect_user.iter().count()).sum();
            let came: usize = tab.received.iter().map(|received| received.new_user.len()).sum();
            assert_eq!((left, came), (0, 1), "{:?}", tab.received);
            assert_eq!(tab.client.replica.roster(), control.replica.roster());
        }
        assert_eq!(count(&control.replica, PresenceState::Reconnecting), 0);
        assert_eq!(count(&control.replica, PresenceState::Away), 10);
    }
    println!("it took {:.3} s", started_at.elapsed().as_secs_f64());
}
