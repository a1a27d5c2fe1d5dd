//! What is waited for, and the verdict in the end.

use std::time::{Duration, Instant};

use app::presence::User;

use super::{Swarm, client::Client};
use crate::error::LoadError;

/// What is waited for: that many clients have the right list.
#[derive(Debug, Default)]
pub(super) struct Goal {
    /// Each goal has its number, so that no client is counted twice for one.
    pub(super) number: u32,
    pub(super) wanted: usize,
    pub(super) reached: usize,
    pub(super) reached_at: Option<Instant>,
}

impl Swarm {
    /// Sets up a goal: that all clients with an open socket have the list that they should have once
    /// all is told; of one that is known to be wrong nothing is expected any more.
    fn aim(&mut self) {
        let now = Instant::now();
        self.goal = Goal { number: self.goal.number + 1, ..Goal::default() };
        let Self { clients, lists, truth, goal, .. } = self;
        let followers = clients.iter_mut().filter(|client| client.is_following());
        for client in followers.filter(|client| !client.is_wrong) {
            goal.wanted += 1;
            if lists.is_right(client.list, truth) {
                client.goal = goal.number;
                goal.reached += 1;
            }
        }
        if goal.reached == goal.wanted {
            goal.reached_at = Some(now);
        }
    }

    /// Reads on until the goal is reached, and says when that was; a list that is still wrong at the
    /// end of `within` is counted.
    pub fn until_right(&mut self, within: Duration) -> Result<Option<Instant>, LoadError> {
        self.aim();
        let until = Instant::now() + within;
        while self.goal.reached_at.is_none() && Instant::now() < until {
            self.turn(Duration::from_millis(50))?;
        }
        Ok(self.goal.reached_at)
    }

    /// Reads on for a while.
    pub fn rest(&mut self, pause: Duration) -> Result<(), LoadError> {
        let until = Instant::now() + pause;
        while let Some(left) =
            until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
        {
            self.turn(left)?;
        }
        Ok(())
    }

    /// Whether any client follows the room.
    pub fn has_followers(&self) -> bool {
        self.clients.iter().any(Client::is_following)
    }

    /// Judges every list as it is now.
    pub fn judge(&mut self, server_list: Result<Vec<User>, String>) {
        let Self { clients, lists, truth, wrongs, .. } = self;
        let judged = clients.iter().enumerate();
        let judged = judged.filter(|(_, client)| client.is_following() && !client.is_wrong);
        let judged = judged.map(|(index, client)| (index, client.list));
        lists.judge(judged, server_list, truth, wrongs);
    }
}
