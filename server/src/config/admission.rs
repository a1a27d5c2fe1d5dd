//! The limits that an operator sets: table `[limits]`.

use std::{num::NonZeroUsize, time::Duration};

use ipnet::IpNet;

use crate::{
    admission::{
        AdmissionPolicy, ConnectionLimits, Origin, OriginRules, Timeouts, WithoutOrigin,
        pools::{FileShares, most_rows},
        processor_budget::ProcessorLimit,
        rate_limit::{Limit, Rate},
    },
    url::Scheme,
    websocket::budget::FrameLimits,
};
use registry::{
    encoding::messages::LONGEST_FRAME_IN_BYTES,
    hub::{HubLimits, MOST_LOG_BYTES, RoomPoolLimits, fan_out::FanOutRate},
    presence::room::RoomLimits,
};

/// The values of the table `[limits]`. In every number 0 means no limit.
///
/// They are explained in [`config::all_settings`](super::all_settings).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdmissionSettings {
    pub(crate) max_connections: usize,
    pub(crate) max_connections_per_address: usize,
    pub(crate) max_sockets: usize,
    pub(crate) max_sockets_per_address: usize,
    pub(crate) socket_burst_per_address: u32,
    pub(crate) socket_rate_per_address: u32,
    pub(crate) max_bytes_in_flight: usize,
    pub(crate) max_bytes_in_flight_per_address: usize,
    pub(crate) processor_burst_per_address: Duration,
    pub(crate) processor_rate_per_address: u32,
    pub(crate) max_sockets_per_room: usize,
    pub(crate) max_rooms: usize,
    pub(crate) max_rooms_per_address: usize,
    pub(crate) max_room_bytes_per_second: u32,
    pub(crate) frame_burst: u32,
    pub(crate) frame_rate: u32,
    pub(crate) max_frame_bytes: usize,
    pub(crate) request_timeout: Duration,
    pub(crate) write_timeout: Duration,
    pub(crate) first_frame_timeout: Duration,
    pub(crate) max_sockets_per_person: usize,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) allowed_origins: Vec<Origin>,
    pub(crate) require_origin: bool,
}

impl Default for AdmissionSettings {
    /// Enough for a school of a thousand people behind one address.
    fn default() -> Self {
        Self {
            max_connections: 0,
            // Six of each, as browsers open them, also from one /64.
            max_connections_per_address: 8_000,
            max_sockets: 0,
            max_sockets_per_address: 2_000,
            socket_burst_per_address: 1_000,
            socket_rate_per_address: 200,
            max_bytes_in_flight: 0,
            // A buffer of the system for each of a thousand people.
            max_bytes_in_flight_per_address: 134_217_728,
            processor_burst_per_address: Duration::from_secs(30),
            processor_rate_per_address: 25,
            max_sockets_per_room: 40_000,
            max_rooms: 50_000,
            // An eighth.
            max_rooms_per_address: 6_250,
            max_room_bytes_per_second: 64_000_000,
            frame_burst: 40,
            frame_rate: 5,
            max_frame_bytes: LONGEST_FRAME_IN_BYTES,
            request_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(10),
            first_frame_timeout: Duration::from_secs(10),
            max_sockets_per_person: 100,
            trusted_proxies: Vec::new(),
            allowed_origins: Vec::new(),
            require_origin: false,
        }
    }
}

impl AdmissionSettings {
    /// How long a socket may stay open without an accepted first frame.
    pub(crate) fn first_frame_timeout(&self) -> Option<Duration> {
        nonzero(self.first_frame_timeout)
    }

    /// How much a socket may send.
    pub(crate) fn frame_limits(&self) -> FrameLimits {
        FrameLimits {
            rate: Rate::new(self.frame_burst, self.frame_rate),
            longest: Limit::at_most(self.max_frame_bytes),
        }
    }

    /// The limits of all rooms together, each of which has those of `room`.
    pub(crate) fn hub_limits(&self, room: RoomLimits) -> HubLimits {
        HubLimits {
            room,
            rooms: RoomPoolLimits {
                most: NonZeroUsize::new(self.max_rooms),
                most_per_address: NonZeroUsize::new(self.max_rooms_per_address),
            },
            most_rows_per_address: most_rows(Limit::at_most(self.max_sockets_per_address)),
            fan_out: FanOutRate::per_second(self.max_room_bytes_per_second.into()),
            most_log_bytes: MOST_LOG_BYTES,
        }
    }

    /// Limits that contradict each other: the smaller pool counts.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let default = Self::default();
        let sockets = self.max_connections - self.max_connections / 10;
        let half = |pool: usize| pool / 2;
        // The setting with its value and its default, and what it can be at most by which other setting.
        let pairs = [
            (
                ("max-sockets", self.max_sockets, default.max_sockets),
                ("nine tenths of max-connections", sockets),
            ),
            (
                (
                    "max-connections-per-address",
                    self.max_connections_per_address,
                    default.max_connections_per_address,
                ),
                ("half of max-connections", half(self.max_connections)),
            ),
            (
                (
                    "max-sockets-per-address",
                    self.max_sockets_per_address,
                    default.max_sockets_per_address,
                ),
                ("half of max-sockets", half(self.max_sockets)),
            ),
            (
                (
                    "max-rooms-per-address",
                    self.max_rooms_per_address,
                    default.max_rooms_per_address,
                ),
                ("half of max-rooms", self.max_rooms.div_ceil(2)),
            ),
            (
                (
                    "max-bytes-in-flight-per-address",
                    self.max_bytes_in_flight_per_address,
                    default.max_bytes_in_flight_per_address,
                ),
                ("half of max-bytes-in-flight", half(self.max_bytes_in_flight)),
            ),
        ];
        let contradicting = pairs.into_iter().filter(|((_, set, default), (_, most))| {
            // Nothing, and what nobody has set, contradicts nothing.
            *set > *most && *most > 0 && set != default
        });
        contradicting
            .map(|((name, set, _), (pool, most))| {
                format!(
                    "{name} is {set}, and has no effect beyond {most}, {pool}: lower it, or raise the other."
                )
            })
            .collect()
    }

    /// The policy of a site with this `public_url`, on a server that itself speaks `spoken`.
    pub(crate) fn into_policy(self, public_url: Option<Origin>, spoken: Scheme) -> AdmissionPolicy {
        let without_origin =
            if self.require_origin { WithoutOrigin::Refused } else { WithoutOrigin::Allowed };
        AdmissionPolicy {
            limits: ConnectionLimits {
                connections: Limit::at_most(self.max_connections),
                connections_per_address: Limit::at_most(self.max_connections_per_address),
                // It depends on the machine.
                all_connections_per_address: Limit::OFF,
                sockets: Limit::at_most(self.max_sockets),
                sockets_per_address: Limit::at_most(self.max_sockets_per_address),
                socket_rate_per_address: Rate::new(
                    self.socket_burst_per_address,
                    self.socket_rate_per_address,
                ),
                bytes_in_flight: Limit::at_most(self.max_bytes_in_flight),
                bytes_in_flight_per_address: Limit::at_most(self.max_bytes_in_flight_per_address),
                processor_per_address: ProcessorLimit::new(
                    self.processor_burst_per_address,
                    self.processor_rate_per_address,
                ),
            },
            most_sockets_per_person: Limit::at_most(self.max_sockets_per_person),
            most_sockets_per_room: Limit::at_most(self.max_sockets_per_room),
            trusted_proxies: self.trusted_proxies,
            origins: OriginRules {
                public_url,
                spoken,
                allowed: self.allowed_origins,
                without_origin,
            },
            timeouts: Timeouts {
                request_timeout: nonzero(self.request_timeout),
                write_timeout: nonzero(self.write_timeout),
            },
            files: FileShares::of(None),
        }
    }
}

/// None for 0, which means no limit.
fn nonzero(timeout: Duration) -> Option<Duration> {
    (!timeout.is_zero()).then_some(timeout)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn the_default_frame_limits_are_those_of_the_protocol() {
        assert_eq!(AdmissionSettings::default().frame_limits(), FrameLimits::default());
    }

    #[test]
    fn limits_that_contradict_each_other_are_said() {
        let defaults = AdmissionSettings::default();
        assert_eq!(defaults.warnings(), [""; 0]);
        // A smaller pool alone is no contradiction: its shares shrink.
        let small = AdmissionSettings { max_connections: 100, max_rooms: 10, ..defaults.clone() };
        assert_eq!(small.warnings(), [""; 0]);
        let contradicting = AdmissionSettings {
            max_connections_per_address: 51,
            max_sockets: 91,
            max_sockets_per_address: 46,
            max_rooms_per_address: 6,
            max_bytes_in_flight: 1_000,
            max_bytes_in_flight_per_address: 501,
            ..small.clone()
        };
        let warnings = contradicting.warnings();
        assert_eq!(warnings.len(), 5, "{warnings:?}");
        assert_eq!(
            warnings[1],
            "max-connections-per-address is 51, and has no effect beyond 50, half of max-connections: lower it, or raise the other."
        );
        let fitting = AdmissionSettings {
            max_connections_per_address: 50,
            max_sockets: 90,
            max_sockets_per_address: 45,
            max_rooms_per_address: 5,
            max_bytes_in_flight: 1_000,
            max_bytes_in_flight_per_address: 500,
            ..small
        };
        assert_eq!(fitting.warnings(), [""; 0]);
    }

    #[test]
    fn zero_is_no_limit() {
        let settings = AdmissionSettings {
            frame_rate: 0,
            max_frame_bytes: 0,
            max_sockets_per_address: 0,
            socket_rate_per_address: 0,
            processor_rate_per_address: 0,
            max_rooms: 0,
            max_rooms_per_address: 0,
            max_room_bytes_per_second: 0,
            request_timeout: Duration::ZERO,
            write_timeout: Duration::ZERO,
            first_frame_timeout: Duration::ZERO,
            max_sockets_per_person: 0,
            ..AdmissionSettings::default()
        };
        assert_eq!(settings.frame_limits(), FrameLimits { rate: None, longest: Limit::OFF });
        assert_eq!(settings.first_frame_timeout(), None);
        let limits = settings.hub_limits(Config::default().room_limits);
        assert_eq!((limits.rooms.most, limits.rooms.most_per_address), (None, None));
        assert_eq!((limits.most_rows_per_address, limits.fan_out), (None, FanOutRate::OFF));
        let policy = settings.into_policy(None, Scheme::Http);
        assert_eq!(policy.limits.sockets_per_address, Limit::OFF);
        assert_eq!(policy.limits.socket_rate_per_address, None);
        assert_eq!(policy.limits.processor_per_address, None);
        assert_eq!(policy.most_sockets_per_person, Limit::OFF);
        assert_eq!(policy.timeouts, Timeouts { request_timeout: None, write_timeout: None });
    }
}
