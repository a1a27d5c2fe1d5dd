//! One address before several servers: each connection goes to the next server, whoever it comes from.
//!
//! A visitor's page, script and sockets reach different servers on purpose: a cluster needs no sticky sessions.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{self, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// On loopback a server that is there accepts at once, unless its queue is full.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// The pause after a failure to accept, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Passes connections on until it is dropped, which ends them.
pub(super) async fn serve(listener: TcpListener, servers: Vec<SocketAddr>) {
    let mut connections = JoinSet::new();
    let mut in_turn = (0..servers.len()).cycle();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((visitor, _address)) => {
                    let first = in_turn.next().unwrap_or(0);
                    let order = servers.iter().cycle().skip(first).take(servers.len());
                    connections.spawn(forward(visitor, order.copied().collect()));
                }
                Err(_) => sleep(ACCEPT_PAUSE).await,
            },
            // Or the results of all connections would be kept.
            Some(_ended) = connections.join_next() => {}
        }
    }
}

/// To the first of these servers that accepts, until both sides have ended or one has failed.
async fn forward(mut visitor: TcpStream, servers: Vec<SocketAddr>) -> io::Result<()> {
    for address in servers {
        if let Ok(Ok(mut server)) = timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
            // The proxy must not add to the time until others see a change.
            visitor.set_nodelay(true)?;
            server.set_nodelay(true)?;
            copy_bidirectional(&mut visitor, &mut server).await?;
            return Ok(());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpSocket;

    use super::*;

    /// Hangs end the tests.
    const TIMEOUT: Duration = Duration::from_secs(30);

    async fn listener() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    /// A server that reads to the end, and then answers with its name and what it read.
    async fn server(name: &'static str) -> SocketAddr {
        let (listener, address) = listener().await;
        tokio::spawn(async move {
            loop {
                let (mut visitor, _address) = listener.accept().await.unwrap();
                let mut text = String::new();
                visitor.read_to_string(&mut text).await.unwrap();
                visitor.write_all(format!("{name}: {text}").as_bytes()).await.unwrap();
            }
        });
        address
    }

    async fn proxy(servers: Vec<SocketAddr>) -> SocketAddr {
        let (listener, address) = listener().await;
        tokio::spawn(serve(listener, servers));
        address
    }

    /// What somebody receives who sends this and nothing more.
    async fn answer(address: SocketAddr, text: &str) -> String {
        let asking = async {
            let mut socket = TcpStream::connect(address).await.unwrap();
            socket.write_all(text.as_bytes()).await.unwrap();
            socket.shutdown().await.unwrap();
            let mut answer = String::new();
            socket.read_to_string(&mut answer).await.unwrap();
            answer
        };
        timeout(TIMEOUT, asking).await.unwrap()
    }

    #[tokio::test]
    async fn connections_go_to_each_server_in_turn() {
        let proxy = proxy(vec![server("one").await, server("two").await]).await;
        for expected in ["one: Ana", "two: Ana", "one: Ana", "two: Ana"] {
            assert_eq!(answer(proxy, "Ana").await, expected);
        }
    }

    #[tokio::test]
    async fn server_that_refuses_is_skipped() {
        // Its port is taken, and nobody listens.
        let refusing = TcpSocket::new_v4().unwrap();
        refusing.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let gone = refusing.local_addr().unwrap();
        let with_one_server = proxy(vec![gone, server("two").await]).await;
        for _ in 0..3 {
            assert_eq!(answer(with_one_server, "Ana").await, "two: Ana");
        }
        let without_servers = proxy(vec![gone]).await;
        assert_eq!(answer(without_servers, "").await, "");
    }
}
