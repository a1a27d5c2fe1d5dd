//! Examples, and a model of all counts.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;
use crate::{admission::pools::Machine, config::admission::AdmissionSettings, url::Scheme};

/// An IPv4 address.
fn key(number: u16) -> ClientKey {
    IpAddr::from(Ipv4Addr::from_bits(number.into())).into()
}

/// An IPv6 address of this /64 of one /56.
fn key_in_subnet(number: u8) -> ClientKey {
    IpAddr::from(Ipv6Addr::new(0x2001, 0xdb8, 0, number.into(), 0, 0, 0, 1)).into()
}

/// The first two are IPv4 addresses, the others are in one /56.
fn client(number: u8) -> ClientKey {
    if number < 2 { key(number.into()) } else { key_in_subnet(number) }
}

fn limits() -> ConnectionLimits {
    ConnectionLimits {
        connections: Limit::at_most(12),
        connections_per_address: Limit::at_most(4),
        all_connections_per_address: Limit::at_most(6),
        sockets: Limit::at_most(8),
        sockets_per_address: Limit::at_most(4),
        socket_rate_per_address: Rate::new(5, 1),
        bytes_in_flight: Limit::at_most(1_000),
        bytes_in_flight_per_address: Limit::at_most(400),
        processor_per_address: ProcessorLimit::new(Duration::from_secs(4), 50),
    }
}

#[test]
fn wrong_secrets_are_limited_by_address_and_forgotten() {
    let mut counts = ConnectionCounts::new(limits());
    let now = Duration::from_secs(5);
    for _ in 0..10 {
        assert_eq!(counts.admit_wrong_secret(key(1), now), Ok(()));
    }
    let wait = Duration::from_secs(1);
    let refused = Err(Rejection::WrongSecretRateExceeded(wait));
    assert_eq!(counts.admit_wrong_secret(key(1), now), refused);
    assert_eq!(counts.admit_wrong_secret(key(2), now), Ok(()));
    assert_eq!(counts.admit_wrong_secret(key(1), now + wait), Ok(()));
    counts.sweep(now + wait);
    assert_eq!(counts.addresses.len(), 1);
    counts.sweep(now + Duration::from_secs(11));
    assert_eq!(counts.addresses.len(), 0);
}

#[derive(Clone, Debug)]
enum Step {
    Connect(u8),
    ConnectByProxy,
    OpenSocket(u8),
    /// On one of the open connections.
    OpenFeed(prop::sample::Index),
    EndConnection(prop::sample::Index),
    EndSocket(prop::sample::Index),
    Wait(u64),
    Sweep,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..5_u8).prop_map(Step::Connect),
        1 => Just(Step::ConnectByProxy),
        6 => (0..5_u8).prop_map(Step::OpenSocket),
        3 => any::<prop::sample::Index>().prop_map(Step::OpenFeed),
        3 => any::<prop::sample::Index>().prop_map(Step::EndConnection),
        4 => any::<prop::sample::Index>().prop_map(Step::EndSocket),
        2 => (0..3_000_u64).prop_map(Step::Wait),
        1 => Just(Step::Sweep),
    ]
}

/// The limits by address: 4, and 3 of them for one /64. `from` are the clients that are counted.
fn has_room_for_one_more(from: &[u8], number: u8) -> bool {
    let client_of = client(number);
    let of_address = from.iter().filter(|other| client(**other).prefix == client_of.prefix).count();
    let of_subnet = from.iter().filter(|other| client(**other) == client_of).count();
    of_address < 4 && (client_of.subnet.is_none() || of_subnet < 3)
}

/// The connections of every kind that a client's address has, and its subnet; a feed's connection counts once.
fn present(connections: &[Option<u8>], sockets: &[(Transport, u8)], number: u8) -> [usize; 2] {
    let same = [
        |one: u8, another: u8| client(one).prefix == client(another).prefix,
        |one: u8, another: u8| one == another,
    ];
    same.map(|is_same| {
        let opened = connections.iter().flatten().filter(|other| is_same(**other, number)).count();
        let is_socket = |(transport, other): &&(Transport, u8)| {
            *transport == Transport::Socket && is_same(*other, number)
        };
        opened + sockets.iter().filter(is_socket).count()
    })
}

proptest! {
    /// Every decision equals the model's, and nothing is kept when all connections have ended.
    #[test]
    fn admission_follows_the_limits_exactly(steps in prop::collection::vec(any_step(), 1..200)) {
        let mut counts = ConnectionCounts::new(limits());
        let mut now = Duration::ZERO;
        let (mut connections, mut sockets) = (Vec::new(), Vec::new());
        let total = |connections: &[Option<u8>], sockets: &[(Transport, u8)]| {
            // A feed's connection is counted already.
            connections.len() + sockets.iter().filter(|(transport, _)| *transport == Transport::Socket).count()
        };
        for step in steps {
            match step {
                Step::Connect(number) => {
                    let from: Vec<u8> = connections.iter().copied().flatten().collect();
                    let expected = if total(&connections, &sockets) >= 12 {
                        Err(Rejection::TooManyConnections)
                    } else if !has_room_for_one_more(&from, number) || {
                        let [of_address, of_subnet] = present(&connections, &sockets, number);
                        of_address >= 6 || (client(number).subnet.is_some() && of_subnet >= 5)
                    } {
                        Err(Rejection::TooManyConnectionsPerAddress)
                    } else {
                        connections.push(Some(number));
                        Ok(())
                    };
                    prop_assert_eq!(counts.admit_connection(Some(client(number)), now), expected);
                }
                Step::ConnectByProxy => {
                    let is_full = total(&connections, &sockets) >= 12;
                    prop_assert_eq!(counts.admit_connection(None, now).is_err(), is_full);
                    if !is_full {
                        connections.push(None);
                    }
                }
                Step::OpenFeed(_) if connections.is_empty() => {}
                Step::OpenSocket(_) | Step::OpenFeed(_) => {
                    let (transport, number) = match step {
                        Step::OpenSocket(number) => (Transport::Socket, number),
                        Step::OpenFeed(at) => {
                            let from = connections[at.index(connections.len())];
                            (Transport::Feed, from.unwrap_or_default())
                        }
                        _ => unreachable!(),
                    };
                    let from: Vec<u8> = sockets.iter().map(|(_, from)| *from).collect();
                    let predicted = counts.would_admit_transport(client(number), now);
                    let admitted = counts.admit_transport(transport, client(number), now);
                    prop_assert_eq!(predicted, admitted);
                    if sockets.len() >= 8 {
                        prop_assert_eq!(admitted, Err(Rejection::TooManySockets));
                    } else if !has_room_for_one_more(&from, number) {
                        // Of two limits that are exceeded, either may be named.
                        let is_rejected = matches!(
                            admitted,
                            Err(Rejection::TooManySocketsPerAddress
                                | Rejection::SocketRateExceeded(_))
                        );
                        prop_assert!(is_rejected, "{admitted:?}");
                    } else if admitted.is_ok() {
                        sockets.push((transport, number));
                    } else {
                        prop_assert!(matches!(admitted, Err(Rejection::SocketRateExceeded(_))));
                    }
                }
                Step::EndConnection(at) if !connections.is_empty() => {
                    let from = connections.swap_remove(at.index(connections.len()));
                    counts.release_connection(from.map(client), now);
                }
                Step::EndSocket(at) if !sockets.is_empty() => {
                    let (transport, from) = sockets.swap_remove(at.index(sockets.len()));
                    counts.release_transport(transport, client(from), now);
                }
                Step::EndConnection(_) | Step::EndSocket(_) => {}
                Step::Wait(milliseconds) => now += Duration::from_millis(milliseconds),
                Step::Sweep => counts.sweep(now),
            }
        }
        for from in connections {
            counts.release_connection(from.map(client), now);
        }
        for (transport, from) in sockets {
            counts.release_transport(transport, client(from), now);
        }
        counts.sweep(now + Duration::from_secs(6));
        prop_assert!(counts.addresses.is_empty());
        prop_assert_eq!((counts.connections, counts.sockets, counts.feeds), (0, 0, 0));
    }
}

#[test]
fn the_defaults_admit_a_school_and_reject_a_flood() {
    let mut counts =
        ConnectionCounts::new(AdmissionSettings::default().into_policy(None, Scheme::Http).limits);
    let at = Duration::from_secs;
    let mut opened = |many: usize, now| {
        (0..many).filter(|_| counts.admit_transport(Transport::Socket, key(1), now).is_ok()).count()
    };
    assert_eq!(opened(1_500, at(0)), 1_000);
    assert_eq!(opened(500, at(1)), 200);
    assert_eq!(opened(5_000, at(100)), 800);
    assert_eq!(
        counts.admit_transport(Transport::Socket, key(1), at(200)),
        Err(Rejection::TooManySocketsPerAddress)
    );
    assert_eq!(counts.admit_transport(Transport::Socket, key(2), at(200)), Ok(()));
}

/// F05: with few files one address held all connections.
#[test]
fn address_never_has_more_than_half_of_all_connections() {
    let policy = AdmissionSettings::default().into_policy(None, Scheme::Http);
    let limits = policy.capped_by(Machine { open_files: Some(1_024), memory: None }).limits;
    let mut counts = ConnectionCounts::new(limits);
    let now = Duration::from_secs(5);
    // Every second one becomes a socket.
    let opened = (0..1_000).filter(|number| {
        let is_admitted = counts.admit_connection(Some(key(1)), now).is_ok();
        if is_admitted && number % 2 == 0 {
            counts.admit_transport(Transport::Socket, key(1), now).unwrap();
            counts.release_connection(Some(key(1)), now);
        }
        is_admitted
    });
    assert_eq!(opened.count(), 384);
    let another = (0..384).filter(|_| counts.admit_connection(Some(key(2)), now).is_ok());
    assert_eq!(another.count(), 384);
}

/// A /64 has a smaller share than its /56, and nobody else pays for them.
#[test]
fn bytes_in_flight_are_counted_for_the_address() {
    let mut counts = ConnectionCounts::new(limits());
    let now = Duration::from_secs(5);
    let (one, other) = (key_in_subnet(1), key_in_subnet(2));
    let mut change = |from, before, after| {
        let is_freed = counts.change_bytes_in_flight(Some(from), before, after, now);
        let used = [one, other, key(1)].map(|from| counts.check_flight(Some(from)).is_err());
        (is_freed, used)
    };
    assert_eq!(change(one, 0, 299), (false, [false, false, false]));
    assert_eq!(change(one, 299, 300), (false, [true, false, false]));
    assert_eq!(change(other, 0, 100), (false, [true, true, false]));
    assert_eq!(change(one, 300, 200), (true, [false, false, false]));
    assert_eq!(change(one, 200, 0), (false, [false, false, false]));
    assert_eq!(change(other, 100, 0), (false, [false, false, false]));
    assert!(counts.addresses.is_empty());
    assert_eq!(counts.bytes_in_flight(), 0);
    // A proxy's connections have no address.
    assert!(!counts.change_bytes_in_flight(None, 0, 1_000, now));
    assert!(counts.check_flight(None).is_err() && counts.check_flight(Some(one)).is_ok());
    assert!(counts.change_bytes_in_flight(None, 1_000, 0, now));
}

/// Eight /64 of one line are one household, and one /64 leaves something to the others of its /56.
#[test]
fn a_56_is_one_address_and_a_64_has_three_quarters_of_it() {
    let mut counts = ConnectionCounts::new(limits());
    let now = Duration::from_secs(5);
    let mut open = |subnet| counts.admit_transport(Transport::Socket, key_in_subnet(subnet), now);
    for _ in 0..3 {
        assert_eq!(open(1), Ok(()));
    }
    assert_eq!(open(1), Err(Rejection::TooManySocketsPerAddress));
    assert_eq!(open(2), Ok(()));
    for subnet in 3..10 {
        assert_eq!(open(subnet), Err(Rejection::TooManySocketsPerAddress));
    }
}

/// All people of a school that has a /56 are in one /64 of it.
#[test]
fn the_defaults_admit_a_school_in_one_subnet() {
    let defaults = AdmissionSettings::default().into_policy(None, Scheme::Http).limits;
    let mut counts = ConnectionCounts::new(defaults);
    let admitted = (0..1_000).filter(|number| {
        let at = Duration::from_millis(10 * number);
        counts.admit_transport(Transport::Socket, key_in_subnet(1), at).is_ok()
    });
    assert_eq!(admitted.count(), 1_000);
}

/// A /64 has a smaller budget than its /56, and no other address pays for them.
#[test]
fn processor_time_is_charged_to_the_address_alone() {
    let mut counts = ConnectionCounts::new(limits());
    let (now, second) = (Duration::from_secs(5), Duration::from_secs(1));
    let (one, other) = (key_in_subnet(1), key_in_subnet(2));
    counts.charge(one, 3 * second, now);
    assert_eq!(counts.check_budget(one, now), Ok(()));
    counts.charge(one, second / 2, now);
    assert!(matches!(counts.check_budget(one, now), Err(Rejection::ProcessorRateExceeded(_))));
    assert_eq!(counts.check_budget(other, now), Ok(()));
    counts.charge(other, second, now);
    // The other one is within its own budget, and the /56 is not.
    assert_eq!(counts.check_budget(other, now), Err(Rejection::ProcessorRateExceeded(second)));
    assert_eq!(counts.check_budget(key_in_subnet(3), now + second), Ok(()));
    assert_eq!(counts.check_budget(key(1), now), Ok(()));
    counts.sweep(now + 10 * second);
    assert!(counts.addresses.is_empty());
}

/// A proxy may tell of a new address with each request.
#[test]
fn addresses_without_connections_are_few() {
    let mut counts = ConnectionCounts::new(limits());
    for number in 0..u16::MAX {
        let now = Duration::from_millis(number.into());
        counts.charge(key(number), Duration::from_millis(1), now);
    }
    assert!(counts.addresses.len() <= MOST_UNSWEPT_ADDRESSES, "{}", counts.addresses.len());
}

#[test]
fn turns_are_kept_while_somebody_has_one() {
    let mut counts = ConnectionCounts::new(limits());
    let turns = counts.turns(key(1));
    counts.sweep(Duration::ZERO);
    assert!(Arc::ptr_eq(&turns, &counts.turns(key(1))));
    drop(turns);
    counts.sweep(Duration::ZERO);
    assert!(counts.addresses.is_empty());
}
