//! What can happen next.

use proptest::{prelude::*, sample::select};

use app::presence::DepartureReason;

use super::story::{Since, SocketOf, Step, Story};

const PEOPLE: u8 = 4;
const TABS: u8 = 4;

fn since() -> impl Strategy<Value = Since> {
    prop_oneof![
        2 => Just(Since::Absent),
        5 => any::<usize>().prop_map(Since::Remembered),
        1 => (1..3_u64).prop_map(Since::Future),
        1 => Just(Since::Foreign),
    ]
}

fn announcement(of: impl Strategy<Value = SocketOf>) -> impl Strategy<Value = Step> {
    (of, 0..TABS, any::<bool>(), 0..3_u8, since()).prop_map(|(of, tab, is_visible, name, since)| {
        Step::Announce { of, tab, is_visible, name, since }
    })
}

fn anywhere() -> impl Strategy<Value = Step> {
    let who = || 0..PEOPLE;
    // Around every deadline of the table: just before, exactly, and just after.
    let pause = prop_oneof![
        0..100_u64,
        select(vec![1_999, 2_000, 2_001, 14_999, 15_000, 15_001, 29_999, 30_000, 130_000]),
        0..40_000_u64,
    ];
    prop_oneof![
        8 => announcement((who(), 0..TABS)),
        1 => (who(), 0..TABS, since()).prop_map(|(who, socket, since)| Step::Watch { of: (who, socket), since }),
        1 => who().prop_map(|who| Step::Remove { who }),
        2 => who().prop_map(|who| Step::ServePage { who }),
        1 => prop::option::weighted(0.8, since()).prop_map(|since| Step::Observe { since }),
        8 => pause.prop_map(|milliseconds| Step::Wait { milliseconds }),
        1 => (any::<bool>(), 0..20_000_u64)
            .prop_map(|(is_in_order, loading)| Step::Restart { is_in_order, loading }),
    ]
}

fn on_one_of(open: &[SocketOf]) -> impl Strategy<Value = Step> + use<> {
    let of = || select(open.to_vec());
    let end = |how| of().prop_map(move |of| Step::End { of, how });
    prop_oneof![
        2 => announcement(of()),
        4 => end(DepartureReason::Closed),
        4 => end(DepartureReason::Lost),
        3 => (of(), any::<bool>()).prop_map(|(of, is_visible)| Step::Hide { of, is_visible }),
        2 => (of(), 0..3_u8).prop_map(|(of, name)| Step::Rename { of, name }),
        1 => of().prop_map(|of| Step::Leave { of }),
        1 => of().prop_map(|of| Step::Resync { of }),
    ]
}

/// Any step that is possible.
pub(super) fn any_step(story: &Story) -> BoxedStrategy<Step> {
    let open = story.open_sockets();
    if open.is_empty() {
        anywhere().boxed()
    } else {
        prop_oneof![4 => anywhere(), 3 => on_one_of(&open)].boxed()
    }
}
