//! Broadcasts that write to sockets themselves, on several threads at once.

use std::sync::Arc;

use crate::support::{Client, TestServer};
use app::presence::Digest;
use futures_util::future::try_join_all;
use server::websocket::connection::ConnectionConfig;
use tokio::{net::TcpSocket, sync::Barrier, task::JoinHandle};

/// No client is slowed down, so that changes are as many as the machine takes.
const NO_LIMITS: &str = "[limits]\nframe-burst = 0\nframe-rate = 0\nmax-room-bytes-per-second = 0\n\
    max-sockets-per-address = 0\nmax-connections-per-address = 0\nsocket-rate-per-address = 0\n\
    processor-rate-per-address = 0";

/// How many sockets there are, and how often each of them that changes something does so.
#[derive(Clone, Copy)]
struct Size {
    sockets: usize,
    changes: usize,
}

/// With `STRESS=1` three hundred sockets, which takes long in a debug build.
fn size() -> Size {
    match std::env::var_os("STRESS") {
        Some(_) => Size { sockets: 300, changes: 20 },
        None => Size { sockets: 40, changes: 10 },
    }
}

/// Joins over a connection that takes little at a time, so that writes end within frames or find no room.
async fn narrow_client(server: &TestServer) -> Client {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(2_048).unwrap();
    Client::over(socket.connect(server.address).await.unwrap(), "lobby").await
}

/// Every other client renames itself again and again, as soon as it is told of the last time; all then read until the end.
fn play(
    mut client: Client,
    number: usize,
    size: Size,
    all_done: Arc<Barrier>,
) -> JoinHandle<Digest> {
    tokio::spawn(async move {
        if number.is_multiple_of(2) {
            for change in 0..size.changes {
                let name = format!("{number} {change}");
                client.send(&format!(r#"{{"event":"rename","name":"{name}"}}"#)).await;
                let is_told = |own: Option<&app::presence::User>| {
                    own.is_some_and(|own| own.name.as_str() == name)
                };
                client.wait_until(|list| is_told(list.own_row())).await;
            }
        }
        let waiting = tokio::spawn(async move { all_done.wait().await });
        // Whoever is done goes on reading.
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
        let server = TestServer::start_with(NO_LIMITS, ConnectionConfig::default());
        let all_done = Arc::new(Barrier::new(size.sockets + 1));
        let mut tasks = Vec::new();
        for number in 0..size.sockets {
            let mut client = match number % 3 {
                0 => narrow_client(&server).await,
                _ => server.connect("lobby").await,
            };
            client.join(&format!("{number}")).await;
            tasks.push(play(client, number, size, Arc::clone(&all_done)));
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
