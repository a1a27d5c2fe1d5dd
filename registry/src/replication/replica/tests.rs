//! How a room is opened while entries arrive.

use app::presence::{Name, UserId};

use super::*;
use crate::{
    presence::{
        join::{Join, JoinKind},
        room::{Now, RoomLimits},
    },
    replication::engine::Opened,
};

const LIMITS: RoomLimits =
    RoomLimits { most_people: 3, most_connections_per_person: 2, keep_attendance: None };

fn position(number: u64) -> Position {
    Position { number, nonce: 7 + number }
}

fn founded() -> Room {
    let now = Now { moment: Moment::ZERO, unix_seconds: 0 };
    Room::new(LIMITS, Epoch::from_number(1), now)
}

fn opened() -> Opened {
    let at = EntryTime { position: position(0), moment: Moment::ZERO };
    let snapshot = Box::new(RoomSnapshot::of(&founded()));
    Opened::Whole { now: Moment::ZERO, at, snapshot, entries: Vec::new() }
}

#[test]
fn answer_that_is_older_than_what_has_arrived_is_ignored() {
    let (own, other) = (ServerId::try_from(10).unwrap(), ServerId::try_from(20).unwrap());
    let (mut room, mut replica) = (founded(), Replica::<()>::new(own));
    let run = RunId("run".to_owned());
    let open = |room: &mut Room, replica: &mut Replica<()>| {
        let new_epoch = || Epoch::from_number(2);
        replica.open(room, opened(), &run, new_epoch, Duration::ZERO, |_| true).unwrap();
    };
    open(&mut room, &mut replica);
    let joined = Some(ServerJoined { limits: LIMITS, rules: 1, pause: None });
    let batch = Batch { server: other, number: 1, joined, commands: Vec::new() };
    let entry = Entry { position: position(1), moment: Moment::ZERO, batch };
    let nonce = position(0).nonce;
    let received = replica.receive(&mut room, nonce, entry, Duration::ZERO, |_| true);
    assert!(matches!(received, Received::Applied(_)), "{received:?}");
    // The room was opened twice at once, and this answer was under way for longer.
    open(&mut room, &mut replica);
    assert_eq!(replica.position(), Some(position(1)));
    assert!(room.servers().contains(other) && !replica.is_muted(&room));
}

#[test]
fn state_is_stored_after_half_as_many_commands_as_there_are_people() {
    const PEOPLE: u32 = 1_000;
    let own = ServerId::try_from(10).unwrap();
    let (mut room, mut replica) = (founded(), Replica::<()>::new(own));
    let run = RunId("run".to_owned());
    let new_epoch = || Epoch::from_number(2);
    replica.open(&mut room, opened(), &run, new_epoch, Duration::ZERO, |_| true).unwrap();
    let limits = RoomLimits { most_people: 2_000, ..LIMITS };
    let mut joined = Some(ServerJoined { limits, rules: 1, pause: None });
    let mut number = 0;
    let mut is_stored_after = |commands: Vec<Command>| {
        number += 1;
        let joined = joined.take();
        let batch = Batch { server: own, number, joined, commands };
        let entry = Entry { position: position(number), moment: Moment::ZERO, batch };
        let nonce = position(number - 1).nonce;
        let received = replica.receive(&mut room, nonce, entry, Duration::ZERO, |_| true);
        assert!(matches!(received, Received::Applied(_)), "{received:?}");
        replica.take_due_snapshot(&room).is_some()
    };
    let announced = (0..PEOPLE).map(|number| {
        let user_id = UserId::from_leading_bits(u128::from(number) << 64);
        let name = Name::parse("Ana").unwrap();
        let connection = ConnectionId::on_server(own, number);
        let join = Join { name, tab: None, connection, is_visible: true };
        Command::Announced { user_id, join, kind: JoinKind::Opening }
    });
    assert!(is_stored_after(announced.collect()), "more than the fewest commands");
    assert!(!is_stored_after(vec![Command::Tick; 499]));
    assert!(is_stored_after(vec![Command::Tick]));
    assert!(!is_stored_after(vec![Command::Tick]));
}
