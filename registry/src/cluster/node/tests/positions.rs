//! Where a client says that its list is, and what it gets.

use super::*;

#[tokio::test(start_paused = true)]
async fn point_that_only_the_own_join_leads_to_is_not_resumed_from() {
    let cluster = Cluster::start().await;
    let mut ana = cluster.one.join(1, "a").await;
    ana.frames().await;
    let Some(Since { epoch, seq }) = ana.position() else { panic!("it has a list") };
    let mut bo = cluster.one.enter(2);
    let claimed = Since { epoch, seq: seq + 1 };
    assert_eq!(bo.request(2, "b", Some(claimed)), Ok(Accepted::Pending));
    assert_eq!(bo.answer().await, Ok(()));
    let frames = bo.frames().await;
    assert!(frames.iter().any(|frame| frame.contains("existing_users")), "{frames:?}");
}
