//! Prints who joins and leaves a room, and reconnects by itself:
//!
//! ```sh
//! cargo run -p watch -- ws://127.0.0.1:3000/r/lobby/socket
//! ```

#![expect(clippy::print_stdout, reason = "printing is what this program is for")]

use std::{error::Error, time::Duration};

use app::client::{Environment, Outcome, Session, read_frame, write_frame};
use app::presence::TabId;
use futures_util::{SinkExt, StreamExt};
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::{connect_async, tungstenite::Message};

/// The server sends a `beat` every 10 s, so a longer silence means that the connection is dead.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let url = std::env::args().nth(1);
    let url = url.as_deref().unwrap_or("ws://127.0.0.1:3000/r/lobby/socket");
    let environment = Environment {
        tab: TabId::from_random(fastrand::u128(..).to_ne_bytes()),
        is_visible: true,
        has_left: false,
    };
    // The session outlives the sockets: after a reconnect the server sends only what changed.
    let mut session = Session::default();
    let started_at = Instant::now();
    loop {
        if let Err(error) = follow(url, &mut session, &environment).await {
            println!("# {error}");
        }
        sleep(session.closed(started_at.elapsed(), fastrand::u32(..))).await;
    }
}

/// Follows the room over one socket, until that ends.
async fn follow(
    url: &str,
    session: &mut Session,
    environment: &Environment,
) -> Result<(), Box<dyn Error>> {
    let (mut socket, _response) = connect_async(url).await?;
    // Without a name to announce, the first frame is `watch`.
    let first = write_frame(&session.opened(environment));
    socket.send(Message::text(first)).await?;
    while let Some(message) = timeout(IDLE_TIMEOUT, socket.next()).await? {
        // The library answers pings and close frames.
        let Message::Text(text) = message? else { continue };
        let outcome = session.receive(read_frame(&text)?, environment);
        report(session, &outcome);
        for reply in &outcome.replies {
            socket.send(Message::text(write_frame(reply))).await?;
        }
    }
    Err("the server closed the connection".into())
}

fn report(session: &Session, outcome: &Outcome) {
    for departed in &outcome.departed {
        println!("- {}", departed.name);
    }
    for (_id, name) in &outcome.arrived {
        println!("+ {name}");
    }
    if outcome.is_changed && outcome.is_live {
        println!("= {} here", session.replica().count());
    }
}
