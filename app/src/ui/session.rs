//! What this page says to the server, and when: the client's side of the protocol, without I/O.

use std::time::Duration;

use super::board::Wish;
use crate::presence::{ClientEvent, Name, Progress, Refusal, Replica, Retry, ServerEvent, UserId};

/// The page's part in the conversation with the server, over however many sockets it takes.
///
/// Its owner opens the sockets, sends what a session answers, and draws what it shows.
#[derive(Debug, Default)]
pub(crate) struct Session {
    replica: Replica,
    stage: Stage,
    wish: Option<Wish>,
    /// The wish was sent on the present socket.
    is_wish_sent: bool,
    /// The present socket has asked to be listed; it does so once for each time of being listed.
    is_announced: bool,
    /// Those whose going was heard of, until the last piece of that difference has come: by then
    /// the list knows their names no longer.
    departing: Vec<(UserId, Name)>,
    retry: Retry,
}

/// How far the present socket has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// There is none, or it is only just opening.
    #[default]
    NoSocket,
    /// The first frame was sent; nothing shows yet that the server took it.
    Introduced,
    /// The server took it, and its answer is on the way.
    Accepted,
    /// The answer has come: the list is the server's list.
    Live,
}

/// What a frame of the server leads to.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The list is another than before.
    pub(crate) is_changed: bool,
    /// Who came, where that is news.
    pub(crate) arrived: Vec<(UserId, Name)>,
    /// Who went, where that is news.
    pub(crate) departed: Vec<(UserId, Name)>,
    /// The list is the server's list.
    pub(crate) is_live: bool,
    /// Something was not accepted, and the visitor should know.
    pub(crate) refusal: Option<Refusal>,
    /// What to send for it.
    pub(crate) replies: Vec<ClientEvent>,
}

impl Session {
    /// Starts with the list that came with the page.
    pub(crate) fn new(replica: Replica) -> Self {
        Self { replica, ..Self::default() }
    }

    /// The list as far as it is known.
    pub(crate) fn replica(&self) -> &Replica {
        &self.replica
    }

    /// A socket opened: what to send first.
    pub(crate) fn opened(&mut self) -> ClientEvent {
        self.stage = Stage::Introduced;
        let name = match &self.wish {
            Some(Wish::Join(name)) => {
                self.is_wish_sent = true;
                Some(name.clone())
            }
            Some(Wish::Leave) => None,
            Some(Wish::Rename(_)) | None => self.your_name().map(|name| name.to_string()),
        };
        match name {
            Some(name) => self.announce(name),
            None => ClientEvent::Watch { since: None },
        }
    }

    /// A frame came.
    pub(crate) fn receive(&mut self, event: ServerEvent) -> Outcome {
        let mut outcome = Outcome::default();
        match event {
            ServerEvent::Refused(refusal) => self.accept_refusal(refusal, &mut outcome),
            ServerEvent::Unknown => {}
            event => self.follow(event, &mut outcome),
        }
        outcome.is_live = self.stage == Stage::Live;
        outcome
    }

    /// The socket ended, or never opened: how long to wait before the next.
    pub(crate) fn closed(&mut self, random: u32) -> Duration {
        self.stage = Stage::NoSocket;
        self.is_wish_sent = false;
        self.is_announced = false;
        self.departing.clear();
        self.replica.disconnected();
        self.retry.next_delay(random)
    }

    /// The visitor wants something: what to send for it now.
    ///
    /// Nothing is sent before the server took the first frame, so that it is always clear
    /// what a refusal speaks of; [`Session::opened`] and [`Session::receive`] make up for it.
    pub(crate) fn want(&mut self, wish: Wish) -> Option<ClientEvent> {
        self.wish = Some(wish);
        self.is_wish_sent = false;
        self.demand()
    }

    fn follow(&mut self, event: ServerEvent, outcome: &mut Outcome) {
        self.stage = self.stage.max(Stage::Accepted);
        let old_name = self.your_name();
        let is_last_piece = is_whole_answer(&event);
        self.note_departures(&event);
        match self.replica.receive(event) {
            Ok(progress) => {
                if is_last_piece || progress == Progress::Replaced {
                    self.stage = Stage::Live;
                    self.retry.reset();
                }
                self.report(progress, outcome);
            }
            Err(_gap) => {
                // Until the list comes the replica finds no other gap, so this is said once.
                self.departing.clear();
                outcome.replies.push(ClientEvent::Resync {});
            }
        }
        self.compare_with_wish(old_name.as_ref());
        // The row's old name first: a wish for another one has the last word.
        outcome.replies.extend(self.join_your_row());
        outcome.replies.extend(self.demand());
    }

    fn accept_refusal(&mut self, refusal: Refusal, outcome: &mut Outcome) {
        let was_introduction = self.stage == Stage::Introduced;
        match refusal.of.as_deref() {
            Some("resync") => {
                // Without a list nothing goes on: ask until it comes, or the server ends it.
                outcome.replies.push(ClientEvent::Resync {});
                return;
            }
            Some("watch") => {}
            _ => {
                if was_introduction {
                    outcome.replies.push(ClientEvent::Watch { since: None });
                }
                // An announcement that nobody wished for is not tried again on this socket.
                if self.wish.take().is_some() {
                    self.is_announced = self.your_name().is_some() && !was_introduction;
                }
            }
        }
        outcome.refusal = Some(refusal);
    }

    fn note_departures(&mut self, event: &ServerEvent) {
        let difference = match event {
            ServerEvent::Changes(changes) => &changes.difference,
            ServerEvent::Resumed(resumed) => &resumed.difference,
            _ => return,
        };
        for (_, id) in difference.disconnect_user.iter() {
            if let Some(user) = self.replica.roster().get(id) {
                self.departing.push((*id, user.name.clone()));
            }
        }
    }

    fn report(&mut self, progress: Progress, outcome: &mut Outcome) {
        outcome.is_changed = progress != Progress::Unchanged;
        match progress {
            Progress::Unchanged => {}
            Progress::Replaced => self.departing.clear(),
            Progress::Advanced(difference) => {
                let arrived = difference.new_user.into_iter();
                outcome.arrived = arrived.map(|user| (user.id, user.name)).collect();
                outcome.departed = std::mem::take(&mut self.departing);
            }
        }
    }

    /// Forgets a wish that came true, or that can't any more.
    fn compare_with_wish(&mut self, old_name: Option<&Name>) {
        let name = self.your_name();
        let is_settled = match (&self.wish, &name) {
            (Some(Wish::Join(_)), Some(_)) => self.is_wish_sent,
            (Some(Wish::Rename(_)), Some(name)) => old_name.is_some_and(|old| old != name),
            (Some(Wish::Rename(_) | Wish::Leave), None) => true,
            _ => false,
        };
        if is_settled {
            self.wish = None;
        }
        if old_name.is_some() && name.is_none() {
            self.is_announced = false;
        }
    }

    /// What to send for the wish, once.
    fn demand(&mut self) -> Option<ClientEvent> {
        if self.is_wish_sent || self.stage < Stage::Accepted {
            return None;
        }
        let event = match self.wish.clone()? {
            Wish::Join(name) => self.announce(name),
            Wish::Rename(name) => ClientEvent::Rename { name },
            Wish::Leave => ClientEvent::Leave {},
        };
        self.is_wish_sent = true;
        Some(event)
    }

    /// Where another page of this person is listed, this one takes its part in the row.
    fn join_your_row(&mut self) -> Option<ClientEvent> {
        let wants_otherwise = matches!(self.wish, Some(Wish::Join(_) | Wish::Leave));
        if self.is_announced || wants_otherwise || self.stage < Stage::Live {
            return None;
        }
        let name = self.your_name()?.to_string();
        Some(self.announce(name))
    }

    fn announce(&mut self, name: String) -> ClientEvent {
        self.is_announced = true;
        ClientEvent::GotANewUser { name, tab: None, visible: None, since: None }
    }

    fn your_name(&self) -> Option<Name> {
        self.replica.your_row().map(|user| user.name.clone())
    }
}

/// Whether the frame ends the answer to a `got_a_new_user`: a piece of it does not move the count.
fn is_whole_answer(event: &ServerEvent) -> bool {
    match event {
        ServerEvent::Resumed(resumed) => {
            resumed.from < resumed.seq || resumed.difference.is_empty()
        }
        _ => false,
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
