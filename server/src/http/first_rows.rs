//! The rows of the first HTML: the first ones in the order in which the page shows them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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
    ids: Arc<[UserId]>,
}

impl FirstRowsCache {
    /// The first rows of a room's page, and how many people of the whole list are away.
    pub(crate) fn read(&self, hub: &Hub, room: &RoomName, you: UserId) -> (ExistingUsers, usize) {
        let ids = if let Some(ids) = self.sorted_lately(room) {
            ids
        } else {
            let rows = FirstRows::InOrderOfArrival(MOST_ROWS);
            let (list, away) = hub.first_rows(room, Some(you), rows);
            // The browser sorts a whole list by itself.
            if list.count <= MOST_ROWS {
                return (list, away);
            }
            self.sort(hub, room)
        };
        hub.first_rows(room, Some(you), FirstRows::These(&ids))
    }

    fn sorted_lately(&self, room: &RoomName) -> Option<Arc<[UserId]>> {
        let now = Instant::now();
        let mut sorted = self.lock();
        sorted.retain(|_, sorted| now.duration_since(sorted.at) < LIFETIME);
        sorted.get(room).map(|sorted| Arc::clone(&sorted.ids))
    }

    fn sort(&self, hub: &Hub, room: &RoomName) -> Arc<[UserId]> {
        let at = Instant::now();
        let mut ids = in_order_of_page(hub.snapshot(room, None, usize::MAX).users);
        ids.truncate(MOST_ROWS);
        let ids = Arc::from(ids);
        self.lock().insert(room.clone(), Sorted { at, ids: Arc::clone(&ids) });
        ids
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RoomName, Sorted>> {
        self.sorted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
