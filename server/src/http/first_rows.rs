//! The rows of the first HTML: the first ones in the order in which the page shows them.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use app::{
    presence::{ExistingUsers, RoomName, UserId},
    ssr::in_order_of_page,
};
use registry::hub::{FirstRows, Hub};
use tokio::time::Instant;

/// The number of rows in the first HTML; the rest arrives through the socket.
const MOST_ROWS: usize = 200;
/// For how long the first rows of a long list are taken for those of other pages: sorting thousands of names for each
/// page would make a rush slower. Who came meanwhile arrives through the socket.
const LIFETIME: Duration = Duration::from_secs(1);

/// The first rows of rooms with long lists, as they were sorted last.
#[derive(Debug, Default)]
pub(crate) struct FirstRowsCache {
    sorted: Mutex<HashMap<RoomName, Sorted>>,
}

#[derive(Debug)]
struct Sorted {
    at: Instant,
    ids: Vec<UserId>,
}

impl FirstRowsCache {
    /// The first rows of a room's page, and how many people of the whole list are away.
    pub(crate) fn read(&self, hub: &Hub, room: &RoomName, you: UserId) -> (ExistingUsers, usize) {
        let (list, away) = hub.first_rows(room, Some(you), FirstRows::InOrderOfArrival(MOST_ROWS));
        // The browser sorts a whole list by itself.
        if list.count <= MOST_ROWS {
            return (list, away);
        }
        let ids = self.sorted(hub, room);
        hub.first_rows(room, Some(you), FirstRows::These(&ids))
    }

    fn sorted(&self, hub: &Hub, room: &RoomName) -> Vec<UserId> {
        let now = Instant::now();
        let is_fresh = |sorted: &Sorted| now.duration_since(sorted.at) < LIFETIME;
        {
            let mut all = self.sorted.lock().unwrap_or_else(PoisonError::into_inner);
            all.retain(|_, sorted| is_fresh(sorted));
            if let Some(sorted) = all.get(room) {
                return sorted.ids.clone();
            }
        }
        let list = hub.snapshot(room, None, usize::MAX);
        let mut ids = in_order_of_page(list.users);
        ids.truncate(MOST_ROWS);
        let mut all = self.sorted.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(room.clone(), Sorted { at: now, ids: ids.clone() });
        ids
    }
}
