//! What a hub remembers of those who came and went.

use super::*;
use crate::hub::attendance::AttendanceReport;

const KEPT_FOR: Duration = Duration::from_hours(12);
const LIMITS: RoomLimits = RoomLimits {
    most_people: 10_000,
    most_connections_per_person: 10,
    keep_attendance: Some(KEPT_FOR),
};

fn hub() -> Arc<Hub> {
    restored(SavedRooms { ending: Shutdown::Clean, rooms: Vec::new(), ended: Vec::new() })
}

fn restored(saved: SavedRooms) -> Arc<Hub> {
    let clock =
        WallClock::Simulated { set_at: tokio::time::Instant::now(), unix_milliseconds: unix() };
    let hub = Hub::restore_by_clocks(LIMITS, saved, clock.into());
    hub.start_clock();
    hub
}

/// The time of day of all hubs of a test.
fn unix() -> u64 {
    thread_local! {
        static START: tokio::time::Instant = tokio::time::Instant::now();
    }
    let since = START.with(|start| start.elapsed().as_millis());
    1_795_421_000_000 + u64::try_from(since).unwrap()
}

fn join(hub: &Arc<Hub>, room: &str, person: u128) -> Membership {
    join_as(hub, &room.parse().unwrap(), UserId::from_leading_bits(person << 70))
}

fn report(hub: &Hub, room: &str) -> AttendanceReport {
    hub.attendance(&room.parse().unwrap()).unwrap()
}

/// Everybody is off the list, and no room is open.
async fn let_rooms_end(hub: &Hub) {
    sleep(RETENTION + Duration::from_mins(1)).await;
    hub.sweep();
    assert_eq!(hub.room_stats(), []);
}

#[tokio::test(start_paused = true)]
async fn attendance_outlives_the_room_and_goes_on_in_the_next_one() {
    let hub = hub();
    drop(join(&hub, "team", 1));
    let_rooms_end(&hub).await;
    let before = report(&hub, "team");
    assert_eq!((before.rows.len(), before.rows[0].1.stays().len()), (1, 1));
    assert_eq!(report(&hub, "other").rows, []);
    let again = join(&hub, "team", 1);
    let row = report(&hub, "team").rows.remove(0).1;
    assert_eq!(row.stays(), before.rows[0].1.stays());
    assert_eq!(row.first_came(), before.rows[0].1.first_came());
    assert!(row.here_since().is_some());
    drop(again);
    let_rooms_end(&hub).await;
    assert_eq!(report(&hub, "team").rows[0].1.stays().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn attendance_is_forgotten_when_its_time_is_over() {
    let hub = hub();
    drop(join(&hub, "ended", 1));
    drop(join(&hub, "open", 1));
    let _stays = join(&hub, "open", 2);
    sleep(Duration::from_mins(3)).await;
    hub.sweep();
    // The row went fifteen seconds after the socket.
    sleep(Duration::from_mins(12 * 60 - 3)).await;
    hub.sweep();
    assert_eq!((report(&hub, "ended").rows.len(), report(&hub, "open").rows.len()), (1, 2));
    sleep(Duration::from_secs(16)).await;
    // Also before it is swept.
    assert_eq!((report(&hub, "ended").rows.len(), report(&hub, "open").rows.len()), (0, 1));
    hub.sweep();
    let saved = serde_json::to_string(&hub.save()).unwrap();
    assert_eq!(saved.matches("first_came").count(), 1, "{saved}");
}

#[tokio::test(start_paused = true)]
async fn attendance_survives_a_restart_with_and_without_its_room() {
    let hub = hub();
    drop(join(&hub, "ended", 1));
    let_rooms_end(&hub).await;
    let _here = join(&hub, "open", 2);
    let (ended, open) = (report(&hub, "ended"), report(&hub, "open"));
    let saved = serde_json::to_string(&hub.freeze()).unwrap();
    let hub = restored(serde_json::from_str(&saved).unwrap());
    assert_eq!(report(&hub, "ended").rows, ended.rows);
    let row = report(&hub, "open").rows.remove(0).1;
    assert_eq!(row.here_since(), open.rows[0].1.here_since());
    let off = RoomLimits { keep_attendance: None, ..LIMITS };
    let hub = Hub::restore(off, serde_json::from_str(&saved).unwrap());
    assert_eq!(hub.attendance(&"ended".parse().unwrap()), None);
    assert!(!serde_json::to_string(&hub.save()).unwrap().contains("first_came"));
}

#[tokio::test(start_paused = true)]
async fn rooms_that_ended_give_way_before_people_of_open_rooms() {
    let hub = hub();
    for (room, people) in [("first", 10), ("second", 10), ("open", 30)] {
        for person in 0..people {
            drop(join(&hub, room, person));
        }
        sleep(Duration::from_secs(1)).await;
    }
    let _stays = join(&hub, "open", 0);
    sleep(RETENTION + Duration::from_mins(1)).await;
    hub.sweep();
    let rows = |room| report(&hub, room).rows.len();
    let bytes = |people: usize| 300 * people;
    hub.sweep_attendance(bytes(50));
    assert_eq!((rows("first"), rows("second"), rows("open")), (10, 10, 30));
    hub.sweep_attendance(bytes(37));
    assert_eq!((rows("first"), rows("second"), rows("open")), (0, 10, 30));
    hub.sweep_attendance(bytes(15));
    assert_eq!((rows("first"), rows("second")), (0, 0));
    let open = report(&hub, "open");
    assert!((10..20).contains(&open.rows.len()), "{open:?}");
    assert_eq!(u64::try_from(open.rows.len()).unwrap() + open.dropped, 30);
    // Who is here never gives way.
    hub.sweep_attendance(0);
    for _ in 0..9 {
        hub.sweep_attendance(0);
    }
    assert_eq!(rows("open"), 1);
}

#[tokio::test(start_paused = true)]
async fn room_that_ended_takes_no_place_among_the_open_rooms() {
    let hub = hub();
    drop(join(&hub, "team", 1));
    let_rooms_end(&hub).await;
    assert_eq!(hub.occupancy(&"team".parse().unwrap()), Occupancy::Vacant { rooms: 0 });
}

/// One address that opens many rooms has only its own forgotten.
#[tokio::test(start_paused = true)]
async fn rooms_of_an_address_with_more_than_its_share_are_forgotten_first() {
    let hub = hub();
    let visit = |room: &str, from: u64| {
        let room = room.parse().unwrap();
        let mut member = hub
            .admit(&room, ClientAddress::from_bits(from))
            .unwrap()
            .enter(UserId::from_leading_bits(1 << 70));
        member.join(opening("Kim")).unwrap();
        member.leave();
    };
    for other in 1..=10 {
        visit(&format!("other-{other}"), other);
    }
    sleep(Duration::from_secs(10)).await;
    for flood in 0..100 {
        visit(&format!("flood-{flood}"), 99);
    }
    let_rooms_end(&hub).await;
    let kept = |prefix: &str, count: std::ops::Range<usize>| {
        count.filter(|number| !report(&hub, &format!("{prefix}-{number}")).rows.is_empty()).count()
    };
    assert_eq!((kept("other", 1..11), kept("flood", 0..100)), (10, 100));
    // A room takes about 500 bytes.
    hub.sweep_attendance(25_000);
    let flood = kept("flood", 0..100);
    assert_eq!(kept("other", 1..11), 10);
    assert!((30..=40).contains(&flood), "{flood}");
    hub.sweep_attendance(12_000);
    assert_eq!(kept("other", 1..11), 10);
}
