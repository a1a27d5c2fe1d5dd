//! Commands to a page, and what follows when it ends.

use std::time::Duration;

use app::{
    client::{Replica, Session},
    presence::TabId,
};
use tokio::sync::oneshot;

/// A command to a page.
#[derive(Debug)]
pub(crate) enum Command {
    /// The visitor joins under this name, or takes it as a new name.
    Join(String),
    Leave,
    /// The page is shown or hidden.
    SetVisible(bool),
    /// Another page of the same browser changed the shared state.
    SyncEnvironment,
    /// The visitor clicks "reconnect now", or the network is back.
    ReconnectNow,
    /// The client suspects a wrong list.
    Resync,
    /// The page stops running.
    Freeze(Freeze),
    Thaw,
    Reload {
        loads_first: bool,
        pause: Duration,
    },
    Close(PageExit),
    /// Asks for the state of the page.
    Report(oneshot::Sender<Report>),
}

/// The scope of a freeze.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freeze {
    /// Only the tab: its browser still answers pings.
    Tab,
    /// The whole machine sleeps.
    Machine,
}

/// How a page ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PageExit {
    /// With a close frame.
    Closed,
    /// Its browser is killed.
    Killed,
    /// Its machine loses power: the server is not notified.
    PoweredOff,
}

/// The state of a page.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) is_live: bool,
    pub(crate) replica: Replica,
}

/// What follows when a page has ended.
pub(crate) enum Next {
    Gone,
    Reloaded { tab: TabId, first_html: Option<Box<Session>>, pause: Duration },
}
