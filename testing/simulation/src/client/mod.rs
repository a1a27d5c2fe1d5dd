//! The clients: people, their pages, and readers of the event stream.

pub(crate) mod command;
pub(crate) mod live_page;
pub(crate) mod load_page;
pub(crate) mod page;
pub(crate) mod person;
pub(crate) mod sse_reader;
