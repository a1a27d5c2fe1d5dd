//! Single histories, each with and without a fault.

use app::presence::{PresenceState, ServerEvent};

use super::history::{
    Clients, Event, HistoryBuilder, epoch, first_violation, frame, position, rows,
};
use crate::oracle::truth::ChangeKind;

const ANA: usize = 0;
const BO: usize = 1;
const CY: usize = 2;
const AWAY: ChangeKind = ChangeKind::Became(PresenceState::Away);

/// A difference in two frames, of which one is lost.
#[test]
fn lost_part_of_a_difference_is_a_violation() {
    let mut history = HistoryBuilder::new(2);
    for person in [ANA, BO, CY] {
        history.change(person, ChangeKind::Joined);
    }
    history.difference(0, 3);
    history.difference(1, 2);
    let history = history.end();
    assert_eq!(first_violation(&history), None);
    for (number, sentence) in [
        (
            1,
            "client 1: two lists at 3 differ: row 0 is Ana (here, since 1795000001) in one and \
             Cy (here, since 1795000003) in the other",
        ),
        (2, "client 1: a beat interrupted a list or a difference"),
    ] {
        let mut history = history.clone();
        history.events.remove(position(&history, 1, number));
        assert_eq!(first_violation(&history).as_deref(), Some(sentence));
    }
    let mut unfinished = history.clone();
    unfinished.events.truncate(position(&history, 1, 2));
    assert_eq!(
        first_violation(&unfinished).as_deref(),
        Some("client 1: a difference is incomplete")
    );
}

/// Clients at different positions may have the same rows, so their lists are compared with each other.
#[test]
fn other_order_at_another_position_is_a_violation() {
    let violation_when = |swapped: bool| {
        let mut history = HistoryBuilder::new(2);
        history.change(ANA, ChangeKind::Joined);
        history.change(BO, ChangeKind::Joined);
        history.difference(1, usize::MAX);
        history.change(BO, AWAY);
        history.change(BO, ChangeKind::Became(PresenceState::Here));
        history.difference(0, usize::MAX);
        let mut history = history.stop();
        if swapped {
            rows(&mut history, 1, 1).swap(0, 1);
        }
        first_violation(&history)
    };
    assert_eq!(violation_when(false), None);
    assert_eq!(violation_when(true).as_deref(), Some("client 1 has its rows in another order"));
}

/// All clients and the server have the same wrong order.
#[test]
fn impossible_order_is_a_violation_even_if_all_agree() {
    let violation_when = |is_wrong: bool| {
        let mut history = HistoryBuilder::new(1);
        history.change(ANA, ChangeKind::Joined);
        history.send_all();
        history.change(BO, ChangeKind::Joined);
        history.list(0, 2);
        let mut history = history.stop();
        if is_wrong {
            rows(&mut history, 0, 2).swap(0, 1);
            history.server_list.swap(0, 1);
        }
        first_violation(&history)
    };
    assert_eq!(violation_when(false), None);
    assert_eq!(
        violation_when(true).as_deref(),
        Some("client 0: Bo is listed before Ana, who joined earlier")
    );
}

#[test]
fn list_of_another_epoch_replaces_the_old_one() {
    let mut history = HistoryBuilder::new(1);
    history.change(ANA, ChangeKind::Joined);
    history.send_all();
    history.list(0, 1);
    let mut history = history.stop();
    let ServerEvent::ExistingUsers(list) = frame(&mut history, 0, 2) else { panic!("a list") };
    assert_eq!(list.epoch, epoch());
    list.epoch = "e2".parse().unwrap();
    assert_eq!(first_violation(&history), None);
}

/// A verdict is cached for one version of the truth.
#[test]
fn list_is_right_until_it_lacks_a_change() {
    let mut history = HistoryBuilder::new(1);
    history.change(ANA, ChangeKind::Joined);
    history.send_all();
    history.change(ANA, AWAY);
    history.send_all();
    let history = history.stop();
    let mut clients = Clients::new(1);
    for event in &history.events {
        clients.apply(event).unwrap();
        assert_eq!(clients.is_right(0), matches!(event, Event::Sent { .. }));
    }
}
