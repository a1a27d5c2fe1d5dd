//! A room made from a snapshot goes on as the first one, whatever happened and happens then.

use proptest::{prelude::*, sample::select};

use super::{
    journal::{Journal, server, socket},
    *,
};
use crate::presence::{
    entry::{Batch, Entry, Pause, Position, ServerJoined},
    servers::ServerExit,
};

/// An entry whose number and moment follow from the entries before it.
#[derive(Clone, Debug)]
struct Step {
    /// Milliseconds since the entry before.
    after: u64,
    server: u32,
    /// The number of the batch: the server's next, or so many before it.
    is_copy_of: Option<u64>,
    joined: Option<ServerJoined>,
    commands: Vec<Command>,
}

fn any_step() -> impl Strategy<Value = Step> {
    let after = prop_oneof![
        4 => 0..500_u64,
        4 => select(vec![0, 1_999, 2_000, 14_999, 15_000, 15_001, 30_000, 600_000]),
        1 => 0..60_000_u64,
    ];
    let is_copy_of = prop_oneof![9 => Just(None), 1 => (0..4_u64).prop_map(Some)];
    let commands = prop::collection::vec(any_command(), 0..4);
    (after, 1..4_u32, is_copy_of, any_joining(), commands).prop_map(
        |(after, server, is_copy_of, joined, commands)| Step {
            after,
            server,
            is_copy_of,
            joined,
            commands,
        },
    )
}

fn any_joining() -> impl Strategy<Value = Option<ServerJoined>> {
    let pause = (0..4_u64, 0..100_000_u64)
        .prop_map(|(id, lasted)| Pause { id, lasted: Duration::from_millis(lasted) });
    let keep_attendance = prop::option::weighted(0.8, select(vec![30_u64, 43_200]));
    let joined = (1..5_usize, keep_attendance, 1..3_u32, prop::option::of(pause)).prop_map(
        |(most_people, keep_attendance, rules, pause)| {
            let keep_attendance = keep_attendance.map(Duration::from_secs);
            let limits = RoomLimits { most_people, keep_attendance, ..LIMITS };
            ServerJoined { limits, rules, pause }
        },
    );
    prop::option::weighted(0.3, joined)
}

fn any_command() -> impl Strategy<Value = Command> {
    let user_id = || (1..5_u8).prop_map(id);
    let connection = || (1..4_u32, 0..4_u32).prop_map(|(of, number)| socket(of, number));
    let tab = prop::option::of(select(vec!["a", "b", "c"]));
    // Names whose skeletons no server may compute anew.
    let name = || {
        (select(vec!["Kim", "paypa1", "Ann"]), prop::option::of("[a-z]{1,9}"))
            .prop_map(|(text, skeleton)| name(text).with_skeleton(skeleton.as_deref()))
    };
    let join = (name(), tab, connection(), any::<bool>()).prop_map(
        |(name, tab, connection, is_visible)| Join {
            name,
            tab: tab.map(|tab| tab.parse().unwrap()),
            connection,
            is_visible,
        },
    );
    let kind = select(vec![JoinKind::Opening, JoinKind::Repeat]);
    let reason = || {
        use DepartureReason::{Closed, Left, Lost, Removed};
        (select(vec![Closed, Lost]), select(vec![Left, Removed]))
    };
    let exit = select(vec![ServerExit::Idle, ServerExit::Clean, ServerExit::LeaseExpired]);
    let ago = prop::option::of((0..20_000_u64).prop_map(Duration::from_millis));
    let epoch = || (1..4_u64).prop_map(Epoch::from_number);
    prop_oneof![
        6 => (user_id(), join.clone(), kind)
            .prop_map(|(user_id, join, kind)| Command::Announced { user_id, join, kind }),
        2 => (user_id(), join, 0..60_000_u64).prop_map(|(user_id, join, ago)| {
            let announced_at = START + Duration::from_millis(ago);
            Command::Restored { user_id, join, announced_at }
        }),
        1 => (user_id(), name()).prop_map(|(user_id, name)| Command::Renamed { user_id, name }),
        2 => (user_id(), connection(), any::<bool>()).prop_map(
            |(user_id, connection, is_visible)| Command::VisibilityChanged {
                user_id,
                connection,
                is_visible
            }
        ),
        1 => (user_id(), reason())
            .prop_map(|(user_id, (_, reason))| Command::RowRemoved { user_id, reason }),
        3 => (user_id(), connection(), reason()).prop_map(
            |(user_id, connection, (reason, _))| Command::Disconnected {
                user_id,
                connection,
                reason
            }
        ),
        1 => user_id().prop_map(|user_id| Command::PageServed { user_id }),
        1 => user_id().prop_map(|user_id| Command::PageConnected { user_id }),
        1 => Just(Command::RoomCleared),
        1 => any::<bool>().prop_map(|is_closed| Command::JoiningChanged { is_closed }),
        1 => (0..1_000_u32).prop_map(|most_bytes| Command::AttendanceTrimmed { most_bytes }),
        1 => (1..4_u32, ago, exit).prop_map(|(of, ago, exit)| Command::ServerLeft {
            server: server(of),
            ago,
            exit
        }),
        1 => (epoch(), epoch())
            .prop_map(|(epoch, replaces)| Command::EpochChanged { epoch, replaces }),
    ]
}

const START: Moment = Duration::from_secs(1_795_421_000);

/// The entries of a journal with these steps.
fn entries(steps: Vec<Step>) -> Vec<Entry> {
    let mut moment = START;
    let mut entries = Vec::new();
    for (number, step) in (1_u64..).zip(steps) {
        let Step { after, server: of, is_copy_of, joined, commands } = step;
        moment += Duration::from_millis(after);
        let number_of_batch = number - is_copy_of.unwrap_or(0).min(number);
        let batch = Batch { server: server(of), number: number_of_batch, joined, commands };
        let position = Position { number, nonce: 7 };
        entries.push(Entry { position, moment, batch });
    }
    entries
}

fn new_room() -> Room {
    Room::new(LIMITS, epoch(), Now { moment: START, unix_seconds: START.as_secs() })
}

/// As texts, because the equality of names ignores their skeletons.
fn text(room: &Room) -> String {
    serde_json::to_string(&RoomSnapshot::of(room)).unwrap()
}

fn from_text(text: &str) -> Room {
    serde_json::from_str::<RoomSnapshot>(text).unwrap().try_into().unwrap()
}

/// Everything that the room holds, whether a snapshot has it or not. The list is compared for itself: its
/// rows may lie in another way.
fn debug(room: &Room) -> String {
    let Room {
        limits,
        epoch,
        roster: _,
        members,
        log,
        history,
        attendance,
        names_in_bytes,
        servers,
        removals,
        time,
        is_closed,
    } = room;
    format!(
        "{limits:?} {epoch:?} {members:?} {log:?} {history:?} {attendance:?} {names_in_bytes} {servers:?} \
         {removals:?} {time:?} {is_closed}"
    )
}

proptest! {
    #[test]
    fn room_from_a_snapshot_goes_on_as_the_first_one(
        steps in prop::collection::vec(any_step(), 0..60),
        at in 0..60_usize,
    ) {
        let mut first = new_room();
        let mut second = None;
        for (index, entry) in entries(steps).into_iter().enumerate() {
            if index == at {
                second = Some(from_text(&text(&first)));
            }
            // The second room reads its entries as a server does.
            let written = serde_json::to_string(&entry).unwrap();
            let outcomes = first.apply_entry(entry);
            if let Some(second) = &mut second {
                let read = serde_json::from_str(&written).unwrap();
                prop_assert_eq!(&second.apply_entry(read), &outcomes);
                prop_assert_eq!(text(second), text(&first));
                prop_assert_eq!(debug(second), debug(&first));
                prop_assert_eq!(second.roster(), first.roster());
            }
        }
    }

    #[test]
    fn entry_that_is_applied_twice_counts_once(
        steps in prop::collection::vec(any_step(), 1..40),
    ) {
        let mut room = new_room();
        for entry in entries(steps) {
            let _ = room.apply_entry(entry.clone());
            let before = text(&room);
            prop_assert!(room.apply_entry(entry).is_err());
            prop_assert_eq!(text(&room), before);
        }
    }
}

#[test]
fn snapshot_that_contradicts_itself_is_invalid() {
    let mut journal = Journal::new();
    journal.announce(1, 1, "a", 10);
    let valid = serde_json::to_value(RoomSnapshot::of(&journal.room)).unwrap();
    for (field, value) in [
        ("seq", serde_json::json!(0)),
        ("members", serde_json::json!({})),
        ("users", serde_json::json!([])),
        ("users", serde_json::json!([valid["users"][0], valid["users"][0]])),
    ] {
        let mut invalid = valid.clone();
        invalid[field] = value;
        let snapshot: RoomSnapshot = serde_json::from_value(invalid).unwrap();
        assert_eq!(Room::try_from(snapshot).err(), Some(InvalidSnapshotError), "{field}");
    }
}

#[test]
fn snapshot_of_a_room_with_a_long_log_has_the_newest_of_it() {
    let mut journal = Journal::new();
    journal.announce(1, 1, "a", 10);
    let renames = 20_000_u64;
    for number in 0..renames {
        let name = name(&format!("{number:0100}"));
        journal.submit(1, Command::Renamed { user_id: id(1), name });
    }
    let restored = from_text(&text(&journal.room));
    let (first, log) = (journal.room.log(), restored.log());
    assert_eq!(log.seq(), first.seq());
    let kept = (0..=renames).rev().find(|seq| !log.covers(*seq)).unwrap() + 1;
    assert!(first.covers(kept - 1), "the room itself has more");
    let size = restored.log().changes().map(|change| format!("{change:?}").len()).sum::<usize>();
    assert!((125_000..500_000).contains(&size), "{size}");
    assert_eq!(log.difference(kept, log.seq()), first.difference(kept, log.seq()));
}
