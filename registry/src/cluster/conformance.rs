//! The laws of an engine, as tests for every engine there is.
//!
//! ```ignore
//! registry::engine_conformance_tests!(#[tokio::test(start_paused = true)], MemoryLaboratory::new());
//! ```

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "these are tests, for whichever crate has an engine"
)]

mod journals;
pub mod laboratory;
mod leases;
mod links;

pub use self::{journals::*, laboratory::Laboratory, leases::*, links::*};

/// One test for each law. Takes the attribute of a test, and a new [`Laboratory`].
#[macro_export]
macro_rules! engine_conformance_tests {
    (#[$test:meta], $laboratory:expr) => {
        $crate::engine_conformance_tests!(#[$test], $laboratory, [
            numbers_are_contiguous_under_concurrent_appends,
            append_says_what_the_server_does_not_know,
            append_with_a_deadline_is_refused_before_it_and_after_a_later_entry,
            open_of_an_absent_room_founds_it_only_if_asked,
            open_gives_the_entries_since_a_known_position,
            open_gives_the_whole_room_to_who_knows_another_journal,
            journal_with_a_hole_is_no_room,
            snapshot_is_stored_only_forwards,
            room_does_not_go_back_behind_the_state_it_is_founded_with,
            time_of_a_room_never_goes_back,
            room_that_nobody_opens_ends_as_a_whole,
            room_lives_for_as_long_as_anybody_opened_it_for,
            lease_is_renewed_until_it_ends,
            lease_that_ended_is_known_to_the_others,
            server_id_is_taken_while_it_is_remembered,
            other_configuration_is_a_mismatch_while_a_server_lives,
            pause_is_the_time_without_any_server,
            pause_is_known_after_the_engine_lost_everything,
            time_of_the_leases_never_goes_back,
            entries_of_subscribed_rooms_arrive_in_order,
            link_that_is_cut_is_over,
            run_is_another_after_the_engine_lost_everything,
        ]);
    };
    (#[$test:meta], $laboratory:expr, [$($law:ident),* $(,)?]) => {
        $(
            #[$test]
            async fn $law() {
                $crate::cluster::conformance::$law(&$laboratory).await;
            }
        )*
    };
}
