//! Members of a room, their tabs, and the state of their rows.
//!
//! A member is one browser; all its tabs share one row. A tab that ended has a grace period in which it may
//! come back without a change of the row. Deadlines are data: the caller reads the clock and calls.

mod member;
mod saved;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use app::presence::{DepartureReason, Name, PresenceState, TabId, UserId};

use self::member::Tab;
pub use self::{
    member::Member,
    saved::{SavedMember, SavedTab},
};
use super::{
    grace_period::{RECONNECT_GRACE, grace_period},
    join::Join,
    server_id::ServerId,
    servers::ServerExit,
    tab_key::{ConnectionId, TabKey},
};

/// The time since the server started. The caller reads the clock.
pub type Moment = Duration;

/// The people who have a row in a room's list, or whose sockets stood behind one.
#[derive(Clone, Debug, Default)]
pub struct Members {
    members: BTreeMap<UserId, Member>,
    /// The deadlines of all members, the earliest first.
    deadlines: BTreeSet<Deadline>,
}

/// When a member's row changes by the passing of time alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Deadline {
    at: Moment,
    user_id: UserId,
}

/// A tab that joins, over a socket.
#[derive(Clone, Debug)]
pub struct JoiningTab {
    key: TabKey,
    connection: ConnectionId,
    is_visible: bool,
    announced_at: Moment,
}

impl JoiningTab {
    /// The tab of a join, and the name. `announced_at` is by the journal's clock.
    pub fn of(join: Join, announced_at: Moment) -> (Self, Name) {
        let Join { name, tab, connection, is_visible } = join;
        (Self { key: TabKey::new(tab, connection), connection, is_visible, announced_at }, name)
    }

    /// When the socket asked to be listed, by the journal's clock.
    pub fn announced_at(&self) -> Moment {
        self.announced_at
    }
}

/// The state that a person's row should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DesiredState {
    /// Listed in this state.
    Listed(PresenceState),
    /// Listed in its present state.
    Unchanged,
    /// Not listed; a row is removed for this reason.
    Unlisted(DepartureReason),
}

impl Members {
    /// A tab joins: the person's row exists for it from now on.
    ///
    /// Returns the socket that had the tab until now, which is replaced. A socket that had the tab before
    /// the row was removed is replaced as well: its later frames are older than this join.
    pub fn join(&mut self, user_id: UserId, tab: JoiningTab, now: Moment) -> Option<ConnectionId> {
        let JoiningTab { key, connection, is_visible, announced_at } = tab;
        let member = self.members.entry(user_id).or_default();
        let replaced = member.connection_of(&key).filter(|old| *old != connection);
        member.retired.retain(|_, retired| *retired != connection && Some(*retired) != replaced);
        member.page_loaded_at = None;
        member.is_reconnecting = false;
        // A socket has one tab at a time.
        member.tabs.retain(|other, old| *other == key || old.connection() != Some(connection));
        let hidden_since = (!is_visible).then_some(now);
        member.tabs.insert(key, Tab::Connected { connection, announced_at, hidden_since });
        replaced
    }

    /// Whether another socket that came later has this tab.
    pub fn has_newer_socket(&self, user_id: UserId, tab: &JoiningTab) -> bool {
        let newest = self.members.get(&user_id).and_then(|member| member.tabs.get(&tab.key));
        matches!(
            newest,
            Some(Tab::Connected { connection, announced_at, .. })
                if *connection != tab.connection && tab.announced_at < *announced_at
        )
    }

    /// The page of a tab was hidden or shown.
    pub fn set_visible(
        &mut self,
        user_id: UserId,
        connection: ConnectionId,
        is_visible: bool,
        now: Moment,
    ) {
        let tabs =
            self.members.get_mut(&user_id).into_iter().flat_map(|member| member.tabs.values_mut());
        for tab in tabs {
            if let Tab::Connected { connection: own, hidden_since, .. } = tab
                && *own == connection
            {
                *hidden_since = if is_visible { None } else { Some(hidden_since.unwrap_or(now)) };
            }
        }
    }

    /// The person's row is removed: no connected socket stands behind one any more, and grace periods end.
    pub fn remove_row(&mut self, user_id: UserId) {
        if let Some(member) = self.members.get_mut(&user_id) {
            for (key, tab) in std::mem::take(&mut member.tabs) {
                if let Some(connection) = tab.connection() {
                    member.retired.insert(key, connection);
                }
            }
            member.is_reconnecting = false;
        }
    }

    /// A socket has ended. If it was replaced, its tab is not affected.
    pub fn disconnect(
        &mut self,
        user_id: UserId,
        connection: ConnectionId,
        reason: DepartureReason,
        now: Moment,
    ) {
        let Some(member) = self.members.get_mut(&user_id) else { return };
        member.retired.retain(|_, retired| *retired != connection);
        let is_page_loading =
            member.page_loaded_at.is_some_and(|loaded| now < loaded + RECONNECT_GRACE);
        let ended = member.tabs.values_mut().find(|tab| tab.connection() == Some(connection));
        if let Some(tab) = ended {
            let grace = grace_period(reason, is_page_loading);
            *tab = Tab::Gone { since: now, until: now + grace, reason };
            if reason == DepartureReason::Lost && !member.is_connected() {
                member.is_reconnecting = true;
            }
        }
    }

    /// A server is gone, with all its sockets: each tab has its grace period from `at` on.
    ///
    /// Returns the people whose rows have to be reconciled.
    pub fn remove_server(&mut self, server: ServerId, at: Moment, exit: ServerExit) -> Vec<UserId> {
        let mut affected = Vec::new();
        for (user_id, member) in &mut self.members {
            let retired_before = member.retired.len();
            member.retired.retain(|_, connection| connection.server() != Some(server));
            let mut is_affected = member.retired.len() < retired_before;
            let (until, reason) = (at + RECONNECT_GRACE, DepartureReason::Lost);
            for tab in member.tabs.values_mut() {
                if tab.connection().and_then(ConnectionId::server) == Some(server) {
                    *tab = Tab::Gone { since: at, until, reason };
                    is_affected = true;
                    member.is_reconnecting |= exit == ServerExit::LeaseExpired;
                }
            }
            if member.is_connected() {
                member.is_reconnecting = false;
            }
            if is_affected {
                affected.push(*user_id);
            }
        }
        affected
    }

    /// The room's page is sent to this person: a closed tab has more time to come back.
    pub fn note_page_load(&mut self, user_id: UserId, now: Moment) {
        let Some(member) = self.members.get_mut(&user_id) else { return };
        member.page_loaded_at = Some(now);
        for tab in member.tabs.values_mut() {
            if let Tab::Gone { since, until, .. } = tab
                && now < *until
            {
                *until = *since + RECONNECT_GRACE;
            }
        }
    }

    /// A socket of this person comes from the loaded page: it counts for no later close.
    pub fn note_page_connection(&mut self, user_id: UserId) {
        if let Some(member) = self.members.get_mut(&user_id) {
            member.page_loaded_at = None;
        }
    }

    /// The state that the person's row should have. To be applied after every event of the person.
    ///
    /// `shown` is the present state of the row.
    pub fn desired_state(
        &self,
        user_id: UserId,
        shown: Option<PresenceState>,
        now: Moment,
    ) -> DesiredState {
        self.members.get(&user_id).map_or(DesiredState::Unlisted(DepartureReason::Left), |member| {
            member.desired_state(shown, now)
        })
    }

    /// Drops what no longer counts of a person, and sets the next deadline.
    pub fn reconcile(&mut self, user_id: UserId, now: Moment) {
        let Some(member) = self.members.get_mut(&user_id) else { return };
        member.tabs.retain(|_, tab| !matches!(tab, Tab::Gone { until, .. } if *until <= now));
        let deadline = member.next_deadline(now);
        if member.deadline != deadline {
            if let Some(at) = std::mem::replace(&mut member.deadline, deadline) {
                self.deadlines.remove(&Deadline { at, user_id });
            }
            self.deadlines.extend(deadline.map(|at| Deadline { at, user_id }));
        }
        if member.tabs.is_empty() && member.retired.is_empty() {
            self.members.remove(&user_id);
        }
    }

    /// The next deadline of any member.
    pub fn next_deadline(&self) -> Option<Moment> {
        self.deadlines.first().map(|deadline| deadline.at)
    }

    /// Takes a member whose deadline has come; its row has to be reconciled.
    pub fn take_due(&mut self, now: Moment) -> Option<UserId> {
        let due = self.deadlines.first().copied().filter(|deadline| deadline.at <= now)?;
        self.deadlines.remove(&due);
        if let Some(member) = self.members.get_mut(&due.user_id) {
            member.deadline = None;
        }
        Some(due.user_id)
    }

    /// The members, with all that is known of each.
    pub fn iter(&self) -> impl Iterator<Item = (UserId, &Member)> {
        self.members.iter().map(|(user_id, member)| (*user_id, member))
    }

    /// Whether there is neither a tab, connected or in its grace period, nor a socket that had one.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Whether anything is known of this person.
    pub fn contains(&self, user_id: UserId) -> bool {
        self.members.contains_key(&user_id)
    }

    /// Whether this socket stands behind the person's row, or stood behind one that was removed.
    pub fn has_connection(&self, user_id: UserId, connection: ConnectionId) -> bool {
        self.members.get(&user_id).is_some_and(|member| member.has_connection(connection))
    }

    /// The tab that this socket stands behind, and whether its page is visible.
    pub fn tab_of(&self, user_id: UserId, connection: ConnectionId) -> Option<(&TabKey, bool)> {
        let mut tabs = self.members.get(&user_id)?.tabs.iter();
        tabs.find_map(|(key, tab)| match tab {
            Tab::Connected { connection: own, hidden_since, .. } if *own == connection => {
                Some((key, hidden_since.is_none()))
            }
            _ => None,
        })
    }

    /// The sockets of a server that stand behind a row, or stood behind one that was removed.
    pub fn connections_on(&self, server: ServerId) -> impl Iterator<Item = (UserId, ConnectionId)> {
        let connections = self.members.iter().flat_map(|(user_id, member)| {
            let connected = member.tabs.values().filter_map(Tab::connection);
            connected
                .chain(member.retired.values().copied())
                .map(|connection| (*user_id, connection))
        });
        connections.filter(move |(_, connection)| connection.server() == Some(server))
    }

    /// Whether a socket stands behind the person's row, other than this one.
    pub fn is_connected_besides(&self, user_id: UserId, besides: Option<ConnectionId>) -> bool {
        self.members.get(&user_id).is_some_and(|member| {
            let mut connections = member.tabs.values().filter_map(Tab::connection);
            connections.any(|connection| Some(connection) != besides)
        })
    }

    /// Whether the room's page was sent to this person, and no socket has come from it yet.
    pub fn is_page_loading(&self, user_id: UserId) -> bool {
        self.members.get(&user_id).is_some_and(|member| member.page_loaded_at.is_some())
    }

    /// Whether a person may have one more socket: this one. A socket that replaces the one of its tab does
    /// not count, nor does one that is known already.
    pub fn is_within_limit(
        &self,
        user_id: UserId,
        connection: ConnectionId,
        tab: Option<&TabId>,
        most_connections: usize,
    ) -> bool {
        self.members.get(&user_id).map_or(most_connections > 0, |member| {
            let takes_over = tab.is_some_and(|tab| member.has_connected(tab));
            member.has_connection(connection)
                || member.connections() < most_connections + usize::from(takes_over)
        })
    }
}

impl FromIterator<(UserId, Member)> for Members {
    fn from_iter<I: IntoIterator<Item = (UserId, Member)>>(members: I) -> Self {
        let members = BTreeMap::from_iter(members);
        let deadline = |(user_id, member): (&UserId, &Member)| {
            Some(Deadline { at: member.deadline?, user_id: *user_id })
        };
        let deadlines = members.iter().filter_map(deadline).collect();
        Self { members, deadlines }
    }
}
