//! The components of a room's page, the same on both sides.
//!
//! Hydration requires that both sides first render the same nodes from the same
//! [`RoomPage`](crate::state::RoomPage): no clock, no locale, no randomness.

pub(crate) mod activity_log;
pub(crate) mod connection_banner;
pub(crate) mod focus;
pub(crate) mod headline;
pub(crate) mod list_tools;
pub(crate) mod live_region;
pub(crate) mod member_list;
pub(crate) mod member_row;
pub(crate) mod name_form;
mod notice;
pub(crate) mod own_status;
pub(crate) mod page;
pub(crate) mod reactive;
pub(crate) mod recent_changes;
pub(crate) mod server_rendered;
#[cfg(test)]
mod tests;
