//! Fuzzes the file of saved rooms: with any content the server starts, accepts members, and saves a file
//! that it can load.

#![no_main]

use std::time::Duration;

use app::{client::Replica, presence::UserId};
use libfuzzer_sys::fuzz_target;
use registry::{hub::{Hub, SavedRooms}, presence::{join::{JoinKind, JoinRequest}, room::RoomLimits}};
use server::storage::rooms_file::{SaveTimes, read, written};
use tokio::{runtime::Builder, time::sleep};

const LIMITS: RoomLimits = RoomLimits { most_people: 100, most_connections_per_person: 4, keep_attendance: None };

/// Further rooms are not checked.
const MAX_ROOMS: usize = 4;

/// Saves the rooms and loads them again.
fn save_and_load(mut rooms: SavedRooms) -> SavedRooms {
    // The order in the file is not determined.
    rooms.rooms.sort_by(|one, other| one.name.as_str().cmp(other.name.as_str()));
    let bytes = written(&rooms, SaveTimes::default()).expect("rooms can be serialised");
    let text = std::str::from_utf8(&bytes).expect("the file is UTF-8");
    let loaded = read(text).map(|(rooms, _)| rooms);
    assert_eq!(loaded.as_ref(), Ok(&rooms), "saved rooms can be loaded");
    rooms
}

fn newcomer() -> UserId {
    let id = "newcomer000".parse();
    id.expect("the id has eleven characters")
}

async fn start_with(saved: SavedRooms) {
    let hub = Hub::restore(LIMITS, saved);
    hub.start_clock();
    let first = save_and_load(hub.freeze());
    // The next process restores the same rooms.
    let hub = Hub::restore(LIMITS, first.clone());
    hub.start_clock();
    assert_eq!(save_and_load(hub.freeze()), first, "a restart loses rooms");

    let hub = Hub::restore(LIMITS, first.clone());
    hub.start_clock();
    for room in first.rooms.iter().take(MAX_ROOMS) {
        let mut membership = hub.enter(&room.name, newcomer());
        let request = JoinRequest {
            name: "Newcomer".to_owned(),
            tab: None,
            is_visible: true,
            kind: JoinKind::Opening,
            since: None,
        };
        if membership.join(request).is_err() {
            // The room is full.
            continue;
        }
        let mut replica = Replica::default();
        // Longer than the grace period of restored rows.
        for _ in 0..2 {
            sleep(Duration::from_secs(20)).await;
            for frame in membership.subscription_mut().poll_updates() {
                let event = serde_json::from_str(frame.text()).expect("the frame is an event");
                replica.receive(event).expect("no event has a gap");
            }
            let list = hub.snapshot(&room.name, None, usize::MAX);
            assert!(replica.roster().users().eq(list.users.iter()), "a list is wrong");
            assert!(replica.roster().contains(&newcomer()));
        }
        assert_eq!(replica.roster().len(), 1, "a row was never removed");
        assert!(hub.past_hour(&room.name).counts.len() <= 60);
    }
    save_and_load(hub.save());
}

fuzz_target!(|text: &str| {
    let Ok((saved, _)) = read(text) else { return };
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("the runtime can be built").block_on(start_with(saved));
});
