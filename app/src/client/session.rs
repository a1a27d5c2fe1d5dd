//! Which frames a page sends to the server, and when: the client's side of the protocol, without I/O.

use std::time::Duration;

use super::{
    Backoff, Gap, Progress, Replica,
    intent::Intent,
    removal::{Departed, RowEnd},
};
use crate::presence::{
    ClientEvent, DepartureReason, Name, Refusal, Roster, ServerEvent, Since, TabId, UserId,
};

/// The client's side of the protocol over any number of consecutive sockets.
///
/// Its owner opens the sockets, sends the frames that a session returns, and renders its outcomes.
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
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub struct Session {
    replica: Replica,
    stage: Stage,
    intent: Option<Intent>,
    /// The intent is to leave, and it is stored for this browser's other tabs, so joining in one of
    /// them cancels it. Without storage the tabs don't share it.
    is_leave_noted: bool,
    /// The intent was sent on the current socket.
    is_intent_sent: bool,
    /// `got_a_new_user` was sent on the current socket, for the row that this person has now or is to get.
    is_announced: bool,
    /// The reply to it has not come. Until then it is not sent again: two replies may be merged into
    /// one, and then a row could not be matched to its request.
    awaits_reply: bool,
    /// The visibility that was last reported on the current socket.
    reported_visible: bool,
    /// The departures of a difference whose last piece has not come: once it is applied, the list has
    /// their names no longer.
    departing: Vec<Departed>,
    /// The old and the new names of the difference that is being received.
    renaming: Vec<(Name, Name)>,
    /// The list when it was live last, until it is live again.
    roster_when_live: Option<Roster>,
    backoff: Backoff,
}

/// The state of the browser that a session depends on.
#[derive(Clone, Debug)]
pub struct Environment {
    /// The id of this page instance.
    pub tab: TabId,
    /// Whether the page is visible.
    pub is_visible: bool,
    /// This person left the room in any tab, or was removed, and has not joined again since. A tab
    /// that was frozen in between must not list them again.
    pub has_left: bool,
}

/// How far the current socket has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// There is none, or it is still opening.
    #[default]
    NoSocket,
    /// The first frame was sent and is not accepted yet.
    AwaitingAccept,
    /// The server accepted it; the list is on its way, or was requested again.
    Accepted,
    /// The list is in step with the server's.
    Live,
}

/// How this person's own row was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlisted {
    /// Why it was removed.
    pub reason: DepartureReason,
    /// Which row it was.
    pub end: RowEnd,
}

/// The effects of a frame from the server.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The list has changed.
    pub is_changed: bool,
    /// Joins to be announced.
    pub arrived: Vec<(UserId, Name)>,
    /// Departures to be announced.
    pub departed: Vec<Departed>,
    /// The old and the new names of people whose name was changed.
    pub renamed: Vec<(Name, Name)>,
    /// The list is live again; `arrived` and `departed` are the net changes since it was live last.
    pub is_catching_up: bool,
    /// This person's row was removed, and not at this page's request.
    pub was_unlisted: Option<Unlisted>,
    /// The list is in step with the server's.
    pub is_live: bool,
    /// A refusal to show to the visitor.
    pub refusal: Option<Refusal>,
    /// Frames to send.
    pub replies: Vec<ClientEvent>,
}

impl Session {
    /// A session with the list of the first HTML.
    pub fn new(replica: Replica) -> Self {
        Self { replica, ..Self::default() }
    }

    /// The client's copy of the list.
    pub fn replica(&self) -> &Replica {
        &self.replica
    }

    /// A socket opened; returns its first frame.
    pub fn opened(&mut self, environment: &Environment) -> ClientEvent {
        self.stage = Stage::AwaitingAccept;
        // Updates of an earlier source that are still incomplete end here.
        self.replica.disconnected();
        self.awaits_reply = false;
        let name = match &self.intent {
            Some(Intent::Join(name)) => {
                self.is_intent_sent = true;
                Some(name.clone())
            }
            Some(Intent::Leave) => None,
            Some(Intent::Rename(_)) | None if environment.has_left => None,
            Some(Intent::Rename(_)) | None => self.own_name().map(|name| name.to_string()),
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

    /// Handles a frame of the socket.
    pub fn receive(&mut self, event: ServerEvent, environment: &Environment) -> Outcome {
        let mut outcome = Outcome::default();
        match event {
            ServerEvent::Refused(refusal) => self.on_refusal(refusal, &mut outcome),
            ServerEvent::Unknown => {}
            event => self.on_update(event, environment, &mut outcome),
        }
        outcome.is_live = self.stage == Stage::Live;
        outcome
    }

    /// Handles a frame of the feed, which takes no replies.
    ///
    /// After a [`Gap`] the feed has to be reopened.
    pub fn receive_from_feed(&mut self, mut event: ServerEvent) -> Result<Outcome, Gap> {
        // A feed does not identify the person: the id from the page or a socket stays.
        match &mut event {
            ServerEvent::ExistingUsers(list) => list.you = self.replica.you(),
            ServerEvent::Resumed(resumed) => resumed.you = self.replica.you(),
            _ => {}
        }
        let mut outcome = Outcome::default();
        self.collect_old_names(&event);
        let received = self.replica.receive(event);
        let progress = received.inspect_err(|_| self.forget_changes())?;
        self.report(progress, &mut outcome);
        outcome.is_live = self.replica.is_synced();
        if outcome.is_live {
            self.catch_up(&mut outcome);
        }
        Ok(outcome)
    }

    /// The socket ended or never opened; returns how long to wait from `now` before the next one.
    pub fn closed(&mut self, now: Duration, random: u32) -> Duration {
        // A socket that never opened interrupted nothing: the feed may be updating the list.
        if std::mem::take(&mut self.stage) > Stage::NoSocket {
            self.on_interrupted();
        }
        self.is_intent_sent = false;
        self.is_announced = false;
        self.backoff.next_delay(now, random)
    }

    /// The source of the list, a socket or the feed, ended.
    pub fn on_interrupted(&mut self) {
        if self.replica.position().is_some() {
            self.keep_roster();
        }
        self.forget_changes();
        self.replica.disconnected();
    }

    /// The visitor has a new intent; returns the frame to send now, if any.
    ///
    /// Nothing is sent before the server accepted the first frame, so that a refusal is always of one
    /// known frame; [`Session::opened`] and [`Session::receive`] send it later.
    pub fn request(&mut self, intent: Intent, environment: &Environment) -> Option<ClientEvent> {
        self.is_leave_noted = intent == Intent::Leave && environment.has_left;
        self.intent = Some(intent);
        self.is_intent_sent = false;
        self.next_request(environment)
    }

    /// The page was hidden or shown, or another tab of this person left or joined; returns the frames to send.
    pub fn sync_environment(&mut self, environment: &Environment) -> Vec<ClientEvent> {
        self.settle_intent(self.own_name().as_ref(), environment);
        let announcement = self.rejoin_own_row(environment);
        announcement.into_iter().chain(self.report_visibility(environment)).collect()
    }

    /// Whether the list shows that this person has joined again since that row ended.
    pub fn has_joined_since(&self, end: &RowEnd) -> bool {
        // `joined` has whole seconds; within one, only positions of the same epoch can be compared.
        let is_later =
            |position: &Since| position.epoch == end.at.epoch && position.seq >= end.at.seq;
        self.replica.own_row().is_some_and(|row| {
            row.joined > end.joined || self.replica.position().is_some_and(is_later)
        })
    }

    fn on_update(&mut self, event: ServerEvent, environment: &Environment, outcome: &mut Outcome) {
        self.stage = self.stage.max(Stage::Accepted);
        let old_row = self.replica.own_row().cloned();
        let was_live = self.stage == Stage::Live;
        let is_last_piece = completes_reply(&event);
        let is_beat = matches!(event, ServerEvent::Beat(_));
        self.collect_old_names(&event);
        let mut reason = None;
        match self.replica.receive(event) {
            Ok(progress) => {
                let is_reply = is_last_piece || progress == Progress::Replaced;
                self.report(progress, outcome);
                reason = self.own_departure_reason(outcome);
                if was_live && reason.is_some() {
                    // If this person is listed again by now, this page has not joined that row yet.
                    self.is_announced = false;
                }
                if is_reply && self.replica.is_synced() {
                    self.stage = Stage::Live;
                    self.awaits_reply = false;
                    self.backoff.reset();
                    self.catch_up(outcome);
                }
            }
            Err(_gap) => {
                // The replica reports no other gap until the list comes, so this is sent once.
                self.stage = Stage::Accepted;
                self.keep_roster();
                self.forget_changes();
                outcome.replies.push(ClientEvent::Resync {});
            }
        }
        if self.own_name().is_none() && self.intent != Some(Intent::Leave) {
            outcome.was_unlisted = reason.and_then(|reason| {
                let joined = old_row.as_ref()?.joined;
                let at = self.replica.position()?.clone();
                Some(Unlisted { reason, end: RowEnd { joined, at } })
            });
        }
        let old_name = old_row.as_ref().map(|row| &row.name);
        self.settle_intent(old_name, environment);
        // The row is rejoined under its old name first, so that a rename intent takes effect after it.
        outcome.replies.extend(self.rejoin_own_row(environment));
        // A row that came back after a leave is taken off again, but only at the next beat: the news
        // that the visitor joined in another tab may reach this one later than the row.
        if self.intent != Some(Intent::Leave) || !was_live || is_beat {
            outcome.replies.extend(self.next_request(environment));
        }
        outcome.replies.extend(self.report_visibility(environment));
    }

    fn on_refusal(&mut self, refusal: Refusal, outcome: &mut Outcome) {
        let was_first_frame = self.stage == Stage::AwaitingAccept;
        match refusal.of.as_deref() {
            Some("resync") => {
                // Without a list no update applies: ask again until it comes, or the server closes the socket.
                outcome.replies.push(ClientEvent::Resync {});
                return;
            }
            // The visitor did not ask for this, so its refusal is not shown.
            Some("visible") => return,
            Some("watch") => {}
            _ => {
                if was_first_frame {
                    let since = self.replica.position().cloned();
                    outcome.replies.push(ClientEvent::Watch { since });
                }
                self.awaits_reply &= !refusal.is_of("got_a_new_user");
                // An automatic join is not repeated on this socket. Only an intent that was sent and
                // matches the refusal is dropped.
                if self.is_intent_sent
                    && self.intent.take_if(|intent| refusal.is_of(intent.event())).is_some()
                {
                    self.is_announced = self.own_name().is_some() && !was_first_frame;
                }
            }
        }
        outcome.refusal = Some(refusal);
    }

    fn own_departure_reason(&self, outcome: &Outcome) -> Option<DepartureReason> {
        let you = self.replica.you()?;
        outcome.departed.iter().find(|departed| departed.id == you)?.reason
    }

    /// Another list may come in place of changes: those to announce are then the net ones since this one.
    fn keep_roster(&mut self) {
        if self.roster_when_live.is_none() {
            self.roster_when_live = Some(self.replica.roster().clone());
        }
    }

    fn forget_changes(&mut self) {
        self.departing.clear();
        self.renaming.clear();
    }

    /// Collects departures and renames while the list still has the old names.
    fn collect_old_names(&mut self, event: &ServerEvent) {
        let difference = match event {
            ServerEvent::Changes(changes) => &changes.difference,
            ServerEvent::Resumed(resumed) => &resumed.difference,
            // The server sends the list where the changes would be longer.
            ServerEvent::ExistingUsers(_) if self.replica.is_synced() => return self.keep_roster(),
            _ => return,
        };
        for (reason, id) in difference.disconnect_user.iter() {
            if let Some(user) = self.replica.roster().get(id) {
                let name = user.name.clone();
                self.departing.push(Departed { id: *id, name, reason: Some(reason) });
            }
        }
        for renamed in &difference.user_changed.renamed {
            if let Some(user) = self.replica.roster().get(&renamed.id) {
                self.renaming.push((user.name.clone(), renamed.name.clone()));
            }
        }
    }

    fn report(&mut self, progress: Progress, outcome: &mut Outcome) {
        outcome.is_changed = progress != Progress::Unchanged;
        match progress {
            Progress::Unchanged => {}
            Progress::Replaced => self.forget_changes(),
            Progress::Advanced(difference) => {
                let arrived = difference.new_user.into_iter();
                outcome.arrived = arrived.map(|user| (user.id, user.name)).collect();
                outcome.departed = std::mem::take(&mut self.departing);
                outcome.renamed = std::mem::take(&mut self.renaming);
            }
        }
    }

    /// The list is live: after an outage, or where a list came in place of changes, the net ones are to be announced.
    fn catch_up(&mut self, outcome: &mut Outcome) {
        let Some(before) = self.roster_when_live.take() else { return };
        let now = self.replica.roster();
        let gone = before.users().filter(|user| !now.contains(&user.id));
        let gone = gone.map(|user| Departed { id: user.id, name: user.name.clone(), reason: None });
        outcome.departed = gone.collect();
        let new = now.users().filter(|user| !before.contains(&user.id));
        outcome.arrived = new.map(|user| (user.id, user.name.clone())).collect();
        outcome.is_catching_up = true;
    }

    /// Drops the intent once it is fulfilled, or can't be any more.
    fn settle_intent(&mut self, old_name: Option<&Name>, environment: &Environment) {
        let name = self.own_name();
        let is_settled = match (&self.intent, &name) {
            (Some(Intent::Join(_)), Some(_)) => self.is_intent_sent && !self.awaits_reply,
            (Some(Intent::Rename(_)), Some(name)) => old_name.is_some_and(|old| old != name),
            (Some(Intent::Rename(_)), None) => true,
            // The row may have been removed before the leave arrived, and a tab that learns of the leave
            // late may put it back: the intent stays until the visitor joins again, in any tab.
            (Some(Intent::Leave), _) if self.is_leave_noted => !environment.has_left,
            (Some(Intent::Leave), name) => old_name.is_none() || name.is_none(),
            _ => false,
        };
        if is_settled {
            self.intent = None;
        }
        if old_name.is_some() && name.is_none() {
            self.is_announced = false;
            self.is_intent_sent &= self.intent != Some(Intent::Leave);
        }
    }

    /// The frame for the intent; sent once on a socket.
    fn next_request(&mut self, environment: &Environment) -> Option<ClientEvent> {
        if self.is_intent_sent || self.stage < Stage::Accepted {
            return None;
        }
        let event = match self.intent.clone()? {
            Intent::Join(_) if !self.may_announce() => return None,
            Intent::Join(name) => self.announce(name, environment),
            Intent::Rename(name) => ClientEvent::Rename { name },
            Intent::Leave if self.own_name().is_none() => return None,
            Intent::Leave => ClientEvent::Leave {},
        };
        self.is_intent_sent = true;
        Some(event)
    }

    /// Joins the row that another tab of this person has added.
    fn rejoin_own_row(&mut self, environment: &Environment) -> Option<ClientEvent> {
        let has_other_intent = matches!(self.intent, Some(Intent::Join(_) | Intent::Leave));
        let must_not = self.is_announced || has_other_intent || environment.has_left;
        if must_not || !self.may_announce() {
            return None;
        }
        let name = self.own_name()?.to_string();
        Some(self.announce(name, environment))
    }

    /// Reports a changed visibility; only tabs that have joined the row do.
    fn report_visibility(&mut self, environment: &Environment) -> Option<ClientEvent> {
        let visible = environment.is_visible;
        let is_known = !self.is_announced || self.reported_visible == visible;
        if is_known || self.stage < Stage::Accepted {
            return None;
        }
        self.reported_visible = visible;
        Some(ClientEvent::Visible { visible })
    }

    /// Whether the next list or `resumed` would be the reply to a join that is sent now.
    fn may_announce(&self) -> bool {
        self.stage == Stage::Live && !self.awaits_reply
    }

    fn announce(&mut self, name: String, environment: &Environment) -> ClientEvent {
        let Environment { tab, is_visible, .. } = environment.clone();
        self.is_announced = true;
        self.awaits_reply = true;
        self.reported_visible = is_visible;
        let visible = (!is_visible).then_some(false);
        ClientEvent::GotANewUser { name, tab: Some(tab), visible, since: None }
    }

    fn own_name(&self) -> Option<Name> {
        self.replica.own_row().map(|user| user.name.clone())
    }
}

/// Whether the frame completes the reply to a `got_a_new_user`: its earlier pieces leave `seq` as it is.
fn completes_reply(event: &ServerEvent) -> bool {
    match event {
        ServerEvent::Resumed(resumed) => {
            resumed.from < resumed.seq || resumed.difference.is_empty()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
