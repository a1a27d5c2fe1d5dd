//! What every handler can reach.

use std::sync::Arc;

use leptos::config::LeptosOptions;

use super::{assets::Site, security_headers::HeaderPolicy};
use crate::{
    admission::Admission, identity::person_cookie::PersonCookies, lifecycle::drain::Drain,
    url::Scheme, websocket::connection::ConnectionConfig,
};
use registry::hub::Hub;

/// What every handler can reach. Cloning it is cheap.
#[derive(Clone, Debug)]
pub struct AppState {
    /// The rooms.
    pub hub: Arc<Hub>,
    /// The key to who is who.
    pub cookies: Arc<PersonCookies>,
    /// How the page is rendered.
    pub leptos: LeptosOptions,
    /// Where the page's files are.
    pub site: Site,
    /// Where others reach this server, if the operator has said so.
    pub public_url: Option<Arc<str>>,
    /// What this server itself speaks.
    pub spoken: Scheme,
    /// The clocks of a socket.
    pub connection: ConnectionConfig,
    /// How the server is reached.
    pub header_policy: HeaderPolicy,
    /// Who may come in.
    pub admission: Arc<Admission>,
    /// Going down.
    pub drain: Drain,
}
