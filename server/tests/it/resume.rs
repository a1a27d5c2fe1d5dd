//! Resuming a list, directly on the hub: the reach of the log, splitting, and concurrent changes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use app::{
    client::{Progress, Replica},
    presence::{RoomName, Roster, ServerEvent, Since, UserId},
};
use registry::{
    encoding::{frame::Frame, messages::LONGEST_FRAME_IN_BYTES},
    hub::{Hub, Membership, Subscription},
    presence::{
        join::{JoinKind, JoinRequest},
        room::RoomLimits,
    },
};
use tokio::time::sleep;

const LIMITS: RoomLimits =
    RoomLimits { most_people: 1_000, most_connections_per_person: 10, keep_attendance: None };

fn enter(hub: &Arc<Hub>, who: u128) -> Membership {
    hub.enter(&RoomName::lobby(), UserId::from_leading_bits(who << 64))
}

fn request(name: &str, kind: JoinKind) -> JoinRequest {
    JoinRequest { name: name.to_owned(), tab: None, is_visible: true, kind, since: None }
}

fn join(membership: &mut Membership, name: &str) {
    membership.join(request(name, JoinKind::Opening)).unwrap();
}

fn observe(hub: &Arc<Hub>, since: Option<&Since>) -> Subscription {
    let mut observer = hub.subscribe(&RoomName::lobby(), None);
    observer.start_from(since);
    observer
}

fn list(hub: &Hub) -> Replica {
    let list = hub.snapshot(&RoomName::lobby(), None, usize::MAX);
    Replica::from_first_html(list).unwrap()
}

#[tokio::test(start_paused = true)]
async fn resume_works_as_far_back_as_the_log_reaches() {
    let hub = Hub::new(LIMITS);
    let mut ana = enter(&hub, 1);
    join(&mut ana, "Ana");
    for _ in 0..750 {
        ana.rename("Ann").unwrap();
        ana.rename("Ana").unwrap();
    }
    let event = |since: Since| {
        let first = observe(&hub, Some(&since)).poll_updates().next().unwrap();
        serde_json::from_str::<ServerEvent>(first.text()).unwrap()
    };
    sleep(Duration::from_mins(1)).await;
    let Since { epoch, seq } = list(&hub).position().cloned().unwrap();
    assert_eq!(seq, 1_501);
    for from in [1, 500, seq] {
        let answer = event(Since { epoch: epoch.clone(), seq: from });
        assert!(matches!(&answer, ServerEvent::Resumed(resumed) if resumed.from == from));
    }
    // After two minutes the next change drops all but the last thousand entries of the log.
    sleep(Duration::from_mins(2)).await;
    ana.rename("Ann").unwrap();
    let last = seq + 1;
    for (from, is_honoured) in [(last, true), (last - 1_000, true), (last - 1_001, false)] {
        let answer = event(Since { epoch: epoch.clone(), seq: from });
        assert_eq!(matches!(answer, ServerEvent::Resumed(_)), is_honoured, "{answer:?}");
    }
    for from in [last + 1, u64::MAX] {
        let answer = event(Since { epoch: epoch.clone(), seq: from });
        assert!(matches!(answer, ServerEvent::ExistingUsers(_)), "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn long_difference_arrives_completely_in_parts() {
    let hub = Hub::new(LIMITS);
    let mut people: Vec<Membership> = (1..=400).map(|who| enter(&hub, who)).collect();
    let (early, late) = people.split_at_mut(250);
    for (number, person) in early.iter_mut().enumerate() {
        join(person, &format!("Somebody with a long name, number {number}"));
    }
    sleep(Duration::from_secs(1)).await;
    // One client watches and reads slowly, another one reconnects.
    let mut slow = (observe(&hub, None), Replica::default());
    for frame in slow.0.poll_updates() {
        slow.1.receive(serde_json::from_str(frame.text()).unwrap()).unwrap();
    }
    let left = slow.1.clone();
    for (number, person) in late.iter_mut().enumerate() {
        join(person, &format!("Somebody with a longer name, number {number}"));
    }
    for person in &mut early[..50] {
        person.leave();
    }
    sleep(Duration::from_secs(1)).await;
    let back = (observe(&hub, left.position()), left);
    for (mut observer, mut replica) in [slow, back] {
        let frames: Vec<Frame> = observer.poll_updates().collect();
        assert!(frames.len() > 2);
        assert!(frames.iter().all(|frame| frame.text().len() <= LONGEST_FRAME_IN_BYTES));
        for frame in frames {
            let event: ServerEvent = serde_json::from_str(frame.text()).unwrap();
            assert!(matches!(event, ServerEvent::Changes(_) | ServerEvent::Resumed(_)));
            replica.receive(event).unwrap();
        }
        assert_eq!(replica.roster(), list(&hub).roster());
        let beat = serde_json::from_str(observer.beat().unwrap().text()).unwrap();
        assert_eq!(replica.receive(beat), Ok(Progress::Unchanged));
    }
}

/// The `seq` of its own join can't be known to a client in advance.
#[tokio::test(start_paused = true)]
async fn since_equal_to_the_seq_of_its_own_join_gets_the_list() {
    let hub = Hub::new(LIMITS);
    let mut ana = enter(&hub, 1);
    join(&mut ana, "Ana");
    let Since { epoch, seq } = list(&hub).position().cloned().unwrap();
    let mut bo = enter(&hub, 2);
    let since = Some(Since { epoch, seq: seq + 1 });
    bo.join(JoinRequest { since, ..request("Bo", JoinKind::Opening) }).unwrap();
    sleep(Duration::from_secs(1)).await;
    let reply = bo.subscription_mut().poll_updates().next().unwrap();
    assert!(reply.text().starts_with(r#"{"event":"existing_users""#));
}

/// Also if the client sends more frames before the first reply.
#[tokio::test(start_paused = true)]
async fn reply_to_the_first_frame_comes_first() {
    let hub = Hub::new(LIMITS);
    let mut ana = enter(&hub, 1);
    join(&mut ana, "Ana");
    sleep(Duration::from_secs(1)).await;
    let since = list(&hub).position().cloned();
    let mut bo = enter(&hub, 2);
    // The first change after a pause is sent at once, the next one later.
    ana.rename("Ann").unwrap();
    bo.join(JoinRequest { since, ..request("Bo", JoinKind::Opening) }).unwrap();
    bo.join(request("Bob", JoinKind::Repeat)).unwrap();
    assert!(bo.subscription_mut().poll_updates().is_empty());
    sleep(Duration::from_secs(1)).await;
    let reply = bo.subscription_mut().poll_updates().next().unwrap();
    assert!(reply.text().starts_with(r#"{"event":"resumed""#));
}

/// Lists are read while other threads join and leave: the rows must match the `seq`.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn list_matches_its_seq_during_concurrent_changes() {
    const LISTS: usize = 2_000;
    let hub = Hub::new(LIMITS);
    let is_over = Arc::new(AtomicBool::new(false));
    let restless: Vec<_> = (1..=3)
        .map(|who| {
            let (hub, is_over) = (Arc::clone(&hub), Arc::clone(&is_over));
            tokio::spawn(async move {
                let mut person = enter(&hub, who);
                while !is_over.load(Ordering::Relaxed) {
                    join(&mut person, "Kim");
                    person.leave();
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for number in 0..LISTS {
        // As for a page, and as for a socket.
        let (mut observer, mut replica) = if number % 2 == 0 {
            let page = list(&hub);
            (observe(&hub, page.position()), page)
        } else {
            (observe(&hub, None), Replica::default())
        };
        let mut is_proven = false;
        while !is_proven {
            let news = observer.poll_updates();
            if news.is_empty() {
                observer.woken().await;
            }
            for frame in news {
                let event = serde_json::from_str(frame.text()).unwrap();
                replica.receive(event).expect("what comes next fits the list");
            }
            if let Some(beat) = observer.beat().filter(|_| replica.position().is_some()) {
                let beat: ServerEvent = serde_json::from_str(beat.text()).unwrap();
                let ServerEvent::Beat(point) = &beat else { panic!("a beat was expected") };
                if Some(point.seq) == replica.position().map(|position| position.seq) {
                    assert_eq!(replica.receive(beat), Ok(Progress::Unchanged));
                    is_proven = true;
                }
            }
        }
    }
    is_over.store(true, Ordering::Relaxed);
    for person in restless {
        person.await.unwrap();
    }
    assert_eq!(Roster::default(), *list(&hub).roster());
}
