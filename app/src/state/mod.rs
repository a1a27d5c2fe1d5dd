//! The page's state: signals, and the plain data in them.
//!
//! `PageState` is what the page shows; the views render it and write the visitor's commands into it.

pub(crate) mod command;
pub(crate) mod connection_status;
mod page_data;
pub(crate) mod page_state;
pub(crate) mod row;
#[cfg(feature = "ssr")]
pub(crate) mod server_data;
pub(crate) mod ui_state;

pub use page_data::RoomPage;
#[cfg(feature = "ssr")]
pub use server_data::{DisplayMode, HostPanel, ServerRendered};
