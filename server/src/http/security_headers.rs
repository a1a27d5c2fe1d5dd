//! Security headers of all responses, and the content security policy of pages.

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};

/// Whether other sites may show a page in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// No page may frame it.
    Forbidden,
    /// Any page may frame it.
    Allowed,
}

/// The settings that headers depend on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeaderPolicy {
    /// The site has a host of its own and HTTPS only: browsers may remember that (HSTS, RFC 6797).
    pub sends_hsts: bool,
    /// In development: the port of the socket through which `cargo leptos watch` reloads the page.
    pub reload_port: Option<u32>,
}

/// The content security policy of a page: only the site's own files, and only inline scripts with the nonce
/// of this response.
///
/// `script-src` has `'self'` because the hydration script imports the page's module, and
/// `'wasm-unsafe-eval'` to compile WASM. Neither allows text to run as a script.
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

/// Sets the policy of a page.
pub(crate) fn set_page_policy(
    headers: &mut HeaderMap,
    nonce: &str,
    framing: Framing,
    header_policy: HeaderPolicy,
) {
    // Always valid: a nonce is base64.
    if let Ok(policy) = HeaderValue::from_str(&page_policy(nonce, framing, header_policy)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if framing == Framing::Allowed {
        // Pages with cross-origin isolation could not embed this one without both.
        headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
        headers.insert(CROSS_ORIGIN_EMBEDDER_POLICY, HeaderValue::from_static("require-corp"));
    }
}

/// Lets pages of any origin load and read a response, without the visitor's cookies.
pub(crate) fn allow_any_origin(headers: &mut HeaderMap) {
    allow_origin(headers, HeaderValue::from_static("*"));
}

/// Lets pages of this origin load and read a response, without the visitor's cookies.
pub(crate) fn allow_origin(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
}

const CROSS_ORIGIN_EMBEDDER_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-embedder-policy");
const CROSS_ORIGIN_OPENER_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-opener-policy");
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// For responses other than pages: nothing in them may run, load or be framed.
const DEFAULT_CSP: &str = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/// Features that our pages do not use. Browsers warn about names that they don't know, so the list is short.
const PERMISSIONS: &str = "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), \
     payment=(), usb=()";

/// Adds the headers of all responses, except those that the response has already.
pub(crate) fn apply_security_headers(response: &mut Response, header_policy: HeaderPolicy) {
    // No page reads an upgrade's response, and a reconnect storm needs thousands of them.
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return;
    }
    let headers = response.headers_mut();
    let mut default = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    default(header::CONTENT_SECURITY_POLICY, DEFAULT_CSP);
    default(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    // A room can be private by its unguessable name, which a referrer would reveal.
    default(header::REFERRER_POLICY, "no-referrer");
    default(CROSS_ORIGIN_OPENER_POLICY, "same-origin");
    default(CROSS_ORIGIN_RESOURCE_POLICY, "same-origin");
    default(PERMISSIONS_POLICY, PERMISSIONS);
    if header_policy.sends_hsts {
        default(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    if !is_framing_allowed(headers) {
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
}

/// `X-Frame-Options` has no value for "any site": it has to be absent then.
fn is_framing_allowed(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_SECURITY_POLICY)
        .is_some_and(|policy| policy.as_bytes().ends_with(b"frame-ancestors *"))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    const LOCAL: HeaderPolicy = HeaderPolicy { sends_hsts: false, reload_port: None };

    /// The sources of one directive.
    fn sources(policy: &str, directive: &str) -> Vec<String> {
        let of_directive = |part: &&str| part.trim().split(' ').next() == Some(directive);
        let part = policy.split(';').find(of_directive).unwrap_or_default();
        part.split_whitespace().skip(1).map(str::to_owned).collect()
    }

    #[test]
    fn a_page_runs_only_its_own_scripts() {
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
    fn only_the_embedded_view_can_be_framed() {
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
    fn hsts_is_sent_only_where_the_policy_says_so() {
        for sends_hsts in [false, true] {
            let mut response = Response::new(Body::empty());
            apply_security_headers(&mut response, HeaderPolicy { sends_hsts, reload_port: None });
            assert_eq!(
                response.headers().contains_key(header::STRICT_TRANSPORT_SECURITY),
                sends_hsts
            );
        }
    }

    #[test]
    fn the_reload_socket_is_allowed_only_in_development() {
        let header_policy = HeaderPolicy { sends_hsts: false, reload_port: Some(3001) };
        let policy = page_policy("abc", Framing::Forbidden, header_policy);
        assert_eq!(sources(&policy, "connect-src"), ["'self'", "ws://*:3001"]);
    }
}
