//! What happens to a room that several servers share: entries of its journal, and the servers' own commands.

use std::time::Duration;

use app::presence::{Epoch, Name, UserId};

use super::{Now, Room};
use crate::presence::{
    command::{Command, Outcome},
    entry::{Batch, Entry, Ignored},
    join::JoinKind,
    log::Log,
    members::{JoiningTab, Moment},
    server_id::ServerId,
    servers::{ServerExit, Servers},
};

impl Room {
    /// Applies the next entry of the journal. Returns what came of each command.
    ///
    /// Time passes also if the batch is ignored, so that all servers do the same at every entry.
    pub fn apply_entry(&mut self, entry: Entry) -> Result<Vec<Outcome>, Ignored> {
        let Entry { moment, batch: Batch { server, number, joined, commands }, .. } = entry;
        if let Some(pause) = joined.and_then(|joined| joined.pause) {
            let lasted = self.time.note_pause(pause, moment);
            if !lasted.is_zero() {
                self.note_interruption(moment.saturating_sub(lasted).as_secs());
            }
        }
        let now = Now { moment: self.time.advance_to(moment), unix_seconds: moment.as_secs() };
        // Before the commands: who comes back after the grace period is over comes too late on all servers.
        self.apply(Command::Tick, now);
        self.servers.forget(moment);
        self.removals.forget(moment);
        if let Some(joined) = joined {
            self.servers.admit(server, number, joined.rules)?;
            self.set_limits(joined.limits, now);
        } else {
            self.servers.accept(server, number)?;
        }
        let outcomes = commands.into_iter().map(|command| {
            // The server's own end may be among its commands.
            if self.servers.contains(server) { self.apply(command, now) } else { Outcome::Fenced }
        });
        Ok(outcomes.collect())
    }

    /// The servers in the room.
    pub fn servers(&self) -> &Servers {
        &self.servers
    }

    /// Lists a socket again, unless what happened to its person or its tab since says otherwise.
    pub(super) fn restore_tab(
        &mut self,
        user_id: UserId,
        tab: JoiningTab,
        name: Name,
        now: Now,
    ) -> Outcome {
        if self.removals.is_removed_since(user_id, tab.announced_at()) {
            Outcome::RemovedSince
        } else if self.members.has_newer_socket(user_id, &tab) {
            Outcome::ReplacedSince
        } else {
            Ok(self.list(user_id, tab, name, JoinKind::Opening, now)).into()
        }
    }

    /// A server has left, with all its sockets.
    pub(super) fn remove_server(
        &mut self,
        server: ServerId,
        ago: Duration,
        exit: ServerExit,
        now: Now,
    ) {
        if !self.servers.remove(server, exit, self.time.in_journal(now.moment)) {
            return;
        }
        // A server that was gone before a pause had no time to come back during it.
        let at = now.moment.saturating_sub(ago).max(self.time.resumed_at());
        for user_id in self.members.remove_server(server, at, exit) {
            self.reconcile(user_id, now);
        }
    }

    pub(super) fn change_epoch(&mut self, epoch: Epoch, replaces: &Epoch) {
        if self.epoch == *replaces {
            self.epoch = epoch;
            self.log = Log::default();
        }
    }

    /// A server alone has no others that could list a removed person again.
    pub(super) fn note_removal(&mut self, user_id: UserId, now: Moment) {
        if !self.servers.is_empty() {
            self.removals.note(user_id, self.time.in_journal(now));
        }
    }

    pub(super) fn note_clearing(&mut self, now: Moment) {
        if !self.servers.is_empty() {
            self.removals.note_all(self.time.in_journal(now));
        }
    }
}
