//! The laws of leases, pauses and the shared configuration.

use std::time::Duration;

use tokio::time::sleep;

use super::laboratory::{LEASE, Laboratory, begin, config, connect, room, server};
use crate::replication::engine::{Begun, LeaseTime, Link, SharedConfig};

/// Longer than a lease.
const LATER: Duration = Duration::from_millis(600);

/// A lease that has ended is not renewed.
pub async fn lease_is_renewed_until_it_ends(laboratory: &impl Laboratory) {
    let link = connect(laboratory).await;
    begin(&link, 1).await;
    for _ in 0..4 {
        sleep(LEASE / 2).await;
        let leases = link.renew(server(1), LEASE).await.expect("an answer");
        assert_eq!(leases.map(|leases| leases.live), Some(vec![server(1)]));
    }
    sleep(LATER).await;
    assert_eq!(link.renew(server(1), LEASE).await, Ok(None));
    begin(&link, 2).await;
    link.release(server(2)).await.expect("an answer");
    assert_eq!(link.renew(server(2), LEASE).await, Ok(None));
}

/// Whoever renews learns who is dead, and since when. A released lease is no expired one.
pub async fn lease_that_ended_is_known_to_the_others(laboratory: &impl Laboratory) {
    let link = connect(laboratory).await;
    begin(&link, 1).await;
    begin(&link, 3).await;
    link.release(server(3)).await.expect("an answer");
    begin(&link, 2).await;
    for _ in 0..3 {
        sleep(LEASE / 2).await;
        link.renew(server(2), LEASE).await.expect("an answer").expect("a lease");
    }
    let leases = link.renew(server(2), LEASE).await.expect("an answer").expect("a lease");
    assert_eq!(leases.live, [server(2)]);
    let [(dead, ended_at)] = leases.expired[..] else { panic!("{leases:?}") };
    assert_eq!(dead, server(1));
    let ago = leases.now.since(ended_at);
    assert!(ago > Duration::ZERO && ago < LATER, "{ago:?}");
}

/// Two servers with one id would be one to the rooms.
pub async fn server_id_is_taken_while_it_is_remembered(laboratory: &impl Laboratory) {
    let link = connect(laboratory).await;
    begin(&link, 1).await;
    assert_eq!(link.begin(server(1), &config(), None).await, Ok(Begun::Taken));
    sleep(LATER).await;
    assert_eq!(link.begin(server(1), &config(), None).await, Ok(Begun::Taken));
}

/// It is changed by stopping all servers.
pub async fn other_configuration_is_a_mismatch_while_a_server_lives(laboratory: &impl Laboratory) {
    let link = connect(laboratory).await;
    begin(&link, 1).await;
    let other = SharedConfig { key: "another-fingerprint".into(), ..config() };
    let mismatch = link.begin(server(2), &other, None).await;
    assert_eq!(mismatch, Ok(Begun::Mismatch(config())));
    begin(&link, 3).await;
    for number in [1, 3] {
        link.release(server(number)).await.expect("an answer");
    }
    let begun = link.begin(server(2), &other, None).await;
    assert!(matches!(begun, Ok(Begun::Begun(_))), "{begun:?}");
    let mismatch = link.begin(server(4), &config(), None).await;
    assert_eq!(mismatch, Ok(Begun::Mismatch(other)));
}

/// It begins with the last sign of life, and is told to all who come after it.
pub async fn pause_is_the_time_without_any_server(laboratory: &impl Laboratory) {
    let link = connect(laboratory).await;
    assert_eq!(begin(&link, 1).await.pause, None);
    assert_eq!(begin(&link, 2).await.pause, None);
    sleep(LATER).await;
    let pause = begin(&link, 3).await.pause.expect("a pause");
    assert!(pause.lasted >= LATER, "{pause:?}");
    assert_eq!(begin(&link, 4).await.pause, Some(pause));
    sleep(LATER).await;
    let later = begin(&link, 5).await.pause.expect("another pause");
    assert!(later.id > pause.id, "{pause:?} {later:?}");
}

/// A server tells the engine when it saw it last.
pub async fn pause_is_known_after_the_engine_lost_everything(laboratory: &impl Laboratory) {
    let link = connect(laboratory).await;
    let seen = begin(&link, 1).await.now;
    sleep(LATER).await;
    laboratory.restart_empty().await;
    let link = connect(laboratory).await;
    assert_eq!(link.renew(server(1), LEASE).await, Ok(None));
    let begun = link.begin(server(2), &config(), Some(seen)).await;
    let Ok(Begun::Begun(leases)) = begun else { panic!("{begun:?}") };
    let pause = leases.pause.expect("a pause");
    assert_eq!(pause.lasted, leases.now.since(seen));
    assert!(pause.lasted >= LATER, "{pause:?}");
}

/// Neither is a dead server found later, nor a live one declared dead.
pub async fn time_of_the_leases_never_goes_back(laboratory: &impl Laboratory) {
    let link = connect(laboratory).await;
    begin(&link, 1).await;
    let before = begin(&link, 2).await.now;
    laboratory.set_clock_back(&room(), Duration::from_mins(5)).await;
    let mut last: LeaseTime = before;
    // What passed since the last renewal before the jump does not count.
    for _ in 0..4 {
        sleep(LEASE / 2).await;
        let leases = link.renew(server(2), LEASE).await.expect("an answer").expect("a lease");
        assert!(leases.now >= last, "{last:?} {leases:?}");
        last = leases.now;
    }
    let leases = link.renew(server(2), LEASE).await.expect("an answer").expect("a lease");
    assert_eq!(leases.live, [server(2)]);
}
