//! Who may watch and join which rooms. Pure.

use std::fmt;

use app::presence::RoomName;

use super::error::AccessError;
use crate::{
    tokens::{Capability, Claims},
    webhooks::RoomFilter,
};

/// The rules of all rooms: the first that matches a room is its rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoomPolicy(Vec<RoomRule>);

/// The rule of some rooms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomRule {
    rooms: RoomFilter,
    openness: Openness,
}

/// Who may do something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Everybody.
    #[default]
    Open,
    /// Who has a token for it.
    Token,
    /// Nobody.
    Closed,
}

impl Access {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Open, Self::Token, Self::Closed];

    /// As the settings name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Token => "token",
            Self::Closed => "closed",
        }
    }
}

/// For whom a room is. Whoever joins sees the list, so joining is never for more people than watching.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Openness {
    watch: Access,
    join: Access,
}

/// Joining would be for more people than watching.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("join can't be open to more people than watch: who joins sees the list")]
pub struct JoinMoreOpenError;

impl Openness {
    /// Without `join`, it is as open as `watch`.
    pub fn new(watch: Access, join: Option<Access>) -> Result<Self, JoinMoreOpenError> {
        let join = join.unwrap_or(watch);
        if join < watch { Err(JoinMoreOpenError) } else { Ok(Self { watch, join }) }
    }
}

/// What a visitor who may watch a room may do there as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rights {
    /// Whether they may be listed.
    pub(super) may_join: bool,
    /// Whether a token makes them a host.
    pub(super) is_host: bool,
}

impl RoomPolicy {
    /// These rules, in this order.
    pub fn new(rules: Vec<RoomRule>) -> Self {
        Self(rules)
    }

    /// The rules.
    pub fn rules(&self) -> &[RoomRule] {
        &self.0
    }

    /// Whether every room is open to everybody.
    pub fn is_open(&self) -> bool {
        self.0.iter().all(|rule| rule.openness == Openness::default())
    }

    /// Whether some room needs a token.
    pub fn needs_tokens(&self) -> bool {
        let needs = |Openness { watch, join }| [watch, join].contains(&Access::Token);
        self.0.iter().any(|rule| needs(rule.openness))
    }

    /// What a visitor may do in a room, with these claims of a valid token or without any.
    pub(super) fn decide(
        &self,
        room: &RoomName,
        claims: Option<&Claims>,
    ) -> Result<Rights, AccessError> {
        let rule = self.0.iter().find(|rule| rule.rooms.contains(room));
        let Openness { watch, join } = rule.map(|rule| rule.openness).unwrap_or_default();
        match (watch, claims) {
            (Access::Closed, _) => Err(AccessError::Closed),
            (Access::Token, None) => Err(AccessError::TokenMissing),
            (Access::Open, None) => Ok(Rights { may_join: join == Access::Open, is_host: false }),
            (_, Some(claims)) if !claims.rooms.contains(room) || claims.can.is_empty() => {
                Err(AccessError::OtherRooms)
            }
            (_, Some(claims)) => Ok(Rights {
                may_join: join != Access::Closed && claims.can.contains(&Capability::Join),
                is_host: claims.can.contains(&Capability::Host),
            }),
        }
    }
}

impl RoomRule {
    /// The rule of these rooms.
    pub fn new(rooms: RoomFilter, openness: Openness) -> Self {
        Self { rooms, openness }
    }
}

/// As the settings have it.
impl fmt::Display for RoomRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rooms, openness: Openness { watch, join } } = self;
        let rooms = rooms.patterns().collect::<Vec<_>>().join(", ");
        let (watch, join) = (watch.name(), join.name());
        write!(formatter, "match = \"{rooms}\"\nwatch = \"{watch}\"\njoin = \"{join}\"")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn policy(rules: &[(&str, Access, Access)]) -> RoomPolicy {
        let rule = |(rooms, watch, join): &(&str, Access, Access)| {
            let rooms = RoomFilter::parse([*rooms]).unwrap();
            RoomRule::new(rooms, Openness::new(*watch, Some(*join)).unwrap())
        };
        RoomPolicy::new(rules.iter().map(rule).collect())
    }

    fn claims(rooms: &[&str], can: &[Capability]) -> Claims {
        Claims {
            issuer: None,
            subject: "user-7".into(),
            expires: 0,
            name: None,
            rooms: RoomFilter::parse(rooms.iter().copied()).unwrap(),
            can: can.iter().copied().collect(),
            info: None,
        }
    }

    fn rights(may_join: bool, is_host: bool) -> Rights {
        Rights { may_join, is_host }
    }

    #[test]
    fn first_rule_that_matches_counts_and_other_rooms_are_open() {
        let policy = policy(&[
            ("team-1", Access::Open, Access::Token),
            ("team-*", Access::Token, Access::Token),
            ("old-*", Access::Closed, Access::Closed),
            ("old-2", Access::Open, Access::Open),
        ]);
        let decide = |room: &str| policy.decide(&room.parse().unwrap(), None);
        assert_eq!(decide("lobby"), Ok(rights(true, false)));
        assert_eq!(decide("team-1"), Ok(rights(false, false)));
        assert_eq!(decide("team-2"), Err(AccessError::TokenMissing));
        assert_eq!(decide("old-2"), Err(AccessError::Closed));
        assert!(policy.needs_tokens() && !policy.is_open());
        assert!(RoomPolicy::default().is_open() && !RoomPolicy::default().needs_tokens());
    }

    #[test]
    fn token_permits_what_it_says_in_its_rooms() {
        use Capability::{Host, Join, Watch};
        let policy = policy(&[
            ("team-*", Access::Token, Access::Token),
            ("stage", Access::Token, Access::Closed),
            ("old", Access::Closed, Access::Closed),
        ]);
        let decide = |room: &str, rooms: &[&str], can: &[Capability]| {
            policy.decide(&room.parse().unwrap(), Some(&claims(rooms, can)))
        };
        assert_eq!(decide("team-1", &["team-*"], &[Watch, Join]), Ok(rights(true, false)));
        assert_eq!(decide("team-1", &["*"], &[Join]), Ok(rights(true, false)));
        assert_eq!(decide("team-1", &["*"], &[Watch]), Ok(rights(false, false)));
        assert_eq!(decide("team-1", &["*"], &[Host]), Ok(rights(false, true)));
        assert_eq!(decide("stage", &["*"], &[Watch, Join, Host]), Ok(rights(false, true)));
        assert_eq!(decide("lobby", &["*"], &[Watch]), Ok(rights(false, false)));
        assert_eq!(decide("old", &["*"], &[Watch, Join, Host]), Err(AccessError::Closed));
        for room in ["team-1", "lobby"] {
            assert_eq!(decide(room, &["team-2"], &[Join]), Err(AccessError::OtherRooms));
            assert_eq!(decide(room, &["*"], &[]), Err(AccessError::OtherRooms));
        }
    }

    fn any_access() -> impl Strategy<Value = Access> {
        prop::sample::select(&Access::ALL[..])
    }

    proptest! {
        /// A room that needs a token is for nobody without one, and a closed one for nobody.
        #[test]
        fn nobody_gets_in_without_what_the_room_needs(
            watch in any_access(),
            join in any_access(),
            can in prop::option::of(prop::collection::btree_set(prop::sample::select(&Capability::ALL[..]), 0..3)),
        ) {
            prop_assume!(watch <= join);
            let policy = policy(&[("team-*", watch, join)]);
            let can: Option<BTreeSet<_>> = can;
            let token = can.map(|can| claims(&["team-1"], &can.into_iter().collect::<Vec<_>>()));
            let decided = policy.decide(&"team-1".parse().unwrap(), token.as_ref());
            let has = |capability| token.as_ref().is_some_and(|token| token.can.contains(&capability));
            if let Ok(rights) = decided {
                prop_assert!(watch == Access::Open || (watch == Access::Token && token.is_some()));
                let is_open = join == Access::Open && token.is_none();
                let is_permitted = join != Access::Closed && has(Capability::Join);
                prop_assert_eq!(rights.may_join, is_open || is_permitted);
                prop_assert_eq!(rights.is_host, has(Capability::Host));
            } else {
                prop_assert!(watch != Access::Open || token.is_some_and(|token| token.can.is_empty()));
            }
        }
    }

    #[test]
    fn joining_is_never_more_open_than_watching() {
        assert_eq!(Openness::new(Access::Token, Some(Access::Open)), Err(JoinMoreOpenError));
        assert_eq!(Openness::new(Access::Closed, Some(Access::Token)), Err(JoinMoreOpenError));
        let alike = Openness { watch: Access::Token, join: Access::Token };
        assert_eq!(Openness::new(Access::Token, None), Ok(alike));
    }
}
