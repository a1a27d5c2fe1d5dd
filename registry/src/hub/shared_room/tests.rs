//! When a room tells what happened, on a clock that stands still.

use std::{ops::Range, sync::Arc, time::Duration};

use app::presence::{RoomName, UserId};
use tokio::time::sleep;

use crate::{
    hub::{Announcing, Hub, Membership},
    presence::room::{JoinKind, RoomLimits},
};

const PEOPLE: usize = 1_000;

/// A little more than 32 µs for each of the thousand.
const GAP: Duration = Duration::from_millis(33);

const LIMITS: RoomLimits = RoomLimits { most_people: PEOPLE, most_connections_per_person: 1 };

#[tokio::test(start_paused = true)]
async fn while_many_are_expected_back_news_are_as_rare_as_for_all_of_them() {
    let hub = Hub::new(LIMITS);
    let everyone = join_all(&hub, 0..PEOPLE);
    sleep(GAP).await;
    drop(everyone);
    sleep(Duration::from_secs(1)).await;

    // Two of a thousand are there, and news go out as rarely as for all of them.
    let mut first = join_all(&hub, 0..1).pop().unwrap();
    assert!(!first.poll_updates().is_empty(), "the room was quiet");
    let mut second = join_all(&hub, 1..2).pop().unwrap();
    sleep(GAP / 2).await;
    assert!(second.poll_updates().is_empty(), "the others are expected back");
    sleep(GAP).await;
    assert!(!second.poll_updates().is_empty(), "the gap is over");
}

fn join_all(hub: &Arc<Hub>, who: Range<usize>) -> Vec<Membership> {
    who.map(|number| {
        let mut membership = hub.enter(&RoomName::lobby(), id(number));
        let announced = membership.announce(Announcing {
            name: format!("Person {number}"),
            tab: None,
            is_visible: true,
            announcement: JoinKind::Opening,
            since: None,
        });
        announced.unwrap();
        membership
    })
    .collect()
}

fn id(number: usize) -> UserId {
    format!("{number:011}").parse().unwrap()
}
