//! The cost of a room by its members: logarithmic for one change, linear for a whole list.

#![expect(clippy::unwrap_used, reason = "a benchmark that can't be set up has to stop")]

use std::cell::RefCell;

use app::presence::{DepartureReason, Difference, Epoch, Name, UserId};
use divan::Bencher;
use registry::{
    encoding::{frame::Batch, snapshot_pages::EncodedList},
    presence::{
        command::Command,
        join::{Join, JoinKind},
        members::Moment,
        room::{Now, Room, RoomLimits},
        tab_key::ConnectionId,
    },
};

const MEMBERS: [u64; 4] = [100, 1_000, 10_000, 100_000];

/// Changes in one sample: enough for the clock's resolution, and few compared with the smallest room.
const CHANGES: u32 = 16;

const NOW: Now = Now { moment: Moment::ZERO, unix_seconds: 1_795_421_000 };

fn main() {
    divan::main();
}

#[divan::bench(args = MEMBERS, sample_count = 500, sample_size = CHANGES)]
fn join(bencher: Bencher, members: u64) {
    let room = RefCell::new(room(members));
    let mut newcomers = (members..members + u64::from(CHANGES)).cycle();
    bencher
        .with_inputs(|| {
            let newcomer = newcomers.next().unwrap();
            // The newcomer of an earlier sample is removed before the clock runs.
            remove(&mut room.borrow_mut(), id(newcomer));
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
            // The leaver of an earlier sample joins again before the clock runs.
            Arrival::of(leaver).enter(&mut room.borrow_mut());
            id(leaver)
        })
        .bench_local_values(|user_id| remove(&mut room.borrow_mut(), user_id));
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
fn update_list(bencher: Bencher, members: u64) {
    let mut room = room(members);
    let list = encoded(&room);
    remove(&mut room, id(members / 2));
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
    EncodedList::new(room.epoch().clone(), room.log().seq(), room.roster())
}

fn epoch() -> Epoch {
    Epoch::from_number(0x0123_4567_89ab_cdef)
}

fn room(members: u64) -> Room {
    let limits = RoomLimits {
        most_people: usize::MAX,
        most_connections_per_person: 32,
        keep_attendance: None,
    };
    let mut room = Room::new(limits, epoch(), NOW);
    for number in 0..members {
        Arrival::of(number).enter(&mut room);
    }
    room
}

/// A join that is ready to be applied.
struct Arrival {
    user_id: UserId,
    join: Join,
}

impl Arrival {
    fn of(number: u64) -> Self {
        let connection = ConnectionId(number);
        Self {
            user_id: id(number),
            join: Join {
                name: Name::parse(&format!("Member {number}")).unwrap(),
                tab: None,
                connection,
                is_visible: true,
            },
        }
    }

    fn enter(self, room: &mut Room) {
        let Self { user_id, join } = self;
        let announced = Command::Announced { user_id, join, kind: JoinKind::Opening };
        room.apply(announced, NOW).accepted().unwrap();
    }
}

fn remove(room: &mut Room, user_id: UserId) {
    room.apply(Command::RowRemoved { user_id, reason: DepartureReason::Left }, NOW);
}

/// Ids in no order, as real ones are: multiples of the golden ratio.
fn id(number: u64) -> UserId {
    const GOLDEN_RATIO: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
    UserId::from_leading_bits(u128::from(number).wrapping_mul(GOLDEN_RATIO))
}
