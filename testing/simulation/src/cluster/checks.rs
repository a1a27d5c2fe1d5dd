//! What must be true at every step, and in the end.

use std::{collections::BTreeSet, time::Duration};

use app::presence::{ExistingUsers, Since};
use registry::replication::handle::OpenMode;
use tokio::time::{Instant, sleep, timeout};

use super::{Expected, SERVERS, Schedule, client::Change, step::Kind};
use crate::{oracle::room_record::NO_EPOCH, sync::lock};

/// How often the clients read, and lists are compared.
const READ_INTERVAL: Duration = Duration::from_millis(40);

impl Schedule {
    /// Time passes, in which clients read and what lasts for a while ends.
    pub(super) async fn pass(&mut self, pause: Duration) {
        let until = Instant::now() + pause;
        loop {
            self.read();
            self.observe();
            self.settle_doubts();
            let now = Instant::now();
            if until <= now || self.recorder.has_failed() {
                return;
            }
            let due = self.ends.iter().map(|(at, _)| *at).min().unwrap_or(until);
            sleep(READ_INTERVAL.min(until - now).min(due.saturating_duration_since(now))).await;
            let now = Instant::now();
            let over: Vec<_> = self.ends.extract_if(.., |(at, _)| *at <= now).collect();
            for (_, end) in over {
                self.end(end);
            }
        }
    }

    fn read(&mut self) {
        let mut index = 0;
        while index < self.clients.len() {
            let client = &mut self.clients[index];
            let is_running = self.servers[client.server]
                .as_ref()
                .is_some_and(|server| !server.gate.is_stopped());
            if !is_running {
                index += 1;
                continue;
            }
            let read = client.read(&mut lock(&self.lists[client.room]));
            match read {
                Ok(Some(Change::Ended)) => {
                    self.recorder.count("cluster: a client was replaced");
                    let client = self.clients.swap_remove(index);
                    self.doubt_if_waiting(&client);
                    continue;
                }
                Ok(change) => self.follow(index, change),
                Err(why) => self.recorder.fail(&format!("a client: {why}")),
            }
            index += 1;
        }
    }

    /// What became of a client's request.
    pub(super) fn follow(&mut self, client: usize, change: Option<Change>) {
        let of = &self.clients[client];
        let doubts = of.doubts();
        if let Some(change) = change {
            let (user_id, server, room) = (self.persons[of.person].user_id, of.server, of.room);
            self.recorder.trace_detail(|| {
                format!("{user_id} on server {server} in room {room}: {change:?}, {doubts:?}")
            });
        }
        let person = &mut self.persons[self.clients[client].person];
        match change {
            Some(Change::Listed) if Some(person.doubts) == doubts => {
                person.expected = Expected::Listed;
            }
            Some(Change::Listed) => {
                self.clients[client].note_removal();
                person.expected = Expected::Unknown;
            }
            Some(Change::Uncertain) => person.expected = Expected::Unknown,
            Some(Change::Ended) | None => {}
        }
    }

    /// A server goes on under another id only where it may have been declared dead.
    fn check_incarnations(&mut self) {
        for server in 0..SERVERS {
            let is_heard = (0..self.rooms.len()).any(|room| self.list(server, room).is_some());
            let Some(running) = &mut self.servers[server] else { continue };
            let present = running.hub.server_id();
            if is_heard && running.first.is_none() {
                running.first = present;
            }
            if running.first.is_some() && running.first != present {
                let why = format!("{:?} goes on as {present:?}", running.first);
                self.recorder.fail(&why);
            }
        }
    }

    fn list(&self, server: usize, room: usize) -> Option<ExistingUsers> {
        let list = self.hub(server)?.snapshot(&self.rooms[room], None, usize::MAX);
        (list.epoch.as_str() != NO_EPOCH).then_some(list)
    }

    fn observe(&mut self) {
        if matches!(self.kind, Kind::Calm | Kind::Links) {
            self.check_incarnations();
        }
        for room in 0..self.rooms.len() {
            let Self { engine, rooms, audits, lists, recorder, .. } = self;
            audits[room].follow(engine, &rooms[room], &mut lock(&lists[room]), recorder);
            for server in 0..self.servers.len() {
                let Some(list) = self.list(server, room) else { continue };
                let point = Since { epoch: list.epoch, seq: list.seq };
                if lock(&self.lists[room]).has_moved(server, &point) {
                    self.recorder.trace_detail(|| {
                        format!(
                            "server {server} is at {} {} of room {room}",
                            point.epoch, point.seq
                        )
                    });
                }
                let noted = lock(&self.lists[room]).note(&point, list.users.iter());
                self.recorder.check_result(noted, || format!("server {server}"));
                if self.kind == Kind::Calm {
                    self.check_nobody_is_missing(server, room, &list.users);
                }
            }
        }
    }

    /// Without faults, nobody who is connected and has joined is missing.
    fn check_nobody_is_missing(&self, server: usize, room: usize, users: &[app::presence::User]) {
        let here = self
            .clients
            .iter()
            .filter(|client| client.server == server && client.room == room && client.has_joined());
        for client in here {
            let user_id = self.persons[client.person].user_id;
            if users.iter().all(|user| user.id != user_id) {
                self.recorder
                    .fail(&format!("{user_id} is connected to {server}, and is not listed"));
            }
        }
    }

    pub(super) async fn check_final(&mut self) {
        self.open_everything().await;
        self.check_equality();
        self.check_rows();
        self.pages.check_final_state().await;
        // Once more, with requests that nothing can meet.
        for client in 0..self.clients.len() {
            self.join_with(client);
        }
        self.pages.ask_once_more();
        self.pass(Duration::from_secs(5)).await;
        self.check_equality();
        self.check_rows();
        self.pages.check_final_state().await;
    }

    /// A room that nobody was subscribed to is cleaned by whoever opens it next.
    async fn open_everything(&mut self) {
        for name in &self.rooms {
            for server in &self.servers {
                let Some(running) = server else {
                    return self.recorder.fail("a server is down at the end");
                };
                let opened = running.hub.open(name, OpenMode::Found);
                if timeout(Duration::from_secs(2), opened).await != Ok(Ok(())) {
                    return self.recorder.fail("a room can't be opened at the end");
                }
            }
        }
        // The engine may have forgotten when a server died: then its people have a grace period from now on.
        self.pass(Duration::from_secs(20)).await;
    }

    /// All servers have one list at one point, and so have their clients.
    fn check_equality(&self) {
        let alive: BTreeSet<_> =
            self.servers.iter().flatten().filter_map(|server| server.hub.server_id()).collect();
        for (room, name) in self.rooms.iter().enumerate() {
            let mut first: Option<ExistingUsers> = None;
            let mut attendance = None;
            let in_journal = self.audits[room].list();
            for (server, running) in self.servers.iter().enumerate() {
                let Some(running) = running else { continue };
                let list = running.hub.snapshot(name, None, usize::MAX);
                let list = ExistingUsers { now: 0, ..list };
                // A room that nobody of a server reads is forgotten there.
                if list.epoch.as_str() == NO_EPOCH {
                    continue;
                }
                if first.as_ref().is_some_and(|first| *first != list) {
                    return self.recorder.fail(&format!(
                        "the list of server {server} differs at the end: {list:?} and {first:?}"
                    ));
                }
                if in_journal.as_ref() != Some(&(list.epoch.clone(), list.users.clone())) {
                    return self.recorder.fail(&format!(
                        "the list of server {server} differs at the end: {list:?} and {in_journal:?}"
                    ));
                }
                first.get_or_insert(list);
                let came_and_went = running.hub.attendance(name).map(|report| report.rows);
                if let Some(rows) = came_and_went.as_ref().filter(|rows| !rows.is_empty()) {
                    self.recorder.count("cluster end: rooms with attendance");
                    if attendance.as_ref().is_some_and(|first| first != rows) {
                        return self.recorder.fail(&format!(
                            "the attendance of server {server} differs at the end: {rows:?} and {attendance:?}"
                        ));
                    }
                    attendance.get_or_insert_with(|| rows.clone());
                }
                let dead =
                    running.hub.servers_in(name).into_iter().find(|server| !alive.contains(server));
                if let Some(dead) = dead {
                    return self.recorder.fail(&format!("{dead:?} is in the room, and is dead"));
                }
                for client in &self.clients {
                    if client.server == server && client.room == room {
                        let outcome = client.check_final(&running.hub, name);
                        self.recorder.check_result(outcome, || "at the end".to_owned());
                        self.recorder.count("cluster end: clients with the right list");
                    }
                }
            }
        }
    }

    /// Whoever wants to be listed is listed once, and nobody else is.
    fn check_rows(&self) {
        for room in 0..self.rooms.len() {
            let Some(list) = self.list(0, room) else { continue };
            for (number, person) in self.persons.iter().enumerate() {
                let mut clients = self
                    .clients
                    .iter()
                    .filter(|client| client.person == number && client.room == room)
                    .peekable();
                let is_connected = clients.peek().is_some();
                let has_joined = clients.any(super::client::Client::has_joined);
                let rows = list.users.iter().filter(|user| user.id == person.user_id).count();
                let expected = match person.expected {
                    _ if !is_connected => Some(0),
                    Expected::Listed if has_joined => Some(1),
                    Expected::Unlisted => Some(0),
                    Expected::Listed | Expected::Unknown => None,
                };
                if expected.is_some_and(|expected| expected != rows) {
                    return self.recorder.fail(&format!(
                        "{} has {rows} rows at the end, and is expected to be {:?}",
                        person.user_id, person.expected
                    ));
                }
                self.recorder.count(match expected {
                    Some(0) => "cluster end: persons not listed, as expected",
                    Some(_) => "cluster end: persons listed, as expected",
                    None => "cluster end: persons with an undetermined expectation",
                });
            }
        }
    }
}
