//! The file of rooms: whatever is in it, the server starts, serves who comes, and keeps what it can read again.

#![no_main]

use std::time::Duration;

use app::{client::Replica, presence::UserId};
use libfuzzer_sys::fuzz_target;
use registry::{hub::{Announcing, Hub, SavedRooms}, presence::room::{JoinKind, RoomLimits}};
use server::storage::rooms_file::{read, written};
use tokio::{runtime::Builder, time::sleep};

const LIMITS: RoomLimits = RoomLimits { most_people: 100, most_connections_per_person: 4 };

/// How many rooms are looked into; the others are as good.
const MOST_ROOMS: usize = 4;

/// What is kept of these rooms in the file, and read from it.
fn kept(mut rooms: SavedRooms) -> SavedRooms {
    // They are kept in no order.
    rooms.rooms.sort_by(|one, other| one.name.as_str().cmp(other.name.as_str()));
    let bytes = written(&rooms).expect("what is kept can be written");
    let text = std::str::from_utf8(&bytes).expect("it is text");
    assert_eq!(read(text).as_ref(), Ok(&rooms), "what is written can be read");
    rooms
}

fn newcomer() -> UserId {
    let id = "newcomer000".parse();
    id.expect("it is eleven characters")
}

async fn start_with(saved: SavedRooms) {
    let hub = Hub::restore(LIMITS, saved);
    hub.start_clock();
    let first = kept(hub.freeze());
    // The next process has the same rooms.
    let hub = Hub::restore(LIMITS, first.clone());
    hub.start_clock();
    assert_eq!(kept(hub.freeze()), first, "nothing is lost from one process to the next");

    let hub = Hub::restore(LIMITS, first.clone());
    hub.start_clock();
    for room in first.rooms.iter().take(MOST_ROOMS) {
        let mut membership = hub.enter(&room.name, newcomer());
        let announcing = Announcing {
            name: "Newcomer".to_owned(),
            tab: None,
            is_visible: true,
            announcement: JoinKind::Opening,
            since: None,
        };
        if membership.announce(announcing).is_err() {
            // The room is full.
            continue;
        }
        let mut replica = Replica::default();
        // As long as a row is held for somebody who was there before.
        for _ in 0..2 {
            sleep(Duration::from_secs(20)).await;
            for frame in membership.poll_updates() {
                let event = serde_json::from_str(frame.text()).expect("it is a frame");
                replica.receive(event).expect("nothing leaves a gap");
            }
            let list = hub.snapshot(&room.name, None, usize::MAX);
            assert!(replica.roster().users().eq(list.users.iter()), "a list is wrong");
            assert!(replica.roster().contains(&newcomer()));
        }
        assert_eq!(replica.roster().len(), 1, "a row stayed for ever");
        assert!(hub.count_history(&room.name).len() <= 60);
    }
    kept(hub.save());
}

fuzz_target!(|text: &str| {
    let Ok(saved) = read(text) else { return };
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("the system gives a runtime").block_on(start_with(saved));
});
