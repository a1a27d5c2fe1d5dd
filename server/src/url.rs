//! The scheme and host of a URL.

/// The scheme of a URL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheme {
    /// Plain HTTP.
    #[default]
    Http,
    /// HTTPS only.
    Https,
}

/// The longest host, with its port, that is copied into a URL (RFC 1035, section 2.3.4).
const LONGEST_HOST: usize = 260;

/// Whether a `Host` header has only characters of a host and a port, so that it can be copied into a URL.
pub(crate) fn is_host(host: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    (1..=LONGEST_HOST).contains(&host.len()) && host.bytes().all(is_allowed)
}
