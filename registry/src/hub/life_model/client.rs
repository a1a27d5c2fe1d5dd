//! A client: its list, and what it is owed.

use app::{
    client::{Progress, Replica},
    presence::ServerEvent,
};

use crate::encoding::frame::{Batch, Frame};

/// What the next frame of a socket has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    Updates,
    List,
    /// What is missing since this point, or the list where that is shorter.
    ResumedFrom(u64),
}

/// A client's list, and what it waits for.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) replica: Replica,
    pub(super) awaited: Awaited,
}

impl Client {
    /// Takes in what there is until there is no more: a list may be older than what was told since.
    pub(super) fn hear(&mut self, mut news: impl FnMut() -> Batch) {
        for frame in std::iter::repeat_with(&mut news).take_while(|news| !news.is_empty()).flatten()
        {
            let event: ServerEvent = serde_json::from_str(frame.text()).unwrap();
            match (std::mem::replace(&mut self.awaited, Awaited::Updates), &event) {
                (Awaited::Updates, _)
                | (Awaited::List | Awaited::ResumedFrom(_), ServerEvent::ExistingUsers(_)) => {}
                (Awaited::ResumedFrom(from), ServerEvent::Resumed(resumed)) => {
                    assert_eq!(resumed.from, from);
                }
                (awaited, event) => panic!("{awaited:?}, but {event:?}"),
            }
            self.replica.receive(event).expect("no frame leaves a gap");
        }
    }

    /// Holds the list against a beat.
    pub(super) fn compare(&mut self, beat: Option<Frame>) {
        if let Some(beat) = beat {
            let event = serde_json::from_str(beat.text()).unwrap();
            assert_eq!(self.replica.receive(event), Ok(Progress::Unchanged));
        }
    }
}
