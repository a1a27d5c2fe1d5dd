//! A broadcast that writes to the sockets of its readers.

use std::sync::Arc;

use tokio::runtime::Handle;

use super::{SharedRoom, broadcasting::Announcement};
use crate::{
    hub::{
        broadcast::DirectFrame,
        processor_share::{Charge, Deliveries},
    },
    presence::tab_key::ConnectionId,
    wake::direct_write::Delivery,
};

/// A broadcast of more readers than this is split over the runtime's threads.
const READERS_OF_A_THREAD: usize = 1_024;

/// A broadcast on its way to its readers, in a task of its own: the task that made the change has an answer to write.
///
/// While there is one, the room's changes wait for its end. However it ends, also if it panics or its task is aborted,
/// every reader was written to or is woken, and the room goes on.
#[derive(Debug)]
pub(super) struct DirectBroadcast(Option<UnderWay>);

#[derive(Debug)]
struct UnderWay {
    room: Arc<SharedRoom>,
    frame: DirectFrame,
    charge: Charge,
    /// It reads the room anyway.
    except: Option<ConnectionId>,
}

impl DirectBroadcast {
    pub(super) fn new(room: Arc<SharedRoom>, frame: DirectFrame, charge: Charge) -> Self {
        Self(Some(UnderWay { room, frame, charge, except: None }))
    }

    /// Tells everyone but this reader, who reads the room anyway, in a task of its own.
    pub(super) fn spawn(mut self, except: Option<ConnectionId>) {
        if let Some(under_way) = &mut self.0 {
            under_way.except = except;
        }
        tokio::spawn(self.run());
    }

    /// Tells all readers, and then of the changes that were made meanwhile.
    pub(super) async fn run(self) {
        let mut next = Some(self);
        while let Some(mut broadcast) = next.take() {
            let Some(under_way) = &broadcast.0 else { return };
            let delivered = under_way.deliver_to_all().await;
            if let Some(UnderWay { room, charge, .. }) = broadcast.0.take() {
                next = room.end_direct_broadcast(charge, delivered);
            }
        }
    }
}

impl Drop for DirectBroadcast {
    /// Only one that was not completed does anything here.
    fn drop(&mut self) {
        let Some(UnderWay { room, charge, .. }) = self.0.take() else { return };
        // In a task of its own: the room may be locked here, and the next broadcast begins from there.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                room.wake_subscribers(None);
                if let Some(next) = room.end_direct_broadcast(charge, Deliveries::default()) {
                    next.spawn(None);
                }
            });
        }
    }
}

impl UnderWay {
    async fn deliver_to_all(&self) -> Deliveries {
        let boundaries = {
            let subscribers = self.room.subscribers();
            subscribers.boundaries(parts(subscribers.active_count()))
        };
        let mut tasks = Vec::with_capacity(boundaries.len());
        let mut after = None;
        for last in boundaries {
            let part = Part { after: after.replace(last), last: Some(last) };
            let (room, frame, except) = (Arc::clone(&self.room), self.frame.clone(), self.except);
            tasks.push(tokio::spawn(async move { part.deliver(&room, &frame, except).await }));
        }
        let last_part = Part { after, last: None };
        let mut delivered = last_part.deliver(&self.room, &self.frame, self.except).await;
        for task in tasks {
            match task.await {
                Ok(of_part) => delivered = delivered + of_part,
                // It panicked: its readers read the room by themselves.
                Err(_) => self.room.wake_subscribers(None),
            }
        }
        delivered
    }
}

/// In how many parts a broadcast to so many readers is delivered at once.
fn parts(readers: usize) -> usize {
    let threads = Handle::try_current().map_or(1, |runtime| runtime.metrics().num_workers());
    (readers / READERS_OF_A_THREAD).clamp(1, threads.max(1))
}

/// Some of the readers: those after one of them, up to `last`.
#[derive(Clone, Copy, Debug)]
struct Part {
    after: Option<ConnectionId>,
    last: Option<ConnectionId>,
}

impl Part {
    /// Tells its readers, some at a time, so that other tasks of this thread run in between.
    async fn deliver(
        mut self,
        room: &SharedRoom,
        frame: &DirectFrame,
        except: Option<ConnectionId>,
    ) -> Deliveries {
        let processor = &room.context.processor;
        let mut delivered = Deliveries::default();
        loop {
            let most = processor.readers_at_a_time();
            // Nothing of the room is locked while sockets are written to.
            let readers = room.subscribers().next_active(self.after, self.last, most);
            let Some((last, _)) = readers.last() else { return delivered };
            self.after = Some(*last);
            let cost = processor.measure(readers.len(), || {
                for (_, flags) in readers.iter().filter(|(reader, _)| Some(*reader) != except) {
                    match flags.deliver(frame.from, frame.to, &frame.bytes) {
                        Delivery::Written | Delivery::Known => delivered.written += 1,
                        Delivery::NeedsTask => delivered.woken += 1,
                    }
                }
            });
            delivered.processor_time += cost;
            drop(readers);
            processor.give_way(cost).await;
        }
    }
}

impl SharedRoom {
    /// A direct broadcast is over. If the room has changed meanwhile, the next one may begin.
    fn end_direct_broadcast(
        self: &Arc<Self>,
        charge: Charge,
        delivered: Deliveries,
    ) -> Option<DirectBroadcast> {
        let announcement = {
            let mut state = self.lock();
            state.broadcast_scheduler.on_delivered(charge, delivered);
            self.announce_changes(&mut state)
        };
        match announcement {
            Announcement::Nothing => None,
            Announcement::Wake => {
                self.wake_subscribers(None);
                None
            }
            Announcement::Direct(next) => Some(next),
        }
    }
}
