//! The rows of the first HTML: the first ones in the order in which the page shows them.

use std::{sync::Arc, time::Duration};

use app::{
    presence::{ExistingUsers, RoomName, UserId},
    ssr::in_order_of_page,
};
use registry::hub::{FirstRows, Hub};
use tokio::time::Instant;

use super::{
    offload::{Offload, OffloadError},
    shared_results::SharedResults,
};
use crate::admission::Account;

/// The number of rows in the first HTML; the rest arrives through the socket.
const MOST_ROWS: usize = 200;
/// For how long the first rows of a long list are taken for those of other pages: sorting thousands of names for each
/// page would make a rush slower. Who came meanwhile arrives through the socket.
const LIFETIME: Duration = Duration::from_secs(1);
/// The rows of all rooms together, in bytes: those of a thousand rooms.
const MOST_BYTES: usize = 1_000 * MOST_ROWS * size_of::<UserId>();
/// After so long a page has the rows of those who came first.
const SORT_TIMEOUT: Duration = Duration::from_secs(2);

/// The first rows of rooms with long lists, as they were sorted last.
#[derive(Clone, Debug)]
pub(crate) struct FirstRowsCache {
    sorted: Arc<SharedResults<RoomName, Arc<[UserId]>>>,
    sorting: Offload,
}

impl FirstRowsCache {
    /// None yet.
    pub(crate) fn new(sorting: Offload) -> Self {
        Self { sorted: SharedResults::new(MOST_BYTES, LIFETIME), sorting }
    }

    /// The first rows of a room's page, and how many people of the whole list are away.
    pub(crate) async fn read(
        &self,
        hub: &Arc<Hub>,
        account: Account,
        room: &RoomName,
        you: UserId,
    ) -> (ExistingUsers, usize) {
        let ids = if let Some(ids) = self.sorted.kept(room, |_| true) {
            ids
        } else {
            let rows = FirstRows::InOrderOfArrival(MOST_ROWS);
            let (list, away) = hub.first_rows(room, Some(you), rows);
            // The browser sorts a whole list by itself.
            if list.count <= MOST_ROWS {
                return (list, away);
            }
            let sorted = self.sort(hub, account, room).await;
            sorted.unwrap_or_else(|| list.users.iter().map(|user| user.id).collect())
        };
        hub.first_rows(room, Some(you), FirstRows::These(&ids))
    }

    /// None if it does not come to that in time.
    async fn sort(
        &self,
        hub: &Arc<Hub>,
        account: Account,
        room: &RoomName,
    ) -> Option<Arc<[UserId]>> {
        let asked = Instant::now();
        let turn = account.turn().await.ok()?;
        let (sorting, own_hub, own_room) = (self.sorting.clone(), Arc::clone(hub), room.clone());
        let sort = async move {
            let sorted = sorting.run(account, SORT_TIMEOUT, move || {
                let mut ids = in_order_of_page(own_hub.snapshot(&own_room, None, usize::MAX).users);
                ids.truncate(MOST_ROWS);
                drop(turn);
                Arc::from(ids)
            });
            sorted.await
        };
        let size = |ids: &Arc<[UserId]>| size_of_val(&**ids);
        let sorted = self.sorted.get::<OffloadError>(room.clone(), asked, |_| true, size, sort);
        sorted.await.ok()
    }
}
