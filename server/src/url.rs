//! The parts of an address: its scheme and its host.

/// What is spoken between a browser and the site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheme {
    /// HTTP, as on the own machine or network.
    #[default]
    Http,
    /// HTTPS and nothing else.
    Https,
}

/// The longest host, with its port, that is taken over into an address (RFC 1035, section 2.3.4).
const LONGEST_HOST: usize = 260;

/// Whether it has only what a host and a port are written with.
pub(crate) fn is_host(host: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    (1..=LONGEST_HOST).contains(&host.len()) && host.bytes().all(is_plain)
}
