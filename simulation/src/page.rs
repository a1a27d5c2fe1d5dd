//! A page in a browser: what may happen to it, from its first HTML to its end.

use std::{sync::Arc, time::Duration};

use app::{
    presence::{Replica, TabId},
    ui::client::Session,
};
use fastrand::Rng;
use tokio::{
    sync::{mpsc::UnboundedReceiver, oneshot},
    time::sleep,
};

use crate::{live_page::LivePage, world::World};

/// What happens to a page from outside.
#[derive(Debug)]
pub(crate) enum Command {
    /// The visitor joins under this name, or is called that from now on.
    Join(String),
    Leave,
    /// The page is shown or hidden.
    See(bool),
    /// Another page of the browser did something.
    LookAround,
    /// The visitor does not want to wait, or there is a network again.
    TryNow,
    /// The client thinks that its list may be wrong.
    Resync,
    /// Nothing of the page runs any more.
    Freeze(Freeze),
    Thaw,
    Reload {
        is_fetched_first: bool,
        pause: Duration,
    },
    Close(Ending),
    /// What the page shows.
    Report(oneshot::Sender<Report>),
}

/// What stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freeze {
    /// The tab: its browser goes on to answer pings.
    Tab,
    /// The whole machine.
    Machine,
}

/// How a page ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// As one should.
    Closed,
    /// Its browser is killed.
    Killed,
    /// Its machine loses its power: the server hears nothing of it.
    PoweredOff,
}

/// What a page shows.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) is_live: bool,
    pub(crate) replica: Replica,
}

/// A page that is to be opened.
#[derive(Clone, Debug)]
pub(crate) struct Opening {
    pub(crate) world: Arc<World>,
    pub(crate) person: usize,
    pub(crate) number: u64,
    pub(crate) tab: TabId,
    /// How many rows the first HTML holds; none where the page comes without any.
    pub(crate) first_rows: Option<usize>,
}

/// What is next for a page that runs no longer.
pub(crate) enum Next {
    Gone,
    Reloaded { tab: TabId, first_html: Option<Box<Session>>, pause: Duration },
}

/// Opens a page, reloads it as often as it is told, until it is closed.
pub(crate) async fn run(opening: Opening, mut commands: UnboundedReceiver<Command>, mut rng: Rng) {
    let Opening { world, person, number, mut tab, first_rows } = opening;
    let mut ready: Option<Box<Session>> = None;
    loop {
        let session = match ready.take() {
            Some(session) => *session,
            None => match fetch_among(&world, person, first_rows, &mut commands, &mut rng).await {
                Some(session) => session,
                None => break,
            },
        };
        let mut page = LivePage::new(Arc::clone(&world), person, number, tab, session, rng.fork());
        page.open();
        match page.live(&mut commands, first_rows).await {
            Next::Gone => break,
            Next::Reloaded { tab: same, first_html, pause } => {
                tab = same;
                ready = first_html;
                sleep(pause).await;
            }
        }
    }
    let mut state = world.persons[person].state();
    state.pages.remove(&number);
}

/// Asks for the page until there is a server; none if it is closed before it came.
async fn fetch_among(
    world: &Arc<World>,
    person: usize,
    first_rows: Option<usize>,
    commands: &mut UnboundedReceiver<Command>,
    rng: &mut Rng,
) -> Option<Session> {
    let fetching = fetch(world, person, first_rows, rng);
    tokio::pin!(fetching);
    loop {
        tokio::select! {
            biased;
            command = commands.recv() => match command? {
                Command::Close(_) => return None,
                Command::Report(report) => {
                    // The one who asks finds that there is no page.
                    let _ = report.send(Report { is_live: false, replica: Replica::default() });
                }
                _ => {}
            },
            session = &mut fetching => return Some(session),
        }
    }
}

/// The first HTML: asked for until there is a server.
pub(crate) async fn fetch(
    world: &Arc<World>,
    person: usize,
    first_rows: Option<usize>,
    rng: &mut Rng,
) -> Session {
    let of = &world.persons[person];
    loop {
        let weather = of.state().weather;
        sleep(weather.latency).await;
        let list = if of.state().weather.is_offline {
            None
        } else {
            world.serve_page(of.room, of.who, first_rows.unwrap_or_default())
        };
        if let Some(list) = list {
            sleep(weather.latency + Duration::from_millis(rng.u64(0..60))).await;
            let replica = first_rows.and_then(|_| Replica::from_first_html(list).ok());
            world.recorder.count("page: opened, reloads included");
            return Session::new(replica.unwrap_or_default());
        }
        sleep(Duration::from_millis(rng.u64(200..1_500))).await;
    }
}
