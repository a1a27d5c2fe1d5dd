//! The members with a row, as they are saved for the next process.

use app::presence::{DepartureReason, TabId, UserId};
use serde::{Deserialize, Serialize};

use super::{
    Members, Moment,
    member::{Member, Tab},
};
use crate::presence::{
    grace_period::RECONNECT_GRACE,
    tab_key::{ConnectionId, TabKey},
};

/// A member with a row, as it is saved for the next process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedMember {
    /// The person.
    pub id: UserId,
    /// The last connected tab was lost.
    #[serde(rename = "is_broken")]
    pub is_reconnecting: bool,
    /// The tabs that the row exists for.
    pub tabs: Vec<SavedTab>,
}

/// A tab, as it is saved for the next process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedTab {
    /// The tab id, if the client named one.
    pub name: Option<TabId>,
    /// The reason of the departure if the tab does not come back.
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

impl Members {
    /// The members with a row, for the next process.
    pub fn save(&self, now: Moment) -> Vec<SavedMember> {
        let listed = self.members.iter().filter(|(_, member)| !member.tabs.is_empty());
        listed
            .map(|(user_id, member)| SavedMember {
                id: *user_id,
                is_reconnecting: member.is_reconnecting,
                tabs: member.save_tabs(now),
            })
            .collect()
    }

    /// The members with a row before a restart: none is connected, and each tab has its grace period.
    pub fn restore(saved: Vec<SavedMember>, now: Moment) -> Self {
        let mut restored = Self::default();
        for SavedMember { id, is_reconnecting, tabs } in saved {
            let until = now + RECONNECT_GRACE;
            // An unnamed tab can't come back, but holds the row until its person does. The ids, which no
            // socket ever has, keep the order of the tabs: the next restart saves them as this one did.
            let first = tabs.iter().fold(u64::MAX, |number, _| number - 1);
            let mut unnamed = (first..).map(|number| TabKey::Unnamed(ConnectionId(number)));
            let gone = |reason| Tab::Gone { since: now, until, reason };
            let tabs = tabs.into_iter().filter_map(|SavedTab { name, reason }| {
                Some((name.map(TabKey::Named).or_else(|| unnamed.next())?, gone(reason)))
            });
            let member = Member { tabs: tabs.collect(), is_reconnecting, ..Member::default() };
            restored.members.insert(id, member);
            restored.reconcile(id, now);
        }
        restored
    }
}

impl Member {
    /// The tabs that hold the row. A restart does not renew a grace period that is over.
    fn save_tabs(&self, now: Moment) -> Vec<SavedTab> {
        let is_over = |tab: &Tab| matches!(tab, Tab::Gone { until, .. } if *until <= now);
        // A row that is due but not yet removed is held like the others.
        let is_due = self.tabs.values().all(is_over);
        let holding = self.tabs.iter().filter(|(_, tab)| is_due || !is_over(tab));
        holding.map(|(key, tab)| SavedTab::of(key, *tab)).collect()
    }
}
