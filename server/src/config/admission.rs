//! The rules of the door as they are set.

use std::time::Duration;

use ipnet::IpNet;

use crate::{
    admission::{
        AdmissionPolicy, ConnectionLimits, Origin, OriginRules, Timeouts, WithoutOrigin,
        rate_limit::{Limit, Rate},
    },
    encoding::messages::LONGEST_FRAME_IN_BYTES,
    url::Scheme,
    websocket::budget::FrameLimits,
};

/// The rules of the door as they are set; every number may be 0, which is no limit.
///
/// What each is for stands with its key, in [`config::settings`](crate::config::settings).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdmissionSettings {
    pub(crate) max_connections: usize,
    pub(crate) max_connections_per_address: usize,
    pub(crate) max_sockets: usize,
    pub(crate) max_sockets_per_address: usize,
    pub(crate) new_sockets_at_once_per_address: u32,
    pub(crate) new_sockets_per_second_per_address: u32,
    pub(crate) max_sockets_per_room: usize,
    pub(crate) max_rooms: usize,
    pub(crate) frames_at_once: u32,
    pub(crate) frames_per_second: u32,
    pub(crate) max_frame_bytes: usize,
    pub(crate) request_seconds: u64,
    pub(crate) write_seconds: u64,
    pub(crate) first_frame_seconds: u64,
    pub(crate) max_sockets_per_person: usize,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) allowed_origins: Vec<Origin>,
    pub(crate) require_origin: bool,
}

impl Default for AdmissionSettings {
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
            frames_at_once: 40,
            frames_per_second: 5,
            max_frame_bytes: LONGEST_FRAME_IN_BYTES,
            request_seconds: 10,
            write_seconds: 10,
            first_frame_seconds: 10,
            max_sockets_per_person: 100,
            trusted_proxies: Vec::new(),
            allowed_origins: Vec::new(),
            require_origin: false,
        }
    }
}

impl AdmissionSettings {
    /// How long a socket that was let in may say nothing.
    pub(crate) fn first_frame_within(&self) -> Option<Duration> {
        seconds(self.first_frame_seconds)
    }

    /// How much a socket may say that was let in.
    pub(crate) fn frame_limits(&self) -> FrameLimits {
        FrameLimits {
            rate: Rate::new(self.frames_at_once, self.frames_per_second),
            longest: Limit::at_most(self.max_frame_bytes),
        }
    }

    /// The same as rules, of a site that everybody finds at `public_url`, and a server that speaks this.
    pub(crate) fn into_config(self, public_url: Option<Origin>, spoken: Scheme) -> AdmissionPolicy {
        let without_origin =
            if self.require_origin { WithoutOrigin::Refused } else { WithoutOrigin::Allowed };
        AdmissionPolicy {
            limits: ConnectionLimits {
                connections: Limit::at_most(self.max_connections),
                connections_of_address: Limit::at_most(self.max_connections_per_address),
                sockets: Limit::at_most(self.max_sockets),
                sockets_of_address: Limit::at_most(self.max_sockets_per_address),
                new_sockets_of_address: Rate::new(
                    self.new_sockets_at_once_per_address,
                    self.new_sockets_per_second_per_address,
                ),
            },
            most_sockets_of_person: Limit::at_most(self.max_sockets_per_person),
            most_rooms: Limit::at_most(self.max_rooms),
            most_sockets_of_room: Limit::at_most(self.max_sockets_per_room),
            trusted_proxies: self.trusted_proxies,
            origins: OriginRules {
                public_url,
                spoken,
                allowed: self.allowed_origins,
                without_origin,
            },
            timeouts: Timeouts {
                request_within: seconds(self.request_seconds),
                write_within: seconds(self.write_seconds),
            },
        }
    }
}

/// So many seconds; none is no limit.
fn seconds(number: u64) -> Option<Duration> {
    (number > 0).then(|| Duration::from_secs(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_default_a_socket_may_say_what_the_protocol_promises() {
        assert_eq!(AdmissionSettings::default().frame_limits(), FrameLimits::default());
    }

    #[test]
    fn nothing_is_no_limit() {
        let settings = AdmissionSettings {
            frames_per_second: 0,
            max_frame_bytes: 0,
            max_sockets_per_address: 0,
            new_sockets_per_second_per_address: 0,
            max_rooms: 0,
            request_seconds: 0,
            write_seconds: 0,
            first_frame_seconds: 0,
            max_sockets_per_person: 0,
            ..AdmissionSettings::default()
        };
        assert_eq!(settings.frame_limits(), FrameLimits { rate: None, longest: Limit::OFF });
        assert_eq!(settings.first_frame_within(), None);
        let config = settings.into_config(None, Scheme::Http);
        assert_eq!(config.limits.sockets_of_address, Limit::OFF);
        assert_eq!(config.limits.new_sockets_of_address, None);
        assert_eq!(config.most_rooms, Limit::OFF);
        assert_eq!(config.most_sockets_of_person, Limit::OFF);
        assert_eq!(config.timeouts, Timeouts { request_within: None, write_within: None });
    }
}
