//! The log, its bounds, and its net differences.

use proptest::prelude::*;

use super::*;

const NOW: Moment = Duration::from_secs(5);

fn id(number: u8) -> UserId {
    format!("user-----{number:02}").parse().unwrap()
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn user(number: u8) -> User {
    User { id: id(number), name: name("Kim"), joined: 1, state: PresenceState::Here }
}

fn departed(number: u8, reason: DepartureReason) -> Change {
    Change::Departed { id: id(number), reason }
}

fn renamed(number: u8, before: &str, after: &str) -> Change {
    Change::Renamed { id: id(number), before: name(before), after: name(after) }
}

fn net_of(changes: &[Change]) -> Difference {
    net(changes)
}

#[test]
fn net_difference_follows_the_table_of_the_protocol() {
    let joined = Change::Joined(user(1));
    let left = departed(1, DepartureReason::Left);
    let lost = departed(1, DepartureReason::Lost);
    let departures = |difference: Difference| difference.disconnect_user;

    assert_eq!(net_of(&[joined.clone(), renamed(1, "Kim", "Kay")]).new_user[0].name, name("Kay"));
    assert!(net_of(&[joined.clone(), left.clone()]).is_empty());
    assert_eq!(departures(net_of(std::slice::from_ref(&left))).left, [id(1)]);

    let returned = net_of(&[left.clone(), joined.clone()]);
    assert_eq!((returned.disconnect_user.left.len(), returned.new_user.len()), (1, 1));
    let removed_again = net_of(&[left.clone(), joined.clone(), lost.clone()]);
    assert_eq!(removed_again.disconnect_user.left, [id(1)]);
    assert!(removed_again.disconnect_user.lost.is_empty() && removed_again.new_user.is_empty());
    let added_at_last = net_of(&[joined.clone(), lost, joined]);
    assert!(added_at_last.disconnect_user.is_empty());
    assert_eq!(added_at_last.new_user.len(), 1);

    assert_eq!(net_of(&[renamed(1, "A", "B"), renamed(1, "B", "C")]).user_changed.renamed.len(), 1);
    assert!(net_of(&[renamed(1, "A", "B"), renamed(1, "B", "A")]).is_empty());
    let hides =
        Change::StateChanged { id: id(1), before: PresenceState::Here, after: PresenceState::Away };
    let shows =
        Change::StateChanged { id: id(1), before: PresenceState::Away, after: PresenceState::Here };
    assert_eq!(net_of(std::slice::from_ref(&hides)).user_changed.away, [id(1)]);
    assert!(net_of(&[hides, shows]).is_empty());
}

#[test]
fn difference_is_known_for_all_changes_in_the_log() {
    let mut log = Log::default();
    for _ in 0..3 {
        log.push(Change::Joined(user(1)), NOW);
        log.push(departed(1, DepartureReason::Closed), NOW);
    }
    assert_eq!(log.seq(), 6);
    assert_eq!(log.difference(6, 6), Some(Difference::default()));
    assert_eq!(log.difference(4, 5).unwrap().new_user.len(), 1);
    assert_eq!(log.difference(5, 6).unwrap().disconnect_user.closed, [id(1)]);
    assert_eq!(log.difference(0, 6), Some(Difference::default()));
    assert_eq!(log.difference(6, 7), None);
    assert_eq!(log.difference(7, 7), None);
    assert_eq!(log.difference(5, 4), None);
}

#[test]
fn log_is_bounded_in_bytes_and_keeps_the_last_changes() {
    let mut log = Log::default();
    // Changes of 256 bytes each: 16,384 of them are exactly 4 MiB.
    let names_in_bytes = 256 - size_of::<Change>();
    let before = "x".repeat(100);
    let change = renamed(1, &before, &"x".repeat(names_in_bytes - 100));
    for _ in 0..20_000 {
        log.push(change.clone(), NOW);
    }
    assert_eq!((log.bytes, log.changes.len()), (4 * 1024 * 1024, 16_384));
    // A change that is one byte larger replaces two of the others.
    log.push(renamed(1, &before, &"x".repeat(names_in_bytes - 99)), NOW);
    assert_eq!((log.bytes, log.changes.len()), (4 * 1024 * 1024 - 255, 16_383));
    let kept = u64::try_from(log.changes.len()).unwrap();
    assert!(log.difference(log.seq() - kept, log.seq()).is_some());
    assert!(log.difference(log.seq() - kept - 1, log.seq()).is_none());
    assert!(log.covers(log.seq()) && log.covers(log.seq() - kept));
    assert!(!log.covers(log.seq() - kept - 1) && !log.covers(log.seq() + 1));
}

#[test]
fn log_keeps_two_minutes_and_a_thousand_changes() {
    let second = Duration::from_secs;
    let mut log = Log::default();
    for number in 0..3_000 {
        log.push(renamed(1, "A", "B"), second(number / 10));
    }
    // The last change was at 299 s: changes before 179 s are dropped.
    assert_eq!(log.changes.len(), 1_210);
    assert_eq!(log.resumable_until(), Some(second(419)));
    for number in 0..500 {
        log.push(renamed(1, "A", "B"), second(10_000 + number));
    }
    assert_eq!(log.changes.len(), 1_000);
}

proptest! {
    #[test]
    fn restored_log_covers_the_saved_changes_only(all in 0..30_u8, kept in 0..30_u8) {
        let kept = usize::from(kept.min(all));
        let mut log = Log::default();
        for number in 0..all {
            log.push(Change::Joined(user(number)), NOW);
        }
        let dropped = usize::from(all) - kept;
        let changes: Vec<Change> = log.changes().skip(dropped).cloned().collect();
        let restored = Log::restore(log.seq(), changes.clone(), NOW).unwrap();
        prop_assert_eq!(restored.seq(), log.seq());
        prop_assert!(restored.changes().eq(&changes));
        for from in 0..=log.seq() {
            let is_kept = usize::try_from(from).unwrap() >= dropped;
            prop_assert_eq!(restored.covers(from), is_kept);
            let difference = log.difference(from, log.seq()).filter(|_| is_kept);
            prop_assert_eq!(restored.difference(from, log.seq()), difference);
        }
        // There can't be more changes than `seq`.
        let too_few = u64::try_from(kept).unwrap().checked_sub(1);
        prop_assert!(too_few.is_none_or(|seq| Log::restore(seq, changes, NOW).is_none()));
    }

    /// Applied to the list before the range, both lead to the same list.
    #[test]
    fn net_difference_of_a_range_equals_its_changes(
        steps in prop::collection::vec((0..5_u8, 0..4_u8, 0..3_u8), 0..60),
        cut in any::<prop::sample::Index>(),
    ) {
        use app::presence::Roster;
        let mut roster = Roster::default();
        let mut log = Log::default();
        let mut history = vec![roster.clone()];
        for (person, action, value) in steps {
            let change = match (roster.get(&id(person)), action) {
                (None, _) => Change::Joined(user(person)),
                (Some(_), 0) => departed(person, DepartureReason::Closed),
                (Some(_), 1) => departed(person, DepartureReason::Left),
                (Some(row), 2) => renamed(person, row.name.as_str(), &format!("Kim {value}")),
                (Some(row), _) => Change::StateChanged {
                    id: row.id,
                    before: row.state,
                    after: [PresenceState::Here, PresenceState::Away, PresenceState::Reconnecting]
                        [usize::from(value)],
                },
            };
            roster.apply(&change.as_difference()).unwrap();
            log.push(change, NOW);
            history.push(roster.clone());
        }
        let from = cut.index(history.len());
        for to in from..history.len() {
            let mut replica = history[from].clone();
            let number = |index: usize| u64::try_from(index).unwrap();
            replica.apply(&log.difference(number(from), number(to)).unwrap()).unwrap();
            prop_assert_eq!(&replica, &history[to]);
        }
    }
}

#[test]
fn new_name_is_stored_with_its_skeleton() {
    let after = name("Kim").with_skeleton(Some("kirn"));
    let change = Change::Renamed { id: id(1), before: name("Kay"), after };
    let stored = serde_json::to_string(&LoggedChange::from(Logged { at: NOW, change })).unwrap();
    let read = Logged::from(serde_json::from_str::<LoggedChange>(&stored).unwrap());
    let Change::Renamed { after, .. } = read.change else { panic!("{stored}") };
    assert_eq!((after.as_str(), after.skeleton()), ("Kim", Some("kirn")));
}
