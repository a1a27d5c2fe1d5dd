//! The cost of a list by its length: logarithmic for a change, linear for a whole list.

#![expect(clippy::unwrap_used, reason = "a benchmark whose set-up fails has to stop")]

use std::cell::RefCell;

use app::presence::{DepartureReason, UserId};
use app::presence::{Difference, Digest, Mismatch, Name, PresenceState, Renamed, Roster, User};
use divan::Bencher;

const MEMBERS: [u64; 4] = [100, 1_000, 10_000, 100_000];

/// How many changes are timed in one sample: enough for the clock, and few compared with the shortest list.
const CHANGES: u32 = 16;

fn main() {
    divan::main();
}

#[divan::bench(args = MEMBERS, sample_count = 500, sample_size = CHANGES)]
fn join(bencher: Bencher, members: u64) {
    let roster = RefCell::new(roster(members));
    let mut newcomers = (members..members + u64::from(CHANGES)).cycle();
    bencher
        .with_inputs(|| {
            let newcomer = newcomers.next().unwrap();
            // A member who joined in the last sample leaves before the clock runs.
            if roster.borrow().contains(&id(newcomer)) {
                roster.borrow_mut().apply(&left(newcomer)).unwrap();
            }
            joined(newcomer)
        })
        .bench_local_refs(|difference| roster.borrow_mut().apply(difference));
}

#[divan::bench(args = MEMBERS, sample_count = 500, sample_size = CHANGES)]
fn leave(bencher: Bencher, members: u64) {
    let roster = RefCell::new(roster(members));
    let mut leavers = spread(members);
    bencher
        .with_inputs(|| {
            let leaver = leavers.next().unwrap();
            // A member who left in the last sample joins before the clock runs.
            if !roster.borrow().contains(&id(leaver)) {
                roster.borrow_mut().apply(&joined(leaver)).unwrap();
            }
            left(leaver)
        })
        .bench_local_refs(|difference| roster.borrow_mut().apply(difference));
}

#[divan::bench(args = MEMBERS, sample_count = 500, sample_size = CHANGES)]
fn rename(bencher: Bencher, members: u64) {
    let roster = RefCell::new(roster(members));
    let mut renamed = spread(members);
    bencher
        .with_inputs(|| {
            let mut difference = Difference::default();
            let renamed = Renamed { id: id(renamed.next().unwrap()), name: name("Another name") };
            difference.user_changed.renamed.push(renamed);
            difference
        })
        .bench_local_refs(|difference| roster.borrow_mut().apply(difference));
}

#[divan::bench(args = MEMBERS)]
fn digest(bencher: Bencher, members: u64) {
    let roster = roster(members);
    bencher.bench_local(|| -> Digest { divan::black_box(&roster).digest() });
}

#[divan::bench(args = MEMBERS, sample_count = 30, sample_size = 1)]
fn from_users(bencher: Bencher, members: u64) {
    bencher
        .with_inputs(|| (0..members).map(user).collect::<Vec<_>>())
        .bench_local_values(|users| -> Result<Roster, Mismatch> { Roster::from_users(users) });
}

/// The members of one sample, spread over the list; repeats.
fn spread(members: u64) -> impl Iterator<Item = u64> {
    let changes = u64::from(CHANGES);
    (0..changes).map(move |change| change * members / changes).cycle()
}

fn roster(members: u64) -> Roster {
    Roster::from_users((0..members).map(user)).unwrap()
}

fn joined(number: u64) -> Difference {
    Difference { new_user: vec![user(number)], ..Difference::default() }
}

fn left(number: u64) -> Difference {
    let mut difference = Difference::default();
    difference.disconnect_user.group_mut(DepartureReason::Left).push(id(number));
    difference
}

fn user(number: u64) -> User {
    User {
        id: id(number),
        name: name(&format!("Member {number}")),
        joined: number,
        state: PresenceState::Here,
    }
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// Ids in no order, like real ones: multiples of the golden ratio.
fn id(number: u64) -> UserId {
    const GOLDEN_RATIO: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
    UserId::from_leading_bits(u128::from(number).wrapping_mul(GOLDEN_RATIO))
}
