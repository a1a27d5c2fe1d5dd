//! What every handler can reach.

use std::sync::Arc;

use leptos::config::LeptosOptions;

use crate::{
    connection::ConnectionConfig, hub::Hub, person::Persons, response_headers::Reach,
    shutdown::Shutdown,
};

/// What every handler can reach. Cloning it is cheap.
#[derive(Clone, Debug)]
pub struct AppState {
    /// The rooms.
    pub hub: Arc<Hub>,
    /// The key to who is who.
    pub persons: Arc<Persons>,
    /// How the page is rendered.
    pub leptos: LeptosOptions,
    /// The clocks of a socket.
    pub connection: ConnectionConfig,
    /// How the server is reached.
    pub reach: Reach,
    /// Going down.
    pub shutdown: Shutdown,
}
