//! Persons, their tabs, and the life of a row.
//!
//! A person is one browser; all their tabs stand behind one row.
//! A tab that went may come back unseen for a while; what is due when is data, and read by the caller.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use app::presence::{DepartureReason, PresenceState, TabId, UserId};
use serde::{Deserialize, Serialize};

use super::{
    join::Join,
    request_error::RequestError,
    tab_key::{ConnectionId, TabKey},
};

/// A point of time: what has passed since the server began. The caller reads the clock.
pub type Moment = Duration;

/// How long a tab that was closed cleanly may take to come back.
pub const RELOAD_GRACE: Duration = Duration::from_secs(2);

/// How long it may take when its page was served anew meanwhile, or when its connection broke.
pub const RECONNECT_GRACE: Duration = Duration::from_secs(15);

/// How long every connected tab must have been hidden until the row is away.
pub const HIDDEN_UNTIL_AWAY: Duration = Duration::from_secs(30);

/// The persons who have a socket in a room or stand behind a row.
#[derive(Clone, Debug, Default)]
pub struct Members {
    members: BTreeMap<UserId, Member>,
    /// When to look at whom: the alarms of all persons, and no others.
    alarms: BTreeSet<Alarm>,
}

/// When to look at a person again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Alarm {
    deadline: Moment,
    who: UserId,
}

#[derive(Clone, Debug, Default)]
struct Member {
    /// The tabs that announced themselves: these stand behind the row.
    tabs: BTreeMap<TabKey, Tab>,
    /// Sockets that only follow the room.
    watching: BTreeSet<ConnectionId>,
    /// Those of them that stood behind the row until it went, by their tabs.
    retired: BTreeMap<TabKey, ConnectionId>,
    /// The last connected tab broke: the row shows it until one is back.
    is_broken: bool,
    /// When the room's page was served to them, until a socket of theirs came.
    page_served_at: Option<Moment>,
    /// When to look at them again.
    alarm: Option<Alarm>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tab {
    Connected { connection: ConnectionId, hidden_since: Option<Moment> },
    Gone { at: Moment, until: Moment, reason: DepartureReason },
}

/// What a person's row should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DesiredState {
    /// Listed in this state.
    Listed(PresenceState),
    /// Listed in the state that they were in.
    Unchanged,
    /// Not listed (any more), for this reason.
    Unlisted(DepartureReason),
}

impl Members {
    /// A socket follows the room without being listed.
    pub fn watch(
        &mut self,
        who: UserId,
        connection: ConnectionId,
        most_connections: usize,
    ) -> Result<(), RequestError> {
        let member = self.person_with_room_for(who, connection, most_connections)?;
        member.page_served_at = None;
        if !member.has_joined(connection) {
            member.watching.insert(connection);
        }
        Ok(())
    }

    /// A tab joins: it stands behind the person's row from now on.
    ///
    /// Returns the socket that had the tab until now, which is replaced. So is one that had it before the
    /// row went: what it still has to say is older than this.
    pub fn join(
        &mut self,
        who: UserId,
        join: Join,
        most_connections: usize,
        now: Moment,
    ) -> Result<Option<ConnectionId>, RequestError> {
        let Join { tab, connection, is_visible, .. } = join;
        // The socket that is replaced makes room for the one that replaces it.
        let takes_over = self
            .members
            .get(&who)
            .and_then(|member| member.connection_of(&tab))
            .is_some_and(|old| old != connection);
        let most_connections = most_connections + usize::from(takes_over);
        let member = self.person_with_room_for(who, connection, most_connections)?;
        let replaced = member.connection_of(&tab).filter(|old| *old != connection);
        for known in replaced.iter().chain([&connection]) {
            member.stop_watching(*known);
        }
        member.page_served_at = None;
        member.is_broken = false;
        // A socket speaks for one tab at a time.
        member.tabs.retain(|key, old| *key == tab || old.connection() != Some(connection));
        let hidden_since = (!is_visible).then_some(now);
        member.tabs.insert(tab, Tab::Connected { connection, hidden_since });
        Ok(replaced)
    }

    /// A tab was hidden, or shown again.
    pub fn set_visible(
        &mut self,
        who: UserId,
        connection: ConnectionId,
        is_visible: bool,
        now: Moment,
    ) {
        let tabs =
            self.members.get_mut(&who).into_iter().flat_map(|member| member.tabs.values_mut());
        for tab in tabs {
            if let Tab::Connected { connection: own, hidden_since } = tab
                && *own == connection
            {
                *hidden_since = if is_visible { None } else { Some(hidden_since.unwrap_or(now)) };
            }
        }
    }

    /// The person is no longer listed: their sockets only watch from now on, and no tab may come back unseen.
    pub fn remove_row(&mut self, who: UserId) {
        if let Some(member) = self.members.get_mut(&who) {
            for (key, tab) in std::mem::take(&mut member.tabs) {
                if let Some(connection) = tab.connection() {
                    member.watching.insert(connection);
                    member.retired.insert(key, connection);
                }
            }
            member.is_broken = false;
        }
    }

    /// A socket is gone, cleanly or not. One that was replaced takes nothing with it.
    pub fn disconnect(
        &mut self,
        who: UserId,
        connection: ConnectionId,
        reason: DepartureReason,
        now: Moment,
    ) {
        let Some(member) = self.members.get_mut(&who) else { return };
        member.stop_watching(connection);
        let page_was_just_served =
            member.page_served_at.is_some_and(|served| now < served + RECONNECT_GRACE);
        let gone = member.tabs.values_mut().find(|tab| tab.connection() == Some(connection));
        if let Some(tab) = gone {
            let grace = match reason {
                DepartureReason::Closed if !page_was_just_served => RELOAD_GRACE,
                _ => RECONNECT_GRACE,
            };
            *tab = Tab::Gone { at: now, until: now + grace, reason };
            if reason == DepartureReason::Lost && !member.is_connected() {
                member.is_broken = true;
            }
        }
    }

    /// The room's page is on its way to this person: their closed tabs have more time to come back.
    pub fn note_page_load(&mut self, who: UserId, now: Moment) {
        let Some(member) = self.members.get_mut(&who) else { return };
        member.page_served_at = Some(now);
        for tab in member.tabs.values_mut() {
            if let Tab::Gone { at, until, .. } = tab
                && now < *until
            {
                *until = *at + RECONNECT_GRACE;
            }
        }
    }

    /// What the person's row should be; to be asked after everything that happened to them.
    ///
    /// `shown` is the state that their row has until now.
    pub fn desired_state(
        &self,
        who: UserId,
        shown: Option<PresenceState>,
        now: Moment,
    ) -> DesiredState {
        self.members.get(&who).map_or(DesiredState::Unlisted(DepartureReason::Left), |member| {
            member.desired_state(shown, now)
        })
    }

    /// Forgets what no longer counts of a person, and sets the alarm for what is due next.
    pub fn reconcile(&mut self, who: UserId, now: Moment) {
        let Some(member) = self.members.get_mut(&who) else { return };
        member.tabs.retain(|_, tab| !matches!(tab, Tab::Gone { until, .. } if *until <= now));
        let alarm = member.next_deadline(now).map(|deadline| Alarm { deadline, who });
        if member.alarm != alarm {
            if let Some(stale) = std::mem::replace(&mut member.alarm, alarm) {
                self.alarms.remove(&stale);
            }
            self.alarms.extend(alarm);
        }
        if member.tabs.is_empty() && member.watching.is_empty() {
            self.members.remove(&who);
        }
    }

    /// When somebody has to be looked at next.
    pub fn next_deadline(&self) -> Option<Moment> {
        self.alarms.first().map(|alarm| alarm.deadline)
    }

    /// Takes out somebody who has to be looked at now.
    pub fn take_due(&mut self, now: Moment) -> Option<UserId> {
        let due = self.alarms.first().copied().filter(|alarm| alarm.deadline <= now)?;
        self.alarms.remove(&due);
        if let Some(member) = self.members.get_mut(&due.who) {
            member.alarm = None;
        }
        Some(due.who)
    }

    /// Whether nobody has a socket here or may come back unseen.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Everyone who stands behind a row, for the next process.
    pub fn save(&self, now: Moment) -> Vec<SavedMember> {
        let listed = self.members.iter().filter(|(_, member)| !member.tabs.is_empty());
        listed
            .map(|(who, member)| SavedMember {
                id: *who,
                is_broken: member.is_broken,
                tabs: member.save_tabs(now),
            })
            .collect()
    }

    /// Those who stood behind a row before a restart: nobody is connected,
    /// and each of their tabs may come back unseen.
    pub fn restore(saved: Vec<SavedMember>, now: Moment) -> Self {
        let mut people = Self::default();
        for SavedMember { id, is_broken, tabs } in saved {
            let until = now + RECONNECT_GRACE;
            // A tab without a name can't come back, but holds the row until its person does. Their numbers,
            // which no socket ever has, are in their order: the next restart finds them as this one did.
            let first = tabs.iter().fold(u64::MAX, |number, _| number - 1);
            let mut unnamed = (first..).map(|number| TabKey::Unnamed(ConnectionId(number)));
            let gone = |reason| Tab::Gone { at: now, until, reason };
            let tabs = tabs.into_iter().filter_map(|SavedTab { name, reason }| {
                Some((name.map(TabKey::Named).or_else(|| unnamed.next())?, gone(reason)))
            });
            let member = Member { tabs: tabs.collect(), is_broken, ..Member::default() };
            people.members.insert(id, member);
            people.reconcile(id, now);
        }
        people
    }

    fn person_with_room_for(
        &mut self,
        who: UserId,
        connection: ConnectionId,
        most_connections: usize,
    ) -> Result<&mut Member, RequestError> {
        let is_known = |member: &Member| {
            member.watching.contains(&connection) || member.has_joined(connection)
        };
        let has_room = self
            .members
            .get(&who)
            .is_none_or(|member| is_known(member) || member.connections() < most_connections);
        if has_room {
            Ok(self.members.entry(who).or_default())
        } else {
            Err(RequestError::TooManyTabs)
        }
    }
}

/// A person who stands behind a row, as it is kept over a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedMember {
    /// Who.
    pub id: UserId,
    /// The last connected tab broke.
    pub is_broken: bool,
    /// The tabs that stand behind the row.
    pub tabs: Vec<SavedTab>,
}

/// A tab, as it is kept over a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedTab {
    /// Its name, where it had one.
    pub name: Option<TabId>,
    /// How the row ends if the tab does not come back.
    pub reason: DepartureReason,
}

impl SavedTab {
    fn of(key: &TabKey, tab: Tab) -> Self {
        let name = match key {
            TabKey::Named(name) => Some(name.clone()),
            TabKey::Unnamed(_) => None,
        };
        let reason = match tab {
            Tab::Connected { .. } => DepartureReason::Lost,
            Tab::Gone { reason, .. } => reason,
        };
        Self { name, reason }
    }
}

impl Member {
    /// The tabs that hold the row: one that can no longer come back unseen gets no second chance from a restart.
    fn save_tabs(&self, now: Moment) -> Vec<SavedTab> {
        let is_over = |tab: &Tab| matches!(tab, Tab::Gone { until, .. } if *until <= now);
        // A row that is due and still listed is held like the others.
        let is_due = self.tabs.values().all(is_over);
        let holding = self.tabs.iter().filter(|(_, tab)| is_due || !is_over(tab));
        holding.map(|(key, tab)| SavedTab::of(key, *tab)).collect()
    }

    fn desired_state(&self, shown: Option<PresenceState>, now: Moment) -> DesiredState {
        if self.is_connected() {
            // Who is away is so until a tab is shown: a hidden one that comes back shows nothing.
            let was_away = shown == Some(PresenceState::Away);
            let is_away = self.away_at().is_some_and(|moment| was_away || moment <= now);
            let state = if is_away { PresenceState::Away } else { PresenceState::Here };
            return DesiredState::Listed(state);
        }
        match self.grace_deadline() {
            Some((until, _)) if now < until => {
                if self.is_broken {
                    DesiredState::Listed(PresenceState::Reconnecting)
                } else {
                    DesiredState::Unchanged
                }
            }
            Some((_, reason)) => DesiredState::Unlisted(reason),
            None => DesiredState::Unlisted(DepartureReason::Left),
        }
    }

    /// When the row's standing changes by the mere passing of time.
    fn next_deadline(&self, now: Moment) -> Option<Moment> {
        if self.is_connected() {
            self.away_at().filter(|moment| now < *moment)
        } else {
            self.grace_deadline().map(|(until, _)| until)
        }
    }

    /// From when on the row is away, as things stand: none while a connected tab is visible.
    fn away_at(&self) -> Option<Moment> {
        let mut last_hidden = None;
        for tab in self.tabs.values() {
            if let Tab::Connected { hidden_since, .. } = tab {
                last_hidden = last_hidden.max(Some((*hidden_since)?));
            }
        }
        last_hidden.map(|moment| moment + HIDDEN_UNTIL_AWAY)
    }

    /// Until when the last tab may come back, and how the row ends if it does not.
    fn grace_deadline(&self) -> Option<(Moment, DepartureReason)> {
        let gone = self.tabs.values().filter_map(|tab| match tab {
            Tab::Gone { until, reason, .. } => Some((*until, *reason)),
            Tab::Connected { .. } => None,
        });
        gone.max_by_key(|(until, _)| *until)
    }

    fn is_connected(&self) -> bool {
        self.tabs.values().any(|tab| tab.connection().is_some())
    }

    fn connection_of(&self, tab: &TabKey) -> Option<ConnectionId> {
        let connected = self.tabs.get(tab).and_then(Tab::connection);
        connected.or_else(|| self.retired.get(tab).copied())
    }

    fn stop_watching(&mut self, connection: ConnectionId) {
        if self.watching.remove(&connection) {
            self.retired.retain(|_, retired| *retired != connection);
        }
    }

    fn has_joined(&self, connection: ConnectionId) -> bool {
        self.tabs.values().any(|tab| tab.connection() == Some(connection))
    }

    fn connections(&self) -> usize {
        let connected = self.tabs.values().filter(|tab| tab.connection().is_some());
        self.watching.len() + connected.count()
    }
}

impl Tab {
    fn connection(&self) -> Option<ConnectionId> {
        match self {
            Self::Connected { connection, .. } => Some(*connection),
            Self::Gone { .. } => None,
        }
    }
}
