//! The strategy of transitions.

use proptest::{prelude::*, sample::select};

use app::presence::DepartureReason;

use super::reference_model::{Model, ResumePoint, SocketKey, Transition};

const PEOPLE: u8 = 4;
const TABS: u8 = 4;

fn resume_point() -> impl Strategy<Value = ResumePoint> {
    prop_oneof![
        2 => Just(ResumePoint::Absent),
        5 => any::<usize>().prop_map(ResumePoint::Remembered),
        1 => (1..3_u64).prop_map(ResumePoint::Future),
        1 => Just(ResumePoint::Foreign),
    ]
}

fn join(of: impl Strategy<Value = SocketKey>) -> impl Strategy<Value = Transition> {
    (of, 0..TABS, any::<bool>(), 0..3_u8, resume_point()).prop_map(
        |(of, tab, is_visible, name, since)| Transition::Join { of, tab, is_visible, name, since },
    )
}

fn any_event() -> impl Strategy<Value = Transition> {
    let person = || 0..PEOPLE;
    // Around every deadline of the protocol's table: just before, at, and just after.
    let pause = prop_oneof![
        0..100_u64,
        select(vec![1_999, 2_000, 2_001, 14_999, 15_000, 15_001, 29_999, 30_000, 130_000]),
        0..40_000_u64,
    ];
    prop_oneof![
        8 => join((person(), 0..TABS)),
        1 => (person(), 0..TABS, resume_point()).prop_map(|(person, socket, since)| Transition::Watch { of: (person, socket), since }),
        1 => person().prop_map(|person| Transition::Remove { person }),
        2 => person().prop_map(|person| Transition::LoadPage { person }),
        1 => prop::option::weighted(0.8, resume_point()).prop_map(|since| Transition::Stream { since }),
        8 => pause.prop_map(|milliseconds| Transition::Wait { milliseconds }),
        1 => Just(Transition::ChangeEpoch),
        1 => (any::<bool>(), 0..20_000_u64)
            .prop_map(|(is_clean, loading)| Transition::Restart { is_clean, loading }),
    ]
}

fn event_of_one_of(open: &[SocketKey]) -> impl Strategy<Value = Transition> + use<> {
    let of = || select(open.to_vec());
    let end = |reason| of().prop_map(move |of| Transition::End { of, reason });
    prop_oneof![
        2 => join(of()),
        4 => end(DepartureReason::Closed),
        4 => end(DepartureReason::Lost),
        3 => (of(), any::<bool>()).prop_map(|(of, is_visible)| Transition::Hide { of, is_visible }),
        2 => (of(), 0..3_u8).prop_map(|(of, name)| Transition::Rename { of, name }),
        1 => of().prop_map(|of| Transition::Leave { of }),
        1 => of().prop_map(|of| Transition::Resync { of }),
    ]
}

/// Any transition that is valid.
pub(super) fn any_transition(model: &Model) -> BoxedStrategy<Transition> {
    let open = model.open_sockets();
    if open.is_empty() {
        any_event().boxed()
    } else {
        prop_oneof![4 => any_event(), 3 => event_of_one_of(&open)].boxed()
    }
}
