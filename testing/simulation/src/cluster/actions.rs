//! What clients, the operator and servers do.

use std::sync::Arc;

use app::presence::TabId;
use registry::hub::Hub;
use tokio::time::{Duration, Instant, sleep, timeout};

use crate::client::person::Person as Visitor;

use super::{End, Expected, Person, SERVERS, Schedule, client::Client, servers::Server};
/// So long after a fault, requests are certain again.
const TROUBLE: Duration = Duration::from_secs(8);

/// Long enough for a request to be sent, and too short for anything else.
const A_MOMENT: Duration = Duration::from_millis(1);

/// Requests that are submitted on two servers within this time may be executed in any order.
const CROSSING: Duration = Duration::from_secs(1);

impl Schedule {
    pub(super) fn start_server(&mut self, server: usize) -> Server {
        let clocks = self.recorder.hub_clocks();
        let started = Server::start(&self.engine, server, self.limits, clocks, &mut self.rng);
        if let Some(balancer) = &self.world.balancer {
            balancer.add(server, Arc::clone(&started.hub), started.gate.clone());
        }
        started
    }

    /// A name that no other request has.
    pub(super) fn name(&mut self) -> String {
        const NAMES: [&str; 5] = ["Ana", "Bo", "مريم الحداد", "<b>\"Eve\\</b>", "李小龙"];
        self.next_name += 1;
        format!("{} #{}", NAMES[self.rng.usize(..NAMES.len())], self.next_name)
    }

    /// Whether requests are executed at once, and in their order.
    fn is_quiet(&self) -> bool {
        let is_over = self.troubled_at.is_none_or(|at| TROUBLE < at.elapsed());
        is_over
            && self.outlived.is_empty()
            && self.ends.iter().all(|(_, end)| matches!(end, End::Down(_)))
    }

    pub(super) fn doubt_everyone(&mut self) {
        self.troubled_at = Some(Instant::now());
        for person in 0..self.persons.len() {
            self.doubt(person);
        }
        self.world.persons.iter().for_each(Visitor::doubt);
    }

    fn doubt(&mut self, person: usize) {
        let person = &mut self.persons[person];
        person.expected = Expected::Unknown;
        person.doubts += 1;
    }

    pub(super) fn doubt_if_waiting(&mut self, client: &Client) {
        if client.is_waiting() {
            self.doubt(client.person);
        }
    }

    /// The servers whose processes run.
    fn running(&self) -> Vec<usize> {
        let is_running =
            |server: &usize| self.servers[*server].as_ref().is_some_and(|it| !it.gate.is_stopped());
        (0..SERVERS).filter(is_running).collect()
    }

    pub(super) fn hub(&self, server: usize) -> Option<Arc<Hub>> {
        let running = self.servers[server].as_ref().filter(|running| !running.gate.is_stopped());
        running.map(|running| Arc::clone(&running.hub))
    }

    pub(super) fn open(&mut self) {
        let running = self.running();
        let Some(server) = self.rng.choice(running) else { return };
        let Some(hub) = self.hub(server) else { return };
        let room = self.rng.usize(..self.rooms.len());
        let person = self.rng.usize(..self.persons.len());
        self.next_tab = self.next_tab.wrapping_add(1);
        let tab = TabId::from_random([self.next_tab; 16]);
        let user_id = self.persons[person].user_id;
        let place = (server, room, &self.rooms[room]);
        let mut client = Client::open(&hub, place, (person, user_id), tab);
        client.watch();
        self.clients.push(client);
    }

    /// A client on a server that runs.
    fn random_client(&mut self) -> Option<usize> {
        let awake: Vec<usize> = (0..self.clients.len())
            .filter(|client| self.hub(self.clients[*client].server).is_some())
            .collect();
        self.rng.choice(awake)
    }

    pub(super) fn with_client(&mut self, act: impl FnOnce(&mut Client)) {
        if let Some(client) = self.random_client() {
            act(&mut self.clients[client]);
        }
    }

    pub(super) fn take_client(&mut self) -> Option<Client> {
        self.random_client().map(|client| self.clients.swap_remove(client))
    }

    pub(super) fn join(&mut self) {
        if let Some(client) = self.random_client() {
            self.join_with(client);
        }
    }

    pub(super) fn join_with(&mut self, client: usize) {
        let name = self.name();
        let person = self.clients[client].person;
        if !self.is_quiet() {
            self.doubt(person);
        }
        let Person { doubts, is_removal_open, .. } = self.persons[person];
        let is_certain = !is_removal_open && self.outlived.is_empty();
        let doubts = Some(doubts).filter(|_| is_certain);
        let (server, room) = (self.clients[client].server, self.clients[client].room);
        let user_id = self.persons[person].user_id;
        self.recorder
            .trace_detail(|| format!("{user_id} on server {server} joins room {room} as {name}"));
        let change = self.clients[client].join(&name, doubts);
        self.follow(client, change);
    }

    pub(super) fn leave(&mut self) {
        if let Some(client) = self.random_client() {
            self.leave_with(client);
        }
    }

    fn leave_with(&mut self, client: usize) {
        if self.clients[client].leave() {
            let (person, room) = (self.clients[client].person, self.clients[client].room);
            self.note_removal(person, room);
        }
    }

    /// A person is removed on purpose: by a leave, or by the operator.
    fn note_removal(&mut self, person: usize, room: usize) {
        let mut of_person =
            self.clients.iter_mut().filter(|client| client.person == person && client.room == room);
        let is_crossing = of_person.by_ref().any(|client| client.is_waiting());
        for client in &mut self.clients {
            if client.person == person && client.room == room {
                client.note_removal();
            }
        }
        let is_certain = !is_crossing && self.is_quiet() && self.rooms.len() == 1;
        self.doubt(person);
        self.persons[person].removed_at = Some(Instant::now());
        self.persons[person].is_removal_open = true;
        if is_certain {
            self.persons[person].expected = Expected::Unlisted;
        }
    }

    pub(super) async fn remove(&mut self) {
        let running = self.running();
        let Some(server) = self.rng.choice(running) else { return };
        let Some(hub) = self.hub(server) else { return };
        let person = self.rng.usize(..self.persons.len());
        let room = self.rng.usize(..self.rooms.len());
        let (name, user_id) = (self.rooms[room].clone(), self.persons[person].user_id);
        self.note_removal(person, room);
        let removed = async move { hub.remove(&name, user_id).await };
        if self.is_quiet() {
            if timeout(Duration::from_secs(2), removed).await.is_err() {
                self.recorder.fail("the operator is not answered");
            }
        } else {
            self.doubt(person);
            tokio::spawn(removed);
        }
    }

    pub(super) fn move_client(&mut self) {
        if let Some(client) = self.take_client() {
            self.doubt_if_waiting(&client);
            self.move_elsewhere(client);
        }
    }

    pub(super) fn move_homeless(&mut self) {
        for client in std::mem::take(&mut self.homeless) {
            self.move_elsewhere(client);
        }
    }

    /// A client goes on over another server, as soon as there is one, and asks for what it had.
    fn move_elsewhere(&mut self, client: Client) {
        let running = self.running();
        let Some(server) = self.rng.choice(running) else { return self.homeless.push(client) };
        let Some(hub) = self.hub(server) else { return };
        let user_id = self.persons[client.person].user_id;
        let had_joined = client.has_joined();
        let room = self.rooms[client.room].clone();
        self.clients.push(client.move_to(server, &hub, &room, user_id));
        let moved = self.clients.len() - 1;
        if had_joined {
            self.join_with(moved);
        } else {
            self.clients[moved].watch();
        }
    }

    /// The process ends in order, and its clients go on over other servers.
    pub(super) async fn restart(&mut self, down: Duration) {
        let running = self.running();
        if running.len() < 2 {
            return;
        }
        let Some(server) = self.rng.choice(running) else { return };
        let Some(process) = self.servers[server].take() else { return };
        if timeout(Duration::from_secs(1), process.hub.leave_cluster()).await.is_err()
            && self.is_quiet()
        {
            self.recorder.fail("a server can't leave its cluster");
        }
        if let Some(balancer) = &self.world.balancer {
            balancer.shut_down(server);
        }
        process.kill();
        self.ends_after(down, End::Down(server));
        for client in self.take_clients_of(server) {
            self.doubt_if_waiting(&client);
            self.move_elsewhere(client);
        }
    }

    pub(super) async fn kill(&mut self, down: Duration, late: Option<Duration>) {
        let running = self.running();
        let Some(server) = self.rng.choice(running) else { return };
        if let Some(delay) = late {
            self.engine.set_faults(|faults| {
                faults.delayed_appends.insert(server, delay);
            });
            self.ask(server);
            sleep(A_MOMENT).await;
            self.engine.set_faults(|faults| {
                faults.delayed_appends.remove(&server);
            });
        }
        self.kill_process(server, down);
        self.leave_server(server);
    }

    pub(super) fn kill_all(&mut self, down: Duration) {
        for server in 0..SERVERS {
            let later = Duration::from_millis(self.rng.u64(..3_000));
            self.kill_process(server, down + later);
        }
        for server in 0..SERVERS {
            self.leave_server(server);
        }
    }

    fn kill_process(&mut self, server: usize, down: Duration) {
        let Some(process) = self.servers[server].take() else { return };
        if let Some(balancer) = &self.world.balancer {
            balancer.kill(server);
        }
        process.kill();
        self.ends_after(down, End::Down(server));
        if self.engine.has_late_append(server) {
            self.outlived.insert(server);
        }
    }

    /// Most clients of a server that is gone go on over others.
    fn leave_server(&mut self, server: usize) {
        for client in self.take_clients_of(server) {
            if self.rng.u8(0..4) > 0 {
                self.move_elsewhere(client);
            }
        }
    }

    /// The process is not scheduled for a while.
    pub(super) fn stop(&mut self, lasting: Duration, is_busy: bool) {
        let running = self.running();
        let Some(server) = self.rng.choice(running) else { return };
        if is_busy {
            self.ask(server);
        }
        if let Some(stopped) = &self.servers[server] {
            stopped.gate.stop();
            self.ends_after(lasting, End::Stop(server));
        }
    }

    /// A client of a server asks for something.
    fn ask(&mut self, server: usize) {
        let clients = (0..self.clients.len()).filter(|it| self.clients[*it].server == server);
        let Some(client) = self.rng.choice(clients.collect::<Vec<_>>()) else { return };
        match self.rng.u8(..4) {
            0 => self.leave_with(client),
            1 => {
                let name = self.name();
                self.clients[client].rename(&name);
            }
            _ => self.join_with(client),
        }
    }

    /// What was not certain becomes so with time.
    pub(super) fn settle_doubts(&mut self) {
        let arrived: Vec<_> =
            self.outlived.extract_if(.., |server| !self.engine.has_late_append(*server)).collect();
        if !arrived.is_empty() {
            self.doubt_everyone();
        }
        let is_quiet = self.is_quiet();
        for visitor in &self.world.persons {
            visitor.state().is_uncertain = !is_quiet;
        }
        for person in &mut self.persons {
            let is_recent = person.removed_at.is_some_and(|at| at.elapsed() < CROSSING);
            person.is_removal_open &= is_recent || !is_quiet;
        }
    }

    fn take_clients_of(&mut self, server: usize) -> Vec<Client> {
        self.clients.extract_if(.., |client| client.server == server).collect()
    }
}
