//! The names by which a browser may ask for the site: none of them is a name that a stranger's DNS can let lead here.
//!
//! DNS rebinding: somebody lets a name of theirs, `evil.test`, lead to the address of this server, which only people on
//! its network may reach. To their visitor's browser a page of that name and this server are one origin, so the page
//! could read every list and open sockets. `Host` tells: it is the name that the browser asked for (RFC 9110, section
//! 7.2), and no script can change it.

use std::{fmt, str::FromStr};

use url::Host;

use crate::url::name_of;

/// The names that the operator gave, besides those that are safe on any server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteNames(Vec<HostName>);

/// A name of a host, as browsers send it: in lower case, with letters of ASCII, without a port and a dot at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName(String);

/// The text is not a host's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a name like roll.example.org, without a scheme and a port")]
pub struct ParseHostNameError;

/// A request for a name that is not the site's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "This server does not answer for the name {name}. If the name leads here on purpose, whoever runs the server can allow it with the setting host (--host {name}) or, behind a proxy, with public-url."
)]
pub struct MisdirectedError {
    /// Without its port.
    pub name: String,
}

/// Domains that no registry gives to anybody, so that no stranger's DNS answers for a name below them: RFC 6761
/// (localhost), RFC 6762 (local: a machine answers for itself), RFC 8375 (home.arpa), and a decision of ICANN's of 2024
/// (internal).
const DOMAINS_OF_NOBODY: [&str; 4] = ["localhost", "local", "home.arpa", "internal"];

impl SiteNames {
    /// With names besides those that are safe on any server.
    pub fn new(names: impl IntoIterator<Item = HostName>) -> Self {
        Self(names.into_iter().collect())
    }

    /// Checks the host of a request, perhaps with a port. A request without one is of HTTP/1.0, and of no browser.
    pub fn admit(&self, host: Option<&str>) -> Result<(), MisdirectedError> {
        match host.map(name_of) {
            Some(name) if !self.contains(name) => Err(MisdirectedError { name: name.to_owned() }),
            _ => Ok(()),
        }
    }

    fn contains(&self, name: &str) -> bool {
        match Host::parse(name) {
            // An address is what a name would have to lead to.
            Ok(Host::Ipv4(_) | Host::Ipv6(_)) => true,
            Ok(Host::Domain(domain)) => {
                let name = HostName::of(domain);
                name.belongs_to_nobody() || self.0.contains(&name)
            }
            Err(_) => false,
        }
    }
}

impl HostName {
    /// `localhost`.
    pub(crate) fn localhost() -> Self {
        Self("localhost".to_owned())
    }

    fn of(mut domain: String) -> Self {
        if domain.ends_with('.') {
            domain.pop();
        }
        Self(domain)
    }

    /// Whether no stranger can own the name. One without a dot is of the local network or of a container's: ICANN
    /// allows no address for a top-level domain.
    fn belongs_to_nobody(&self) -> bool {
        let is_below = |domain: &&str| {
            let above = self.0.strip_suffix(*domain);
            above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
        };
        !self.0.contains('.') || DOMAINS_OF_NOBODY.iter().any(is_below)
    }
}

impl FromStr for HostName {
    type Err = ParseHostNameError;

    fn from_str(text: &str) -> Result<Self, ParseHostNameError> {
        // A URL's host may be percent-encoded, and a name of the DNS may have any byte.
        if text.contains(['%', '*']) {
            return Err(ParseHostNameError);
        }
        match Host::parse(text) {
            Ok(Host::Domain(domain)) => Ok(Self::of(domain)),
            _ => Err(ParseHostNameError),
        }
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_admitted(names: &[&str], host: &str) -> bool {
        let names = SiteNames::new(names.iter().map(|name| name.parse().unwrap()));
        names.admit(Some(host)).is_ok()
    }

    #[test]
    fn names_that_a_stranger_can_own_are_refused() {
        for host in [
            "evil.test",
            "evil.test:3000",
            "EVIL.test.",
            "127.0.0.1.evil.test",
            "127-0-0-1.evil.test",
            "localhost.evil.test",
            "notlocalhost.evil",
            "evil.notlocal",
            "a.arpa",
            "local.evil",
            "laptop.lan",
            "1.2.3.4.5",
            "a..",
        ] {
            assert!(!is_admitted(&[], host), "{host}");
        }
        let refused = SiteNames::default().admit(Some("evil.test:3000"));
        let sentence = refused.unwrap_err().to_string();
        assert!(sentence.contains("the name evil.test. "), "{sentence}");
        assert!(sentence.contains("--host evil.test)"), "{sentence}");
    }

    #[test]
    fn addresses_and_names_of_nobody_are_the_sites_on_any_server() {
        for host in [
            "127.0.0.1",
            "10.0.0.7:3000",
            "[::1]",
            "[fd00::7]:3000",
            "localhost",
            "LOCALHOST:3000",
            "localhost.",
            "team.localhost:3000",
            "laptop",
            "laptop.",
            "server-1:3000",
            "my_host",
            "laptop.local:3000",
            "Laptop.Local.",
            "rollcall.default.svc.cluster.local",
            "laptop.home.arpa",
            "roll.corp.internal",
        ] {
            assert!(is_admitted(&[], host), "{host}");
        }
        assert_eq!(SiteNames::default().admit(None), Ok(()));
    }

    #[test]
    fn names_that_the_operator_gave_are_the_sites_and_no_others() {
        let names = ["laptop.lan", "Bücher.example."];
        for host in ["laptop.lan", "LAPTOP.lan.:3000", "xn--bcher-kva.example"] {
            assert!(is_admitted(&names, host), "{host}");
        }
        for host in ["evil.laptop.lan", "laptop.lan.evil.test", "xlaptop.lan", "a.lan"] {
            assert!(!is_admitted(&names, host), "{host}");
        }
    }

    #[test]
    fn name_is_parsed_as_it_is_formatted_and_has_no_port() {
        for (text, name) in [
            ("Roll.Example.org.", "roll.example.org"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("laptop", "laptop"),
        ] {
            let parsed: HostName = text.parse().unwrap();
            assert_eq!(parsed.to_string(), name);
            assert_eq!(name.parse(), Ok(parsed));
        }
        for text in ["", "a b", "a:3000", "http://a", "a/b", "127.0.0.1", "[::1]", "*.a", "a%62"] {
            assert_eq!(text.parse::<HostName>(), Err(ParseHostNameError), "{text}");
        }
    }

    proptest! {
        /// Whatever is before it, a name below a domain that can be owned is refused unless the operator gave it.
        #[test]
        fn name_below_a_public_domain_is_refused(
            label in "[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?",
            port in proptest::option::of(1..u16::MAX),
        ) {
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            for host in [format!("{label}.evil.test{port}"), format!("evil.{label}.test{port}")] {
                prop_assert!(!is_admitted(&[], &host), "{host}");
                prop_assert!(!is_admitted(&["other.test"], &host), "{host}");
            }
            let own = format!("{label}.own.test");
            let host = format!("{own}{port}");
            prop_assert!(is_admitted(&[&own], &host));
        }

        #[test]
        fn arbitrary_host_is_checked_without_a_panic(host: String) {
            let _ = SiteNames::default().admit(Some(&host));
            let _ = host.parse::<HostName>();
        }
    }
}
