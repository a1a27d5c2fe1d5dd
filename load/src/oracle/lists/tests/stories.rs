//! Stories of their own, each with and without its fault.

use app::presence::{PresenceState, ServerEvent};

use super::narrator::{Listeners, Narrator, Step, epoch, first_wrong, frame, place, rows};
use crate::oracle::truth::What;

const ANA: usize = 0;
const BO: usize = 1;
const CY: usize = 2;
const AWAY: What = What::Became(PresenceState::Away);

/// A difference in two frames, of which one or the other does not come.
#[test]
fn a_lost_piece_of_a_difference_is_named() {
    let mut narrator = Narrator::new(2);
    for person in [ANA, BO, CY] {
        narrator.happens(person, What::Joined);
    }
    narrator.difference(0, 3);
    narrator.difference(1, 2);
    let story = narrator.end();
    assert_eq!(first_wrong(&story), None);
    for (number, sentence) in [
        (
            1,
            "client 1: two lists at 3 differ: row 0 is Ana (here, since 1795000001) in one and \
             Cy (here, since 1795000003) in the other",
        ),
        (2, "client 1: a beat comes in the middle of something else"),
    ] {
        let mut story = story.clone();
        story.steps.remove(place(&story, 1, number));
        assert_eq!(first_wrong(&story).as_deref(), Some(sentence));
    }
    let mut unfinished = story.clone();
    unfinished.steps.truncate(place(&story, 1, 2));
    assert_eq!(
        first_wrong(&unfinished).as_deref(),
        Some("client 1: a difference has not come whole")
    );
}

/// Clients at different points may have the same rows, so their lists are held against each other.
#[test]
fn another_order_at_another_point_is_named() {
    let told = |swapped: bool| {
        let mut narrator = Narrator::new(2);
        narrator.happens(ANA, What::Joined);
        narrator.happens(BO, What::Joined);
        narrator.difference(1, usize::MAX);
        narrator.happens(BO, AWAY);
        narrator.happens(BO, What::Became(PresenceState::Here));
        narrator.difference(0, usize::MAX);
        let mut story = narrator.stop();
        if swapped {
            rows(&mut story, 1, 1).swap(0, 1);
        }
        first_wrong(&story)
    };
    assert_eq!(told(false), None);
    assert_eq!(told(true).as_deref(), Some("client 1 has another order than the first"));
}

/// All clients and the server agree, and are wrong.
#[test]
fn an_order_that_cannot_be_is_named_though_all_agree() {
    let told = |is_wrong: bool| {
        let mut narrator = Narrator::new(1);
        narrator.happens(ANA, What::Joined);
        narrator.tell_all();
        narrator.happens(BO, What::Joined);
        narrator.list(0, 2);
        let mut story = narrator.stop();
        if is_wrong {
            rows(&mut story, 0, 2).swap(0, 1);
            story.server_list.swap(0, 1);
        }
        first_wrong(&story)
    };
    assert_eq!(told(false), None);
    assert_eq!(
        told(true).as_deref(),
        Some("client 0: Bo stands before Ana, who had joined long before")
    );
}

#[test]
fn who_begins_anew_in_another_epoch_is_right() {
    let mut narrator = Narrator::new(1);
    narrator.happens(ANA, What::Joined);
    narrator.tell_all();
    narrator.list(0, 1);
    let mut story = narrator.stop();
    let ServerEvent::ExistingUsers(list) = frame(&mut story, 0, 2) else { panic!("a list") };
    assert_eq!(list.epoch, epoch());
    list.epoch = "e2".parse().unwrap();
    assert_eq!(first_wrong(&story), None);
}

/// A list is judged once for each state of the truth.
#[test]
fn a_list_is_right_until_something_happens_that_it_does_not_show() {
    let mut narrator = Narrator::new(1);
    narrator.happens(ANA, What::Joined);
    narrator.tell_all();
    narrator.happens(ANA, AWAY);
    narrator.tell_all();
    let story = narrator.stop();
    let mut listeners = Listeners::new(1);
    for step in &story.steps {
        listeners.hear(step).unwrap();
        assert_eq!(listeners.is_right(0), matches!(step, Step::Sent { .. }));
    }
}
