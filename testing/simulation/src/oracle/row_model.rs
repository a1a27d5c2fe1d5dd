//! An independent model of a room's rows: what they must be according to the protocol's table.
//!
//! Its input is every frame that the server received, and every end of a connection that it noticed. It
//! knows nothing of the server's implementation.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use app::presence::{ClientEvent, DepartureReason, PresenceState, TabId, User, UserId};
use tokio::time::Instant;

/// The shortest grace period, of a tab that was closed cleanly, and the longest of any tab.
const MIN_GRACE: Duration = Duration::from_secs(2);
const MAX_GRACE: Duration = Duration::from_secs(15);
const HIDDEN_UNTIL_AWAY: Duration = Duration::from_secs(30);

/// Timers have a resolution of milliseconds, and tasks run a little later.
const TOLERANCE: Duration = Duration::from_millis(20);

/// The tabs of all persons in one room.
#[derive(Clone, Debug, Default)]
pub(crate) struct RowModel {
    persons: BTreeMap<UserId, BTreeMap<TabKey, Tab>>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum TabKey {
    Named(TabId),
    Unnamed(u64),
}

#[derive(Clone, Copy, Debug)]
enum Tab {
    Connected {
        connection: u64,
        hidden_since: Option<Instant>,
    },
    /// It keeps the row at least until `earliest` and at most until `latest`.
    Gone {
        earliest: Instant,
        latest: Instant,
    },
    /// It was restored by a server that is not ready yet: it keeps the row, or may keep it.
    Held {
        is_certain: bool,
    },
}

impl RowModel {
    /// The server received a frame, which it will accept.
    pub(crate) fn on_frame(
        &mut self,
        user_id: UserId,
        connection: u64,
        event: &ClientEvent,
        now: Instant,
    ) {
        let tabs = self.persons.entry(user_id).or_default();
        match event {
            ClientEvent::GotANewUser { tab, visible, .. } => {
                let key = tab.clone().map_or(TabKey::Unnamed(connection), TabKey::Named);
                tabs.retain(|other, tab| *other == key || tab.connection() != Some(connection));
                let hidden_since = (*visible == Some(false)).then_some(now);
                tabs.insert(key, Tab::Connected { connection, hidden_since });
            }
            ClientEvent::Visible { visible } => {
                for tab in tabs.values_mut() {
                    if let Tab::Connected { connection: own, hidden_since } = tab
                        && *own == connection
                    {
                        *hidden_since = (!visible).then(|| hidden_since.unwrap_or(now));
                    }
                }
            }
            ClientEvent::Leave {} => tabs.clear(),
            ClientEvent::Watch { .. } | ClientEvent::Rename { .. } | ClientEvent::Resync {} => {}
        }
    }

    /// The operator removed a person.
    pub(crate) fn on_removed(&mut self, user_id: UserId) {
        self.persons.remove(&user_id);
    }

    /// The server noticed the end of a connection.
    pub(crate) fn on_connection_end(
        &mut self,
        user_id: UserId,
        connection: u64,
        reason: DepartureReason,
        now: Instant,
    ) {
        let tabs = self.persons.get_mut(&user_id).into_iter().flat_map(BTreeMap::values_mut);
        for tab in tabs.filter(|tab| tab.connection() == Some(connection)) {
            let grace = match reason {
                DepartureReason::Closed => MIN_GRACE,
                _ => MAX_GRACE,
            };
            *tab = Tab::Gone { earliest: now + grace, latest: now + MAX_GRACE };
        }
    }

    /// The model for the next process, which starts with these rows, saved at `saved_at`.
    pub(crate) fn restored(mut self, rows: &[User], saved_at: Instant) -> Self {
        self.persons.retain(|user_id, _| rows.iter().any(|user| user.id == *user_id));
        for tabs in self.persons.values_mut() {
            tabs.retain(|_, tab| tab.may_hold_at(saved_at - TOLERANCE));
            for tab in tabs.values_mut() {
                *tab = Tab::Held { is_certain: tab.must_hold_at(saved_at) };
            }
        }
        self
    }

    /// The server is ready: the grace period of restored rows starts.
    pub(crate) fn on_server_ready(&mut self, now: Instant) {
        for tab in self.persons.values_mut().flat_map(BTreeMap::values_mut) {
            if let Tab::Held { is_certain } = *tab {
                let earliest = if is_certain { now + MAX_GRACE } else { now };
                *tab = Tab::Gone { earliest, latest: now + MAX_GRACE };
            }
        }
    }

    /// Checks the rows `after` at most one frame, where they were `before`.
    pub(crate) fn check(
        &mut self,
        before: &[User],
        after: &[User],
        now: Instant,
    ) -> Result<(), String> {
        for (user_id, tabs) in &self.persons {
            let row = after.iter().find(|user| user.id == *user_id);
            let was_listed = before.iter().any(|user| user.id == *user_id);
            match row {
                None if tabs.values().any(|tab| tab.connection().is_some()) => {
                    return Err(format!("{user_id} has a connected tab, and is not listed"));
                }
                None if was_listed
                    && tabs.values().any(|tab| tab.must_hold_at(now + TOLERANCE)) =>
                {
                    return Err(format!("{user_id} was removed too early: {tabs:?} at {now:?}"));
                }
                None => {}
                Some(user) => check_state(user, tabs, now)?,
            }
        }
        for user in after {
            let tabs = self.persons.get(&user.id);
            let is_held = |tab: &Tab| tab.may_hold_at(now - TOLERANCE);
            if !tabs.is_some_and(|tabs| tabs.values().any(is_held)) {
                return Err(format!("{} is listed without a tab: {tabs:?} at {now:?}", user.id));
            }
        }
        check_order(before, after)?;
        // A person without a row and without a connection is forgotten.
        self.persons.retain(|user_id, tabs| {
            after.iter().any(|user| user.id == *user_id)
                || tabs.values().any(|tab| tab.connection().is_some())
        });
        Ok(())
    }
}

fn check_state(user: &User, tabs: &BTreeMap<TabKey, Tab>, now: Instant) -> Result<(), String> {
    let mut hidden_since = Vec::new();
    for tab in tabs.values() {
        if let Tab::Connected { hidden_since: since, .. } = tab {
            hidden_since.push(*since);
        }
    }
    if hidden_since.is_empty() {
        return Ok(());
    }
    let is_visible = hidden_since.iter().any(Option::is_none);
    let last_hidden = hidden_since.into_iter().flatten().max();
    let was_hidden_long_ago =
        last_hidden.is_some_and(|hidden| hidden + HIDDEN_UNTIL_AWAY + TOLERANCE < now);
    let fits = match user.state {
        PresenceState::Here => is_visible || !was_hidden_long_ago,
        PresenceState::Away => !is_visible,
        PresenceState::Reconnecting => false,
    };
    if fits {
        Ok(())
    } else {
        Err(format!("{} is {:?} with these tabs: {tabs:?} at {now:?}", user.id, user.state))
    }
}

/// Rows that stay keep their order. Only removed rows can return, at the end.
fn check_order(before: &[User], after: &[User]) -> Result<(), String> {
    let ids = |users: &[User]| users.iter().map(|user| user.id).collect::<BTreeSet<_>>();
    let (old, new) = (ids(before), ids(after));
    let stayed = |users: &[User], others: &BTreeSet<UserId>| {
        let stayed = users.iter().filter(|user| others.contains(&user.id));
        stayed.map(|user| (user.id, user.joined)).collect::<Vec<_>>()
    };
    if stayed(before, &new) == stayed(after, &old) {
        Ok(())
    } else {
        Err(format!("rows were reordered: {before:?} became {after:?}"))
    }
}

impl Tab {
    fn connection(&self) -> Option<u64> {
        match self {
            Self::Connected { connection, .. } => Some(*connection),
            Self::Gone { .. } | Self::Held { .. } => None,
        }
    }

    fn must_hold_at(&self, now: Instant) -> bool {
        match self {
            Self::Connected { .. } => true,
            Self::Gone { earliest, .. } => now < *earliest,
            Self::Held { is_certain } => *is_certain,
        }
    }

    fn may_hold_at(&self, now: Instant) -> bool {
        match self {
            Self::Connected { .. } | Self::Held { .. } => true,
            Self::Gone { latest, .. } => now < *latest,
        }
    }
}
