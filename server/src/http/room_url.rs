//! The absolute URL of a room's page.

use app::presence::RoomName;

use super::visit::Visit;
use crate::url::PublicUrl;

/// The URL of a room's page: below `public_url` if that is set, else on the host that the visitor asked for.
pub(crate) fn room_url(public_url: Option<&PublicUrl>, visit: &Visit, room: &RoomName) -> String {
    match public_url {
        Some(url) => url.room(room),
        None => format!("{}/r/{room}", visit.origin().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(public_url: Option<&str>, host: Option<&str>) -> String {
        let public_url = public_url.map(|url| url.parse().unwrap());
        room_url(public_url.as_ref(), &Visit::of_host(host), &"team-7".parse().unwrap())
    }

    #[test]
    fn the_url_has_the_host_of_the_request() {
        assert_eq!(url(None, Some("a.test:3000")), "http://a.test:3000/r/team-7");
        assert_eq!(url(None, None), "/r/team-7");
    }

    #[test]
    fn the_public_url_takes_precedence() {
        for (public_url, base) in [
            ("https://rollcall.example", "https://rollcall.example"),
            ("https://rollcall.example/", "https://rollcall.example"),
            ("https://host.example/rollcall/", "https://host.example/rollcall"),
        ] {
            let url = url(Some(public_url), Some("10.0.0.1:3000"));
            assert_eq!(url, format!("{base}/r/team-7"));
        }
    }
}
