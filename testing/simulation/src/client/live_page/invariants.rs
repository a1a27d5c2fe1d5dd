//! The invariants after every frame that a page receives.

use app::{
    client::Outcome,
    presence::{ClientEvent, ServerEvent, Since, User},
};

use super::LivePage;
use crate::{oracle::room_record::NO_EPOCH, world::World};

impl LivePage {
    /// Checks the invariants after a frame.
    pub(super) fn check(&self, before: Option<&Since>, outcome: &Outcome) {
        let replica = self.session.replica();
        let room = self.owner().room;
        if outcome.replies.contains(&ClientEvent::Resync {})
            && !self.world.may_be_contradicted(room, before)
        {
            self.fail("a frame of the server contradicts its list");
        }
        if outcome.is_live && replica.you() != Some(self.owner().user_id) {
            self.fail(&format!("its own id is {:?}", replica.you()));
        }
        match replica.position() {
            // A page that was loaded during shutdown: its list can't be resumed.
            Some(point) if point.epoch.as_str() == NO_EPOCH => {}
            Some(point) => {
                let users = replica.roster().users();
                let list = users.collect::<Vec<&User>>();
                self.world.check_list(room, point, list.into_iter(), || self.label());
            }
            None => {
                let mut rows = replica.roster().users();
                if let Some(row) = rows.find(|row| !self.world.was_listed(room, row)) {
                    self.fail(&format!("it shows a row that never existed: {row:?}"));
                }
            }
        }
        if let (Some(from), Some(to)) = (before, replica.position())
            && from.epoch == to.epoch
            && !outcome.is_catching_up
            // In a cluster not every list is recorded.
            && self.world.balancer.is_none()
        {
            let arrived = outcome.arrived.iter().map(|(id, _)| *id);
            let departed = outcome.departed.iter().map(|departed| departed.id);
            for user_id in arrived.chain(departed) {
                let record = self.world.record(self.owner().room);
                let outcome = record.history.check_absence(from, to.seq, user_id);
                drop(record);
                self.world.recorder.check_result(outcome, || self.label());
            }
        }
    }
}

/// Counts a frame by its kind.
pub(super) fn count_frame(world: &World, event: &ServerEvent) {
    world.recorder.count("frames");
    world.recorder.count(match event {
        ServerEvent::ExistingUsers(list) if list.users.len() < list.count => {
            "frame: existing_users, first part"
        }
        ServerEvent::ExistingUsers(_) => "frame: existing_users",
        ServerEvent::MoreUsers(_) => "frame: more_users",
        ServerEvent::Resumed(resumed)
            if resumed.from == resumed.seq && !resumed.difference.is_empty() =>
        {
            "frame: resumed, part"
        }
        ServerEvent::Resumed(_) => "frame: resumed",
        ServerEvent::Changes(changes) if changes.from == changes.seq => "frame: changes, part",
        ServerEvent::Changes(_) => "frame: changes",
        ServerEvent::Beat(_) => "frame: beat",
        ServerEvent::Refused(_) => "frame: refused",
        ServerEvent::Unknown => "frame: unknown",
    });
}
