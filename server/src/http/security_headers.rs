//! What every response tells the browser not to do, and what a page may load.

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};

/// Where a page may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// In a tab of its own, and never within another page.
    Forbidden,
    /// Within the pages of others too.
    Allowed,
}

/// How the server is reached, as far as headers depend on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeaderPolicy {
    /// Over HTTPS and nothing else.
    pub is_https: bool,
    /// `cargo leptos watch` reloads the page over a socket on this port.
    pub reload_port: Option<u32>,
}

/// What the page behind this policy may load and be: nothing but the site's own files, and of scripts
/// in the document itself only those that carry the nonce of this one response.
///
/// `'self'` is among the scripts because the hydration script imports the page's own module, and
/// `'wasm-unsafe-eval'` lets it compile WASM; neither lets a text become a script.
pub(crate) fn page_policy(nonce: &str, framing: Framing, header_policy: HeaderPolicy) -> String {
    let ancestors = match framing {
        Framing::Forbidden => "'none'",
        Framing::Allowed => "*",
    };
    let reload =
        header_policy.reload_port.map(|port| format!(" ws://*:{port}")).unwrap_or_default();
    format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; \
         style-src 'self'; img-src 'self' data:; connect-src 'self'{reload}; manifest-src 'self'; \
         base-uri 'none'; form-action 'self'; object-src 'none'; frame-ancestors {ancestors}"
    )
}

/// Gives a page its policy.
pub(crate) fn set_page_policy(
    headers: &mut HeaderMap,
    nonce: &str,
    framing: Framing,
    header_policy: HeaderPolicy,
) {
    // A nonce is base64, whose characters a header may have.
    if let Ok(policy) = HeaderValue::from_str(&page_policy(nonce, framing, header_policy)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if framing == Framing::Allowed {
        // Else a page that isolates itself could not embed this one.
        headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    }
}

const CROSS_ORIGIN_OPENER_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-opener-policy");
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// For all that is no page: nothing in it is ever run or framed.
const DEFAULT_CSP: &str = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/// What no page of ours asks for; what browsers don't know they complain about, so it stays short.
const PERMISSIONS: &str = "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), \
     payment=(), usb=()";

/// Adds what every response says, where the response does not say otherwise.
pub(crate) fn apply_security_headers(response: &mut Response, header_policy: HeaderPolicy) {
    // What opens a socket is read by no page, and thousands of them are sent.
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return;
    }
    let headers = response.headers_mut();
    let mut default = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    default(header::CONTENT_SECURITY_POLICY, DEFAULT_CSP);
    default(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    // The name of a room may be all that keeps it private.
    default(header::REFERRER_POLICY, "no-referrer");
    default(CROSS_ORIGIN_OPENER_POLICY, "same-origin");
    default(CROSS_ORIGIN_RESOURCE_POLICY, "same-origin");
    default(PERMISSIONS_POLICY, PERMISSIONS);
    if header_policy.is_https {
        default(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    if !may_be_framed(headers) {
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
}

/// The older header can't say "anywhere": there it has to be missing.
fn may_be_framed(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_SECURITY_POLICY)
        .is_some_and(|policy| policy.as_bytes().ends_with(b"frame-ancestors *"))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    const LOCAL: HeaderPolicy = HeaderPolicy { is_https: false, reload_port: None };

    /// The sources of one directive.
    fn sources(policy: &str, directive: &str) -> Vec<String> {
        let of_directive = |part: &&str| part.trim().split(' ').next() == Some(directive);
        let part = policy.split(';').find(of_directive).unwrap_or_default();
        part.split_whitespace().skip(1).map(str::to_owned).collect()
    }

    #[test]
    fn a_page_runs_its_own_scripts_and_no_text() {
        for framing in [Framing::Forbidden, Framing::Allowed] {
            let policy = page_policy("abc", framing, LOCAL);
            assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"));
            let scripts = ["'self'", "'nonce-abc'", "'wasm-unsafe-eval'"];
            assert_eq!(sources(&policy, "script-src"), scripts);
            assert_eq!(sources(&policy, "default-src"), ["'none'"]);
            assert_eq!(sources(&policy, "connect-src"), ["'self'"]);
        }
    }

    #[test]
    fn only_what_is_made_for_it_is_framed() {
        let mut response = Response::new(Body::empty());
        set_page_policy(response.headers_mut(), "abc", Framing::Forbidden, LOCAL);
        apply_security_headers(&mut response, LOCAL);
        assert_eq!(response.headers()[header::X_FRAME_OPTIONS], "DENY");
        assert_eq!(response.headers()[CROSS_ORIGIN_RESOURCE_POLICY], "same-origin");

        let mut embedded = Response::new(Body::empty());
        set_page_policy(embedded.headers_mut(), "abc", Framing::Allowed, LOCAL);
        apply_security_headers(&mut embedded, LOCAL);
        assert!(!embedded.headers().contains_key(header::X_FRAME_OPTIONS));
        assert_eq!(embedded.headers()[CROSS_ORIGIN_RESOURCE_POLICY], "cross-origin");
        assert_eq!(embedded.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    }

    #[test]
    fn https_is_kept_only_where_there_is_nothing_else() {
        for is_https in [false, true] {
            let mut response = Response::new(Body::empty());
            apply_security_headers(&mut response, HeaderPolicy { is_https, reload_port: None });
            assert_eq!(
                response.headers().contains_key(header::STRICT_TRANSPORT_SECURITY),
                is_https
            );
        }
    }

    #[test]
    fn the_page_reloads_itself_only_while_it_is_developed() {
        let header_policy = HeaderPolicy { is_https: false, reload_port: Some(3001) };
        let policy = page_policy("abc", Framing::Forbidden, header_policy);
        assert_eq!(sources(&policy, "connect-src"), ["'self'", "ws://*:3001"]);
    }
}
