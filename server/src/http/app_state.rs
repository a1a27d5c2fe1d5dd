//! The state that the handlers share.

use std::sync::Arc;

use leptos::config::LeptosOptions;

use super::{assets::Site, security_headers::HeaderPolicy};
use crate::{
    admission::Admission, identity::person_cookie::PersonCookies,
    lifecycle::graceful_shutdown::Drain, url::Scheme, websocket::connection::ConnectionConfig,
};
use registry::hub::Hub;

/// The state that the handlers share. Cloning it is cheap.
#[derive(Clone, Debug)]
pub struct AppState {
    /// The rooms.
    pub hub: Arc<Hub>,
    /// Identifies people by their cookies.
    pub cookies: Arc<PersonCookies>,
    /// Leptos' options for rendering the page.
    pub leptos: LeptosOptions,
    /// The page's files.
    pub site: Site,
    /// The site's URL as visitors see it, if it is set.
    pub public_url: Option<Arc<str>>,
    /// What this server itself speaks, behind any proxy.
    pub spoken: Scheme,
    /// The time limits of a socket.
    pub connection: ConnectionConfig,
    /// The settings that security headers depend on.
    pub header_policy: HeaderPolicy,
    /// Admits sockets and feeds.
    pub admission: Arc<Admission>,
    /// Closes sockets and feeds on shutdown.
    pub drain: Drain,
}
