//! The state that the handlers share.

use std::sync::Arc;

use app::ssr::{BasePath, NamesPassedOn};
use leptos::{config::LeptosOptions, prelude::*};

use super::page_language::PageLanguage;
use super::{
    assets::Site, documents::Documents, first_rows::FirstRowsCache, name_check::NameCheck,
    offload::Offload, origin_warning::OriginWarning, security_headers::HeaderPolicy, visit::Visit,
};
use crate::{
    admission::Admission,
    api::authorization::ApiAccess,
    config::socketio::Transports,
    identity::person_cookie::{PersonCookies, SitePort},
    lifecycle::graceful_shutdown::Drain,
    room_access::RoomAccess,
    telemetry::warning_interval::WarningInterval,
    url::{PublicUrl, Scheme, port_of},
    websocket::connection::ConnectionConfig,
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
    /// The rows of the first HTML.
    pub(crate) first_rows: FirstRowsCache,
    /// The documents that are the same for everybody.
    pub(crate) documents: Documents,
    /// Renders pages and compresses answers, beside the threads that serve sockets.
    pub(crate) offload: Offload,
    /// The page's files.
    pub site: Site,
    /// The site's URL as visitors see it, if it is set.
    pub public_url: Option<PublicUrl>,
    /// What this server itself speaks, behind any proxy.
    pub spoken: Scheme,
    /// The time limits of a socket.
    pub connection: Arc<ConnectionConfig>,
    /// The settings that security headers depend on.
    pub header_policy: HeaderPolicy,
    /// Admits sockets and feeds.
    pub admission: Arc<Admission>,
    /// Who gets the names of people, for the privacy page.
    pub names_passed_on: NamesPassedOn,
    /// The keys of programs that may ask for more than visitors.
    pub(crate) api: Arc<ApiAccess>,
    /// Refuses requests for names that are not the site's.
    pub(crate) name_check: Arc<NameCheck>,
    /// Decides who may enter which room.
    pub(crate) access: Arc<RoomAccess>,
    /// Warns that sockets are refused for their origin.
    pub origin_warning: Arc<OriginWarning>,
    /// Warns that wrong secrets of hosts are sent.
    pub secret_warning: Arc<WarningInterval>,
    /// The transports of Socket.IO; none where its clients are not served.
    pub socketio: Option<Transports>,
    /// Closes sockets and feeds on shutdown.
    pub drain: Drain,
}

impl AppState {
    /// The path below which the site is served.
    pub(crate) fn base_path(&self) -> BasePath {
        self.public_url.as_ref().map(|url| url.base_path.clone()).unwrap_or_default()
    }

    /// The site's origin as visitors see it.
    pub(crate) fn site_origin(&self, visit: &Visit) -> Option<String> {
        let public = self.public_url.as_ref().map(|url| url.origin.to_string());
        public.or_else(|| visit.origin())
    }

    /// The site's port as this visitor sees it.
    pub(crate) fn site_port(&self, visit: &Visit) -> SitePort {
        match &self.public_url {
            Some(url) => url.origin.port(),
            None => visit.host.as_deref().and_then(port_of),
        }
    }

    /// Renders a document with what every document needs in its context.
    pub(crate) fn render<T>(
        &self,
        PageLanguage { language, .. }: PageLanguage,
        document: impl FnOnce() -> T,
    ) -> T {
        Owner::new().with(|| {
            provide_context(self.base_path());
            provide_context(language);
            document()
        })
    }
}
