//! Where the cookie that identifies a browser is valid, and what it is called there.

use app::ssr::BasePath;

use crate::url::Scheme;

/// Where the cookie is valid.
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
        let suffix = port.map(|port| format!("_{port}")).unwrap_or_default();
        format!("{prefix}rollcall_person{suffix}")
    }

    /// `Path=/rollcall` is valid for `/rollcall/r/a`, and not for `/rollcalls` (RFC 6265, section 5.1.4).
    pub(super) fn path(&self) -> String {
        match self.base_path.as_str() {
            "" => "/".to_owned(),
            path => path.to_owned(),
        }
    }
}
