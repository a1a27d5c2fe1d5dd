//! The absolute URL of a room's page.

use app::presence::RoomName;
use axum::http::{HeaderMap, header};

use crate::url::{Scheme, is_host};

/// The URL of a room's page: below `public_url` if that is set, else on the host of the request, with the
/// scheme that this server speaks.
pub(crate) fn room_url(
    public_url: Option<&str>,
    spoken: Scheme,
    headers: &HeaderMap,
    room: &RoomName,
) -> String {
    let origin = match public_url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => origin_of(spoken, headers).unwrap_or_default(),
    };
    format!("{origin}/r/{room}")
}

/// The origin of the request's URL. A proxy that speaks TLS says so in `X-Forwarded-Proto`.
fn origin_of(spoken: Scheme, headers: &HeaderMap) -> Option<String> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let host = text(header::HOST.as_str()).filter(|host| is_host(host))?;
    let is_secure = spoken == Scheme::Https
        || text("x-forwarded-proto").is_some_and(|scheme| scheme == "https");
    let scheme = if is_secure { "https" } else { "http" };
    Some(format!("{scheme}://{host}"))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn url(public_url: Option<&str>, lines: &[(&'static str, &'static str)]) -> String {
        let headers = lines
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        url_over(Scheme::Http, public_url, &headers.collect())
    }

    fn url_over(spoken: Scheme, public_url: Option<&str>, headers: &HeaderMap) -> String {
        room_url(public_url, spoken, headers, &"team-7".parse().unwrap())
    }

    #[test]
    fn the_url_has_the_host_of_the_request() {
        let host = ("host", "rollcall.example:3000");
        assert_eq!(url(None, &[host]), "http://rollcall.example:3000/r/team-7");
        let secure = ("x-forwarded-proto", "https");
        assert_eq!(url(None, &[host, secure]), "https://rollcall.example:3000/r/team-7");
        assert_eq!(url(None, &[("host", "[::1]:3000")]), "http://[::1]:3000/r/team-7");
    }

    #[test]
    fn the_url_is_https_on_a_server_with_tls() {
        let headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static("a:3000"))]);
        assert_eq!(url_over(Scheme::Https, None, &headers), "https://a:3000/r/team-7");
    }

    #[test]
    fn the_public_url_takes_precedence() {
        let lines = [("host", "10.0.0.1:3000")];
        for public_url in ["https://rollcall.example", "https://rollcall.example/"] {
            assert_eq!(url(Some(public_url), &lines), "https://rollcall.example/r/team-7");
        }
    }

    #[test]
    fn an_invalid_host_is_left_out() {
        for host in ["a b", "a/b", "a@b", "<b>", ""] {
            assert_eq!(url(None, &[("host", host)]), "/r/team-7", "{host}");
        }
        assert_eq!(url(None, &[]), "/r/team-7");
        assert_eq!(
            url(None, &[("host", "a"), ("x-forwarded-proto", "javascript")]),
            "http://a/r/team-7"
        );
    }
}
