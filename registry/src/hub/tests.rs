//! When a room is removed from the hub.

mod attendance;
mod limits;

use app::presence::DepartureReason;
use tokio::time::{Duration, sleep};

use super::{client_address::ClientAddress, room_pool::VacantRoom, *};
use crate::presence::{
    join::{JoinKind, JoinRequest},
    log::RETENTION,
    room::RoomLimits,
};

const LIMITS: RoomLimits =
    RoomLimits { most_people: 10, most_connections_per_person: 10, keep_attendance: None };

fn join(hub: &Arc<Hub>) -> Membership {
    join_as(hub, &RoomName::lobby(), "person-----".parse().unwrap())
}

fn join_as(hub: &Arc<Hub>, room: &RoomName, person: UserId) -> Membership {
    let mut membership = hub.enter(room, person);
    membership.join(opening("Kim")).unwrap();
    membership
}

/// The first frame of a page whose visitor has this name.
fn opening(name: &str) -> JoinRequest {
    JoinRequest {
        name: name.to_owned(),
        tab: None,
        is_visible: true,
        kind: JoinKind::Opening,
        since: None,
    }
}

fn vacant_room(hub: &Hub) -> VacantRoom<SharedRoom> {
    hub.lock().vacant_room(&RoomName::lobby()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn room_that_nothing_happened_in_is_removed_with_its_last_subscriber() {
    let hub = Hub::new(LIMITS);
    let members = [1, 2].map(|_| hub.enter(&RoomName::lobby(), "person-----".parse().unwrap()));
    for (member, rooms) in members.into_iter().zip([1, 0]) {
        drop(member);
        assert_eq!(hub.room_stats().len(), rooms);
    }
}

#[tokio::test(start_paused = true)]
async fn room_is_removed_when_no_client_may_resume_any_more() {
    let hub = Hub::new(LIMITS);
    drop(join(&hub));
    sleep(RETENTION).await;
    hub.sweep();
    assert_eq!(hub.room_stats().len(), 1, "the row went two seconds after the socket");
    sleep(Duration::from_mins(1)).await;
    hub.sweep();
    assert_eq!(hub.room_stats(), []);
}

#[tokio::test(start_paused = true)]
async fn expired_room_that_is_entered_during_the_sweep_is_kept() {
    let hub = Hub::new(LIMITS);
    drop(join(&hub));
    sleep(RETENTION + Duration::from_mins(1)).await;
    let vacant = vacant_room(&hub);
    assert!(vacant.room.is_expired());
    // A subscriber comes and goes, and its row is held.
    drop(join(&hub));
    hub.remove_unless_entered(&vacant);
    assert_eq!(hub.room_stats().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn room_that_is_opened_again_during_the_sweep_is_kept() {
    let hub = Hub::new(LIMITS);
    drop(join(&hub));
    sleep(RETENTION + Duration::from_mins(1)).await;
    let vacant = vacant_room(&hub);
    hub.sweep();
    // The new room has the same name, and as many subscriptions so far.
    drop(join(&hub));
    hub.remove_unless_entered(&vacant);
    assert_eq!(hub.room_stats().len(), 1);
}

/// The socket that comes from a page uses its load up, also if it only watches.
#[tokio::test(start_paused = true)]
async fn page_whose_socket_has_come_gives_a_closed_tab_no_more_time() {
    for (does_page_watch, is_held) in [(false, true), (true, false)] {
        let hub = Hub::new(LIMITS);
        let user_id = "person-----".parse().unwrap();
        let mut tab = join(&hub);
        hub.note_page_load(&RoomName::lobby(), user_id);
        let mut page = hub.enter(&RoomName::lobby(), user_id);
        if does_page_watch {
            page.watch(None).unwrap();
        }
        tab.departs_as(DepartureReason::Closed);
        drop(tab);
        sleep(Duration::from_secs(3)).await;
        let list = hub.snapshot(&RoomName::lobby(), None, 10);
        assert_eq!(list.count == 1, is_held, "{list:?}");
    }
}
