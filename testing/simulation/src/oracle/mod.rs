//! What is known of every room, and what has to be true of it.

pub(crate) mod event_counts;
pub(crate) mod list_history;
pub(crate) mod room_record;
pub(crate) mod row_model;
