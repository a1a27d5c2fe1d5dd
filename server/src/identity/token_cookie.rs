//! The cookies in which a browser keeps the token of a room that it entered, until it is closed.

use app::presence::RoomName;
use axum::http::{HeaderMap, HeaderValue};
use cookie::{Cookie, SameSite, time::Duration};

use super::{cookie_scope::SitePort, person_cookie::PersonCookies, request_cookies};
use crate::url::Scheme;

/// The most tokens that are looked at. Cookies of another path or a sibling domain may have the same name.
const MOST_TOKENS: usize = 16;

impl PersonCookies {
    /// The `Set-Cookie` headers for the room's page with its socket, and for its lists and exports: two, as a cookie has
    /// one path.
    ///
    /// `SameSite=Lax`, so that the redirect to the page, which another site's form has caused, brings it back.
    pub(crate) fn token_cookies(
        &self,
        token: &str,
        room: &RoomName,
        port: SitePort,
    ) -> impl Iterator<Item = HeaderValue> {
        // Without an age it ends with the browser; what it may do ends with the token.
        self.token_cookies_with(token, None, room, port)
    }

    /// The `Set-Cookie` headers after which the browser has no token of the room any more.
    pub(crate) fn no_token_cookies(
        &self,
        room: &RoomName,
        port: SitePort,
    ) -> impl Iterator<Item = HeaderValue> {
        self.token_cookies_with("", Some(Duration::ZERO), room, port)
    }

    fn token_cookies_with(
        &self,
        token: &str,
        max_age: Option<Duration>,
        room: &RoomName,
        port: SitePort,
    ) -> impl Iterator<Item = HeaderValue> {
        let scope = self.scope();
        let paths = [scope.room_path(room), scope.api_path(room)];
        paths.into_iter().filter_map(move |path| {
            let mut cookie = Cookie::build((scope.token_cookie_name(port), token))
                .path(path)
                .secure(scope.scheme == Scheme::Https)
                .http_only(true)
                .same_site(SameSite::Lax)
                .build();
            cookie.set_max_age(max_age);
            HeaderValue::from_str(&cookie.to_string()).ok()
        })
    }

    /// The tokens of a request with these headers.
    pub(crate) fn tokens_in(&self, headers: &HeaderMap, port: SitePort) -> Vec<String> {
        let name = self.scope().token_cookie_name(port);
        let own = request_cookies::named(headers, &name);
        own.take(MOST_TOKENS).map(|cookie| cookie.value().to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::*;
    use crate::identity::person_cookie::CookieScope;

    #[test]
    fn cookies_are_for_one_room_and_come_back_to_it() {
        let scope = CookieScope { scheme: Scheme::Https, base_path: "/rollcall".parse().unwrap() };
        let persons = PersonCookies::from_key(&[1; 64], scope).unwrap();
        let room = "team".parse().unwrap();
        let cookies: Vec<_> = persons.token_cookies("a.b.c", &room, Some(8443)).collect();
        for (cookie, path) in cookies.iter().zip(["/rollcall/r/team", "/rollcall/api/rooms/team"]) {
            let text = cookie.to_str().unwrap();
            assert!(text.starts_with("__Secure-rollcall_token_8443=a.b.c;"), "{text}");
            let attributes: Vec<_> = text.split("; ").skip(1).collect();
            for attribute in ["HttpOnly", "SameSite=Lax", "Secure", &format!("Path={path}")] {
                assert!(attributes.contains(&attribute), "{text}");
            }
            assert!(!text.contains("Max-Age") && !text.contains("Expires"), "{text}");
        }
        let pair = cookies[0].to_str().unwrap().split(';').next().unwrap();
        let line = format!("theme=dark; {pair}; rollcall_token=other");
        let headers = HeaderMap::from_iter([(header::COOKIE, line.parse().unwrap())]);
        assert_eq!(persons.tokens_in(&headers, Some(8443)), ["a.b.c"]);
        assert_eq!(persons.tokens_in(&headers, None), Vec::<String>::new());
    }
}
