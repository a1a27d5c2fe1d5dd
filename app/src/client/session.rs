//! What this page says to the server, and when: the client's side of the protocol, without I/O.

use std::time::Duration;

use super::{
    Backoff, Gap, Progress, Replica,
    intent::Intent,
    removal::{Departed, RowEnd},
};
use crate::presence::{
    ClientEvent, DepartureReason, Name, Refusal, Roster, ServerEvent, Since, TabId, UserId,
};

/// The page's part in the conversation with the server, over however many sockets it takes.
///
/// Its owner opens the sockets, sends what a session answers, and draws what it shows.
///
/// ```
/// use app::client::{Environment, Intent, Session, read_frame, write_frame};
///
/// let environment = Environment { tab: "t1".parse()?, is_visible: true, has_left: false };
/// let mut session = Session::default();
/// session.request(Intent::Join("Ana".to_owned()), &environment);
///
/// // A socket opened: the session returns the first frame to send.
/// let first = write_frame(&session.opened(&environment));
/// assert_eq!(first, r#"{"event":"got_a_new_user","name":"Ana","tab":"t1"}"#);
///
/// // A frame arrived: the session reports what it changed, and what to reply.
/// let list = r#"{"event":"existing_users","epoch":"e1","seq":1,"you":"uZ3kQ0a1b2c","now":0,
///     "count":1,"users":[{"id":"uZ3kQ0a1b2c","name":"Ana","joined":1795421000}]}"#;
/// let outcome = session.receive(read_frame(list)?, &environment);
/// assert!(outcome.is_live && outcome.replies.is_empty());
/// assert_eq!(session.replica().own_row().map(|row| row.name.as_str()), Some("Ana"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "any of them may hold beside any other")]
pub struct Session {
    replica: Replica,
    stage: Stage,
    intent: Option<Intent>,
    /// The wish is to leave, and this browser's other pages know of it: what one of them takes back
    /// is taken back. A browser that keeps nothing tells them nothing.
    is_leave_noted: bool,
    /// The wish was sent on the present socket.
    is_wish_sent: bool,
    /// The present socket has asked to be listed; it does so once for each time of being listed.
    is_announced: bool,
    /// It has not heard what came of that. Until it has, it does not ask again: two answers may come
    /// as one, and then nobody could tell which question a row answers.
    awaits_reply: bool,
    /// What the present socket has said of the page's being seen.
    is_known_as_visible: bool,
    /// Those whose going was heard of, until the last piece of that difference has come: by then
    /// the list knows their names no longer.
    departing: Vec<Departed>,
    /// Who was here when the list stopped being live, until it is again.
    roster_at_disconnect: Option<Roster>,
    backoff: Backoff,
}

/// What a session has to know of its browser, at the moment of asking.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Which page instance this is.
    pub tab: TabId,
    /// Whether the page can be seen.
    pub is_visible: bool,
    /// This person left the room, here or on another page, or was removed, and has not joined again
    /// since. A page that slept through that must not list them again.
    pub has_left: bool,
}

/// How far the present socket has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// There is none, or it is only just opening.
    #[default]
    NoSocket,
    /// The first frame was sent; nothing shows yet that the server took it.
    AwaitingAccept,
    /// The server took it, and the list is on its way, or has to come anew.
    Accepted,
    /// The list is the server's list.
    Live,
}

/// How this person's row went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlisted {
    /// Why it went.
    pub reason: DepartureReason,
    /// Which of their rows it was.
    pub end: RowEnd,
}

/// What a frame of the server leads to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The list is another than before.
    pub is_changed: bool,
    /// Who came, where that is news.
    pub arrived: Vec<(UserId, Name)>,
    /// Who went, where that is news.
    pub departed: Vec<Departed>,
    /// The list is live again, and these news are those of the time in between.
    pub is_catching_up: bool,
    /// This person is listed no longer, and it was not this page that asked for it.
    pub was_unlisted: Option<Unlisted>,
    /// The list is the server's list.
    pub is_live: bool,
    /// Something was not accepted, and the visitor should know.
    pub refusal: Option<Refusal>,
    /// What to send for it.
    pub replies: Vec<ClientEvent>,
}

impl Session {
    /// Starts with the list that came with the page.
    pub fn new(replica: Replica) -> Self {
        Self { replica, ..Self::default() }
    }

    /// The list as far as it is known.
    pub fn replica(&self) -> &Replica {
        &self.replica
    }

    /// A socket opened: what to send first.
    pub fn opened(&mut self, environment: &Environment) -> ClientEvent {
        self.stage = Stage::AwaitingAccept;
        // Whatever else was bringing the list brings it no longer.
        self.replica.disconnected();
        self.awaits_reply = false;
        let name = match &self.intent {
            Some(Intent::Join(name)) => {
                self.is_wish_sent = true;
                Some(name.clone())
            }
            Some(Intent::Leave) => None,
            Some(Intent::Rename(_)) | None if environment.has_left => None,
            Some(Intent::Rename(_)) | None => self.your_name().map(|name| name.to_string()),
        };
        let mut event = match name {
            Some(name) => self.announce(name, environment),
            None => ClientEvent::Watch { since: None },
        };
        if let ClientEvent::Watch { since } | ClientEvent::GotANewUser { since, .. } = &mut event {
            *since = self.replica.position().cloned();
        }
        event
    }

    /// A frame came.
    pub fn receive(&mut self, event: ServerEvent, environment: &Environment) -> Outcome {
        let mut outcome = Outcome::default();
        match event {
            ServerEvent::Refused(refusal) => self.accept_refusal(refusal, &mut outcome),
            ServerEvent::Unknown => {}
            event => self.follow(event, environment, &mut outcome),
        }
        outcome.is_live = self.stage == Stage::Live;
        outcome
    }

    /// An event of the feed came: it brings the list forward, and there is nobody to answer to.
    ///
    /// After a [`Gap`] only a feed that starts anew helps.
    pub fn receive_from_feed(&mut self, mut event: ServerEvent) -> Result<Outcome, Gap> {
        // A feed knows no persons; what a socket or the page said of this one still holds.
        match &mut event {
            ServerEvent::ExistingUsers(list) => list.you = self.replica.you(),
            ServerEvent::Resumed(resumed) => resumed.you = self.replica.you(),
            _ => {}
        }
        let mut outcome = Outcome::default();
        self.note_departures(&event);
        let received = self.replica.receive(event);
        let progress = received.inspect_err(|_| self.departing.clear())?;
        self.report(progress, &mut outcome);
        outcome.is_live = self.replica.is_synced();
        if outcome.is_live {
            self.catch_up(&mut outcome);
        }
        Ok(outcome)
    }

    /// The socket ended, or never opened: how long to wait from `now` before the next.
    pub fn closed(&mut self, now: Duration, random: u32) -> Duration {
        // A socket that never opened took nothing away: a feed may be bringing the list.
        if std::mem::take(&mut self.stage) > Stage::NoSocket {
            self.on_interrupted();
        }
        self.is_wish_sent = false;
        self.is_announced = false;
        self.backoff.next_delay(now, random)
    }

    /// Whatever brought the list brings it no longer.
    pub fn on_interrupted(&mut self) {
        if self.roster_at_disconnect.is_none() && self.replica.position().is_some() {
            self.roster_at_disconnect = Some(self.replica.roster().clone());
        }
        self.departing.clear();
        self.replica.disconnected();
    }

    /// The visitor wants something: what to send for it now.
    ///
    /// Nothing is sent before the server took the first frame, so that it is always clear
    /// what a refusal speaks of; [`Session::opened`] and [`Session::receive`] make up for it.
    pub fn request(&mut self, intent: Intent, environment: &Environment) -> Option<ClientEvent> {
        self.is_leave_noted = intent == Intent::Leave && environment.has_left;
        self.intent = Some(intent);
        self.is_wish_sent = false;
        self.next_request(environment)
    }

    /// The page was hidden or shown, or another page of this person left or joined:
    /// what to send for it.
    pub fn sync_environment(&mut self, environment: &Environment) -> Vec<ClientEvent> {
        self.settle_intent(self.your_name().as_ref(), environment);
        let announcement = self.rejoin_own_row(environment);
        announcement.into_iter().chain(self.report_visibility(environment)).collect()
    }

    /// Whether this list says that this person has joined again since that row of theirs ended.
    pub fn has_joined_since(&self, end: &RowEnd) -> bool {
        // Within a second only the list's own count tells, and another life of it counts anew.
        let is_later = |point: &Since| point.epoch == end.at.epoch && point.seq >= end.at.seq;
        self.replica.own_row().is_some_and(|row| {
            row.joined > end.joined || self.replica.position().is_some_and(is_later)
        })
    }

    fn follow(&mut self, event: ServerEvent, environment: &Environment, outcome: &mut Outcome) {
        self.stage = self.stage.max(Stage::Accepted);
        let old_row = self.replica.own_row().cloned();
        let was_live = self.stage == Stage::Live;
        let is_last_piece = is_whole_answer(&event);
        let is_beat = matches!(event, ServerEvent::Beat(_));
        self.note_departures(&event);
        let mut reason = None;
        match self.replica.receive(event) {
            Ok(progress) => {
                let is_answer = is_last_piece || progress == Progress::Replaced;
                self.report(progress, outcome);
                reason = self.why_you_went(outcome);
                if was_live && reason.is_some() {
                    // Whoever is listed by now, this page takes no part in it yet.
                    self.is_announced = false;
                }
                if is_answer && self.replica.is_synced() {
                    self.stage = Stage::Live;
                    self.awaits_reply = false;
                    self.backoff.reset();
                    self.catch_up(outcome);
                }
            }
            Err(_gap) => {
                // Until the list comes the replica finds no other gap, so this is said once.
                self.stage = Stage::Accepted;
                self.departing.clear();
                outcome.replies.push(ClientEvent::Resync {});
            }
        }
        if self.your_name().is_none() && self.intent != Some(Intent::Leave) {
            outcome.was_unlisted = reason.and_then(|reason| {
                let joined = old_row.as_ref()?.joined;
                let at = self.replica.position()?.clone();
                Some(Unlisted { reason, end: RowEnd { joined, at } })
            });
        }
        let old_name = old_row.as_ref().map(|row| &row.name);
        self.settle_intent(old_name, environment);
        // The row's old name first: a wish for another one has the last word.
        outcome.replies.extend(self.rejoin_own_row(environment));
        // A row that is put back is taken off again, but not at once: that the visitor joined on
        // another page may reach this one later than the row does.
        if self.intent != Some(Intent::Leave) || !was_live || is_beat {
            outcome.replies.extend(self.next_request(environment));
        }
        outcome.replies.extend(self.report_visibility(environment));
    }

    fn accept_refusal(&mut self, refusal: Refusal, outcome: &mut Outcome) {
        let was_introduction = self.stage == Stage::AwaitingAccept;
        match refusal.of.as_deref() {
            Some("resync") => {
                // Without a list nothing goes on: ask until it comes, or the server ends it.
                outcome.replies.push(ClientEvent::Resync {});
                return;
            }
            // What the visitor did not ask for is no news to them.
            Some("visible") => return,
            Some("watch") => {}
            _ => {
                if was_introduction {
                    let since = self.replica.position().cloned();
                    outcome.replies.push(ClientEvent::Watch { since });
                }
                self.awaits_reply &= !refusal.is_of("got_a_new_user");
                // An announcement that nobody wished for is not tried again on this socket. A wish
                // that was not sent yet is not what was refused, nor is another one.
                if self.is_wish_sent
                    && self.intent.take_if(|intent| refusal.is_of(intent.event())).is_some()
                {
                    self.is_announced = self.your_name().is_some() && !was_introduction;
                }
            }
        }
        outcome.refusal = Some(refusal);
    }

    fn why_you_went(&self, outcome: &Outcome) -> Option<DepartureReason> {
        let you = self.replica.you()?;
        outcome.departed.iter().find(|departed| departed.id == you)?.reason
    }

    /// Notes who went, while their names are still known.
    fn note_departures(&mut self, event: &ServerEvent) {
        let difference = match event {
            ServerEvent::Changes(changes) => &changes.difference,
            ServerEvent::Resumed(resumed) => &resumed.difference,
            _ => return,
        };
        for (reason, id) in difference.disconnect_user.iter() {
            if let Some(user) = self.replica.roster().get(id) {
                let name = user.name.clone();
                self.departing.push(Departed { id: *id, name, reason: Some(reason) });
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

    /// The list is live: after a loss, the news are whatever is not as it was before.
    fn catch_up(&mut self, outcome: &mut Outcome) {
        let Some(before) = self.roster_at_disconnect.take() else { return };
        let now = self.replica.roster();
        let gone = before.users().filter(|user| !now.contains(&user.id));
        let gone = gone.map(|user| Departed { id: user.id, name: user.name.clone(), reason: None });
        outcome.departed = gone.collect();
        let new = now.users().filter(|user| !before.contains(&user.id));
        outcome.arrived = new.map(|user| (user.id, user.name.clone())).collect();
        outcome.is_catching_up = true;
    }

    /// Forgets a wish that came true, or that can't any more.
    fn settle_intent(&mut self, old_name: Option<&Name>, environment: &Environment) {
        let name = self.your_name();
        let is_synced = match (&self.intent, &name) {
            (Some(Intent::Join(_)), Some(_)) => self.is_wish_sent && !self.awaits_reply,
            (Some(Intent::Rename(_)), Some(name)) => old_name.is_some_and(|old| old != name),
            (Some(Intent::Rename(_)), None) => true,
            // That the row went may be older news, and a page that heard late of the leave may put it
            // back: it holds until the visitor joins again, here or on another page.
            (Some(Intent::Leave), _) if self.is_leave_noted => !environment.has_left,
            (Some(Intent::Leave), name) => old_name.is_none() || name.is_none(),
            _ => false,
        };
        if is_synced {
            self.intent = None;
        }
        if old_name.is_some() && name.is_none() {
            self.is_announced = false;
            self.is_wish_sent &= self.intent != Some(Intent::Leave);
        }
    }

    /// What to send for the wish, once.
    fn next_request(&mut self, environment: &Environment) -> Option<ClientEvent> {
        if self.is_wish_sent || self.stage < Stage::Accepted {
            return None;
        }
        let event = match self.intent.clone()? {
            Intent::Join(_) if !self.may_announce() => return None,
            Intent::Join(name) => self.announce(name, environment),
            Intent::Rename(name) => ClientEvent::Rename { name },
            Intent::Leave if self.your_name().is_none() => return None,
            Intent::Leave => ClientEvent::Leave {},
        };
        self.is_wish_sent = true;
        Some(event)
    }

    /// Where another page of this person is listed, this one takes its part in the row.
    fn rejoin_own_row(&mut self, environment: &Environment) -> Option<ClientEvent> {
        let wants_otherwise = matches!(self.intent, Some(Intent::Join(_) | Intent::Leave));
        let may_not = self.is_announced || wants_otherwise || environment.has_left;
        if may_not || !self.may_announce() {
            return None;
        }
        let name = self.your_name()?.to_string();
        Some(self.announce(name, environment))
    }

    /// Only pages that take part in a row are asked whether they can be seen.
    fn report_visibility(&mut self, environment: &Environment) -> Option<ClientEvent> {
        let visible = environment.is_visible;
        let is_known = !self.is_announced || self.is_known_as_visible == visible;
        if is_known || self.stage < Stage::Accepted {
            return None;
        }
        self.is_known_as_visible = visible;
        Some(ClientEvent::Visible { visible })
    }

    /// Whether the next list or answer to come would be the answer to an announcement made now.
    fn may_announce(&self) -> bool {
        self.stage == Stage::Live && !self.awaits_reply
    }

    fn announce(&mut self, name: String, environment: &Environment) -> ClientEvent {
        let Environment { tab, is_visible, .. } = environment.clone();
        self.is_announced = true;
        self.awaits_reply = true;
        self.is_known_as_visible = is_visible;
        let visible = (!is_visible).then_some(false);
        ClientEvent::GotANewUser { name, tab: Some(tab), visible, since: None }
    }

    fn your_name(&self) -> Option<Name> {
        self.replica.own_row().map(|user| user.name.clone())
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
mod intents;
#[cfg(test)]
mod model;
#[cfg(test)]
mod script;
#[cfg(test)]
mod tests;
