//! Broadcasts that write to sockets themselves.

use std::{
    io,
    sync::{Arc, Mutex},
    task::{Context, Waker},
    time::Duration,
};

use app::{
    client::Replica,
    presence::{RoomName, ServerEvent},
};
use tokio::time::sleep;

use super::{LIMITS, id, join_all, wake_reasons};
use crate::{
    hub::{Hub, HubClocks, Membership, ProcessorClock, WallClock},
    wake::{direct_write::DirectSocket, wake_flags::WakeReasons},
};

/// Longer than any gap of a small room, and than simulated work.
const MOMENT: Duration = Duration::from_millis(200);

/// What a socket does with the next direct writes.
#[derive(Clone, Copy, Debug, Default)]
enum Takes {
    #[default]
    All,
    Some(usize),
    Nothing,
    Panics,
}

#[derive(Debug, Default)]
struct Pipe {
    received: Mutex<Vec<u8>>,
    takes: Mutex<Takes>,
    direct_writes: Mutex<usize>,
}

impl DirectSocket for Pipe {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let takes = *self.takes.lock().unwrap();
        let count = match takes {
            Takes::All => bytes.len(),
            Takes::Some(count) => count,
            Takes::Nothing => return Err(io::ErrorKind::WouldBlock.into()),
            Takes::Panics => panic!("a fault of the program"),
        };
        *self.direct_writes.lock().unwrap() += 1;
        self.received.lock().unwrap().extend_from_slice(&bytes[..count]);
        Ok(count)
    }
}

/// A member with its socket, and the steps of its task.
struct Socket {
    membership: Membership,
    pipe: Arc<Pipe>,
    replica: Replica,
}

impl Socket {
    fn of(membership: Membership) -> Self {
        let pipe = Arc::new(Pipe::default());
        membership.subscription().allow_direct_writes(Arc::<Pipe>::clone(&pipe));
        let mut socket = Self { membership, pipe, replica: Replica::default() };
        socket.poll();
        socket
    }

    fn takes(&self, takes: Takes) {
        *self.pipe.takes.lock().unwrap() = takes;
    }

    /// One poll of its task.
    fn poll(&mut self) {
        let subscription = self.membership.subscription_mut();
        let _ = subscription.flags().poll(&mut Context::from_waker(Waker::noop()));
        let rest = subscription.take_write_right();
        let mut bytes = self.pipe.received.lock().unwrap();
        bytes.extend_from_slice(&rest.unwrap_or_default());
        for frame in subscription.poll_updates() {
            bytes.extend_from_slice(frame.bytes());
        }
        subscription.give_write_right();
    }

    /// Polls its task if it is woken, and returns whether it was.
    fn poll_if_woken(&mut self) -> bool {
        let is_woken = wake_reasons(&self.membership).is_some();
        if is_woken {
            self.poll();
        }
        is_woken
    }

    fn direct_writes(&self) -> usize {
        *self.pipe.direct_writes.lock().unwrap()
    }

    /// The names on its list, by all that it has received.
    fn names(&mut self) -> Vec<String> {
        let bytes = std::mem::take(&mut *self.pipe.received.lock().unwrap());
        let mut client = tungstenite::WebSocket::from_partially_read(
            io::Cursor::new(Vec::new()),
            bytes,
            tungstenite::protocol::Role::Client,
            None,
        );
        while let Ok(message) = client.read() {
            let event: ServerEvent = serde_json::from_str(message.to_text().unwrap()).unwrap();
            self.replica.receive(event).expect("no frame leaves a gap");
        }
        self.replica.roster().users().map(|user| user.name.to_string()).collect()
    }
}

async fn room_of(hub: &Arc<Hub>, people: usize) -> Vec<Socket> {
    let mut sockets: Vec<_> = join_all(hub, 0..people).into_iter().map(Socket::of).collect();
    sleep(MOMENT).await;
    for socket in &mut sockets {
        socket.poll();
    }
    sockets
}

fn all_names(sockets: &mut [Socket]) -> Vec<Vec<String>> {
    sockets.iter_mut().map(Socket::names).collect()
}

#[tokio::test(start_paused = true)]
async fn broadcast_writes_to_sockets_at_rest_and_wakes_the_others() {
    let hub = Hub::new(LIMITS);
    let mut sockets = room_of(&hub, 5).await;
    // One has its right, and is in the middle of something.
    assert_eq!(sockets[1].membership.subscription_mut().take_write_right(), None);
    sockets[2].takes(Takes::Nothing);
    sockets[3].takes(Takes::Some(7));
    let before: Vec<_> = sockets.iter().map(Socket::direct_writes).collect();
    sockets[0].membership.rename("Ana").unwrap();
    sleep(MOMENT).await;
    let woken: Vec<bool> = sockets.iter_mut().map(Socket::poll_if_woken).collect();
    assert_eq!(woken, [false, true, true, true, false]);
    let written =
        sockets.iter().zip(before).map(|(socket, before)| socket.direct_writes() - before);
    assert_eq!(written.collect::<Vec<_>>(), [1, 0, 0, 1, 1]);
    let names = all_names(&mut sockets);
    assert!(names.iter().all(|names| *names == names[..] && names[0] == "Ana"), "{names:?}");
    assert!(names.iter().all(|other| *other == names[0]));
}

#[tokio::test(start_paused = true)]
async fn changes_during_a_broadcast_are_broadcast_at_its_end() {
    let clocks =
        HubClocks { wall: WallClock::System, processor: ProcessorClock::Simulated { seed: 1 } };
    let hub = Hub::by_clocks(LIMITS, clocks);
    let mut sockets = room_of(&hub, 9).await;
    for (number, socket) in sockets.iter_mut().enumerate().take(4) {
        socket.membership.rename(&format!("Ana {number}")).unwrap();
        // A broadcast to nine takes five milliseconds at least.
        sleep(Duration::from_millis(1)).await;
    }
    drop(sockets.pop());
    let newcomer = join_all(&hub, 20..21).pop().unwrap();
    sockets.push(Socket::of(newcomer));
    for _ in 0..5 {
        sleep(MOMENT).await;
        for socket in &mut sockets {
            socket.poll_if_woken();
        }
    }
    let names = all_names(&mut sockets);
    assert!(names[0].contains(&"Ana 3".to_owned()), "{names:?}");
    assert!(names.iter().all(|other| *other == names[0]), "{names:?}");
}

#[tokio::test(start_paused = true)]
async fn room_is_settled_where_nothing_is_on_its_way_to_its_readers() {
    let clocks =
        HubClocks { wall: WallClock::System, processor: ProcessorClock::Simulated { seed: 1 } };
    let hub = Hub::by_clocks(LIMITS, clocks);
    let lobby = RoomName::lobby();
    assert_eq!(hub.settled_position(&lobby), None, "there is no room");
    let mut sockets = room_of(&hub, 9).await;
    let before = hub.settled_position(&lobby).unwrap();
    assert_eq!(before, hub.list_position(&lobby));
    for name in ["Ana", "Bo", "Cy", "Di"] {
        sockets[0].membership.rename(name).unwrap();
        assert_eq!(hub.settled_position(&lobby), None, "a broadcast is under way, or due");
    }
    sleep(MOMENT).await;
    let after = hub.settled_position(&lobby).unwrap();
    assert_eq!(after, hub.list_position(&lobby));
    assert_ne!(after, before);
    hub.freeze();
    assert_eq!(hub.settled_position(&lobby), None, "its readers are told no more");
}

#[tokio::test(start_paused = true)]
async fn room_goes_on_after_a_panic_in_a_broadcast() {
    let hub = Hub::new(LIMITS);
    let mut sockets = room_of(&hub, 4).await;
    sockets[1].takes(Takes::Panics);
    sockets[0].membership.rename("Ana").unwrap();
    sleep(MOMENT).await;
    // Whoever was not written to reads for itself.
    for socket in &mut sockets {
        socket.poll();
    }
    let names = all_names(&mut sockets);
    assert!(names.iter().all(|names| names[0] == "Ana"), "{names:?}");
    sockets[1].takes(Takes::All);
    sockets[0].membership.rename("Bo").unwrap();
    sleep(MOMENT).await;
    for socket in &mut sockets {
        socket.poll_if_woken();
    }
    let names = all_names(&mut sockets);
    assert!(names.iter().all(|names| names[0] == "Bo"), "{names:?}");
}

#[tokio::test(start_paused = true)]
async fn all_are_woken_for_what_is_no_change() {
    let hub = Hub::new(LIMITS);
    let sockets = room_of(&hub, 2).await;
    hub.remove(&RoomName::lobby(), id(0)).await.unwrap();
    hub.close_room(&RoomName::lobby()).await.unwrap();
    for socket in &sockets {
        let reasons = wake_reasons(&socket.membership).unwrap();
        assert!(reasons.contains(WakeReasons::ROOM_CLOSED));
    }
}

/// After the rooms were saved for the last time, nobody is told of what the next process does not know.
#[tokio::test(start_paused = true)]
async fn nothing_is_broadcast_after_the_rooms_are_saved() {
    let hub = Hub::new(LIMITS);
    let mut sockets = room_of(&hub, 3).await;
    sockets[0].membership.rename("Ana").unwrap();
    let saved = hub.freeze();
    sockets[1].membership.rename("Bo").unwrap();
    sleep(MOMENT).await;
    for socket in &mut sockets {
        socket.poll_if_woken();
    }
    let names = all_names(&mut sockets);
    assert_eq!(names[0], ["Ana", "Person 1", "Person 2"]);
    assert!(names.iter().all(|other| *other == names[0]), "{names:?}");
    let kept = &saved.rooms[0].room.users[1].name;
    assert_eq!(kept.as_str(), "Person 1");
}

#[tokio::test(start_paused = true)]
async fn socket_that_has_ended_is_kept_by_nobody() {
    let hub = Hub::new(LIMITS);
    let mut sockets = room_of(&hub, 2).await;
    let Socket { membership, pipe, .. } = sockets.pop().unwrap();
    let flags = Arc::clone(membership.subscription().flags());
    sockets[0].membership.rename("Ana").unwrap();
    drop(membership);
    assert_eq!(Arc::strong_count(&pipe), 1);
    sleep(MOMENT).await;
    drop(flags);
}
