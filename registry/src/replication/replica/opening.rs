//! How a room is opened, for the first time and again over another link, and what the journal may lack then.

use std::time::Duration;

use app::presence::Epoch;

use super::{Applied, Known, LinkState, MOST_EPOCHS, Reader, Received, Replica};
use crate::{
    presence::{
        command::{Command, Outcome},
        room::{InvalidSnapshotError, Room, RoomSnapshot},
        server_id::ServerId,
    },
    replication::{
        engine::{EntryTime, Founding, Opened, ROOM_LIFETIME, RunId},
        room_clock::RoomClock,
    },
};

/// Why a room could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The engine has no such room, and was not given a state to found it with.
    #[error("there is no such room")]
    Absent,
    /// The entries do not continue what is known.
    #[error("the entries do not continue the room")]
    Gap,
    /// The state contradicts itself.
    #[error(transparent)]
    Snapshot(#[from] InvalidSnapshotError),
}

impl<R: Default> Replica<R> {
    /// The room was opened, for the first time or again, in this run of the engine: while it is the same one, nothing
    /// is lost. Returns what came of the entries.
    pub fn open(
        &mut self,
        room: &mut Room,
        opened: Opened,
        run: &RunId,
        new_epoch: impl FnOnce() -> Epoch,
        now: Duration,
        is_connected: impl Fn(u32) -> bool,
    ) -> Result<Applied<R>, OpenError> {
        let mut applied = Applied::default();
        let is_same_run = self.run.replace(run.clone()).as_ref() == Some(run);
        if is_same_run && self.is_behind(&opened) {
            return Ok(applied);
        }
        let issued = self.issued.clone();
        let before = self.known();
        let is_whole = matches!(opened, Opened::Whole { .. });
        let mut may_have_lost = false;
        let (present, entries) = match opened {
            Opened::Absent => return Err(OpenError::Absent),
            Opened::More { now: present, entries } => {
                let Some(known) = self.known() else { return Err(OpenError::Gap) };
                self.link = LinkState::Open(known);
                (present, entries)
            }
            Opened::Whole { now: present, at, snapshot, entries } => {
                let is_kept = self.position().is_some_and(|own| {
                    let is_trimmed = is_same_run && own.number < at.position.number;
                    let mut kept = entries.iter().map(|entry| entry.position);
                    is_trimmed || own == at.position || kept.any(|position| position == own)
                });
                *room = Room::try_from(*snapshot)?;
                let clock = RoomClock::new(at.moment, now);
                let EntryTime { position, moment } = at;
                self.link = LinkState::Open(Known { position, moment, clock });
                self.commands_since_snapshot = 0;
                self.is_to_be_reloaded = false;
                self.checkpoints.forget();
                let replies = self.outbox.settle(room.servers().last_batch(self.server));
                applied.replies.extend(replies.into_iter().map(|reply| (reply, Outcome::Done)));
                may_have_lost = !is_kept;
                if may_have_lost {
                    self.muted_in = None;
                }
                (present, entries)
            }
        };
        for entry in entries {
            let LinkState::Open(known) = self.link else { return Err(OpenError::Gap) };
            match entry.position.number.checked_sub(known.position.number) {
                Some(0) | None => {}
                Some(1) => {
                    let is_news =
                        !is_whole || before.is_some_and(|before| before.is_before(&entry));
                    let reader = Reader { now, is_news, is_connected: &is_connected };
                    self.apply(room, entry, &reader, &mut applied);
                }
                Some(_) => return Err(OpenError::Gap),
            }
        }
        for (previous_nonce, entry) in std::mem::take(&mut self.held) {
            match self.receive(room, previous_nonce, entry, now, &is_connected) {
                Received::Known => {}
                Received::Gap => return Err(OpenError::Gap),
                Received::Applied(next) => applied.add(next),
            }
        }
        // After the entries: the epoch may have changed among them.
        if may_have_lost && issued.contains(room.epoch()) {
            // Its numbers may mean something else now.
            self.muted_in = Some(room.epoch().clone());
        }
        if let LinkState::Open(known) = &mut self.link {
            known.clock = RoomClock::new(present.max(known.clock.present(now)), now);
        }
        if self.is_muted(room) {
            let replaces = room.epoch().clone();
            let changed = Command::EpochChanged { epoch: new_epoch(), replaces };
            // A server that leaves has no readers any more.
            let _ = self.outbox.push(changed, R::default());
        }
        self.note_issued(room);
        Ok(applied)
    }

    /// Whether an answer is older than what has arrived since it was asked for: the room was opened several times
    /// at once. One that was founded anew has an epoch of its own.
    fn is_behind(&self, opened: &Opened) -> bool {
        let (LinkState::Open(known), Opened::Whole { at, snapshot, entries, .. }) =
            (self.link, opened)
        else {
            return false;
        };
        let end = entries.last().map_or(at.position, |entry| entry.position);
        end.number < known.position.number && self.issued.contains(snapshot.epoch())
    }

    /// The state to found the room with anew, if the engine has lost it.
    pub fn founding(&self, room: &Room, epoch: Epoch, now: Duration) -> Founding {
        let snapshot = RoomSnapshot::of(room).in_epoch(epoch);
        // Who came and went is kept for as long as anybody in it may ask for it.
        let attendance = room.attendance().filter(|attendance| !attendance.is_empty());
        let kept_for = attendance.and(room.limits().keep_attendance).unwrap_or_default();
        let lifetime = ROOM_LIFETIME + kept_for;
        Founding { snapshot, moment: self.present(now).unwrap_or_default(), lifetime }
    }

    /// Tells the room what it lacks of this server's sockets.
    pub fn reconcile(&mut self, room: &Room) {
        if !self.is_open() {
            return;
        }
        for command in self.local.missing_in(room) {
            let _ = self.outbox.push(command, R::default());
        }
    }

    /// This server goes on under another id. What it had submitted is submitted again, after its sockets and
    /// before the end of its former id.
    pub fn begin_incarnation(&mut self, room: &Room, server: ServerId) {
        self.server = server;
        self.tick = None;
        let unconfirmed = self.outbox.begin_incarnation(server);
        self.local.begin_incarnation(server);
        let missing = self.local.missing_in(room);
        let (ends, sockets): (Vec<_>, Vec<_>) =
            missing.into_iter().partition(|command| matches!(command, Command::ServerLeft { .. }));
        let sockets = sockets.into_iter().map(|command| (command, R::default()));
        let again = unconfirmed
            .into_iter()
            .filter_map(|(command, reply)| Some((command.submitted_again_by(server)?, reply)));
        let ends = ends.into_iter().map(|command| (command, R::default()));
        for (command, reply) in sockets.chain(again).chain(ends) {
            let _ = self.outbox.push(command, reply);
        }
    }

    /// The link is over: nothing is appended until the room was opened over another one.
    pub fn interrupt(&mut self) {
        if let LinkState::Open(known) = self.link {
            self.link = LinkState::Interrupted(known);
        }
    }

    pub(super) fn note_issued(&mut self, room: &Room) {
        if self.is_muted(room) || self.issued.back() == Some(room.epoch()) {
            return;
        }
        self.issued.push_back(room.epoch().clone());
        if self.issued.len() > MOST_EPOCHS {
            self.issued.pop_front();
        }
    }
}
