//! What happens to a page from outside, and what is next for one that runs no longer.

use std::time::Duration;

use app::{
    client::{Replica, Session},
    presence::TabId,
};
use tokio::sync::oneshot;

/// What happens to a page from outside.
#[derive(Debug)]
pub(crate) enum Command {
    /// The visitor joins under this name, or is called that from now on.
    Join(String),
    Leave,
    /// The page is shown or hidden.
    SetVisible(bool),
    /// Another page of the browser did something.
    SyncEnvironment,
    /// The visitor does not want to wait, or there is a network again.
    ReconnectNow,
    /// The client thinks that its list may be wrong.
    Resync,
    /// Nothing of the page runs any more.
    Freeze(Freeze),
    Thaw,
    Reload {
        loads_first: bool,
        pause: Duration,
    },
    Close(PageExit),
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
pub(crate) enum PageExit {
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

/// What is next for a page that runs no longer.
pub(crate) enum Next {
    Gone,
    Reloaded { tab: TabId, first_html: Option<Box<Session>>, pause: Duration },
}
