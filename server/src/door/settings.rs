//! The rules of the door as the settings' file has them.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

use super::{CrowdLimits, DoorConfig, Network, Origin, OriginRules, Patience, WithoutOrigin};
use crate::limits::{Limit, Rate};

/// The file's table `[door]`. Every number may be 0, which is no limit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct DoorTable {
    max_connections: usize,
    max_connections_per_address: usize,
    max_sockets: usize,
    max_sockets_per_address: usize,
    new_sockets_at_once_per_address: u32,
    new_sockets_per_second_per_address: u32,
    max_sockets_per_room: usize,
    max_rooms: usize,
    request_seconds: u64,
    write_seconds: u64,
    trusted_proxies: Vec<Network>,
    allowed_origins: Vec<Origin>,
    require_origin: bool,
}

impl Default for DoorTable {
    /// A school of a thousand behind one address gets in, each with what a page needs.
    fn default() -> Self {
        Self {
            max_connections: 0,
            max_connections_per_address: 8_000,
            max_sockets: 0,
            max_sockets_per_address: 2_000,
            new_sockets_at_once_per_address: 1_000,
            new_sockets_per_second_per_address: 200,
            max_sockets_per_room: 40_000,
            max_rooms: 50_000,
            request_seconds: 10,
            write_seconds: 10,
            trusted_proxies: Vec::new(),
            allowed_origins: Vec::new(),
            require_origin: false,
        }
    }
}

impl From<DoorTable> for DoorConfig {
    fn from(table: DoorTable) -> Self {
        let seconds = |number| (number > 0).then(|| Duration::from_secs(number));
        let without_origin =
            if table.require_origin { WithoutOrigin::Refused } else { WithoutOrigin::Allowed };
        Self {
            limits: CrowdLimits {
                connections: Limit::at_most(table.max_connections),
                connections_of_address: Limit::at_most(table.max_connections_per_address),
                sockets: Limit::at_most(table.max_sockets),
                sockets_of_address: Limit::at_most(table.max_sockets_per_address),
                new_sockets_of_address: Rate::new(
                    table.new_sockets_at_once_per_address,
                    table.new_sockets_per_second_per_address,
                ),
            },
            most_rooms: Limit::at_most(table.max_rooms),
            most_sockets_of_room: Limit::at_most(table.max_sockets_per_room),
            trusted_proxies: table.trusted_proxies,
            origins: OriginRules {
                public_url: None,
                allowed: table.allowed_origins,
                without_origin,
            },
            patience: Patience {
                request_within: seconds(table.request_seconds),
                write_within: seconds(table.write_seconds),
            },
        }
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_no_limit() {
        let text = "max-sockets-per-address = 0\nnew-sockets-per-second-per-address = 0\n\
                    max-rooms = 0\nrequest-seconds = 0\nwrite-seconds = 0";
        let config: DoorConfig = toml::from_str::<DoorTable>(text).unwrap().into();
        assert_eq!(config.limits.sockets_of_address, Limit::OFF);
        assert_eq!(config.limits.new_sockets_of_address, None);
        assert_eq!(config.most_rooms, Limit::OFF);
        assert_eq!(config.patience, Patience { request_within: None, write_within: None });
    }

    #[test]
    fn what_is_no_network_or_origin_is_an_error_that_says_how_one_looks() {
        for (line, hint) in [
            ("trusted-proxies = [\"10.0.0.0/40\"]", "10.0.0.0/8"),
            ("allowed-origins = [\"example.org\"]", "https://HOST"),
            ("max-rom = 1", "max-rom"),
        ] {
            let fault = toml::from_str::<DoorTable>(line).unwrap_err().to_string();
            assert!(fault.contains(hint), "{fault}");
        }
    }
}
