//! One person: the tabs that hold the row, and what the row should be.

use std::collections::BTreeMap;

use app::presence::{DepartureReason, PresenceState, TabId};
use serde::{Deserialize, Serialize};

use super::{DesiredState, Moment};
use crate::presence::{
    grace_period::HIDDEN_UNTIL_AWAY,
    sorted_map::SortedMap,
    stored::{milliseconds, pairs, some_milliseconds},
    tab_key::{ConnectionId, TabKey},
};

/// A person, with what is known of their tabs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The tabs that joined: the row exists for these.
    pub(super) tabs: SortedMap<TabKey, Tab>,
    /// The sockets of tabs that had joined until the row was removed.
    #[serde(with = "pairs", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) retired: BTreeMap<TabKey, ConnectionId>,
    /// The last connected tab was lost: the row is reconnecting until a tab joins.
    pub(super) is_reconnecting: bool,
    /// When the room's page was last sent, until a socket uses it.
    #[serde(with = "some_milliseconds", default, skip_serializing_if = "Option::is_none")]
    pub(super) page_loaded_at: Option<Moment>,
    #[serde(with = "some_milliseconds", default, skip_serializing_if = "Option::is_none")]
    pub(super) deadline: Option<Moment>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Tab {
    Connected {
        connection: ConnectionId,
        /// By the journal's clock: servers compare it.
        #[serde(with = "milliseconds")]
        announced_at: Moment,
        #[serde(with = "some_milliseconds", default, skip_serializing_if = "Option::is_none")]
        hidden_since: Option<Moment>,
    },
    Gone {
        #[serde(with = "milliseconds")]
        since: Moment,
        #[serde(with = "milliseconds")]
        until: Moment,
        reason: DepartureReason,
    },
}

impl Member {
    /// Whether the row exists for this person.
    pub fn has_tabs(&self) -> bool {
        !self.tabs.is_empty()
    }

    pub(super) fn desired_state(&self, shown: Option<PresenceState>, now: Moment) -> DesiredState {
        if self.is_connected() {
            // An away row stays away until a tab is shown: a hidden tab that comes back does not change it.
            let was_away = shown == Some(PresenceState::Away);
            let is_away = self.away_at().is_some_and(|moment| was_away || moment <= now);
            let state = if is_away { PresenceState::Away } else { PresenceState::Here };
            return DesiredState::Listed(state);
        }
        match self.grace_deadline() {
            Some((until, _)) if now < until => {
                if self.is_reconnecting {
                    DesiredState::Listed(PresenceState::Reconnecting)
                } else {
                    DesiredState::Unchanged
                }
            }
            Some((_, reason)) => DesiredState::Unlisted(reason),
            None => DesiredState::Unlisted(DepartureReason::Left),
        }
    }

    /// When the desired state changes by the passing of time alone.
    pub(super) fn next_deadline(&self, now: Moment) -> Option<Moment> {
        if self.is_connected() {
            self.away_at().filter(|moment| now < *moment)
        } else {
            self.grace_deadline().map(|(until, _)| until)
        }
    }

    /// When the row becomes away; `None` while a connected tab is visible.
    pub(super) fn away_at(&self) -> Option<Moment> {
        let mut last_hidden = None;
        for tab in self.tabs.values() {
            if let Tab::Connected { hidden_since, .. } = tab {
                last_hidden = last_hidden.max(Some((*hidden_since)?));
            }
        }
        last_hidden.map(|moment| moment + HIDDEN_UNTIL_AWAY)
    }

    /// The end of the last grace period, and the reason of the departure if no tab comes back.
    pub(super) fn grace_deadline(&self) -> Option<(Moment, DepartureReason)> {
        let ends = self.tabs.values().filter_map(|tab| match tab {
            Tab::Gone { until, reason, .. } => Some((*until, *reason)),
            Tab::Connected { .. } => None,
        });
        ends.max_by_key(|(until, _)| *until)
    }

    pub(super) fn is_connected(&self) -> bool {
        self.tabs.values().any(|tab| tab.connection().is_some())
    }

    pub(super) fn connection_of(&self, tab: &TabKey) -> Option<ConnectionId> {
        let connected = self.tabs.get(tab).and_then(Tab::connection);
        connected.or_else(|| self.retired.get(tab).copied())
    }

    /// Whether a socket has this tab, or had it until the row was removed.
    pub(super) fn has_connected(&self, tab: &TabId) -> bool {
        let is_tab = |key: &TabKey| matches!(key, TabKey::Named(name) if name == tab);
        self.tabs.iter().any(|(key, tab)| is_tab(key) && tab.connection().is_some())
            || self.retired.keys().any(is_tab)
    }

    pub(super) fn has_connection(&self, connection: ConnectionId) -> bool {
        self.tabs.values().any(|tab| tab.connection() == Some(connection))
            || self.retired.values().any(|retired| *retired == connection)
    }

    pub(super) fn connections(&self) -> usize {
        let connected = self.tabs.values().filter(|tab| tab.connection().is_some());
        self.retired.len() + connected.count()
    }
}

impl Tab {
    pub(super) fn connection(&self) -> Option<ConnectionId> {
        match self {
            Self::Connected { connection, .. } => Some(*connection),
            Self::Gone { .. } => None,
        }
    }
}
