//! Who is in, by where they come from, and who is turned away. Pure: the time is a parameter.

use std::{collections::HashMap, time::Duration};

use super::{
    AddressKey, TurnedAway,
    rate_limit::{Allowance, Limit, Rate},
};

/// How many may be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrowdLimits {
    /// Connections of every kind; one that became a socket, or carries a live feed, is still one.
    pub connections: Limit,
    /// Connections of one address that are no socket yet.
    pub connections_of_address: Limit,
    /// Sockets and live feeds.
    pub sockets: Limit,
    /// Sockets and live feeds of one address.
    pub sockets_of_address: Limit,
    /// How often one address may open one.
    pub new_sockets_of_address: Option<Rate>,
}

/// By what somebody follows a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// A WebSocket: a connection becomes one, and is counted as a connection no longer.
    Socket,
    /// A live feed: the connection that carries it is counted as well, until the feed ends.
    Feed,
}

/// Everybody who is in. It keeps what it counts and nothing else: an address of which nobody is in is
/// forgotten once it may open as many sockets again as ever.
#[derive(Debug)]
pub struct Crowd {
    limits: CrowdLimits,
    connections: usize,
    /// Feeds among them.
    sockets: usize,
    feeds: usize,
    addresses: HashMap<AddressKey, OfAddress>,
}

/// Those of one address.
#[derive(Debug, Default)]
struct OfAddress {
    connections: usize,
    sockets: usize,
    new_sockets: Allowance,
}

impl OfAddress {
    fn may_be_forgotten(&self, now: Duration) -> bool {
        self.connections == 0 && self.sockets == 0 && self.new_sockets.is_whole(now)
    }
}

impl Crowd {
    /// Nobody is in yet.
    pub fn new(limits: CrowdLimits) -> Self {
        Self { limits, connections: 0, sockets: 0, feeds: 0, addresses: HashMap::new() }
    }

    /// A connection comes in, from an address unless it is a proxy's.
    pub fn admit_connection(&mut self, from: Option<AddressKey>) -> Result<(), TurnedAway> {
        let present = (self.connections + self.sockets).saturating_sub(self.feeds);
        if !self.limits.connections.allows_one_more_than(present) {
            return Err(TurnedAway::TooManyConnections);
        }
        if let Some(from) = from {
            let present = self.addresses.get(&from).map_or(0, |of_address| of_address.connections);
            if !self.limits.connections_of_address.allows_one_more_than(present) {
                return Err(TurnedAway::TooManyConnectionsOfAddress);
            }
            self.addresses.entry(from).or_default().connections += 1;
        }
        self.connections += 1;
        Ok(())
    }

    /// A connection ended, or became a socket.
    pub fn dismiss_connection(&mut self, from: Option<AddressKey>, now: Duration) {
        self.connections = self.connections.saturating_sub(1);
        if let Some(from) = from {
            self.dismiss(from, now, |of_address| &mut of_address.connections);
        }
    }

    /// A socket or a feed is opened from an address.
    pub fn admit_line(
        &mut self,
        line: Line,
        from: AddressKey,
        now: Duration,
    ) -> Result<(), TurnedAway> {
        if !self.limits.sockets.allows_one_more_than(self.sockets) {
            return Err(TurnedAway::TooManySockets);
        }
        let mut of_address = self.addresses.remove(&from).unwrap_or_default();
        let admitted = self.admit_socket_of(&mut of_address, now);
        if admitted.is_ok() {
            of_address.sockets += 1;
            self.sockets += 1;
            self.feeds += usize::from(line == Line::Feed);
        }
        if !of_address.may_be_forgotten(now) {
            self.addresses.insert(from, of_address);
        }
        admitted
    }

    /// A socket or a feed ended.
    pub fn dismiss_line(&mut self, line: Line, from: AddressKey, now: Duration) {
        self.sockets = self.sockets.saturating_sub(1);
        self.feeds = self.feeds.saturating_sub(usize::from(line == Line::Feed));
        self.dismiss(from, now, |of_address| &mut of_address.sockets);
    }

    /// Forgets the addresses of which nobody is in; to be called now and then.
    pub fn sweep(&mut self, now: Duration) {
        self.addresses.retain(|_, of_address| !of_address.may_be_forgotten(now));
        if self.addresses.len() < self.addresses.capacity() / 8 {
            self.addresses.shrink_to_fit();
        }
    }

    fn admit_socket_of(&self, of_address: &mut OfAddress, now: Duration) -> Result<(), TurnedAway> {
        if !self.limits.sockets_of_address.allows_one_more_than(of_address.sockets) {
            return Err(TurnedAway::TooManySocketsOfAddress);
        }
        match self.limits.new_sockets_of_address {
            Some(rate) => of_address.new_sockets.take(rate, now).map_err(TurnedAway::TooFast),
            None => Ok(()),
        }
    }

    fn dismiss(
        &mut self,
        from: AddressKey,
        now: Duration,
        count: impl FnOnce(&mut OfAddress) -> &mut usize,
    ) {
        if let Some(of_address) = self.addresses.get_mut(&from) {
            let count = count(of_address);
            *count = count.saturating_sub(1);
            if of_address.may_be_forgotten(now) {
                self.addresses.remove(&from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;
    use crate::{config::admission::DoorSettings, url::Scheme};

    fn key(number: u16) -> AddressKey {
        std::net::IpAddr::from(Ipv4Addr::from_bits(number.into())).into()
    }

    fn limits() -> CrowdLimits {
        CrowdLimits {
            connections: Limit::at_most(12),
            connections_of_address: Limit::at_most(4),
            sockets: Limit::at_most(8),
            sockets_of_address: Limit::at_most(3),
            new_sockets_of_address: Rate::new(5, 1),
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Connect(u16),
        ConnectByProxy,
        Open(u16),
        /// On a connection that is in already.
        Follow(prop::sample::Index),
        EndConnection(prop::sample::Index),
        EndSocket(prop::sample::Index),
        Wait(u64),
        Sweep,
    }

    fn any_step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..4_u16).prop_map(Step::Connect),
            1 => Just(Step::ConnectByProxy),
            6 => (0..4_u16).prop_map(Step::Open),
            3 => any::<prop::sample::Index>().prop_map(Step::Follow),
            3 => any::<prop::sample::Index>().prop_map(Step::EndConnection),
            4 => any::<prop::sample::Index>().prop_map(Step::EndSocket),
            2 => (0..3_000_u64).prop_map(Step::Wait),
            1 => Just(Step::Sweep),
        ]
    }

    proptest! {
        /// Never more than the limits, always as many as they allow, and nothing is kept of who is gone.
        #[test]
        fn as_many_as_allowed_and_no_more(steps in prop::collection::vec(any_step(), 1..200)) {
            let mut crowd = Crowd::new(limits());
            let mut now = Duration::ZERO;
            let (mut connections, mut sockets) = (Vec::new(), Vec::new());
            let in_all = |connections: &[Option<u16>], sockets: &[(Line, u16)]| {
                // A feed is on a connection that is counted.
                connections.len() + sockets.iter().filter(|(line, _)| *line == Line::Socket).count()
            };
            for step in steps {
                match step {
                    Step::Connect(number) => {
                        let of_address = connections.iter().filter(|from| **from == Some(number)).count();
                        let expected = if in_all(&connections, &sockets) >= 12 {
                            Err(TurnedAway::TooManyConnections)
                        } else if of_address >= 4 {
                            Err(TurnedAway::TooManyConnectionsOfAddress)
                        } else {
                            connections.push(Some(number));
                            Ok(())
                        };
                        prop_assert_eq!(crowd.admit_connection(Some(key(number))), expected);
                    }
                    Step::ConnectByProxy => {
                        let is_full = in_all(&connections, &sockets) >= 12;
                        prop_assert_eq!(crowd.admit_connection(None).is_err(), is_full);
                        if !is_full {
                            connections.push(None);
                        }
                    }
                    Step::Follow(_) if connections.is_empty() => {}
                    Step::Open(_) | Step::Follow(_) => {
                        let (line, number) = match step {
                            Step::Open(number) => (Line::Socket, number),
                            Step::Follow(at) => {
                                let from = connections[at.index(connections.len())];
                                (Line::Feed, from.unwrap_or_default())
                            }
                            _ => unreachable!(),
                        };
                        let of_address = sockets.iter().filter(|(_, from)| *from == number).count();
                        let admitted = crowd.admit_line(line, key(number), now);
                        if sockets.len() >= 8 {
                            prop_assert_eq!(admitted, Err(TurnedAway::TooManySockets));
                        } else if of_address >= 3 {
                            prop_assert_eq!(admitted, Err(TurnedAway::TooManySocketsOfAddress));
                        } else if admitted.is_ok() {
                            sockets.push((line, number));
                        } else {
                            prop_assert!(matches!(admitted, Err(TurnedAway::TooFast(_))));
                        }
                    }
                    Step::EndConnection(at) if !connections.is_empty() => {
                        let from = connections.swap_remove(at.index(connections.len()));
                        crowd.dismiss_connection(from.map(key), now);
                    }
                    Step::EndSocket(at) if !sockets.is_empty() => {
                        let (line, from) = sockets.swap_remove(at.index(sockets.len()));
                        crowd.dismiss_line(line, key(from), now);
                    }
                    Step::EndConnection(_) | Step::EndSocket(_) => {}
                    Step::Wait(milliseconds) => now += Duration::from_millis(milliseconds),
                    Step::Sweep => crowd.sweep(now),
                }
            }
            for from in connections {
                crowd.dismiss_connection(from.map(key), now);
            }
            for (line, from) in sockets {
                crowd.dismiss_line(line, key(from), now);
            }
            crowd.sweep(now + Duration::from_secs(5));
            prop_assert!(crowd.addresses.is_empty());
            prop_assert_eq!((crowd.connections, crowd.sockets, crowd.feeds), (0, 0, 0));
        }
    }

    #[test]
    fn a_school_gets_in_and_a_flood_does_not() {
        let mut crowd = Crowd::new(DoorSettings::default().into_config(None, Scheme::Http).limits);
        let at = Duration::from_secs;
        let mut opened = |many: usize, now| {
            (0..many).filter(|_| crowd.admit_line(Line::Socket, key(1), now).is_ok()).count()
        };
        assert_eq!(opened(1_500, at(0)), 1_000);
        assert_eq!(opened(500, at(1)), 200);
        assert_eq!(opened(5_000, at(100)), 800);
        assert_eq!(
            crowd.admit_line(Line::Socket, key(1), at(200)),
            Err(TurnedAway::TooManySocketsOfAddress)
        );
        assert_eq!(crowd.admit_line(Line::Socket, key(2), at(200)), Ok(()));
    }
}
