//! What readers see when servers, the engine or the network fail.

use super::*;

#[tokio::test(start_paused = true)]
async fn people_of_a_killed_server_reconnect_and_then_leave() {
    let cluster = Cluster::start().await;
    let _ana = cluster.one.join(1, "a").await;
    let _bo = cluster.other.join(2, "b").await;
    cluster.one.kill();
    sleep(3 * SECOND).await;
    assert_eq!(cluster.other.states(), [PresenceState::Reconnecting, PresenceState::Here]);
    sleep(10 * SECOND).await;
    assert_eq!(cluster.other.people(), ["Person 1", "Person 2"]);
    sleep(5 * SECOND).await;
    assert_eq!(cluster.other.people(), ["Person 2"]);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_shown_as_gone_for_a_server_that_is_restarted_in_order() {
    let cluster = Cluster::start().await;
    let ana = cluster.one.join(1, "a").await;
    let mut bo = cluster.other.join(2, "b").await;
    bo.frames().await;
    cluster.one.hub.leave_cluster().await;
    drop(ana);
    sleep(10 * SECOND).await;
    let mut back = cluster.other.enter(1);
    assert_eq!(back.request(1, "a", None), Ok(Accepted::Pending));
    assert_eq!(back.answer().await, Ok(()));
    sleep(30 * SECOND).await;
    assert!(bo.frames().await.is_empty());
    assert_eq!(cluster.other.states(), [PresenceState::Here; 2]);
}

#[tokio::test(start_paused = true)]
async fn engine_that_is_back_empty_is_told_everything_again() {
    let cluster = Cluster::start().await;
    let mut ana = cluster.one.join(1, "a").await;
    let _bo = cluster.other.join(2, "b").await;
    ana.frames().await;
    cluster.engine.restart_empty();
    sleep(5 * SECOND).await;
    assert_eq!(cluster.one.people(), ["Person 1", "Person 2"]);
    assert_eq!(cluster.one.states(), [PresenceState::Here; 2]);
    cluster.expect_equal_lists();
    let frames = ana.frames().await;
    assert!(
        frames[0].starts_with(r#"{"event":"existing_users""#),
        "once the whole list: {frames:?}"
    );
    sleep(30 * SECOND).await;
    assert_eq!(cluster.other.states(), [PresenceState::Here; 2]);
}

#[tokio::test(start_paused = true)]
async fn readers_are_told_how_old_their_list_is_while_the_engine_is_silent() {
    let cluster = Cluster::start().await;
    let mut ana = cluster.one.join(1, "a").await;
    ana.frames().await;
    assert_eq!(ana.as_of(), None);
    cluster.cut_off(1, Partition::Both);
    ana.told_of_freshness().await;
    let (as_of, now) = ana.as_of().expect("it is old");
    assert!((2_000..3_000).contains(&(now - as_of)), "{as_of} {now}");
    cluster.cut_off(1, Partition::None);
    ana.told_of_freshness().await;
    assert_eq!(ana.as_of(), None);
}

#[tokio::test(start_paused = true)]
async fn joins_that_a_replica_has_not_received_are_told_again() {
    let cluster = Cluster::start().await;
    let _ana = cluster.one.join(1, "a").await;
    let _bo = cluster.other.join(2, "b").await;
    let before = cluster.one.list().epoch;
    cluster.engine.fall_back(2);
    sleep(5 * SECOND).await;
    let mut people = cluster.one.people();
    people.sort();
    assert_eq!(people, ["Person 1", "Person 2"]);
    assert_ne!(cluster.one.list().epoch, before, "its numbers may mean something else");
    cluster.expect_equal_lists();
}

#[tokio::test(start_paused = true)]
async fn lost_messages_are_found() {
    let cluster = Cluster::start().await;
    let _reader = cluster.other.hub.subscribe(&room(), None);
    cluster.engine.set_faults(|faults| faults.lost_messages = 0.5);
    let mut clients = Vec::new();
    for user in 1..=3 {
        let mut client = cluster.one.enter(user);
        client.request(user, "a", None).unwrap();
        assert_eq!(client.answer().await, Ok(()));
        clients.push(client);
    }
    cluster.engine.set_faults(|faults| faults.lost_messages = 0.0);
    // Rooms are opened anew each minute.
    sleep(62 * SECOND).await;
    assert_eq!(cluster.other.people().len(), 3);
    cluster.expect_equal_lists();
}

#[tokio::test(start_paused = true)]
async fn server_that_was_cut_off_brings_its_people_back() {
    let cluster = Cluster::start().await;
    let _ana = cluster.one.join(1, "a").await;
    let mut bo = cluster.other.join(2, "b").await;
    bo.frames().await;
    for partition in [Partition::Both, Partition::Answers] {
        cluster.cut_off(1, partition);
        sleep(5 * SECOND).await;
        assert_eq!(cluster.other.states(), [PresenceState::Reconnecting, PresenceState::Here]);
        cluster.engine.set_faults(|faults| faults.partitions.clear());
        sleep(3 * SECOND).await;
        assert_eq!(cluster.other.states(), [PresenceState::Here; 2], "{partition:?}");
        cluster.expect_equal_lists();
    }
    // Nobody left, and nobody joined anew.
    let frames = bo.frames().await.join("\n");
    assert!(!frames.contains("disconnect_user") && !frames.contains("new_user"), "{frames}");
}

#[tokio::test(start_paused = true)]
async fn person_who_was_removed_meanwhile_does_not_come_back_with_a_server() {
    let cluster = Cluster::start().await;
    let ana = cluster.one.join(1, "a").await;
    let _bo = cluster.other.join(2, "b").await;
    cluster.cut_off(1, Partition::Both);
    sleep(SECOND).await;
    let removed = cluster.other.hub.remove(&room(), person(1)).await;
    assert_eq!(removed, Ok(true));
    sleep(5 * SECOND).await;
    cluster.engine.set_faults(|faults| faults.partitions.clear());
    sleep(5 * SECOND).await;
    assert_eq!(cluster.one.people(), ["Person 2"]);
    cluster.expect_equal_lists();
    drop(ana);
}

#[tokio::test(start_paused = true)]
async fn operator_is_told_that_a_removal_has_no_answer() {
    let cluster = Cluster::start().await;
    let _ana = cluster.one.join(1, "a").await;
    cluster.engine.set_faults(|faults| faults.availability = Availability::Hanging);
    let asked_at = Instant::now();
    let removed = cluster.one.hub.remove(&room(), person(1)).await;
    assert_eq!(removed, Err(RoomChangeError::Unanswered));
    assert!(asked_at.elapsed() < 3 * SECOND);
    // It happens when the engine is back.
    cluster.engine.set_faults(|faults| faults.availability = Availability::Up);
    sleep(10 * SECOND).await;
    assert_eq!(cluster.one.people(), [""; 0]);
    cluster.expect_equal_lists();
}

#[tokio::test(start_paused = true)]
async fn request_without_an_engine_is_answered_and_executed_later() {
    let cluster = Cluster::start().await;
    let _ana = cluster.one.join(1, "a").await;
    sleep(MOMENT).await;
    cluster.engine.set_faults(|faults| faults.availability = Availability::Hanging);
    let mut bo = cluster.other.enter(2);
    let asked_at = Instant::now();
    assert_eq!(bo.request(2, "b", None), Ok(Accepted::Pending));
    assert_eq!(bo.answer().await, Ok(()));
    assert!(asked_at.elapsed() < 3 * SECOND);
    let frames = bo.frames().await;
    assert!(frames[0].contains("Person 1") && !frames[0].contains("Person 2"), "{frames:?}");
    cluster.engine.set_faults(|faults| faults.availability = Availability::Up);
    sleep(5 * SECOND).await;
    let frames = bo.frames().await.join("\n");
    assert!(frames.contains("Person 2"), "{frames}");
    cluster.expect_equal_lists();
}

#[tokio::test(start_paused = true)]
async fn request_that_is_refused_after_it_was_answered_is_answered_again() {
    let cluster = Cluster::start().await;
    let _people = [cluster.one.join(1, "a").await, cluster.one.join(2, "b").await];
    sleep(MOMENT).await;
    cluster.cut_off(2, Partition::Both);
    let mut late = cluster.other.enter(3);
    assert_eq!(late.request(3, "c", None), Ok(Accepted::Pending));
    assert_eq!(late.answer().await, Ok(()));
    // Meanwhile the last place is taken on the server that is not cut off.
    let _last = cluster.one.join(4, "d").await;
    cluster.engine.set_faults(|faults| faults.partitions.clear());
    assert_eq!(late.answer().await, Err(RequestError::RoomFull));
    assert_eq!(cluster.other.people(), ["Person 1", "Person 2", "Person 4"]);
}

#[tokio::test(start_paused = true)]
async fn list_that_differs_through_a_fault_is_found_and_loaded_again() {
    let cluster = Cluster::start().await;
    let mut ana = cluster.one.join(1, "a").await;
    let _bo = cluster.other.join(2, "b").await;
    sleep(MOMENT).await;
    // As if a command had another effect on this server.
    let name = Name::parse("Somebody Else").unwrap();
    let renamed = Command::Renamed { user_id: person(1), name };
    cluster.other.hub.find(&room()).unwrap().distort(renamed);
    assert_ne!(cluster.one.people(), cluster.other.people());
    for number in 0..CHECKPOINT_EVERY {
        ana.membership.set_visible(number % 2 == 0);
        sleep(Duration::from_millis(10)).await;
    }
    sleep(5 * SECOND).await;
    assert_eq!(cluster.other.people(), ["Person 1", "Person 2"]);
    cluster.expect_equal_lists();
    let divergences = |server: &Server| server.hub.cluster().unwrap().stats().divergences.value();
    assert_eq!((divergences(&cluster.one), divergences(&cluster.other)), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn server_with_another_key_does_not_take_part() {
    let cluster = Cluster::start().await;
    let (handle, requests) = ClusterHandle::new(ServerId::try_from(9).unwrap(), LIMITS);
    let hub = Hub::in_cluster(LIMITS, handle, WallClock::System);
    let other = SharedConfig { key: "another key".to_owned(), ..config() };
    let ended = run(cluster.engine.for_client(9), hub, requests, NodeConfig::new(other)).await;
    assert_eq!(ended, Err(ClusterError::Mismatch(config())));
}
