//! The secret that proves a room's host, and the cookie that carries it.
//!
//! It is a keyed hash of the room's name, so nothing is stored, and all servers that share the key agree.

use std::fmt;

use app::presence::RoomName;
use axum::http::{HeaderMap, HeaderValue};
use cookie::{Cookie, SameSite, time};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::{
    cookie_scope::{CookieScope, SitePort},
    request_cookies,
};
use crate::hex::{decode_hex, hex};

/// 128 bits: nobody guesses them, however many tries there are.
const SECRET_IN_BYTES: usize = 16;

/// How long a browser stays a host after it opened the host's link.
const COOKIE_LIFE: time::Duration = time::Duration::days(30);

/// Makes and checks the secrets of hosts.
pub struct HostSecrets {
    mac: Hmac<Sha256>,
    scope: CookieScope,
}

impl fmt::Debug for HostSecrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("HostSecrets(secret)")
    }
}

impl HostSecrets {
    /// With a key that is derived for this purpose alone.
    pub(super) fn new(key: &[u8], scope: CookieScope) -> Option<Self> {
        Some(Self { mac: Hmac::new_from_slice(key).ok()?, scope })
    }

    /// The secret of a room's host: 32 hexadecimal digits.
    pub fn secret(&self, room: &RoomName) -> String {
        hex(&self.of(room).finalize().into_bytes()[..SECRET_IN_BYTES])
    }

    /// The link of a room's host. Browsers send no server the part after `#`, so no log of a proxy has it.
    pub fn link(&self, room_url: &str, room: &RoomName) -> String {
        format!("{room_url}#host={}", self.secret(room))
    }

    /// Whether this is the room's [`secret`](Self::secret); in constant time.
    pub fn is_secret(&self, text: &str, room: &RoomName) -> bool {
        decode_hex::<SECRET_IN_BYTES>(text)
            .is_some_and(|secret| self.of(room).verify_truncated_left(&secret).is_ok())
    }

    /// Whether a request with these headers comes from the room's host.
    pub fn is_host(&self, headers: &HeaderMap, port: SitePort, room: &RoomName) -> bool {
        let name = self.scope.host_cookie_name(port);
        request_cookies::named(headers, &name).any(|cookie| self.is_secret(cookie.value(), room))
    }

    /// The `Set-Cookie` header that makes the browser the room's host, in this room alone.
    ///
    /// `SameSite=Lax`, so that a host who follows a link from a chat is still one; requests that change something are
    /// checked for their origin as well.
    pub fn set_cookie(&self, room: &RoomName, port: SitePort) -> Option<HeaderValue> {
        let cookie = Cookie::build((self.scope.host_cookie_name(port), self.secret(room)))
            .path(self.scope.room_path(room))
            .secure(self.scope.scheme == crate::url::Scheme::Https)
            .http_only(true)
            .same_site(SameSite::Lax)
            .max_age(COOKIE_LIFE);
        HeaderValue::from_str(&cookie.to_string()).ok()
    }

    fn of(&self, room: &RoomName) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        mac.update(room.as_str().as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::*;
    use crate::{identity::person_cookie::PersonCookies, url::Scheme};

    fn persons(key: u8, scope: impl Into<CookieScope>) -> PersonCookies {
        PersonCookies::from_key(&[key; 64], scope).unwrap()
    }

    fn room(name: &str) -> RoomName {
        name.parse().unwrap()
    }

    fn sent_back(set_cookie: &HeaderValue) -> HeaderMap {
        let pair = set_cookie.to_str().unwrap().split(';').next().unwrap();
        [(header::COOKIE, format!("theme=dark; {pair}").parse().unwrap())].into_iter().collect()
    }

    #[test]
    fn secret_is_valid_for_its_room_and_on_servers_with_the_same_key() {
        let [one, same, other] = [1, 1, 2].map(|key| persons(key, Scheme::Http));
        let secret = one.hosts().secret(&room("team"));
        assert_eq!(secret.len(), 2 * SECRET_IN_BYTES);
        assert!(one.hosts().is_secret(&secret, &room("team")));
        assert!(same.hosts().is_secret(&secret, &room("team")));
        assert!(!one.hosts().is_secret(&secret, &room("team-2")));
        assert!(!other.hosts().is_secret(&secret, &room("team")));
        // No other purpose of the key has the same result.
        assert!(!one.is_embed_key(&secret, &room("team")));
        assert!(!one.hosts().is_secret(&one.embed_key(&room("team")), &room("team")));
    }

    #[test]
    fn wrong_secret_is_refused() {
        let persons = persons(1, Scheme::Http);
        let secret = persons.hosts().secret(&room("team"));
        let longer = format!("{secret}00");
        for wrong in ["", "nonsense", &secret[..30], &longer, &"0".repeat(32)] {
            assert!(!persons.hosts().is_secret(wrong, &room("team")), "{wrong}");
        }
    }

    #[test]
    fn returned_cookie_is_the_hosts_in_its_room_alone() {
        let persons = persons(1, Scheme::Http);
        let hosts = persons.hosts();
        let cookie = hosts.set_cookie(&room("team"), Some(3000)).unwrap();
        let header = cookie.to_str().unwrap();
        assert!(header.starts_with("rollcall_host_3000="), "{header}");
        for attribute in ["HttpOnly", "SameSite=Lax", "Path=/r/team;", "Max-Age=2592000"] {
            assert!(header.contains(attribute), "{header}");
        }
        let back = sent_back(&cookie);
        assert!(hosts.is_host(&back, Some(3000), &room("team")));
        assert!(!hosts.is_host(&back, Some(3000), &room("team-2")));
        assert!(!hosts.is_host(&back, Some(3001), &room("team")));
        assert!(!hosts.is_host(&HeaderMap::new(), Some(3000), &room("team")));
    }

    #[test]
    fn cookie_over_https_is_secure_and_below_the_base_path() {
        let scope = CookieScope { scheme: Scheme::Https, base_path: "/rollcall".parse().unwrap() };
        let persons = persons(1, scope);
        let cookie = persons.hosts().set_cookie(&room("team"), None).unwrap();
        let header = cookie.to_str().unwrap();
        assert!(header.starts_with("__Secure-rollcall_host="), "{header}");
        assert!(
            header.contains("; Secure") && header.contains("; Path=/rollcall/r/team;"),
            "{header}"
        );
        assert!(persons.hosts().is_host(&sent_back(&cookie), None, &room("team")));
    }
}
