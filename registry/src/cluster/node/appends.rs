//! What the rooms submit, on its way to the engine.

use std::time::Duration;

use app::presence::RoomName;
use tokio::time::Instant;

use super::{Done, End, Node, Session};
use crate::replication::{
    engine::{Appended, EngineError, Link},
    replica::Append,
};

/// An entry of this server that does not arrive for so long is lost: the room is opened again.
const ARRIVES_WITHIN: Duration = Duration::from_secs(1);

/// What came of appending a batch.
pub(super) struct AppendOutcome {
    room: RoomName,
    number: u64,
    took: Duration,
    result: Result<Appended, EngineError>,
}

impl Node {
    /// Appends what waits in a room, unless something is under way.
    pub(super) fn append<L: Link>(&self, session: &mut Session<L>, name: &RoomName) {
        if let Some(append) = self.hub.find(name).and_then(|room| room.next_append()) {
            send(session, name.clone(), append);
        }
    }

    /// Appends the batch again whose fate is not known, or what waits.
    pub(super) fn append_again<L: Link>(&self, session: &mut Session<L>, name: &RoomName) {
        match self.hub.find(name).and_then(|room| room.append_again()) {
            Some(append) => send(session, name.clone(), append),
            None => self.append(session, name),
        }
    }

    pub(super) fn on_appended<L: Link>(
        &mut self,
        session: &mut Session<L>,
        AppendOutcome { room: name, number, took, result }: AppendOutcome,
    ) -> Result<(), End> {
        let appended = result?;
        match appended {
            Appended::Done(_) => self.cluster.stats().count_append(took),
            Appended::Early(_) | Appended::Past | Appended::Diverged | Appended::Missing => {
                self.cluster.stats().appends_in_vain.count();
            }
        }
        let Some(room) = self.hub.find(&name) else { return Ok(()) };
        match appended {
            Appended::Done(_) if room.is_under_way(number) => {
                session.unconfirmed.insert(name, (number, Instant::now()));
            }
            Appended::Done(_) => {}
            Appended::Early(wait) => room.withdraw_tick(number, Some(wait)),
            Appended::Past => {
                room.withdraw_tick(number, None);
                self.append(session, &name);
            }
            Appended::Diverged | Appended::Missing => self.reopen(session, &name),
        }
        Ok(())
    }

    /// Opens the rooms again in which an entry of this server did not arrive.
    pub(super) fn find_lost_entries<L: Link>(&self, session: &mut Session<L>) {
        let is_late =
            |_: &RoomName, (_, since): &mut (u64, Instant)| ARRIVES_WITHIN <= since.elapsed();
        let late: Vec<_> = session.unconfirmed.extract_if(.., is_late).collect();
        for (name, (number, _)) in late {
            if self.hub.find(&name).is_some_and(|room| room.is_under_way(number)) {
                self.reopen(session, &name);
            }
        }
    }
}

fn send<L: Link>(session: &mut Session<L>, room: RoomName, append: Append) {
    let link = session.link.clone();
    let Append { known, due, batch } = append;
    session.tasks.spawn(async move {
        let sent_at = Instant::now();
        let result = link.append(&room, known, due, &batch).await;
        let (number, took) = (batch.number, sent_at.elapsed());
        Done::Appended(AppendOutcome { room, number, took, result })
    });
}
