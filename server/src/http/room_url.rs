//! The whole address of a room's page, as others reach it.

use app::presence::RoomName;
use axum::http::{HeaderMap, header};

use crate::url::{Scheme, is_host};

/// The address of a room's page: below `public_url` where the operator has set one, else on the host that
/// the request itself was sent to, over what this server speaks.
pub(crate) fn room_address(
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

/// Where the request was sent to. A proxy in front that speaks TLS says so.
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

    fn address(public_url: Option<&str>, lines: &[(&'static str, &'static str)]) -> String {
        let headers = lines
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        address_over(Scheme::Http, public_url, &headers.collect())
    }

    fn address_over(spoken: Scheme, public_url: Option<&str>, headers: &HeaderMap) -> String {
        room_address(public_url, spoken, headers, &"team-7".parse().unwrap())
    }

    #[test]
    fn it_is_where_the_request_was_sent_to() {
        let host = ("host", "rollcall.example:3000");
        assert_eq!(address(None, &[host]), "http://rollcall.example:3000/r/team-7");
        let secure = ("x-forwarded-proto", "https");
        assert_eq!(address(None, &[host, secure]), "https://rollcall.example:3000/r/team-7");
        assert_eq!(address(None, &[("host", "[::1]:3000")]), "http://[::1]:3000/r/team-7");
    }

    #[test]
    fn a_server_that_speaks_tls_is_found_over_it() {
        let headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static("a:3000"))]);
        assert_eq!(address_over(Scheme::Https, None, &headers), "https://a:3000/r/team-7");
    }

    #[test]
    fn the_operator_has_the_last_word() {
        let lines = [("host", "10.0.0.1:3000")];
        for url in ["https://rollcall.example", "https://rollcall.example/"] {
            assert_eq!(address(Some(url), &lines), "https://rollcall.example/r/team-7");
        }
    }

    #[test]
    fn what_is_no_host_is_left_out() {
        for host in ["a b", "a/b", "a@b", "<b>", ""] {
            assert_eq!(address(None, &[("host", host)]), "/r/team-7", "{host}");
        }
        assert_eq!(address(None, &[]), "/r/team-7");
        assert_eq!(
            address(None, &[("host", "a"), ("x-forwarded-proto", "javascript")]),
            "http://a/r/team-7"
        );
    }
}
