//! A client: its list, and the reply that it waits for.

use app::{
    client::{Progress, Replica},
    presence::ServerEvent,
};

use crate::encoding::frame::{Batch, Frame};

/// What the next frame has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    Updates,
    List,
    /// The difference from this position, or the list if that is shorter.
    ResumedFrom(u64),
}

/// A client's list, and the reply that it waits for.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) replica: Replica,
    pub(super) awaited: Awaited,
}

impl Client {
    /// Receives all frames; after a list that is not the latest there are more.
    pub(super) fn receive_all(&mut self, poll_updates: impl FnMut() -> Batch) {
        let batches = std::iter::repeat_with(poll_updates);
        for frame in batches.take_while(|batch| !batch.is_empty()).flatten() {
            let event: ServerEvent = serde_json::from_str(frame.text()).unwrap();
            match (std::mem::replace(&mut self.awaited, Awaited::Updates), &event) {
                (Awaited::Updates, _)
                | (Awaited::List | Awaited::ResumedFrom(_), ServerEvent::ExistingUsers(_)) => {}
                (Awaited::ResumedFrom(from), ServerEvent::Resumed(resumed)) => {
                    assert_eq!(resumed.from, from);
                }
                (awaited, event) => panic!("expected {awaited:?}, received {event:?}"),
            }
            self.replica.receive(event).expect("no frame leaves a gap");
        }
    }

    /// Compares the list with a beat, which must not change it.
    pub(super) fn receive_beat(&mut self, beat: Option<Frame>) {
        if let Some(beat) = beat {
            let event = serde_json::from_str(beat.text()).unwrap();
            assert_eq!(self.replica.receive(event), Ok(Progress::Unchanged));
        }
    }
}
