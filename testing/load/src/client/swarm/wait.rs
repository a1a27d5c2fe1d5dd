//! Waiting until all lists are right, and checking them.

use std::time::{Duration, Instant};

use app::presence::User;

use super::{Swarm, client::Client};
use crate::error::LoadError;

/// A wait until every client has the right list.
#[derive(Debug, Default)]
pub(super) struct Wait {
    /// Identifies the wait, so that no client is counted twice.
    pub(super) number: u32,
    pub(super) expected: usize,
    pub(super) reached: usize,
    pub(super) reached_at: Option<Instant>,
}

impl Swarm {
    /// Starts a wait for all clients of these servers that receive changes, except those whose list is known to
    /// be wrong.
    fn start_wait(&mut self, is_awaited: impl Fn(usize) -> bool) {
        let now = Instant::now();
        self.wait = Wait { number: self.wait.number + 1, ..Wait::default() };
        let Self { clients, lists, truth, wait, .. } = self;
        for client in clients {
            let is_expected =
                client.is_following() && !client.is_wrong && is_awaited(client.server);
            wait.expected += usize::from(is_expected);
            if !is_expected {
                client.counted_in = wait.number;
            } else if lists.is_right(client.list, truth) {
                client.counted_in = wait.number;
                wait.reached += 1;
            }
        }
        if wait.reached == wait.expected {
            wait.reached_at = Some(now);
        }
    }

    /// Polls until all lists are right, and returns when that was; `None` if it was not reached in time.
    pub fn wait_until_right(&mut self, within: Duration) -> Result<Option<Instant>, LoadError> {
        self.wait_until_right_on(within, |_| true)
    }

    /// The same for the clients of some servers.
    pub fn wait_until_right_on(
        &mut self,
        within: Duration,
        is_awaited: impl Fn(usize) -> bool,
    ) -> Result<Option<Instant>, LoadError> {
        self.start_wait(is_awaited);
        let until = Instant::now() + within;
        while self.wait.reached_at.is_none() && Instant::now() < until {
            self.poll_once(Duration::from_millis(50))?;
        }
        Ok(self.wait.reached_at)
    }

    /// Polls for this long.
    pub fn run_for(&mut self, pause: Duration) -> Result<(), LoadError> {
        let until = Instant::now() + pause;
        while let Some(left) =
            until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
        {
            self.poll_once(left)?;
        }
        Ok(())
    }

    /// Whether any client receives changes.
    pub fn has_followers(&self) -> bool {
        self.clients.iter().any(Client::is_following)
    }

    /// Checks every list as it is now.
    pub fn judge(&mut self, server_list: Result<Vec<User>, String>) {
        let Self { clients, lists, truth, violations, .. } = self;
        let judged = clients.iter().enumerate();
        let judged = judged.filter(|(_, client)| client.is_following() && !client.is_wrong);
        let judged = judged.map(|(index, client)| (index, client.list));
        lists.judge(judged, server_list, truth, violations);
    }
}
