//! What holds whenever no task can run, before time passes: no wake was lost.
//!
//! A ping, a deadline or the next broadcast wakes every connection before long, so that a wake that is lost shows
//! nowhere else. Where no task can run and all timers that were due have fired, nothing is on its way but what waits
//! for time or for the network. So each connection of a room that can be written to has been told all that the room
//! has broadcast, and none has a reason to run.

use std::{
    fmt,
    sync::{Arc, Mutex, Weak},
};

use app::presence::{RoomName, Since, UserId};
use registry::{
    hub::Hub,
    wake::{direct_write::DirectSocket, wake_flags::WakeFlags},
};

use crate::{
    network::{link::Down, pipe::Pipe},
    recorder::Recorder,
    server::told::Told,
    sync::lock,
};

/// The connections of all servers of a schedule, and the check of them.
#[derive(Debug, Default)]
pub(crate) struct Quiescence {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    recorder: Option<Arc<Recorder>>,
    connections: Vec<Connection>,
}

/// A connection, as the check sees it.
pub(crate) struct Connection {
    pub(crate) user_id: UserId,
    pub(crate) hub: Weak<Hub>,
    pub(crate) room: RoomName,
    pub(crate) flags: Arc<WakeFlags>,
    pub(crate) down: Pipe<Down>,
    pub(crate) told: Arc<Mutex<Told>>,
    /// Held by the connection, and by the room until the connection leaves it.
    pub(crate) socket: Weak<dyn DirectSocket>,
    /// Whether its server runs, and does not shut down.
    pub(crate) is_served: Box<dyn Fn() -> bool + Send>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { user_id, room, .. } = self;
        write!(formatter, "a connection of {user_id} in {room}")
    }
}

impl Quiescence {
    /// Where violations are recorded.
    pub(crate) fn record_in(&self, recorder: &Arc<Recorder>) {
        lock(&self.state).recorder = Some(Arc::clone(recorder));
    }

    pub(crate) fn add(&self, connection: Connection) {
        lock(&self.state).connections.push(connection);
    }

    /// Checks all connections. To be called while no task can run.
    pub(crate) fn check(&self) {
        let mut state = lock(&self.state);
        let State { recorder, connections } = &mut *state;
        connections.retain(|connection| !lock(&connection.told).is_over());
        let Some(recorder) = recorder else { return };
        let mut rooms = SettledRooms::default();
        let of_rooms =
            |connection: &&Connection| (connection.is_served)() && connection.is_in_room();
        for connection in connections.iter().filter(of_rooms) {
            recorder.check_result(connection.check(&mut rooms), || format!("{connection:?}"));
        }
    }
}

impl Connection {
    /// Whether it has not left its room. After that it only waits for its close frame to be written and answered.
    fn is_in_room(&self) -> bool {
        1 < self.socket.strong_count()
    }

    fn check<'a>(&'a self, rooms: &mut SettledRooms<'a>) -> Result<(), String> {
        if self.flags.has_reasons() {
            return Err("it was woken, and does not run".to_owned());
        }
        // Whoever can't be written to waits for the network.
        let (Ok(true), Some(settled)) = (self.down.is_ready(), rooms.position(self)) else {
            return Ok(());
        };
        let told = lock(&self.told);
        if told.is_caught_up(settled) {
            return Ok(());
        }
        Err(format!("nothing wakes it, and it was not told {settled:?}: {told:?}"))
    }
}

/// The positions of rooms in which nothing is on its way, each read once.
#[derive(Default)]
struct SettledRooms<'a>(Vec<(&'a Connection, Option<Since>)>);

impl<'a> SettledRooms<'a> {
    fn position(&mut self, of: &'a Connection) -> Option<&Since> {
        let is_same = |(other, _): &(&Connection, _)| {
            Weak::ptr_eq(&other.hub, &of.hub) && other.room == of.room
        };
        let known = self.0.iter().position(is_same);
        let index = known.unwrap_or_else(|| {
            let position = of.hub.upgrade().and_then(|hub| hub.settled_position(&of.room));
            self.0.push((of, position));
            self.0.len() - 1
        });
        self.0[index].1.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        task::{Context, Poll, Waker},
        time::Duration,
    };

    use fastrand::Rng;
    use registry::{
        hub::Membership,
        presence::{
            join::{JoinKind, JoinRequest},
            room::RoomLimits,
        },
    };
    use tokio::time::sleep;

    use super::*;
    use crate::network::pipe::PipeConfig;

    /// Longer than the room's broadcasts take.
    const MOMENT: Duration = Duration::from_millis(200);

    #[derive(Debug)]
    struct FullSocket;

    impl DirectSocket for FullSocket {
        fn try_write(&self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::WouldBlock.into())
        }
    }

    fn connection(hub: &Arc<Hub>, membership: &Membership, socket: &Arc<FullSocket>) -> Connection {
        membership.subscription().allow_direct_writes(Arc::<FullSocket>::clone(socket));
        let socket = Arc::downgrade(socket);
        let config = PipeConfig { latency: Duration::ZERO, jitter: Duration::ZERO, capacity: 1 };
        Connection {
            user_id: UserId::from_leading_bits(1),
            hub: Arc::downgrade(hub),
            room: RoomName::lobby(),
            flags: Arc::clone(membership.subscription().flags()),
            down: Pipe::new(config, Rng::with_seed(1)),
            told: Arc::default(),
            socket,
            is_served: Box::new(|| true),
        }
    }

    fn join(membership: &mut Membership, name: &str) {
        let (tab, kind) = (None, JoinKind::Opening);
        let name = name.to_owned();
        let request = JoinRequest { name, tab, is_visible: true, kind, since: None };
        membership.join(request).unwrap();
    }

    fn read(membership: &mut Membership, told: &Mutex<Told>) {
        for frame in membership.subscription_mut().poll_updates() {
            lock(told).on_frame(frame.text());
        }
    }

    fn take_wake(connection: &Connection) -> bool {
        let polled: Poll<_> = connection.flags.poll(&mut Context::from_waker(Waker::noop()));
        polled.is_ready()
    }

    fn is_at_rest(connection: &Connection) -> bool {
        connection.check(&mut SettledRooms::default()).is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn connection_is_at_rest_where_it_is_told_everything_and_has_no_reason_to_run() {
        let limits =
            RoomLimits { most_people: 3, most_connections_per_person: 1, keep_attendance: None };
        let hub = Hub::new(limits);
        let enter = |bits| hub.enter(&RoomName::lobby(), UserId::from_leading_bits(bits));
        let (mut one, mut other) = (enter(1 << 120), enter(2 << 120));
        let socket = Arc::new(FullSocket);
        let connection = connection(&hub, &one, &socket);
        join(&mut one, "Ana");
        sleep(MOMENT).await;
        take_wake(&connection);
        read(&mut one, &connection.told);
        assert!(is_at_rest(&connection));
        join(&mut other, "Bo");
        sleep(MOMENT).await;
        assert!(!is_at_rest(&connection), "it is woken, and does not run");
        assert!(take_wake(&connection));
        assert!(!is_at_rest(&connection), "it is not told of a change");
        connection.down.set_blocked(true);
        assert!(is_at_rest(&connection), "it can't be written to");
        connection.down.set_blocked(false);
        read(&mut one, &connection.told);
        assert!(is_at_rest(&connection));
        lock(&connection.told).on_part();
        assert!(!is_at_rest(&connection), "the rest of a frame is missing");
        assert!(connection.is_in_room());
        drop(one);
        assert!(!connection.is_in_room());
    }
}
