//! The life of a page, from its first HTML to its end.

use std::sync::Arc;

use app::{
    client::{Replica, Session},
    presence::TabId,
};
use fastrand::Rng;
use tokio::{sync::mpsc::UnboundedReceiver, time::sleep};

use crate::{
    client::{
        command::{Command, Next, Report},
        live_page::LivePage,
        load_page::load_page,
    },
    world::World,
};

/// The configuration of a page.
#[derive(Clone, Debug)]
pub(crate) struct PageConfig {
    pub(crate) world: Arc<World>,
    pub(crate) person: usize,
    pub(crate) number: u64,
    pub(crate) tab: TabId,
    /// The number of rows in the first HTML; `None` for a page without a list.
    pub(crate) first_rows: Option<usize>,
}

/// Opens a page and runs it, with all reloads, until it is closed.
pub(crate) async fn run(
    opening: PageConfig,
    mut commands: UnboundedReceiver<Command>,
    mut rng: Rng,
) {
    let PageConfig { world, person, number, mut tab, first_rows } = opening;
    let mut ready: Option<Box<Session>> = None;
    loop {
        let session = match ready.take() {
            Some(session) => *session,
            None => {
                match load_until_closed(&world, person, first_rows, &mut commands, &mut rng).await {
                    Some(session) => session,
                    None => break,
                }
            }
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

/// Loads the page; `None` if it is closed before there is a server.
async fn load_until_closed(
    world: &Arc<World>,
    person: usize,
    first_rows: Option<usize>,
    commands: &mut UnboundedReceiver<Command>,
    rng: &mut Rng,
) -> Option<Session> {
    let loading_page = load_page(world, person, first_rows, rng);
    tokio::pin!(loading_page);
    loop {
        tokio::select! {
            biased;
            command = commands.recv() => match command? {
                Command::Close(_) => return None,
                Command::Report(report) => {
                    // The receiver treats a page that is not live as missing.
                    let _ = report.send(Report { is_live: false, replica: Replica::default() });
                }
                _ => {}
            },
            session = &mut loading_page => return Some(session),
        }
    }
}
