//! The laws of links: what is subscribed arrives in order, and a link that ended stays so.

use app::presence::RoomName;

use super::laboratory::{Laboratory, append, batch, connect, found, founding, room};
use crate::{
    presence::members::Moment,
    replication::engine::{EngineError, Link, Opened},
};

/// From the confirmation on, with the nonce of the entry before, and of no other room.
pub async fn entries_of_subscribed_rooms_arrive_in_order(laboratory: &impl Laboratory) {
    let (listener, link) = (connect(laboratory).await, connect(laboratory).await);
    let start = found(&link).await;
    let before = append(&link, start.position, 1).await;
    let other = "other".parse::<RoomName>().expect("a room's name");
    let opened = link.open(&other, None, Some(founding(1, Moment::ZERO))).await;
    let Ok(Opened::Whole { at: elsewhere, .. }) = opened else { panic!("{opened:?}") };
    listener.subscribe(&room()).await.expect("a confirmation");
    let mut last = before;
    for number in 2..=20 {
        let appended = link.append(&other, elsewhere.position, None, &batch(1, number)).await;
        appended.expect("an answer");
        let previous = last;
        last = append(&link, last.position, number + 100).await;
        let published = listener.next_entry().await.expect("an entry");
        assert_eq!(published.room, room());
        assert_eq!(published.previous_nonce, previous.position.nonce);
        assert_eq!(published.entry.position, last.position);
        assert_eq!(published.entry.moment, last.moment);
        assert_eq!(published.entry.batch.number, number + 100);
    }
    listener.unsubscribe(&room()).await.expect("a confirmation");
    listener.subscribe(&other).await.expect("a confirmation");
    append(&link, last.position, 200).await;
    link.append(&other, elsewhere.position, None, &batch(1, 201)).await.expect("an answer");
    let published = listener.next_entry().await.expect("an entry");
    assert_eq!((published.room, published.entry.batch.number), (other, 201));
}

/// It never reconnects by itself: that would lose entries.
pub async fn link_that_is_cut_is_over(laboratory: &impl Laboratory) {
    let link = connect(laboratory).await;
    let start = found(&link).await.position;
    link.subscribe(&room()).await.expect("a confirmation");
    laboratory.cut().await;
    assert!(link.next_entry().await.is_none());
    let late = link.append(&room(), start, None, &batch(1, 1)).await;
    assert_eq!(late, Err(EngineError::LinkOver));
    let again = connect(laboratory).await;
    append(&again, start, 2).await;
    assert!(link.next_entry().await.is_none());
}

/// By that a server notices that writes may be lost.
pub async fn run_is_another_after_the_engine_lost_everything(laboratory: &impl Laboratory) {
    let (one, two) = (connect(laboratory).await, connect(laboratory).await);
    assert_eq!(one.run_id(), two.run_id());
    let start = found(&one).await.position;
    laboratory.restart_empty().await;
    let link = connect(laboratory).await;
    assert_ne!(link.run_id(), one.run_id());
    let absent = link.open(&room(), Some(start), None).await;
    assert!(matches!(absent, Ok(Opened::Absent)), "{absent:?}");
}
