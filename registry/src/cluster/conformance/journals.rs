//! The laws of journals, snapshots and the time in a room.

use std::time::Duration;

use app::presence::Epoch;
use futures_util::future::join_all;
use tokio::time::sleep;

use super::laboratory::{Laboratory, append, batch, connect, entries_since, found, founding, room};
use crate::{
    presence::{entry::Position, members::Moment, room::Room},
    replication::engine::{
        Appended, EntryTime, Founding, Link, MOST_OLDER_ENTRIES, Opened, ROOM_LIFETIME,
    },
};

/// Nobody gets the number of another, and no number is left out.
pub async fn numbers_are_contiguous_under_concurrent_appends(laboratory: &impl Laboratory) {
    const APPENDERS: u32 = 8;
    const BATCHES: u64 = 20;
    let link = connect(laboratory).await;
    let start = found(&link).await.position;
    let append_all = async |of: u32| {
        let link = connect(laboratory).await;
        for number in 1..=BATCHES {
            let appended = link.append(&room(), start, None, &batch(of, number)).await;
            assert!(matches!(appended, Ok(Appended::Done(_))), "{appended:?}");
        }
    };
    join_all((1..=APPENDERS).map(append_all)).await;
    let entries = entries_since(&link, start).await;
    let numbers = entries.iter().map(|entry| entry.position.number);
    assert!(numbers.eq(1..=u64::from(APPENDERS) * BATCHES));
    assert!(entries.is_sorted_by_key(|entry| entry.moment));
    for of in 1..=APPENDERS {
        let own = entries.iter().filter(|entry| u32::from(entry.batch.server) == of);
        assert!(own.map(|entry| entry.batch.number).eq(1..=BATCHES), "in the order of the server");
    }
}

/// A server may be behind, and never on another journal.
pub async fn append_says_what_the_server_does_not_know(laboratory: &impl Laboratory) {
    let link = connect(laboratory).await;
    let nowhere = Position { number: 0, nonce: 1 };
    let missing = link.append(&room(), nowhere, None, &batch(1, 1)).await;
    assert_eq!(missing, Ok(Appended::Missing));
    let start = found(&link).await.position;
    let first = append(&link, start, 1).await.position;
    assert_eq!(first.number, 1);
    for wrong in [
        Position { nonce: first.nonce ^ 1, ..first },
        Position { number: first.number + 1, ..first },
    ] {
        let diverged = link.append(&room(), wrong, None, &batch(1, 2)).await;
        assert_eq!(diverged, Ok(Appended::Diverged), "{wrong:?}");
    }
    // Who is behind appends all the same.
    assert_eq!(append(&link, start, 2).await.position.number, 2);
}

/// One entry for each deadline, by nobody's clock but the room's.
pub async fn append_with_a_deadline_is_refused_before_it_and_after_a_later_entry(
    laboratory: &impl Laboratory,
) {
    const SOON: Duration = Duration::from_millis(200);
    let link = connect(laboratory).await;
    let EntryTime { position, moment } = found(&link).await;
    let due = Some(moment + SOON);
    let early = link.append(&room(), position, due, &batch(1, 1)).await;
    let Ok(Appended::Early(wait)) = early else { panic!("it is early, and not {early:?}") };
    assert!(wait <= SOON, "{wait:?}");
    sleep(wait + Duration::from_millis(1)).await;
    let in_time = link.append(&room(), position, due, &batch(1, 1)).await;
    assert!(matches!(in_time, Ok(Appended::Done(_))), "{in_time:?}");
    let past = link.append(&room(), position, due, &batch(1, 2)).await;
    assert_eq!(past, Ok(Appended::Past));
}

/// Asking creates nothing, and the first founder wins.
pub async fn open_of_an_absent_room_founds_it_only_if_asked(laboratory: &impl Laboratory) {
    let link = connect(laboratory).await;
    for _ in 0..2 {
        let absent = link.open(&room(), None, None).await;
        assert!(matches!(absent, Ok(Opened::Absent)), "{absent:?}");
    }
    let start = found(&link).await;
    assert_eq!(start.position.number, 0);
    let second = link.open(&room(), None, Some(founding(2, Moment::ZERO))).await;
    let Ok(Opened::Whole { at, snapshot, .. }) = second else { panic!("{second:?}") };
    assert_eq!(at, start);
    let founded = Room::try_from(*snapshot).expect("the state of a sample");
    assert_eq!(*founded.epoch(), Epoch::from_number(1));
}

/// Also from the founding on, and from the present: then there are none.
pub async fn open_gives_the_entries_since_a_known_position(laboratory: &impl Laboratory) {
    let link = connect(laboratory).await;
    let mut known = vec![found(&link).await];
    for number in 1..=3 {
        let last = known.last().expect("the founding").position;
        known.push(append(&link, last, number).await);
    }
    for (number, at) in (0..).zip(&known) {
        let entries = entries_since(&link, at.position).await;
        let times = entries.iter().map(|entry| (entry.position, entry.moment));
        let expected = known[number + 1..].iter().map(|at| (at.position, at.moment));
        assert!(times.eq(expected), "since {number}");
    }
}

/// A position that was lost is no position, however plausible its number is.
pub async fn open_gives_the_whole_room_to_who_knows_another_journal(laboratory: &impl Laboratory) {
    let link = connect(laboratory).await;
    let start = found(&link).await;
    let first = append(&link, start.position, 1).await.position;
    for wrong in [
        Position { nonce: first.nonce ^ 1, ..first },
        Position { number: first.number + 5, ..first },
    ] {
        let whole = link.open(&room(), Some(wrong), None).await;
        let Ok(Opened::Whole { at, entries, .. }) = whole else { panic!("{whole:?}") };
        assert_eq!((at, entries.len()), (start, 1));
        assert_eq!(entries[0].position, first);
    }
}

/// Half a room is none: it is absent, or founded anew.
pub async fn journal_with_a_hole_is_no_room(laboratory: &impl Laboratory) {
    let link = connect(laboratory).await;
    let start = found(&link).await.position;
    let mut last = start;
    for number in 1..=3 {
        last = append(&link, last, number).await.position;
    }
    laboratory.delete_entry(&room(), 2).await;
    let absent = link.open(&room(), Some(start), None).await;
    assert!(matches!(absent, Ok(Opened::Absent)), "{absent:?}");
    // Who knows all of it goes on.
    assert_eq!(entries_since(&link, last).await.len(), 0);
    let anew = link.open(&room(), None, Some(founding(2, Moment::ZERO))).await;
    let Ok(Opened::Whole { at, entries, .. }) = anew else { panic!("{anew:?}") };
    assert_eq!((at.position.number, entries.len()), (0, 0));
    assert_ne!(at.position.nonce, start.nonce);
}

/// An older state, or one of another journal, does not replace the one that is stored.
pub async fn snapshot_is_stored_only_forwards(laboratory: &impl Laboratory) {
    let link = connect(laboratory).await;
    let start = found(&link).await;
    let mut entries = vec![start];
    for number in 1..=MOST_OLDER_ENTRIES + 10 {
        let last = entries.last().expect("the founding").position;
        entries.push(append(&link, last, number).await);
    }
    let newest = entries[entries.len() - 1];
    let state = |epoch| founding(epoch, Moment::ZERO).snapshot;
    let whole = async || match link.open(&room(), None, None).await {
        Ok(Opened::Whole { at, snapshot, entries, .. }) => (at, *snapshot, entries.len()),
        other => panic!("the whole room, and not {other:?}"),
    };
    let saved = entries[5];
    link.save_snapshot(&room(), saved, &state(2)).await.expect("an answer");
    let stored = (saved, state(2), entries.len() - 6);
    assert_eq!(whole().await, stored);
    let Position { number, nonce } = newest.position;
    for wrong in [
        entries[4],
        EntryTime { position: Position { number, nonce: nonce ^ 1 }, ..newest },
        EntryTime { position: Position { number: number + 1, nonce }, ..newest },
    ] {
        link.save_snapshot(&room(), wrong, &state(3)).await.expect("an answer");
        assert_eq!(whole().await, stored, "{wrong:?}");
    }
    link.save_snapshot(&room(), newest, &state(4)).await.expect("an answer");
    assert_eq!(whole().await, (newest, state(4), 0));
    // Who is a little behind gets the entries, and who is far behind the state.
    assert_eq!(entries_since(&link, entries[20].position).await.len(), entries.len() - 21);
    let far = link.open(&room(), Some(entries[1].position), None).await;
    assert!(matches!(far, Ok(Opened::Whole { .. })), "{far:?}");
}

/// After an engine was replaced, the clock of the new one may be behind the room's.
pub async fn room_does_not_go_back_behind_the_state_it_is_founded_with(
    laboratory: &impl Laboratory,
) {
    let link = connect(laboratory).await;
    let present = found(&link).await.moment;
    laboratory.outlive(&room()).await;
    let moment = present + Duration::from_hours(1);
    let founded = link.open(&room(), None, Some(founding(2, moment))).await;
    let Ok(Opened::Whole { now, at, .. }) = founded else { panic!("{founded:?}") };
    assert!(now >= moment && at.moment >= moment, "{now:?} {at:?}");
    let appended = append(&link, at.position, 1).await;
    assert!(appended.moment >= at.moment, "{appended:?}");
}

/// It goes on at the same pace, from where it was.
pub async fn time_of_a_room_never_goes_back(laboratory: &impl Laboratory) {
    const PACE: Duration = Duration::from_millis(300);
    let link = connect(laboratory).await;
    let start = found(&link).await;
    let before = append(&link, start.position, 1).await;
    laboratory.set_clock_back(&room(), Duration::from_mins(5)).await;
    let after = append(&link, before.position, 2).await;
    assert!(after.moment >= before.moment, "{before:?} {after:?}");
    sleep(PACE).await;
    let later = append(&link, after.position, 3).await;
    assert!(later.moment >= after.moment + PACE, "{after:?} {later:?}");
}

/// Neither a journal without its head nor a head without its snapshot is left.
pub async fn room_that_nobody_opens_ends_as_a_whole(laboratory: &impl Laboratory) {
    let link = connect(laboratory).await;
    let start = found(&link).await.position;
    let last = append(&link, start, 1).await.position;
    laboratory.outlive(&room()).await;
    let missing = link.append(&room(), last, None, &batch(1, 2)).await;
    assert_eq!(missing, Ok(Appended::Missing));
    let absent = link.open(&room(), Some(last), None).await;
    assert!(matches!(absent, Ok(Opened::Absent)), "{absent:?}");
    let anew = found(&link).await.position;
    assert_eq!(anew.number, 0);
    assert_eq!(append(&link, anew, 3).await.position.number, 1);
}

/// Not even a look by a server that knows nothing of the room makes it shorter.
pub async fn room_lives_for_as_long_as_anybody_opened_it_for(laboratory: &impl Laboratory) {
    let link = connect(laboratory).await;
    let start = found(&link).await.position;
    append(&link, start, 1).await;
    let lifetime = laboratory.remaining_lifetime(&room()).await;
    assert!(lifetime <= ROOM_LIFETIME, "{lifetime:?}");
    let founding = Founding { lifetime: 2 * ROOM_LIFETIME, ..founding(1, Moment::ZERO) };
    link.open(&room(), None, Some(founding)).await.expect("an answer");
    link.open(&room(), None, None).await.expect("an answer");
    let lifetime = laboratory.remaining_lifetime(&room()).await;
    assert!(ROOM_LIFETIME < lifetime && lifetime <= 2 * ROOM_LIFETIME, "{lifetime:?}");
}
