//! Whatever happens and however it is told, the truth is right and one false word is found.

use app::presence::{DepartureReason, Difference, Name, PresenceState, ServerEvent, User};
use proptest::{prelude::*, sample::Index};

use super::narrator::{NAMES, Narrator, Step, Story, first_wrong, id_of};
use crate::oracle::truth::What;

/// These are told everything each time, so that a false list is never alone at its point of the count.
const WITNESSES: usize = 2;
const CLIENTS: usize = 4;

/// What the chances lead to.
#[derive(Clone, Debug)]
enum Act {
    /// To a person happens one of the things that can.
    Happens { person: usize, choice: usize },
    /// The witnesses are told, and of the others those who are `awake`.
    Told { awake: [bool; CLIENTS], with_list: bool, in_a_frame: usize },
}

fn any_act() -> impl Strategy<Value = Act> {
    let happens =
        (0..NAMES.len(), 0..5_usize).prop_map(|(person, choice)| Act::Happens { person, choice });
    let told = (any::<[bool; CLIENTS]>(), prop::bool::weighted(0.2), 1..4_usize);
    let told =
        told.prop_map(|(awake, with_list, in_a_frame)| Act::Told { awake, with_list, in_a_frame });
    prop_oneof![3 => happens, 1 => told]
}

/// What can happen to one who is listed so.
fn what(state: Option<PresenceState>, choice: usize) -> What {
    use PresenceState::{Away, Here, Reconnecting};
    let Some(state) = state else { return What::Joined };
    let [one, other] = match state {
        Here => [Away, Reconnecting],
        Away => [Here, Reconnecting],
        Reconnecting => [Here, Away],
    };
    [
        What::Departed(DepartureReason::Left),
        What::Departed(DepartureReason::Closed),
        What::Departed(DepartureReason::Lost),
        What::Became(one),
        What::Became(other),
    ][choice]
}

fn any_true_story() -> impl Strategy<Value = Story> {
    prop::collection::vec(any_act(), 1..40).prop_map(|acts| {
        let mut narrator = Narrator::new(CLIENTS);
        (0..CLIENTS).for_each(|client| narrator.beat(client));
        for act in acts {
            match act {
                Act::Happens { person, choice } => {
                    narrator.happens(person, what(narrator.state(person), choice));
                }
                Act::Told { awake, with_list, in_a_frame } => {
                    for client in
                        (0..CLIENTS).filter(|client| *client < WITNESSES || awake[*client])
                    {
                        if with_list && client >= WITNESSES {
                            // What a new list replaces would else never be held against anything.
                            narrator.beat(client);
                            narrator.list(client, in_a_frame);
                            narrator.beat(client);
                        } else {
                            narrator.difference(client, in_a_frame);
                        }
                    }
                }
            }
        }
        narrator.end()
    })
}

/// A false word in one frame, or a frame too many or too few.
#[derive(Clone, Copy, Debug)]
enum Lie {
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

const LIES: [Lie; 17] = [
    Lie::LostFrame,
    Lie::DoubledFrame,
    Lie::HigherSeq,
    Lie::HigherFrom,
    Lie::HigherCount,
    Lie::LowerCount,
    Lie::LostRow,
    Lie::DoubledRow,
    Lie::SwappedRows,
    Lie::OtherName,
    Lie::OtherId,
    Lie::OtherState,
    Lie::OtherTime,
    Lie::LostDeparture,
    Lie::DoubledDeparture,
    Lie::LostState,
    Lie::DoubledState,
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

/// What is sent instead of a frame, if this lie can be told about it.
fn instead(frame: &ServerEvent, lie: Lie) -> Option<Vec<ServerEvent>> {
    let mut false_frame = frame.clone();
    let told = &mut false_frame;
    match lie {
        // A whole list in one frame may be sent at any time, once or oftener: nobody is told anything false.
        Lie::LostFrame | Lie::DoubledFrame => {
            if let ServerEvent::ExistingUsers(list) = frame
                && list.users.len() == list.count
            {
                return None;
            }
            let frames = if let Lie::LostFrame = lie { 0 } else { 2 };
            return Some(vec![false_frame; frames]);
        }
        Lie::HigherSeq => match told {
            ServerEvent::ExistingUsers(list) => list.seq += 1,
            ServerEvent::Changes(changes) => changes.seq += 1,
            ServerEvent::Beat(beat) => beat.seq += 1,
            _ => return None,
        },
        Lie::HigherFrom => match told {
            ServerEvent::Changes(changes) => changes.from += 1,
            _ => return None,
        },
        Lie::HigherCount => match told {
            ServerEvent::ExistingUsers(list) => list.count += 1,
            ServerEvent::Beat(beat) => beat.count += 1,
            _ => return None,
        },
        Lie::LowerCount => match told {
            ServerEvent::ExistingUsers(list) => list.count = list.count.checked_sub(1)?,
            ServerEvent::Beat(beat) => beat.count = beat.count.checked_sub(1)?,
            _ => return None,
        },
        Lie::LostRow => drop(rows(told)?.pop()?),
        Lie::DoubledRow => {
            let rows = rows(told)?;
            rows.push(rows.first()?.clone());
        }
        Lie::SwappedRows => match rows(told)?.as_mut_slice() {
            [first, second, ..] => std::mem::swap(first, second),
            _ => return None,
        },
        Lie::OtherName => {
            let row = rows(told)?.first_mut()?;
            let other = NAMES.iter().find(|name| **name != row.name.as_str())?;
            row.name = Name::parse(other).ok()?;
        }
        Lie::OtherId => rows(told)?.first_mut()?.id = id_of(77),
        Lie::OtherState => {
            let row = rows(told)?.first_mut()?;
            row.state = match row.state {
                PresenceState::Here => PresenceState::Reconnecting,
                _ => PresenceState::Here,
            };
        }
        Lie::OtherTime => rows(told)?.first_mut()?.joined += 1,
        Lie::LostDeparture => drop(difference(told)?.disconnect_user.left.pop()?),
        Lie::DoubledDeparture => {
            let left = &mut difference(told)?.disconnect_user.left;
            left.push(*left.first()?);
        }
        Lie::LostState => drop(difference(told)?.user_changed.away.pop()?),
        Lie::DoubledState => {
            let away = &mut difference(told)?.user_changed.away;
            away.push(*away.first()?);
        }
    }
    Some(vec![false_frame])
}

/// Every lie that can be told in a story, and the place of the frame that it is told about.
fn lies_about(story: &Story) -> Vec<(usize, Lie)> {
    let steps = story.steps.iter().enumerate();
    let told = steps.flat_map(|(place, step)| {
        let Step::Sent { frame, .. } = step else { return Vec::new() };
        let lies = LIES.into_iter().filter(|lie| instead(frame, *lie).is_some());
        lies.map(|lie| (place, lie)).collect()
    });
    // A beat only says where the list should be: without one, or with two, nobody is told anything false.
    let is_beat = |place: usize| matches!(&story.steps[place], Step::Sent { frame, .. } if matches!(**frame, ServerEvent::Beat(_)));
    told.filter(|(place, lie)| {
        !is_beat(*place) || !matches!(lie, Lie::LostFrame | Lie::DoubledFrame)
    })
    .collect()
}

proptest! {
    #[test]
    fn the_truth_is_right_however_it_is_told(story in any_true_story()) {
        prop_assert_eq!(first_wrong(&story), None);
    }

    #[test]
    fn one_false_word_is_found(story in any_true_story(), choice in any::<Index>()) {
        let lies = lies_about(&story);
        let (place, lie) = *choice.get(&lies);
        let Step::Sent { client, frame } = story.steps[place].clone() else { unreachable!() };
        let mut false_story = story.clone();
        let frames = instead(&frame, lie).unwrap();
        let sent = frames.into_iter().map(|frame| Step::Sent { client, frame: Box::new(frame) });
        false_story.steps.splice(place..=place, sent);
        prop_assert!(
            first_wrong(&false_story).is_some(),
            "{:?} instead of frame {}: {:?}", lie, place, frame
        );
    }
}
