//! Which rooms and rows one address may have.

use super::*;
use crate::presence::{log::FEWEST_CHANGES, request_error::RequestError};

fn limits(most_rooms: usize, most_per_address: usize, most_rows: usize) -> HubLimits {
    HubLimits {
        rooms: RoomPoolLimits {
            most: most_rooms.try_into().ok(),
            most_per_address: most_per_address.try_into().ok(),
        },
        most_rows_per_address: most_rows.try_into().ok(),
        ..LIMITS.into()
    }
}

fn address(number: u64) -> ClientAddress {
    ClientAddress::from_bits(number)
}

fn room(number: usize) -> RoomName {
    format!("room-{number}").parse().unwrap()
}

fn person(number: usize) -> UserId {
    UserId::from_leading_bits(u128::try_from(number).unwrap() << 70)
}

/// A person's socket of this address joins.
fn join_from(
    hub: &Arc<Hub>,
    name: &RoomName,
    who: usize,
    from: u64,
) -> Result<Membership, RequestError> {
    let permit = hub.admit(name, address(from)).expect("the room is open");
    let mut membership = permit.enter(person(who));
    membership.join(opening(&format!("Person {who}")))?;
    Ok(membership)
}

fn occupy(hub: &Arc<Hub>, name: &RoomName, who: usize, from: u64) -> Membership {
    join_from(hub, name, who, from).unwrap()
}

/// F03: one join, one leave and one close for each of many rooms.
#[tokio::test(start_paused = true)]
async fn flood_of_empty_rooms_locks_nobody_out() {
    let hub = Hub::new(limits(64, 8, 0));
    let standing = occupy(&hub, &room(0), 0, 1);
    for (number, from) in (1..=1_000).zip((2..=51).cycle()) {
        let mut member = occupy(&hub, &room(number), number, from);
        member.leave();
        drop(member);
        assert!(hub.room_stats().len() <= 64);
        let own = hub.lock().vacant().filter(|vacant| vacant.room.is_empty()).count();
        assert!(own > 0, "they stay for a while for those who come back");
    }
    // The lobby, a room of somebody else, and the room in which somebody is.
    let lobby = occupy(&hub, &RoomName::lobby(), 1, 60);
    let other = occupy(&hub, &"team".parse().unwrap(), 2, 61);
    assert_eq!(hub.snapshot(&room(0), None, 10).count, 1);
    drop((standing, lobby, other));
}

/// Rooms in which somebody is don't give way: an address has a share of them.
#[tokio::test(start_paused = true)]
async fn address_keeps_no_more_than_its_share_of_the_rooms_open() {
    let hub = Hub::new(limits(16, 4, 0));
    let mut held: Vec<_> = (0..4).map(|number| occupy(&hub, &room(number), number, 1)).collect();
    // Rows whose sockets are gone hold their rooms as well.
    drop(held.split_off(2));
    let refused = hub.admit(&room(4), address(1)).map(drop);
    assert_eq!(refused, Err(NoRoomError::TooManyRoomsOfAddress));
    assert_eq!(hub.would_admit(&room(4), address(1)), Ok(()), "some have no reader");
    let others: Vec<_> =
        (5..17).zip(7..).map(|(number, from)| occupy(&hub, &room(number), number, from)).collect();
    let refused = hub.admit(&room(17), address(2)).map(drop);
    assert_eq!(refused, Err(NoRoomError::TooManyRooms), "somebody is in each of them");
    let lobby = occupy(&hub, &RoomName::lobby(), 17, 1);
    // When the rows are gone, the rooms give way.
    sleep(Duration::from_secs(16)).await;
    let again = occupy(&hub, &room(4), 4, 1);
    assert_eq!(hub.snapshot(&room(0), None, 10).count, 1);
    drop((held, others, lobby, again));
}

/// A socket that is refused in the end, or whose upgrade fails, leaves no trace.
#[tokio::test(start_paused = true)]
async fn permit_that_is_not_used_leaves_no_room() {
    let hub = Hub::new(limits(1, 1, 0));
    let permit = hub.admit(&room(0), address(1)).unwrap();
    assert!(hub.admit(&room(1), address(2)).is_err());
    drop(permit);
    assert_eq!(hub.room_stats(), []);
    hub.admit(&room(1), address(2)).unwrap();
}

/// Join, cut, join, cut: the rows are the address's as long as they wait.
#[tokio::test(start_paused = true)]
async fn rows_without_a_socket_count_for_the_address_that_made_them() {
    let hub = Hub::new(limits(0, 0, 3));
    let lobby = RoomName::lobby();
    for who in 0..3 {
        drop(occupy(&hub, &lobby, who, 1));
    }
    assert_eq!(hub.snapshot(&lobby, None, 10).count, 3);
    let refused = join_from(&hub, &lobby, 3, 1).map(drop);
    assert_eq!(refused, Err(RequestError::TooManyFromAddress));
    assert_eq!(join_from(&hub, &room(1), 3, 1).map(drop), refused, "in any room");
    let other = occupy(&hub, &lobby, 4, 2);
    // Those who come back are welcome, and their rows no longer wait.
    let back = occupy(&hub, &lobby, 0, 1);
    assert!(join_from(&hub, &lobby, 3, 1).is_err(), "two rows and two sockets are four");
    // The rows go after the grace period.
    sleep(Duration::from_secs(16)).await;
    assert_eq!(hub.snapshot(&lobby, None, 10).count, 2);
    let new: Vec<_> = (5..7).map(|who| occupy(&hub, &lobby, who, 1)).collect();
    assert!(join_from(&hub, &lobby, 7, 1).is_err());
    drop((other, back, new));
    sleep(Duration::from_secs(16)).await;
    for number in 0..100 {
        // A clean close, and a leave, leave nothing behind.
        let mut member = occupy(&hub, &lobby, number, 1);
        member.leave();
        drop(member);
    }
    assert_eq!(hub.context.waiting_rows.of(address(1)), 0);
}

/// A school of a thousand, three times in a row: those who have just left wait, and nobody who comes is refused.
#[tokio::test(start_paused = true)]
async fn school_whose_classes_follow_one_another_is_let_in() {
    const PEOPLE: usize = 1_000;
    let room_limits = RoomLimits { most_people: 20_000, ..LIMITS };
    let hub = Hub::new(HubLimits { room: room_limits, ..limits(0, 0, 4 * PEOPLE) });
    for class in 0..3 {
        let people = class * PEOPLE..(class + 1) * PEOPLE;
        let sockets: Vec<_> = people.map(|who| occupy(&hub, &RoomName::lobby(), who, 1)).collect();
        sleep(Duration::from_secs(5)).await;
        drop(sockets);
    }
    assert_eq!(hub.snapshot(&RoomName::lobby(), None, 0).count, 3 * PEOPLE);
}

/// A small room would be full with fewer rows than an address may have.
#[tokio::test(start_paused = true)]
async fn rows_without_a_socket_never_fill_a_room() {
    let hub = Hub::new(limits(0, 0, 100));
    let small = room(0);
    for who in 0..5 {
        drop(occupy(&hub, &small, who, 1));
    }
    let refused = join_from(&hub, &small, 5, 1).map(drop);
    assert_eq!(refused, Err(RequestError::TooManyFromAddress));
    let _elsewhere = occupy(&hub, &room(1), 5, 1);
    let _others: Vec<_> = (6..11).map(|who| occupy(&hub, &small, who, 2)).collect();
    assert_eq!(hub.snapshot(&small, None, 10).count, 10);
    let _back = occupy(&hub, &small, 4, 1);
}

#[tokio::test(start_paused = true)]
async fn address_is_charged_for_nothing_when_its_rows_and_sockets_are_gone() {
    let hub = Hub::new(limits(100, 50, 100));
    let sockets: Vec<_> = (0..30)
        .map(|who| occupy(&hub, &room(who % 7), who, u64::try_from(who % 3).unwrap() + 1))
        .collect();
    drop(sockets);
    let waiting: usize = (1..4).map(|from| hub.context.waiting_rows.of(address(from))).sum();
    assert_eq!(waiting, 30);
    sleep(RETENTION + Duration::from_mins(1)).await;
    hub.sweep();
    assert_eq!(hub.room_stats(), []);
    for from in 1..4 {
        assert_eq!(hub.context.waiting_rows.of(address(from)), 0);
        assert_eq!(hub.lock().readers_of(address(from)), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn logs_of_all_rooms_share_their_memory() {
    let hub = Hub::new(LIMITS);
    let size = |number| hub.find(&room(number)).unwrap().log_in_bytes();
    let fill = |number: usize, renames: usize| {
        let mut member = join_as(&hub, &room(number), person(number));
        for name in 0..renames {
            member.rename(&format!("Person {name}")).unwrap();
        }
        member
    };
    // The first two are empty, and the others have people.
    for number in 0..2 {
        fill(number, 100).leave();
    }
    let _members = [fill(2, 10), fill(3, FEWEST_CHANGES), fill(4, 600)];
    let sizes: Vec<_> = (0..5).map(size).collect();
    let all = |numbers: std::ops::Range<usize>| sizes[numbers].iter().sum::<usize>();
    hub.sweep_logs(all(0..5));
    assert_eq!((0..5).map(size).collect::<Vec<_>>(), sizes);
    hub.sweep_logs(all(1..5));
    assert_eq!(
        (size(0), size(1)),
        (0, sizes[1]),
        "the room that has been empty for the longest time"
    );
    // The longest logs are cut to the same length, and the others stay.
    let left = sizes[2] + 2 * sizes[1];
    hub.sweep_logs(left);
    assert_eq!((size(1), size(2)), (0, sizes[2]));
    let is_cut = |number| (sizes[1] - 200..=sizes[1]).contains(&size(number));
    assert!(is_cut(3) && is_cut(4), "{:?}", (0..5).map(size).collect::<Vec<_>>());
    // Nobody is told anything wrong: who can't resume gets the list.
    sleep(Duration::from_secs(1)).await;
    let mut reader = hub.subscribe(&room(3), None);
    reader.start_from(None);
    assert!(reader.poll_updates().next().unwrap().text().contains("existing_users"));
}

#[tokio::test(start_paused = true)]
async fn sweep_leaves_to_the_logs_what_the_limits_say() {
    let log_after_sweep = |most_log_bytes: usize| {
        let hub = Hub::new(HubLimits { most_log_bytes, ..LIMITS.into() });
        join_as(&hub, &room(1), person(1)).leave();
        hub.sweep();
        hub.find(&room(1)).unwrap().log_in_bytes()
    };
    assert!(log_after_sweep(MOST_LOG_BYTES) > 0);
    assert_eq!(log_after_sweep(1), 0);
}

#[tokio::test(start_paused = true)]
async fn quiet_room_keeps_no_replies() {
    let hub = Hub::new(LIMITS);
    let lobby = RoomName::lobby();
    let mut ana = join(&hub);
    let position = |reader: &mut Subscription| {
        reader.start_from(None);
        reader.poll_updates();
        reader.position().unwrap()
    };
    let since = position(&mut hub.subscribe(&lobby, None));
    sleep(Duration::from_secs(1)).await;
    ana.rename("Bo").unwrap();
    let mut back = hub.subscribe(&lobby, None);
    back.start_from(Some(&since));
    assert!(back.poll_updates().next().unwrap().text().contains("resumed"));
    let room = hub.find(&lobby).unwrap();
    assert_eq!(room.cached_replies(), 1);
    hub.sweep();
    assert_eq!(room.cached_replies(), 0);
}
