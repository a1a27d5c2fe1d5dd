//! The oracle: the recorded lists of every room, and an independent model of its rows.

pub(crate) mod event_counts;
pub(crate) mod list_history;
pub(crate) mod room_record;
pub(crate) mod row_model;
