//! What a room costs, by its members: one change costs their logarithm, a whole list their number.

#![expect(clippy::unwrap_used, reason = "a benchmark that can't be set up has to stop")]

use std::cell::RefCell;

use app::presence::{DepartureReason, Difference, Epoch, Name, UserId};
use divan::Bencher;
use registry::{
    encoding::{frame::Batch, snapshot_pages::EncodedList},
    presence::{
        members::{Announced, ConnectionId, Moment, TabKey},
        room::{JoinKind, Now, Room, RoomLimits},
    },
};

const MEMBERS: [u64; 4] = [100, 1_000, 10_000, 100_000];

/// How many changes are timed in one go: enough for the clock, few beside the smallest room.
const CHANGES: u32 = 16;

const NOW: Now = Now { moment: Moment::ZERO, unix_seconds: 1_795_421_000 };

fn main() {
    divan::main();
}

#[divan::bench(args = MEMBERS, sample_count = 500, sample_size = CHANGES)]
fn announce(bencher: Bencher, members: u64) {
    let room = RefCell::new(room(members));
    let mut newcomers = (members..members + u64::from(CHANGES)).cycle();
    bencher
        .with_inputs(|| {
            let newcomer = newcomers.next().unwrap();
            // Whoever joined in the last go is off the list before the clock runs.
            room.borrow_mut().remove_row(id(newcomer), DepartureReason::Left, NOW.moment);
            Some(Arrival::of(newcomer))
        })
        .bench_local_refs(|arrival| arrival.take().unwrap().enter(&mut room.borrow_mut()));
}

#[divan::bench(args = MEMBERS, sample_count = 500, sample_size = CHANGES)]
fn remove_row(bencher: Bencher, members: u64) {
    let room = RefCell::new(room(members));
    let mut leavers = (0..u64::from(CHANGES)).map(|k| k * members / u64::from(CHANGES)).cycle();
    bencher
        .with_inputs(|| {
            let leaver = leavers.next().unwrap();
            // Whoever left in the last go is back before the clock runs.
            Arrival::of(leaver).enter(&mut room.borrow_mut());
            id(leaver)
        })
        .bench_local_values(|who| {
            room.borrow_mut().remove_row(who, DepartureReason::Left, NOW.moment);
        });
}

#[divan::bench(args = MEMBERS, sample_count = 500, sample_size = CHANGES)]
fn difference_of_one_change(bencher: Bencher, members: u64) {
    let room = room(members);
    let seq = room.log().seq();
    bencher.bench_local(|| -> Option<Difference> {
        divan::black_box(room.log()).difference(seq - 1, seq)
    });
}

#[divan::bench(args = MEMBERS, sample_count = 30, sample_size = 1)]
fn encode_list(bencher: Bencher, members: u64) {
    let room = room(members);
    bencher.bench_local(|| encoded(divan::black_box(&room)));
}

#[divan::bench(args = MEMBERS, sample_count = 30, sample_size = 1)]
fn bring_a_list_forward(bencher: Bencher, members: u64) {
    let mut room = room(members);
    let list = encoded(&room);
    room.remove_row(id(members / 2), DepartureReason::Left, NOW.moment);
    Arrival::of(members).enter(&mut room);
    let (roster, seq) = (room.roster(), room.log().seq());
    let difference = room.log().difference(list.seq(), seq).unwrap();
    bencher.bench_local(|| divan::black_box(&list).updated(seq, &difference, roster));
}

#[divan::bench(args = MEMBERS, sample_count = 500, sample_size = CHANGES)]
fn frames_for(bencher: Bencher, members: u64) {
    let list = encoded(&room(members));
    bencher.bench_local(|| -> Batch {
        divan::black_box(&list).frames_for(Some(id(0)), NOW.unix_seconds * 1_000)
    });
}

fn encoded(room: &Room) -> EncodedList {
    let epoch: Epoch = "0123456789abcdef".parse().unwrap();
    EncodedList::new(epoch, room.log().seq(), room.roster())
}

fn room(members: u64) -> Room {
    let limits = RoomLimits { most_people: usize::MAX, most_connections_per_person: 32 };
    let mut room = Room::new(limits);
    for number in 0..members {
        Arrival::of(number).enter(&mut room);
    }
    room
}

/// A socket that is about to list its person.
struct Arrival {
    who: UserId,
    announced: Announced,
    name: Name,
}

impl Arrival {
    fn of(number: u64) -> Self {
        let connection = ConnectionId(number);
        Self {
            who: id(number),
            announced: Announced { tab: TabKey::Unnamed(connection), connection, is_visible: true },
            name: Name::parse(&format!("Member {number}")).unwrap(),
        }
    }

    fn enter(self, room: &mut Room) {
        let Self { who, announced, name } = self;
        room.announce(who, announced, name, JoinKind::Opening, NOW).unwrap();
    }
}

/// Ids in no order, as the real ones are: multiples of the golden ratio.
fn id(number: u64) -> UserId {
    const GOLDEN_RATIO: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
    UserId::from_leading_bits(u128::from(number).wrapping_mul(GOLDEN_RATIO))
}
