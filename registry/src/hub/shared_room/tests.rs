//! When a room broadcasts its changes, on a paused clock.

use std::{future::poll_fn, ops::Range, sync::Arc, time::Duration};

use app::presence::{RoomName, UserId};
use futures_util::FutureExt;
use tokio::time::sleep;

use crate::{
    hub::{Hub, Membership},
    presence::{
        join::{JoinKind, JoinRequest},
        room::RoomLimits,
    },
    wake::wake_flags::WakeReasons,
};

const PEOPLE: usize = 1_000;

/// A little more than 32 µs for each of the thousand rows.
const GAP: Duration = Duration::from_millis(33);

const LIMITS: RoomLimits = RoomLimits { most_people: PEOPLE, most_connections_per_person: 1 };

#[tokio::test(start_paused = true)]
async fn gap_counts_rows_whose_people_are_expected_back() {
    let hub = Hub::new(LIMITS);
    let members = join_all(&hub, 0..PEOPLE);
    sleep(GAP).await;
    drop(members);
    sleep(Duration::from_secs(1)).await;

    // Two of a thousand people are back, and the gap is as long as for all of them.
    let mut first = join_all(&hub, 0..1).pop().unwrap();
    assert!(!first.subscription_mut().poll_updates().is_empty(), "the room was quiet");
    let mut second = join_all(&hub, 1..2).pop().unwrap();
    sleep(GAP / 2).await;
    assert!(
        second.subscription_mut().poll_updates().is_empty(),
        "the gap is as long as for a thousand subscribers"
    );
    sleep(GAP).await;
    assert!(!second.subscription_mut().poll_updates().is_empty(), "the gap is over");
}

/// Its connection reads right after its own request; a wake for that would be a poll for nothing.
#[tokio::test(start_paused = true)]
async fn new_subscriber_is_woken_by_the_next_change_and_not_by_its_own_join() {
    let hub = Hub::new(LIMITS);
    let mut first = join_all(&hub, 0..1).pop().unwrap();
    assert_eq!(wake_reasons(&first), None);
    assert!(!first.subscription_mut().poll_updates().is_empty());
    sleep(GAP).await;
    let second = join_all(&hub, 1..2).pop().unwrap();
    assert_eq!(wake_reasons(&first), Some(WakeReasons::UPDATES));
    assert_eq!(wake_reasons(&second), None);
    sleep(GAP).await;
    first.rename("Kim").unwrap();
    assert_eq!(wake_reasons(&first), Some(WakeReasons::UPDATES));
    assert_eq!(wake_reasons(&second), Some(WakeReasons::UPDATES));
}

fn wake_reasons(membership: &Membership) -> Option<WakeReasons> {
    poll_fn(|context| membership.subscription().flags().poll(context)).now_or_never()
}

fn join_all(hub: &Arc<Hub>, people: Range<usize>) -> Vec<Membership> {
    people
        .map(|number| {
            let mut membership = hub.enter(&RoomName::lobby(), id(number));
            let joined = membership.join(JoinRequest {
                name: format!("Person {number}"),
                tab: None,
                is_visible: true,
                kind: JoinKind::Opening,
                since: None,
            });
            joined.unwrap();
            membership
        })
        .collect()
}

fn id(number: usize) -> UserId {
    format!("{number:011}").parse().unwrap()
}
