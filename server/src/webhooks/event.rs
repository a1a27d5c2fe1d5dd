//! What a webhook tells: events, and the body of a message with several of them. Pure.

use app::presence::{DepartureReason, Epoch, RoomName, User, UserId};
use registry::hub::observer::{ObservedChange, ObservedKind};
use serde::Serialize;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "WebhookEvent"))]
#[serde(tag = "type")]
pub(crate) enum Event {
    /// Somebody came into a room in which nobody was.
    #[serde(rename = "room.occupied")]
    RoomOccupied {
        /// Where in the room's log.
        #[serde(flatten)]
        at: EventPosition,
    },
    /// The last person of a room has gone.
    #[serde(rename = "room.vacated")]
    RoomVacated {
        /// Where in the room's log.
        #[serde(flatten)]
        at: EventPosition,
    },
    /// A person is on the list.
    #[serde(rename = "user.joined")]
    UserJoined {
        /// Where in the room's log.
        #[serde(flatten)]
        at: EventPosition,
        /// The row.
        user: User,
    },
    /// A person is no longer on the list.
    #[serde(rename = "user.left")]
    UserLeft {
        /// Where in the room's log.
        #[serde(flatten)]
        at: EventPosition,
        /// The row's id.
        id: UserId,
        /// Why.
        reason: DepartureReason,
    },
    /// Events were lost: the receiver has to read these rooms.
    #[serde(rename = "presence.resync")]
    Resync {
        /// Whether nothing that the receiver knows is valid: nobody is in any other room.
        all: bool,
        /// The rooms to read.
        rooms: Vec<RoomName>,
    },
}

/// Where in a room's log an event happened, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct EventPosition {
    /// The room.
    pub(crate) room: RoomName,
    /// The epoch of `from` and `seq`.
    pub(crate) epoch: Epoch,
    /// The `seq` of the event before in this room; 0 for the first one of an epoch.
    pub(crate) from: u64,
    /// The position after the event.
    pub(crate) seq: u64,
    /// When, in whole seconds since the Unix epoch by the server's clock.
    pub(crate) at: u64,
}

/// A kind of event that a receiver can choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventKind {
    /// Somebody came into a room in which nobody was.
    RoomOccupied,
    /// The last person of a room has gone.
    RoomVacated,
    /// A person is on the list.
    UserJoined,
    /// A person is no longer on the list.
    UserLeft,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 4] =
        [Self::RoomOccupied, Self::RoomVacated, Self::UserJoined, Self::UserLeft];

    /// Its name in settings and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RoomOccupied => "room.occupied",
            Self::RoomVacated => "room.vacated",
            Self::UserJoined => "user.joined",
            Self::UserLeft => "user.left",
        }
    }

    /// Whether it names a person or has a person's id.
    pub const fn is_about_a_person(self) -> bool {
        matches!(self, Self::UserJoined | Self::UserLeft)
    }
}

impl Event {
    /// What a change of a room is told as, in order.
    pub(crate) fn of_change(
        room: &RoomName,
        epoch: &Epoch,
        change: ObservedChange,
        at: u64,
    ) -> [Option<Self>; 2] {
        let ObservedChange { from, seq, people, kind } = change;
        let position = EventPosition { room: room.clone(), epoch: epoch.clone(), from, seq, at };
        match kind {
            ObservedKind::Joined(user) => [
                (people == 1).then(|| Self::RoomOccupied { at: position.clone() }),
                Some(Self::UserJoined { at: position, user }),
            ],
            ObservedKind::Departed { id, reason } => [
                Some(Self::UserLeft { at: position.clone(), id, reason }),
                (people == 0).then_some(Self::RoomVacated { at: position }),
            ],
        }
    }

    /// What a receiver chooses it by; none of what every receiver gets.
    pub(crate) fn kind(&self) -> Option<EventKind> {
        match self {
            Self::RoomOccupied { .. } => Some(EventKind::RoomOccupied),
            Self::RoomVacated { .. } => Some(EventKind::RoomVacated),
            Self::UserJoined { .. } => Some(EventKind::UserJoined),
            Self::UserLeft { .. } => Some(EventKind::UserLeft),
            Self::Resync { .. } => None,
        }
    }

    /// The rooms that a receiver has to read if it does not get this.
    pub(crate) fn rooms(&self) -> &[RoomName] {
        match self {
            Self::RoomOccupied { at }
            | Self::RoomVacated { at }
            | Self::UserJoined { at, .. }
            | Self::UserLeft { at, .. } => std::slice::from_ref(&at.room),
            Self::Resync { rooms, .. } => rooms,
        }
    }
}

/// The body of a message, as Standard Webhooks recommends it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "WebhookMessage"))]
pub(crate) struct Message<'message> {
    /// Always `presence.batch`.
    #[cfg_attr(test, schemars(extend("const" = "presence.batch")))]
    pub(crate) r#type: &'static str,
    /// When the message was made, RFC 3339.
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub(crate) timestamp: &'message str,
    /// What happened.
    pub(crate) data: MessageData<'message>,
}

/// The events of a message.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "WebhookData"))]
pub(crate) struct MessageData<'message> {
    /// In order.
    pub(crate) events: &'message [Event],
}

impl<'message> Message<'message> {
    /// A message with these events.
    pub(crate) fn new(timestamp: &'message str, events: &'message [Event]) -> Self {
        Self { r#type: "presence.batch", timestamp, data: MessageData { events } }
    }
}

#[cfg(test)]
mod tests {
    use app::presence::{Name, PresenceState};

    use super::*;

    fn change(people: usize, kind: ObservedKind) -> Vec<String> {
        let change = ObservedChange { from: 3, seq: 5, people, kind };
        let epoch = "e1".parse().unwrap();
        let events = Event::of_change(&RoomName::lobby(), &epoch, change, 1_790_000_000);
        events.iter().flatten().map(|event| serde_json::to_string(event).unwrap()).collect()
    }

    fn ana() -> User {
        User {
            id: UserId::from_leading_bits(0),
            name: Name::parse("Ana").unwrap(),
            joined: 1_790_000_000,
            state: PresenceState::Here,
        }
    }

    #[test]
    fn first_and_last_person_of_a_room_are_told_as_such() {
        let position = r#""room":"lobby","epoch":"e1","from":3,"seq":5,"at":1790000000"#;
        let user = r#"{"id":"AAAAAAAAAAA","name":"Ana","joined":1790000000}"#;
        let joined = format!(r#"{{"type":"user.joined",{position},"user":{user}}}"#);
        let occupied = format!(r#"{{"type":"room.occupied",{position}}}"#);
        assert_eq!(change(1, ObservedKind::Joined(ana())), [occupied, joined.clone()]);
        assert_eq!(change(2, ObservedKind::Joined(ana())), [joined]);
        let departed = || {
            let (id, reason) = (ana().id, DepartureReason::Lost);
            ObservedKind::Departed { id, reason }
        };
        let left =
            format!(r#"{{"type":"user.left",{position},"id":"AAAAAAAAAAA","reason":"lost"}}"#);
        let vacated = format!(r#"{{"type":"room.vacated",{position}}}"#);
        assert_eq!(change(0, departed()), [&*left, &*vacated]);
        assert_eq!(change(1, departed()), [left]);
    }

    #[test]
    fn kind_has_the_name_of_its_events() {
        let of = |event: &Event| serde_json::to_value(event).unwrap()["type"].clone();
        let at = EventPosition {
            room: RoomName::lobby(),
            epoch: "e1".parse().unwrap(),
            from: 0,
            seq: 1,
            at: 0,
        };
        let (id, reason) = (ana().id, DepartureReason::Left);
        let events = [
            Event::RoomOccupied { at: at.clone() },
            Event::RoomVacated { at: at.clone() },
            Event::UserJoined { at: at.clone(), user: ana() },
            Event::UserLeft { at, id, reason },
        ];
        let kinds: Vec<_> = events.iter().filter_map(Event::kind).collect();
        assert_eq!(kinds, EventKind::ALL);
        for event in &events {
            assert_eq!(of(event), event.kind().unwrap().name());
        }
    }
}
