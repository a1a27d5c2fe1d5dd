//! From frames of a room to events of Socket.IO: what to emit between two positions. Pure.

use std::{
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    time::Duration,
};

use app::presence::{DepartureReason, Difference, Roster, ServerEvent, User, UserId};

use super::payload;

/// What a batch of frames says together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Update {
    /// The whole list.
    List(Vec<User>),
    /// What differs between two positions.
    Difference(Difference),
}

/// An update, and whether it answers a request of the reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReadBatch {
    pub(super) update: Update,
    pub(super) is_reply: bool,
}

impl ReadBatch {
    /// Reads the frames of one batch; none of frames that are neither a list nor changes.
    pub(super) fn of<'text>(frames: impl IntoIterator<Item = &'text str>) -> Option<Self> {
        let mut read: Option<Self> = None;
        for frame in frames {
            let (update, is_reply) = match serde_json::from_str(frame).ok()? {
                ServerEvent::ExistingUsers(list) => (Update::List(list.users), true),
                ServerEvent::Resumed(resumed) => (Update::Difference(resumed.difference), true),
                ServerEvent::Changes(changes) => (Update::Difference(changes.difference), false),
                ServerEvent::MoreUsers(more) => (Update::List(more.users), true),
                ServerEvent::Beat(_) | ServerEvent::Refused(_) | ServerEvent::Unknown => continue,
            };
            read = Some(match (read, update) {
                (None, update) => Self { update, is_reply },
                (Some(Self { update: Update::List(mut users), is_reply }), Update::List(more)) => {
                    users.extend(more);
                    Self { update: Update::List(users), is_reply }
                }
                (
                    Some(Self { update: Update::Difference(mut whole), is_reply }),
                    Update::Difference(piece),
                ) => {
                    whole.append(piece);
                    Self { update: Update::Difference(whole), is_reply }
                }
                // A list after changes, or changes after a list: the room sends none of these as one batch.
                (Some(_), _) => return None,
            });
        }
        read
    }
}

impl Update {
    /// The rows that it changes: those to send again if they were sent ahead.
    pub(super) fn changed_rows(&self) -> Vec<UserId> {
        match self {
            Self::List(_) => Vec::new(),
            Self::Difference(difference) => changed_rows(difference),
        }
    }
}

fn changed_rows(difference: &Difference) -> Vec<UserId> {
    let updates = &difference.user_changed;
    let states = updates.states().into_iter().flat_map(|(_, ids)| ids.iter().copied());
    states.chain(updates.renamed.iter().map(|renamed| renamed.id)).collect()
}

/// How long rows are known after their departure: longer than a client may be behind.
const DEPARTED_KNOWN_FOR: Duration = Duration::from_mins(1);

/// The most rows that are known after their departure.
const MOST_DEPARTED: usize = 20_000;

/// The list of a room, and who has left it lately: events have the rows that differences only name by id.
#[derive(Debug, Default)]
pub(super) struct KnownRows {
    roster: Roster,
    departed: HashMap<UserId, Departed>,
    /// The order of departures.
    order: VecDeque<(Duration, UserId)>,
}

#[derive(Clone, Debug)]
struct Departed {
    at: Duration,
    user: User,
    reason: DepartureReason,
}

/// An update does not lead on from the list that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GapError;

impl KnownRows {
    /// Follows an update that begins where the last one ended. `now` is any time that never goes back.
    pub(super) fn follow(&mut self, update: &Update, now: Duration) -> Result<(), GapError> {
        match update {
            Update::List(users) => {
                let roster = Roster::from_users(users.iter().cloned()).map_err(|_| GapError)?;
                let old = std::mem::replace(&mut self.roster, roster);
                let gone = old.users().filter(|user| !self.roster.contains(&user.id));
                let gone: Vec<User> = gone.cloned().collect();
                for user in gone {
                    self.remember(user, DepartureReason::Lost, now);
                }
            }
            Update::Difference(difference) => {
                let gone: Vec<(User, DepartureReason)> = difference
                    .disconnect_user
                    .iter()
                    .filter_map(|(reason, id)| Some((self.roster.get(id)?.clone(), reason)))
                    .collect();
                self.roster.apply(difference).map_err(|_| GapError)?;
                for (user, reason) in gone {
                    self.remember(user, reason, now);
                }
            }
        }
        self.forget(now);
        Ok(())
    }

    /// Notes rows of an update that may be gone by now: whoever was sent them will be sent their departure.
    pub(super) fn note_rows(&mut self, update: &Update, now: Duration) {
        let rows = match update {
            Update::List(users) => users,
            Update::Difference(difference) => &difference.new_user,
        };
        for user in rows {
            if !self.roster.contains(&user.id) {
                self.remember(user.clone(), DepartureReason::Lost, now);
            }
        }
    }

    /// The list.
    pub(super) fn roster(&self) -> &Roster {
        &self.roster
    }

    /// The events of an update, for a client at the position before it.
    ///
    /// What is known may be of a later position than the update: then changed rows are sent as they are there, and have
    /// to be sent once more with the next update, which may not mention them. `ahead` has these rows.
    pub(super) fn events(&self, update: &Update, ahead: &[UserId]) -> Vec<String> {
        match update {
            Update::List(users) => self.list_after_gap(users),
            Update::Difference(difference) => self.difference(difference, ahead),
        }
    }

    fn difference(&self, difference: &Difference, ahead: &[UserId]) -> Vec<String> {
        let mut events = Vec::new();
        for (reason, id) in difference.disconnect_user.iter() {
            let departed = self.departed.get(id).map(|departed| &departed.user);
            let name = departed.or_else(|| self.roster.get(id)).map(|user| user.name.as_str());
            events.extend(payload::departure(*id, name.unwrap_or_default(), reason));
        }
        let is_gone = |id| difference.disconnect_user.iter().any(|(_, gone)| *gone == id);
        let ahead = ahead.iter().copied().filter(|id| !is_gone(*id));
        let changed: BTreeSet<UserId> = changed_rows(difference).into_iter().chain(ahead).collect();
        for id in changed {
            let departed = || self.departed.get(&id).map(|departed| &departed.user);
            if let Some(user) = self.roster.get(&id).or_else(departed) {
                events.push(payload::user_changed(user));
            }
        }
        events.extend(difference.new_user.iter().map(payload::new_user));
        events
    }

    /// A list for a client of which nobody knows how far it is behind. What it may still show is removed by id first,
    /// since the original design's script only ever adds what a list has.
    fn list_after_gap(&self, users: &[User]) -> Vec<String> {
        let listed: HashSet<UserId> = users.iter().map(|user| user.id).collect();
        let departed = self.order.iter().filter_map(|(at, id)| {
            let departed = self.departed.get(id).filter(|departed| departed.at == *at)?;
            Some((&departed.user, departed.reason))
        });
        let known = self.roster.users().map(|user| (user, DepartureReason::Lost));
        let mut events = Vec::new();
        for (user, reason) in departed.chain(known) {
            if !listed.contains(&user.id) {
                events.extend(payload::departure(user.id, user.name.as_str(), reason));
            }
        }
        events.push(payload::existing_users(users));
        events
    }

    fn remember(&mut self, user: User, reason: DepartureReason, at: Duration) {
        self.order.push_back((at, user.id));
        self.departed.insert(user.id, Departed { at, user, reason });
    }

    fn forget(&mut self, now: Duration) {
        while let Some((at, id)) = self.order.front().copied()
            && (at + DEPARTED_KNOWN_FOR < now || self.order.len() > MOST_DEPARTED)
        {
            self.order.pop_front();
            // Who came back and left again is known for longer.
            if self.departed.get(&id).is_some_and(|departed| departed.at == at) {
                self.departed.remove(&id);
            }
        }
    }
}

#[cfg(test)]
mod tests;
