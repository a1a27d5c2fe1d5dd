//! Saving on disks that work, that are full and that block; files of all ages.

use std::{
    io,
    sync::{
        Mutex,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
};

use app::presence::RoomName;
use proptest::prelude::*;
use registry::presence::{
    join::{JoinKind, JoinRequest},
    room::RoomLimits,
};

use super::*;
use crate::{lifecycle::graceful_shutdown::Drain, rooms_backend::RoomsBackend};

const NOW: u64 = 1_700_000_000;
const LIMITS: RoomLimits = RoomLimits {
    most_people: 10,
    most_connections_per_person: 10,
    keep_attendance: Some(Duration::from_hours(1)),
};

type Written = Vec<(SavedRooms, SaveTimes)>;

/// Keeps what is written.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Written>>);

impl Memory {
    fn take(&self) -> Written {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl WriteRooms for Memory {
    fn write(&self, rooms: &SavedRooms, times: SaveTimes) -> io::Result<()> {
        self.0.lock().unwrap().push((rooms.clone(), times));
        Ok(())
    }
}

/// A disk that is full, or that can only be read.
struct Unwritable;

impl WriteRooms for Unwritable {
    fn write(&self, _: &SavedRooms, _: SaveTimes) -> io::Result<()> {
        Err(io::ErrorKind::StorageFull.into())
    }
}

/// A disk that blocks until it is told to go on.
struct Blocked(SyncSender<()>, Mutex<Receiver<()>>);

impl WriteRooms for Blocked {
    fn write(&self, _: &SavedRooms, _: SaveTimes) -> io::Result<()> {
        self.0.send(()).unwrap();
        self.1.lock().unwrap().recv().unwrap();
        Ok(())
    }
}

/// A room with Ana in it, saved by a process that ended in order.
fn saved() -> SavedRooms {
    let hub = Hub::new(LIMITS);
    let _ana = join(&hub);
    hub.freeze()
}

fn join(hub: &Arc<Hub>) -> registry::hub::Membership {
    let mut ana = hub.enter(&RoomName::lobby(), "person-----".parse().unwrap());
    let (name, kind) = ("Ana".to_owned(), JoinKind::Opening);
    ana.join(JoinRequest { name, tab: None, is_visible: true, kind, since: None }).unwrap();
    ana
}

fn saved_at(saved_at: u64) -> SaveTimes {
    SaveTimes { saved_at: Some(saved_at), held_since: None }
}

/// Two processes that continue the same `seq` would give its numbers to different changes.
#[tokio::test]
async fn file_that_was_taken_over_does_not_say_that_its_seq_may_be_continued() {
    let memory = Memory::default();
    let (_, loaded) = RoomsSaver::with(memory.clone(), Some((saved(), saved_at(NOW))), NOW);
    let [(marked, times)] = memory.take().try_into().unwrap();
    let loaded = loaded.unwrap();
    assert_eq!((loaded.ending, marked.ending), (Shutdown::Clean, Shutdown::Unclean));
    assert_eq!((marked.rooms, times.held_since), (loaded.rooms, Some(NOW)));
}

#[tokio::test]
async fn seq_is_not_continued_where_the_file_can_not_say_so() {
    let (_, loaded) = RoomsSaver::with(Unwritable, Some((saved(), saved_at(NOW))), NOW);
    let loaded = loaded.unwrap();
    assert_eq!((loaded.ending, loaded.rooms.len()), (Shutdown::Unclean, 1));
}

#[tokio::test]
async fn people_of_an_old_file_are_not_listed_but_their_attendance_is_kept() {
    for (age, rooms) in [(600, 1), (601, 0)] {
        let memory = Memory::default();
        let times = saved_at(NOW - age);
        let (_, loaded) = RoomsSaver::with(memory.clone(), Some((saved(), times)), NOW);
        let loaded = loaded.unwrap();
        assert_eq!((loaded.rooms.len(), loaded.ended.len()), (rooms, 1 - rooms), "{age} s");
        assert!(loaded.ended.iter().all(|room| room.attendance.last_left().is_some()));
        assert_eq!(memory.take()[0].0.rooms.len(), rooms);
    }
}

/// Each process would hold the rows of people who have left for another 15 s.
#[tokio::test]
async fn rows_that_no_process_could_confirm_for_ten_minutes_are_dropped() {
    let (mut file, mut now, mut restarts) = ((saved(), saved_at(NOW)), NOW, 0);
    loop {
        let memory = Memory::default();
        let (_, loaded) = RoomsSaver::with(memory.clone(), Some(file.clone()), now);
        if loaded.unwrap().rooms.is_empty() {
            break;
        }
        let (rooms, times) = memory.take().remove(0);
        // The process is killed after 10 s.
        now += 10;
        file = (rooms, SaveTimes { saved_at: Some(now), ..times });
        restarts += 1;
    }
    assert_eq!(restarts, 61);
}

#[tokio::test(start_paused = true)]
async fn process_that_has_outlived_the_grace_period_confirms_its_rows() {
    let memory = Memory::default();
    let (saver, _) = RoomsSaver::with(memory.clone(), Some((saved(), saved_at(NOW))), NOW);
    for (elapsed, held_since) in [(14_999, Some(NOW)), (1, None)] {
        tokio::time::advance(Duration::from_millis(elapsed)).await;
        memory.take();
        assert!(saver.write(&saved()));
        assert_eq!(memory.take()[0].1.held_since, held_since);
    }
}

#[test]
fn clock_that_was_set_back_makes_nothing_old() {
    let times = SaveTimes { saved_at: Some(NOW), held_since: Some(NOW) };
    assert!(!times.are_too_old(NOW - 5_000) && !SaveTimes::default().are_too_old(NOW));
}

#[tokio::test(start_paused = true)]
async fn file_is_written_after_a_change_and_once_a_minute_while_people_are_here() {
    let (saver, hub) = (RoomsSaver::with(Memory::default(), None, NOW).0, Hub::new(LIMITS));
    let last = |rooms| LastSave { rooms, at: Instant::now() };
    let empty = last(hub.save());
    let _ana = join(&hub);
    assert!(!is_due(&empty, &empty.rooms) && is_due(&empty, &hub.save()));
    let full = last(hub.save());
    assert!(!is_due(&full, &hub.save()));
    tokio::time::advance(REFRESH_INTERVAL).await;
    assert!(!is_due(&empty, &empty.rooms) && is_due(&full, &full.rooms.clone()));
    assert!(saver.save_changes(&hub, Some(full)).0.is_some());
}

#[tokio::test]
async fn save_that_blocks_holds_up_no_visitor_and_is_not_overtaken() {
    let (tell, told) = sync_channel(0);
    let (go_on, gone_on) = sync_channel(2);
    let blocked = Blocked(tell, Mutex::new(gone_on));
    let (saver, hub) = (Arc::new(RoomsSaver::with(blocked, None, NOW).0), Hub::new(LIMITS));
    let closing = CancellationToken::new();
    let ana = join(&hub);
    let saving = tokio::spawn(Arc::clone(&saver).run(Arc::clone(&hub), closing.clone()));
    let told = spawn_blocking(move || {
        told.recv().unwrap();
        told
    });
    let told = told.await.unwrap();
    drop(ana);
    assert_eq!(hub.snapshot(&RoomName::lobby(), None, 10).count, 1);
    closing.cancel();
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert!(!saving.is_finished(), "the last save would begin before the one before it has ended");
    go_on.send(()).unwrap();
    saving.await.unwrap();
    let last = tokio::spawn(saver.save_last(hub.freeze()));
    spawn_blocking(move || told.recv().unwrap()).await.unwrap();
    go_on.send(()).unwrap();
    assert!(last.await.unwrap());
}

/// The last save would wait for the one that blocks.
#[tokio::test(start_paused = true)]
async fn disk_that_blocks_does_not_hold_up_the_end() {
    let (tell, told) = sync_channel(1);
    let (go_on, gone_on) = sync_channel(2);
    let blocked = Blocked(tell, Mutex::new(gone_on));
    let (saver, hub) = (Arc::new(RoomsSaver::with(blocked, None, NOW).0), Hub::new(LIMITS));
    let drain = Drain::default();
    let _ana = join(&hub);
    let saving = tokio::spawn(Arc::clone(&saver).run(Arc::clone(&hub), drain.closing()));
    // The paused clock does not advance by itself while a thread waits.
    while told.try_recv().is_err() {
        tokio::time::advance(SHORTEST_PAUSE).await;
        tokio::task::yield_now().await;
    }
    let backend = RoomsBackend::ThisServer(saver);
    let ending = {
        let drain = drain.clone();
        tokio::spawn(async move { backend.close(&hub, &drain, saving).await })
    };
    for _ in 0..10 {
        tokio::time::advance(Duration::from_secs(1)).await;
        tokio::task::yield_now().await;
    }
    let (is_ended, is_closing) = (ending.is_finished(), drain.closing().is_cancelled());
    // Else the runtime of the test would wait for the thread.
    go_on.send(()).unwrap();
    go_on.send(()).unwrap();
    assert!(is_ended && is_closing);
}

proptest! {
    #[test]
    fn saving_takes_a_bounded_share(processor_time in 0..1_000_u64, elapsed in 0..10_000_u64) {
        let cost = SaveCost {
            processor_time: Duration::from_millis(processor_time),
            elapsed: Duration::from_millis(elapsed),
        };
        let pause = pause_after(cost);
        prop_assert!((SHORTEST_PAUSE..=LONGEST_PAUSE).contains(&pause));
        prop_assert!(pause == LONGEST_PAUSE || pause >= cost.processor_time * CORE_SHARE);
        prop_assert!(pause == LONGEST_PAUSE || pause >= cost.elapsed);
        prop_assert!(processor_time > 10 || elapsed > 500 || pause == SHORTEST_PAUSE);
    }
}
