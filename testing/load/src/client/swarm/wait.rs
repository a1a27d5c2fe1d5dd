//! What is waited for, and the verdict in the end.

use std::time::{Duration, Instant};

use app::presence::User;

use super::{Swarm, client::Client};
use crate::error::LoadError;

/// What is waited for: that many clients have the right list.
#[derive(Debug, Default)]
pub(super) struct Wait {
    /// Each wait has its number, so that no client is counted twice for one.
    pub(super) number: u32,
    pub(super) wanted: usize,
    pub(super) reached: usize,
    pub(super) reached_at: Option<Instant>,
}

impl Swarm {
    /// Sets up a wait: that all clients with an open socket have the list that they should have once
    /// all is told; of one that is known to be wrong nothing is expected any more.
    fn aim(&mut self) {
        let now = Instant::now();
        self.wait = Wait { number: self.wait.number + 1, ..Wait::default() };
        let Self { clients, lists, truth, wait, .. } = self;
        let followers = clients.iter_mut().filter(|client| client.is_following());
        for client in followers.filter(|client| !client.is_wrong) {
            wait.wanted += 1;
            if lists.is_right(client.list, truth) {
                client.wait = wait.number;
                wait.reached += 1;
            }
        }
        if wait.reached == wait.wanted {
            wait.reached_at = Some(now);
        }
    }

    /// Reads on until the wait is reached, and says when that was; a list that is still wrong at the
    /// end of `within` is counted.
    pub fn wait_until_right(&mut self, within: Duration) -> Result<Option<Instant>, LoadError> {
        self.aim();
        let until = Instant::now() + within;
        while self.wait.reached_at.is_none() && Instant::now() < until {
            self.poll_once(Duration::from_millis(50))?;
        }
        Ok(self.wait.reached_at)
    }

    /// Reads on for a while.
    pub fn run_for(&mut self, pause: Duration) -> Result<(), LoadError> {
        let until = Instant::now() + pause;
        while let Some(left) =
            until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
        {
            self.poll_once(left)?;
        }
        Ok(())
    }

    /// Whether any client follows the room.
    pub fn has_followers(&self) -> bool {
        self.clients.iter().any(Client::is_following)
    }

    /// Judges every list as it is now.
    pub fn judge(&mut self, server_list: Result<Vec<User>, String>) {
        let Self { clients, lists, truth, violations, .. } = self;
        let judged = clients.iter().enumerate();
        let judged = judged.filter(|(_, client)| client.is_following() && !client.is_wrong);
        let judged = judged.map(|(index, client)| (index, client.list));
        lists.judge(judged, server_list, truth, violations);
    }
}
