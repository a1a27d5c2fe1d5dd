//! When a room broadcasts its changes, on a paused clock.

mod direct;

use std::{
    future::poll_fn,
    ops::Range,
    sync::Arc,
    task::{Context, Waker},
    time::Duration,
};

use app::{
    client::Replica,
    presence::{Epoch, RoomName, ServerEvent, Since, UserId},
};
use futures_util::FutureExt;
use tokio::{task::yield_now, time::sleep};

use crate::{
    hub::{
        Hub, HubLimits, Membership, Subscription, fan_out::FanOutRate,
        processor_clock::READERS_AT_A_TIME,
    },
    presence::{
        command::Command,
        join::{JoinKind, JoinRequest},
        room::RoomLimits,
    },
    wake::wake_flags::WakeReasons,
};

const PEOPLE: usize = 1_000;

/// A little more than what a broadcast to a thousand readers costs, at the lasting share of a core.
const GAP: Duration = Duration::from_millis(40);

const LIMITS: RoomLimits =
    RoomLimits { most_people: PEOPLE, most_connections_per_person: 1, keep_attendance: None };

#[tokio::test(start_paused = true)]
async fn gap_counts_rows_whose_people_are_expected_back() {
    let hub = Hub::new(LIMITS);
    let members = join_all(&hub, 0..PEOPLE);
    sleep(GAP).await;
    drop(members);
    sleep(Duration::from_secs(1)).await;

    // Some of a thousand people are back, and the gap is as long as for all of them.
    let mut back = Vec::new();
    for number in 0..2 {
        back.extend(join_all(&hub, number..number + 1));
        assert!(!back[number].subscription_mut().poll_updates().is_empty(), "the room was quiet");
    }
    let mut third = join_all(&hub, 2..3).pop().unwrap();
    sleep(GAP / 4).await;
    assert!(
        third.subscription_mut().poll_updates().is_empty(),
        "the gap is as long as for a thousand subscribers"
    );
    sleep(GAP).await;
    assert!(!third.subscription_mut().poll_updates().is_empty(), "the gap is over");
}

/// A page that is asked for while a large room is told of a change does not wait for all of its readers.
#[tokio::test]
async fn other_tasks_run_while_many_readers_are_woken() {
    const READERS: usize = 500;
    let hub = Hub::new(LIMITS);
    let readers: Vec<_> = (0..READERS)
        .map(|_| {
            let mut reader = hub.subscribe(&RoomName::lobby(), None);
            reader.start_from(None);
            assert!(!reader.poll_updates().is_empty());
            reader
        })
        .collect();
    let _member = join_all(&hub, 0..1);
    let is_woken = |reader: &&Subscription| {
        reader.flags().poll(&mut Context::from_waker(Waker::noop())).is_ready()
    };
    let mut all = 0;
    while all < READERS {
        let woken = readers.iter().filter(is_woken).count();
        assert!(woken <= READERS_AT_A_TIME, "{woken} were woken between two turns of this task");
        all += woken;
        yield_now().await;
    }
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

/// The numbers of the old epoch mean nothing in the new one, also where they are equal.
#[tokio::test(start_paused = true)]
async fn new_epoch_is_broadcast_at_once_and_every_reader_receives_the_list() {
    let hub = Hub::new(LIMITS);
    let mut members = join_all(&hub, 0..2);
    sleep(GAP).await;
    // One has received everything, the other waits for its first reply.
    assert!(!members[0].subscription_mut().poll_updates().is_empty());
    let old = members[0].subscription().position().unwrap();
    let room = hub.find(&RoomName::lobby()).unwrap();
    let epoch = Epoch::from_number(77);
    room.submit(Command::EpochChanged { epoch: epoch.clone(), replaces: old.epoch.clone() });
    assert_eq!(members[0].subscription().position(), None);
    assert!(members[0].subscription().beat().is_none());
    for (number, seq) in [(2, 1), (3, 2)] {
        let mut newcomer = join_all(&hub, number..number + 1).pop().unwrap();
        sleep(GAP).await;
        // The second one makes the number that the old epoch had.
        assert_eq!(newcomer.subscription_mut().poll_updates().count(), 1);
        let position = Some(Since { epoch: epoch.clone(), seq });
        assert_eq!(newcomer.subscription().position(), position);
        members.push(newcomer);
    }
    // A client of the old epoch gets the list as well, also if its number exists in the new one.
    let mut returning = hub.subscribe(&RoomName::lobby(), None);
    returning.start_from(Some(&old));
    let lists = returning.poll_updates();
    assert!(lists.map(|frame| is_list(frame.text(), &epoch)).eq([true]));
    for member in &mut members[..2] {
        assert!(member.subscription().beat().is_none(), "its number is that of the old epoch");
        let frames: Vec<_> = member.subscription_mut().poll_updates().collect();
        assert!(is_list(frames[0].text(), &epoch), "{}", frames[0].text());
        assert_eq!(member.subscription().position(), Some(Since { epoch: epoch.clone(), seq: 2 }));
        assert!(member.subscription().beat().is_some());
    }
}

/// Found by the model of the rows: the list at the beginning of the epoch was not there any more.
#[tokio::test(start_paused = true)]
async fn reader_has_the_list_of_a_new_epoch_at_once_also_if_the_room_changes_before_and_after() {
    let hub = Hub::new(LIMITS);
    let mut members = join_all(&hub, 0..2);
    let room = hub.find(&RoomName::lobby()).unwrap();
    let epoch = Epoch::from_number(77);
    room.submit(Command::EpochChanged { epoch: epoch.clone(), replaces: room.epoch() });
    members.extend(join_all(&hub, 2..3));
    for member in &mut members[..2] {
        let frames: Vec<_> = member.subscription_mut().poll_updates().collect();
        assert!(is_list(frames[0].text(), &epoch));
        assert_eq!(member.subscription().position(), Some(Since { epoch: epoch.clone(), seq: 0 }));
    }
    sleep(GAP).await;
    for member in &mut members {
        assert!(!member.subscription_mut().poll_updates().is_empty());
        assert_eq!(member.subscription().position().map(|position| position.seq), Some(1));
    }
}

/// A list of the old epoch at the same number is another one.
#[tokio::test(start_paused = true)]
async fn list_of_the_old_epoch_is_not_sent_in_the_new_one() {
    let hub = Hub::new(LIMITS);
    let mut readers = [1, 2].map(|_| hub.subscribe(&RoomName::lobby(), None));
    readers[0].start_from(None);
    assert_eq!(readers[0].poll_updates().count(), 1);
    let room = hub.find(&RoomName::lobby()).unwrap();
    let epoch = Epoch::from_number(77);
    room.submit(Command::EpochChanged { epoch: epoch.clone(), replaces: room.epoch() });
    readers[1].start_from(None);
    for reader in &mut readers {
        let lists = reader.poll_updates();
        assert!(lists.map(|frame| is_list(frame.text(), &epoch)).eq([true]));
    }
}

/// F07: some people rename themselves as often as they may, and everybody in the room is told.
#[tokio::test(start_paused = true)]
async fn room_sends_no_more_than_its_rate() {
    const RATE: u64 = 1_000_000;
    const SECONDS: u64 = 20;
    let limits = HubLimits { fan_out: FanOutRate::per_second(RATE), ..LIMITS.into() };
    let hub = Hub::new(limits);
    let mut members = join_all(&hub, 0..300);
    sleep(Duration::from_secs(5)).await;
    members.iter_mut().map(read).for_each(|_| {});
    let (mut sent, mut largest) = (0, 0);
    for turn in 0..SECONDS * 5 {
        for member in &mut members[..100] {
            member.rename(&format!("{turn} {}", "x".repeat(80))).unwrap();
        }
        sleep(Duration::from_millis(200)).await;
        let bytes: u64 = members.iter_mut().map(read).sum();
        sent += bytes;
        largest = largest.max(bytes);
    }
    assert!(sent <= RATE * (SECONDS + 2) + largest, "{sent} bytes, {largest} of them at once");
    assert!(sent >= RATE * SECONDS * 3 / 4, "the rate is used: {sent}");
    // All changes arrive in the end, and the next one after a quiet moment goes out at once.
    sleep(Duration::from_secs(30)).await;
    members.iter_mut().map(read).for_each(|_| {});
    members[0].rename("Ana").unwrap();
    for member in &mut members {
        let frames: Vec<_> = member.subscription_mut().poll_updates().collect();
        assert!(frames.iter().any(|frame| frame.text().contains("Ana")));
    }
}

/// In a room that changes all the time, who comes does not wait as long as the changes do.
#[tokio::test(start_paused = true)]
async fn reply_does_not_wait_for_the_rate_of_the_room() {
    let limits = HubLimits { fan_out: FanOutRate::per_second(100_000), ..LIMITS.into() };
    let hub = Hub::new(limits);
    let mut members = join_all(&hub, 0..200);
    let mut watcher = hub.enter(&RoomName::lobby(), id(900));
    watcher.watch(None).unwrap();
    sleep(Duration::from_secs(20)).await;
    let mut replicas = [(); 3].map(|()| Replica::default());
    receive(&mut watcher, &mut replicas[0]);
    members.iter_mut().map(read).for_each(|_| {});
    // Megabytes, which take ten seconds.
    for turn in 0..2 {
        for (number, member) in members.iter_mut().enumerate() {
            member.rename(&format!("{turn} {number} {}", "x".repeat(80))).unwrap();
        }
        sleep(GAP).await;
    }
    let started_at = tokio::time::Instant::now();
    let mut newcomer = join_all(&hub, 300..301).pop().unwrap();
    receive(&mut newcomer, &mut replicas[1]);
    assert!(replicas[1].own_row().is_some(), "the list of this moment");
    // Another one, and one who has watched until now, share the next list.
    let mut next = join_all(&hub, 301..302).pop().unwrap();
    watcher.join(request(900, JoinKind::Repeat)).unwrap();
    for (member, replica) in [(&mut next, 2), (&mut watcher, 0)] {
        receive(member, &mut replicas[replica]);
        assert!(replicas[replica].own_row().is_none(), "a list was encoded just now");
    }
    for (member, replica) in [(&mut next, 2), (&mut watcher, 0)] {
        while replicas[replica].own_row().is_none() {
            member.subscription_mut().woken().await;
            receive(member, &mut replicas[replica]);
        }
    }
    assert!(started_at.elapsed() < Duration::from_millis(500));
    // It is a reply, and no way to be told of changes early.
    for lists in [1, 0, 0] {
        newcomer.join(request(300, JoinKind::Repeat)).unwrap();
        sleep(Duration::from_millis(300)).await;
        let before = replicas[1].position().unwrap().seq;
        newcomer.rename(&format!("Ana {lists}")).unwrap();
        receive(&mut newcomer, &mut replicas[1]);
        assert_eq!(u64::from(replicas[1].position().unwrap().seq > before), lists);
    }
    // From there on all go on like the others.
    sleep(Duration::from_secs(12)).await;
    for (member, replica) in [(&mut newcomer, 1), (&mut next, 2), (&mut watcher, 0)] {
        receive(member, &mut replicas[replica]);
    }
    let digests = replicas.map(|replica| replica.roster().digest());
    assert_eq!(digests, [digests[0]; 3]);
    assert_eq!(hub.snapshot(&RoomName::lobby(), None, 500).users.len(), 203);
}

/// A client receives all that it is sent now.
fn receive(membership: &mut Membership, replica: &mut Replica) {
    for frame in membership.subscription_mut().poll_updates() {
        let event: ServerEvent = serde_json::from_str(frame.text()).unwrap();
        replica.receive(event).expect("no frame leaves a gap");
    }
}

/// The bytes that a client is sent.
fn read(membership: &mut Membership) -> u64 {
    let frames = membership.subscription_mut().poll_updates();
    frames.map(|frame| u64::try_from(frame.bytes().len()).unwrap()).sum()
}

/// Many who ask for the list at the same position share its frames.
#[tokio::test(start_paused = true)]
async fn list_that_many_ask_for_again_is_encoded_once() {
    let hub = Hub::new(LIMITS);
    let _members = join_all(&hub, 0..500);
    sleep(GAP).await;
    let mut watchers: Vec<_> = (0..500).map(|_| hub.subscribe(&RoomName::lobby(), None)).collect();
    for watcher in &mut watchers {
        watcher.start_from(None);
        assert!(watcher.poll_updates().count() > 1);
        watcher.resync();
    }
    let pages = |watcher: &mut Subscription| {
        let frames = watcher.poll_updates().skip(1);
        frames.map(|frame| frame.bytes().as_ptr()).collect::<Vec<_>>()
    };
    let lists: Vec<_> = watchers.iter_mut().map(pages).collect();
    assert!(!lists[0].is_empty());
    assert!(lists.iter().all(|list| *list == lists[0]), "each has a list of its own");
}

fn is_list(frame: &str, epoch: &Epoch) -> bool {
    frame.starts_with(r#"{"event":"existing_users""#) && frame.contains(epoch.as_str())
}

fn wake_reasons(membership: &Membership) -> Option<WakeReasons> {
    poll_fn(|context| membership.subscription().flags().poll(context)).now_or_never()
}

fn join_all(hub: &Arc<Hub>, people: Range<usize>) -> Vec<Membership> {
    people
        .map(|number| {
            let mut membership = hub.enter(&RoomName::lobby(), id(number));
            membership.join(request(number, JoinKind::Opening)).unwrap();
            membership
        })
        .collect()
}

fn request(number: usize, kind: JoinKind) -> JoinRequest {
    let name = format!("Person {number}");
    JoinRequest { name, tab: None, is_visible: true, kind, since: None }
}

fn id(number: usize) -> UserId {
    format!("{number:011}").parse().unwrap()
}
