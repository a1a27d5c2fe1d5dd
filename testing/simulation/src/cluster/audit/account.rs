//! Whose batches count, and what of them: kept apart from the rooms, and much simpler.

use std::collections::{BTreeMap, BTreeSet};

use app::presence::{Epoch, UserId};
use registry::presence::{
    command::Command,
    entry::{Batch, Entry, Ignored},
    join::Join,
    members::Moment,
    room::{Room, RoomSnapshot},
    server_id::ServerId,
    servers::ServerExit,
};

/// What the entries of a journal have said so far.
#[derive(Debug, Default)]
pub(super) struct Account {
    servers: BTreeMap<ServerId, Life>,
    /// The servers of earlier states of the journal: how they ended is not known.
    earlier: BTreeSet<ServerId>,
    epoch: Option<Epoch>,
    /// The last pause, and when it ended.
    pause: Option<(u64, Moment)>,
    removed: BTreeMap<UserId, Moment>,
    cleared_at: Option<Moment>,
    /// The requests that have counted, of each server.
    requests: BTreeSet<(ServerId, String)>,
}

/// A server in a room.
#[derive(Clone, Copy, Debug)]
struct Life {
    last_batch: u64,
    exit: Option<ServerExit>,
}

/// Whether a batch counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counts {
    Yes,
    No(Ignored),
    /// The server may have left before what is known of the journal.
    Unknown,
}

impl Account {
    /// A journal is read from this state on.
    pub(super) fn begin(&mut self, room: &Room) {
        let mut earlier = std::mem::take(&mut self.earlier);
        earlier.extend(self.servers.keys());
        let present = room.servers().iter().filter_map(|server| {
            let last_batch = room.servers().last_batch(server)?;
            Some((server, Life { last_batch, exit: None }))
        });
        let epoch = Some(room.epoch().clone());
        let pause = last_pause(room);
        *self = Self { servers: present.collect(), earlier, epoch, pause, ..Self::default() };
    }

    pub(super) fn counts(&self, batch: &Batch) -> Counts {
        let Some(Life { last_batch, exit }) = self.servers.get(&batch.server) else {
            return match batch.joined {
                _ if self.earlier.contains(&batch.server) => Counts::Unknown,
                Some(_) => Counts::Yes,
                None => Counts::No(Ignored::NotJoined),
            };
        };
        if batch.number <= *last_batch {
            return Counts::No(Ignored::Duplicate);
        }
        let may_join = batch.joined.is_some() && *exit == Some(ServerExit::Idle);
        if exit.is_none() || may_join { Counts::Yes } else { Counts::No(Ignored::NotJoined) }
    }

    /// Whether it tells of a pause that this journal may not have counted.
    pub(super) fn has_new_pause(&self, batch: &Batch) -> bool {
        let pause = batch.joined.and_then(|joined| joined.pause);
        pause.is_some_and(|pause| self.pause.is_none_or(|(last, _)| last < pause.id))
    }

    /// Takes note of an entry. Returns it without what must not count.
    pub(super) fn meaning(&mut self, entry: &Entry, is_counted: bool) -> Result<Entry, String> {
        let Entry { moment, batch, .. } = entry;
        let mut meaning = entry.clone();
        if self.has_new_pause(batch) {
            let pause = batch.joined.and_then(|joined| joined.pause);
            self.pause = pause.map(|pause| (pause.id, *moment));
        } else if let Some(joined) = &mut meaning.batch.joined {
            joined.pause = None;
        }
        if !is_counted {
            meaning.batch.commands.clear();
            return Ok(meaning);
        }
        self.servers.insert(batch.server, Life { last_batch: batch.number, exit: None });
        meaning.batch.commands.clear();
        for command in &batch.commands {
            if self.servers.get(&batch.server).is_some_and(|life| life.exit.is_none()) {
                let command = self.meaning_of(command, batch.server, *moment)?;
                meaning.batch.commands.extend(command);
            }
        }
        Ok(meaning)
    }

    /// The command as it counts; `None` if it must not.
    fn meaning_of(
        &mut self,
        command: &Command,
        by: ServerId,
        now: Moment,
    ) -> Result<Option<Command>, String> {
        match command {
            Command::Announced { join: Join { name, .. }, .. } | Command::Renamed { name, .. } => {
                // These names are different in all requests. A page asks for its own again.
                let is_unique = name.as_str().contains('#');
                if is_unique && !self.requests.insert((by, format!("{command:?}"))) {
                    return Err(format!("a request counts twice: {command:?}"));
                }
            }
            Command::RowRemoved { user_id, .. } => {
                self.removed.insert(*user_id, now);
            }
            Command::RoomCleared => self.cleared_at = Some(now),
            Command::Restored { user_id, announced_at, .. } => {
                let removed_at = self.removed.get(user_id).copied().max(self.cleared_at);
                if removed_at.is_some_and(|removed_at| *announced_at <= removed_at) {
                    return Ok(None);
                }
            }
            Command::EpochChanged { epoch, replaces } => {
                if self.epoch.as_ref() != Some(replaces) {
                    return Ok(None);
                }
                self.epoch = Some(epoch.clone());
            }
            Command::ServerLeft { server, ago, exit } => {
                if let Some(life) = self.servers.get_mut(server) {
                    life.exit = life.exit.or(Some(*exit));
                }
                let since_pause = self.pause.map(|(_, resumed_at)| now.saturating_sub(resumed_at));
                let ago = ago.map(|ago| since_pause.map_or(ago, |since| ago.min(since)));
                return Ok(Some(Command::ServerLeft { server: *server, ago, exit: *exit }));
            }
            Command::VisibilityChanged { .. }
            | Command::Disconnected { .. }
            | Command::PageServed { .. }
            | Command::PageConnected { .. }
            | Command::JoiningChanged { .. }
            | Command::Tick
            | Command::AttendanceTrimmed { .. }
            | Command::Checkpoint { .. } => {}
        }
        Ok(Some(command.clone()))
    }
}

/// The id of the last pause that a room has counted, and when it ended by the journal's clock.
fn last_pause(room: &Room) -> Option<(u64, Moment)> {
    let state = serde_json::to_value(RoomSnapshot::of(room)).ok()?;
    let time = |field: &str| state["time"][field].as_u64();
    let ended_at = time("resumed_at")? + time("paused")?;
    Some((time("last_pause")?, Moment::from_millis(ended_at)))
}
