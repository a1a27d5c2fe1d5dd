//! Where the site's cookies are valid, and what they are called there.

use app::{presence::RoomName, ssr::BasePath};

use crate::url::Scheme;

/// Where cookies are valid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CookieScope {
    /// With HTTPS, browsers send it over HTTPS only.
    pub scheme: Scheme,
    /// Browsers send it below this path only.
    pub base_path: BasePath,
}

impl From<Scheme> for CookieScope {
    fn from(scheme: Scheme) -> Self {
        Self { scheme, base_path: BasePath::default() }
    }
}

/// The port of the host that the visitor asked for; none for a default port.
///
/// It is part of the cookie's name, as browsers send a cookie to all ports of a host (RFC 6265, section 8.5):
/// two servers on one host must not replace each other's.
pub type SitePort = Option<u16>;

impl CookieScope {
    /// Browsers accept `__Host-` only from this very host over HTTPS and with `Path=/`, so that no sibling
    /// domain can replace it; `__Secure-` only over HTTPS (RFC 6265bis, section 4.1.3).
    pub(super) fn cookie_name(&self, port: SitePort) -> String {
        let prefix = match (self.scheme, self.base_path.as_str()) {
            (Scheme::Http, _) => "",
            (Scheme::Https, "") => "__Host-",
            (Scheme::Https, _) => "__Secure-",
        };
        format!("{prefix}rollcall_person{}", suffix(port))
    }

    /// That of a host.
    pub(super) fn host_cookie_name(&self, port: SitePort) -> String {
        self.name_in_a_room("host", port)
    }

    /// That of a token.
    pub(super) fn token_cookie_name(&self, port: SitePort) -> String {
        self.name_in_a_room("token", port)
    }

    /// Of a cookie whose path is a room's: browsers refuse `__Host-` for any path but `/`.
    fn name_in_a_room(&self, content: &str, port: SitePort) -> String {
        let prefix = match self.scheme {
            Scheme::Http => "",
            Scheme::Https => "__Secure-",
        };
        format!("{prefix}rollcall_{content}{}", suffix(port))
    }

    /// The path of a room's lists and exports.
    pub(super) fn api_path(&self, room: &RoomName) -> String {
        self.base_path.below(&format!("/api/rooms/{room}"))
    }

    /// The path of a room's page: `Path=/r/team` is valid for `/r/team/host`, and not for `/r/team-2`.
    pub(super) fn room_path(&self, room: &RoomName) -> String {
        self.base_path.room(room)
    }

    /// `Path=/rollcall` is valid for `/rollcall/r/a`, and not for `/rollcalls` (RFC 6265, section 5.1.4).
    pub(super) fn path(&self) -> String {
        match self.base_path.as_str() {
            "" => "/".to_owned(),
            path => path.to_owned(),
        }
    }
}

fn suffix(port: SitePort) -> String {
    port.map(|port| format!("_{port}")).unwrap_or_default()
}
