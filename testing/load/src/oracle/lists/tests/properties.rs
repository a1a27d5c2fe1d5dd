//! Properties: no valid history has a violation, and every corrupted one has.

use app::presence::{DepartureReason, Difference, Name, PresenceState, ServerEvent, User};
use proptest::{prelude::*, sample::Index};

use super::history::{Event, History, HistoryBuilder, NAMES, first_violation, id_of};
use crate::oracle::truth::ChangeKind;

/// These receive all changes each time, so that a wrong list can always be compared with a right one.
const FULL_CLIENTS: usize = 2;
const CLIENTS: usize = 4;

/// A random action.
#[derive(Clone, Debug)]
enum Action {
    /// A person changes in one of the possible ways.
    Changed { person: usize, choice: usize },
    /// Changes are sent to the full clients, and to those of the others that are `awake`.
    Delivered { awake: [bool; CLIENTS], with_list: bool, per_frame: usize },
}

fn any_action() -> impl Strategy<Value = Action> {
    let change = (0..NAMES.len(), 0..5_usize)
        .prop_map(|(person, choice)| Action::Changed { person, choice });
    let delivered = (any::<[bool; CLIENTS]>(), prop::bool::weighted(0.2), 1..4_usize);
    let delivered = delivered.prop_map(|(awake, with_list, per_frame)| Action::Delivered {
        awake,
        with_list,
        per_frame,
    });
    prop_oneof![3 => change, 1 => delivered]
}

/// A possible change of a person with this state.
fn change_kind(state: Option<PresenceState>, choice: usize) -> ChangeKind {
    use PresenceState::{Away, Here, Reconnecting};
    let Some(state) = state else { return ChangeKind::Joined };
    let [one, other] = match state {
        Here => [Away, Reconnecting],
        Away => [Here, Reconnecting],
        Reconnecting => [Here, Away],
    };
    [
        ChangeKind::Departed(DepartureReason::Left),
        ChangeKind::Departed(DepartureReason::Closed),
        ChangeKind::Departed(DepartureReason::Lost),
        ChangeKind::Became(one),
        ChangeKind::Became(other),
    ][choice]
}

fn any_valid_history() -> impl Strategy<Value = History> {
    prop::collection::vec(any_action(), 1..40).prop_map(|actions| {
        let mut history = HistoryBuilder::new(CLIENTS);
        (0..CLIENTS).for_each(|client| history.beat(client));
        for action in actions {
            match action {
                Action::Changed { person, choice } => {
                    history.change(person, change_kind(history.state(person), choice));
                }
                Action::Delivered { awake, with_list, per_frame } => {
                    for client in
                        (0..CLIENTS).filter(|client| *client < FULL_CLIENTS || awake[*client])
                    {
                        if with_list && client >= FULL_CLIENTS {
                            // Beats, because a list that is replaced would otherwise never be checked.
                            history.beat(client);
                            history.list(client, per_frame);
                            history.beat(client);
                        } else {
                            history.difference(client, per_frame);
                        }
                    }
                }
            }
        }
        history.end()
    })
}

/// A corruption of one frame.
#[derive(Clone, Copy, Debug)]
enum Corruption {
    LostFrame,
    DoubledFrame,
    HigherSeq,
    HigherFrom,
    HigherCount,
    LowerCount,
    LostRow,
    DoubledRow,
    SwappedRows,
    OtherName,
    OtherId,
    OtherState,
    OtherTime,
    LostDeparture,
    DoubledDeparture,
    LostState,
    DoubledState,
}

const CORRUPTIONS: [Corruption; 17] = [
    Corruption::LostFrame,
    Corruption::DoubledFrame,
    Corruption::HigherSeq,
    Corruption::HigherFrom,
    Corruption::HigherCount,
    Corruption::LowerCount,
    Corruption::LostRow,
    Corruption::DoubledRow,
    Corruption::SwappedRows,
    Corruption::OtherName,
    Corruption::OtherId,
    Corruption::OtherState,
    Corruption::OtherTime,
    Corruption::LostDeparture,
    Corruption::DoubledDeparture,
    Corruption::LostState,
    Corruption::DoubledState,
];

fn rows(frame: &mut ServerEvent) -> Option<&mut Vec<User>> {
    match frame {
        ServerEvent::ExistingUsers(list) => Some(&mut list.users),
        ServerEvent::MoreUsers(more) => Some(&mut more.users),
        ServerEvent::Changes(changes) => Some(&mut changes.difference.new_user),
        _ => None,
    }
}

fn difference(frame: &mut ServerEvent) -> Option<&mut Difference> {
    match frame {
        ServerEvent::Changes(changes) => Some(&mut changes.difference),
        _ => None,
    }
}

/// The frames that replace a frame, if this corruption is possible.
fn corrupted(frame: &ServerEvent, corruption: Corruption) -> Option<Vec<ServerEvent>> {
    let mut corrupted_frame = frame.clone();
    let frame_mut = &mut corrupted_frame;
    match corruption {
        // A whole list in one frame may be omitted or repeated.
        Corruption::LostFrame | Corruption::DoubledFrame => {
            if let ServerEvent::ExistingUsers(list) = frame
                && list.users.len() == list.count
            {
                return None;
            }
            let frames = if let Corruption::LostFrame = corruption { 0 } else { 2 };
            return Some(vec![corrupted_frame; frames]);
        }
        Corruption::HigherSeq => match frame_mut {
            ServerEvent::ExistingUsers(list) => list.seq += 1,
            ServerEvent::Changes(changes) => changes.seq += 1,
            ServerEvent::Beat(beat) => beat.seq += 1,
            _ => return None,
        },
        Corruption::HigherFrom => match frame_mut {
            ServerEvent::Changes(changes) => changes.from += 1,
            _ => return None,
        },
        Corruption::HigherCount => match frame_mut {
            ServerEvent::ExistingUsers(list) => list.count += 1,
            ServerEvent::Beat(beat) => beat.count += 1,
            _ => return None,
        },
        Corruption::LowerCount => match frame_mut {
            ServerEvent::ExistingUsers(list) => list.count = list.count.checked_sub(1)?,
            ServerEvent::Beat(beat) => beat.count = beat.count.checked_sub(1)?,
            _ => return None,
        },
        Corruption::LostRow => drop(rows(frame_mut)?.pop()?),
        Corruption::DoubledRow => {
            let rows = rows(frame_mut)?;
            rows.push(rows.first()?.clone());
        }
        Corruption::SwappedRows => match rows(frame_mut)?.as_mut_slice() {
            [first, second, ..] => std::mem::swap(first, second),
            _ => return None,
        },
        Corruption::OtherName => {
            let row = rows(frame_mut)?.first_mut()?;
            let other = NAMES.iter().find(|name| **name != row.name.as_str())?;
            row.name = Name::parse(other).ok()?;
        }
        Corruption::OtherId => rows(frame_mut)?.first_mut()?.id = id_of(77),
        Corruption::OtherState => {
            let row = rows(frame_mut)?.first_mut()?;
            row.state = match row.state {
                PresenceState::Here => PresenceState::Reconnecting,
                _ => PresenceState::Here,
            };
        }
        Corruption::OtherTime => rows(frame_mut)?.first_mut()?.joined += 1,
        Corruption::LostDeparture => drop(difference(frame_mut)?.disconnect_user.left.pop()?),
        Corruption::DoubledDeparture => {
            let left = &mut difference(frame_mut)?.disconnect_user.left;
            left.push(*left.first()?);
        }
        Corruption::LostState => drop(difference(frame_mut)?.user_changed.away.pop()?),
        Corruption::DoubledState => {
            let away = &mut difference(frame_mut)?.user_changed.away;
            away.push(*away.first()?);
        }
    }
    Some(vec![corrupted_frame])
}

/// Every possible corruption of a history, with the index of its frame.
fn possible_corruptions(history: &History) -> Vec<(usize, Corruption)> {
    let events = history.events.iter().enumerate();
    let candidates = events.flat_map(|(position, event)| {
        let Event::Sent { frame, .. } = event else { return Vec::new() };
        let corruptions =
            CORRUPTIONS.into_iter().filter(|corruption| corrupted(frame, *corruption).is_some());
        corruptions.map(|corruption| (position, corruption)).collect()
    });
    // A beat may be omitted or repeated.
    let is_beat = |position: usize| matches!(&history.events[position], Event::Sent { frame, .. } if matches!(**frame, ServerEvent::Beat(_)));
    candidates
        .filter(|(position, corruption)| {
            !is_beat(*position)
                || !matches!(corruption, Corruption::LostFrame | Corruption::DoubledFrame)
        })
        .collect()
}

proptest! {
    #[test]
    fn valid_histories_have_no_violation(history in any_valid_history()) {
        prop_assert_eq!(first_violation(&history), None);
    }

    #[test]
    fn every_corruption_is_a_violation(history in any_valid_history(), choice in any::<Index>()) {
        let corruptions = possible_corruptions(&history);
        let (position, corruption) = *choice.get(&corruptions);
        let Event::Sent { client, frame } = history.events[position].clone() else { unreachable!() };
        let mut corrupted_history = history.clone();
        let frames = corrupted(&frame, corruption).unwrap();
        let sent = frames.into_iter().map(|frame| Event::Sent { client, frame: Box::new(frame) });
        corrupted_history.events.splice(position..=position, sent);
        prop_assert!(
            first_violation(&corrupted_history).is_some(),
            "{:?} instead of frame {}: {:?}", corruption, position, frame
        );
    }
}
