//! Broadcasts that write to sockets themselves, on several threads at once.

use std::{
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::support::{Client, TestServer};
use app::presence::Digest;
use futures_util::future::try_join_all;
use server::websocket::connection::ConnectionConfig;
use tokio::{net::TcpSocket, sync::Barrier, task::JoinHandle};

/// No client is slowed down, so that changes are as many as the machine takes.
const NO_LIMITS: &str = "[limits]\nframe-burst = 0\nframe-rate = 0\nmax-room-bytes-per-second = 0\n\
    max-sockets-per-address = 0\nmax-connections-per-address = 0\nsocket-rate-per-address = 0\n\
    processor-rate-per-address = 0";

/// So many clients change something, however many there are: the changes of more would not fit into one frame, and
/// longer broadcasts are not written directly.
const CHANGING: usize = 20;

/// How many sockets there are, and for how long some of them change something.
#[derive(Clone, Copy)]
struct Size {
    sockets: usize,
    changes: Changes,
}

#[derive(Clone, Copy)]
enum Changes {
    /// So many of each.
    Count(usize),
    /// As many as there are in this time, from when all have joined.
    During(Duration),
}

/// `STRESS_SOCKETS=1000 STRESS_SECONDS=10` makes it as long as that. Each socket holds two of the process's files.
fn size() -> Size {
    let number = |name| std::env::var(name).ok().map(|number| number.parse::<u32>().unwrap());
    let sockets = number("STRESS_SOCKETS").unwrap_or(40);
    let changes = match number("STRESS_SECONDS") {
        Some(seconds) => Changes::During(Duration::from_secs(seconds.into())),
        None => Changes::Count(10),
    };
    Size { sockets: sockets.try_into().unwrap(), changes }
}

impl Changes {
    /// Whether another change follows after so many since `start`.
    fn go_on(self, count: usize, start: Instant) -> bool {
        match self {
            Self::Count(most) => count < most,
            Self::During(time) => start.elapsed() < time,
        }
    }
}

/// Joins over a connection that takes little at a time, so that writes end within frames or find no room.
async fn narrow_client(server: &TestServer) -> Client {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(2_048).unwrap();
    Client::over(socket.connect(server.address).await.unwrap(), "lobby").await
}

/// Some clients rename themselves again and again, as soon as they are told of the last time; all then read until the end.
fn play(
    mut client: Client,
    number: usize,
    size: Size,
    (all_joined, all_done): (Arc<Barrier>, Arc<Barrier>),
) -> JoinHandle<Digest> {
    tokio::spawn(async move {
        let mut joined = pin!(all_joined.wait());
        // Whoever waits goes on reading.
        while tokio::select! { _ = &mut joined => false, _ = client.event() => true } {}
        if number.is_multiple_of((size.sockets / CHANGING).max(1)) {
            let start = Instant::now();
            for change in (0..).take_while(|change| size.changes.go_on(*change, start)) {
                let name = format!("{number} {change}");
                client.send(&format!(r#"{{"event":"rename","name":"{name}"}}"#)).await;
                let is_told = |own: Option<&app::presence::User>| {
                    own.is_some_and(|own| own.name.as_str() == name)
                };
                client.wait_until(|list| is_told(list.own_row())).await;
            }
        }
        let waiting = tokio::spawn(async move { all_done.wait().await });
        while client.replica.roster().len() <= size.sockets {
            client.event().await;
        }
        waiting.await.unwrap();
        client.replica.roster().digest()
    })
}

/// A frame that is missing, torn or there twice is an error of the client: it finds a gap, or no frame.
#[test]
fn lists_are_equal_after_changes_as_fast_as_they_go() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    runtime.unwrap().block_on(async {
        let size = size();
        // A thousand clients on a busy machine are slow to read and to answer pings.
        let patience = Duration::from_mins(2);
        let times = ConnectionConfig {
            pong_within: patience,
            write_within: patience,
            ..ConnectionConfig::default()
        };
        let server = TestServer::start_with(NO_LIMITS, times);
        let all_joined = Arc::new(Barrier::new(size.sockets));
        let all_done = Arc::new(Barrier::new(size.sockets + 1));
        let mut tasks = Vec::new();
        for number in 0..size.sockets {
            let mut client = match number % 3 {
                0 => narrow_client(&server).await,
                _ => server.connect("lobby").await,
            };
            client.join(&format!("{number}")).await;
            let barriers = (Arc::clone(&all_joined), Arc::clone(&all_done));
            tasks.push(play(client, number, size, barriers));
        }
        all_done.wait().await;
        let mut last = server.connect("lobby").await;
        last.join("The last one").await;
        let digests = try_join_all(tasks).await.unwrap();
        assert_eq!(last.replica.roster().len(), size.sockets + 1);
        let expected = last.replica.roster().digest();
        assert!(digests.iter().all(|digest| *digest == expected), "a list is not the last one's");
        let metrics = server.operator.get("/metrics").await;
        let direct = metrics.lines().find_map(|line| {
            line.strip_prefix("rollcall_frames_written_directly_total ")?.parse::<u64>().ok()
        });
        assert!(direct.is_some_and(|direct| direct > 0), "{direct:?}");
    });
}
