//! A server that opens a room reads entries that it, or others, know already: they mean nothing to its sockets.

use super::*;
use crate::replication::engine::Opened;

#[tokio::test(start_paused = true)]
async fn person_who_had_left_before_a_lost_join_is_told_again() {
    let cluster = Cluster::start().await;
    let mut ana = cluster.one.join(1, "a").await;
    let _bo = cluster.other.join(2, "b").await;
    ana.membership.leave();
    sleep(MOMENT).await;
    assert_eq!(cluster.other.people(), ["Person 2"]);
    let again = JoinRequest {
        name: "Person 1".to_owned(),
        tab: Some("a".parse().unwrap()),
        is_visible: true,
        kind: JoinKind::Repeat,
        since: None,
    };
    assert_eq!(ana.membership.join(again), Ok(Accepted::Pending));
    assert_eq!(ana.answer().await, Ok(()));
    // The replica has the leave, and not the join after it.
    cluster.engine.fall_back(1);
    sleep(5 * SECOND).await;
    assert_eq!(cluster.one.people(), ["Person 2", "Person 1"]);
    cluster.expect_equal_lists();
}

#[tokio::test(start_paused = true)]
async fn person_whose_leave_was_lost_is_not_told_again() {
    let cluster = Cluster::start().await;
    let mut ana = cluster.one.join(1, "a").await;
    let _bo = cluster.other.join(2, "b").await;
    ana.membership.leave();
    sleep(MOMENT).await;
    // The replica has the join, and not the leave after it.
    cluster.engine.fall_back(1);
    sleep(5 * SECOND).await;
    assert_eq!(cluster.one.people(), ["Person 2"]);
    cluster.expect_equal_lists();
}

#[tokio::test(start_paused = true)]
async fn room_that_was_closed_before_a_server_opens_it_is_not_closed_again() {
    let engine = engine();
    let one = Server::start(&engine, 1);
    one.open().await;
    let _ana = one.join(1, "a").await;
    assert_eq!(one.hub.close_room(&room()).await, Ok(Some(1)));
    let other = Server::start(&engine, 2);
    let bo = other.enter(2);
    sleep(5 * SECOND).await;
    let woken = timeout(SECOND, {
        let flags = Arc::clone(bo.membership.subscription().flags());
        std::future::poll_fn(move |context| flags.poll(context))
    });
    let is_closed = woken.await.is_ok_and(|reasons| reasons.contains(WakeReasons::ROOM_CLOSED));
    assert!(!is_closed, "it entered after that");
}

#[tokio::test(start_paused = true)]
async fn room_that_is_opened_twice_at_once_keeps_its_epoch() {
    let engine = engine();
    engine.set_faults(|faults| faults.latency = 20..21);
    let one = Server::start(&engine, 1);
    sleep(SECOND).await;
    let _ana = one.enter(1);
    // While the room is being opened for a socket, it is opened for a page.
    one.open().await;
    sleep(5 * SECOND).await;
    let Some(Opened::Whole { entries, .. }) = engine.read_journal(&room(), None) else {
        panic!("it is open")
    };
    assert!(entries.is_empty(), "nothing was lost: {entries:?}");
}
