//! Rollcall's server: it renders the page, keeps the registry of who is here, and tells everyone.
//!
//! Arrows point one way: `socket` → [`connection`] → [`hub`] → [`presence`] → `app::presence`.

pub mod app_state;
pub mod config;
pub mod connection;
pub mod conversation;
mod feed;
pub mod hub;
pub mod limits;
mod page;
pub mod person;
pub mod presence;
mod routes;
pub mod serve;
pub mod shutdown;
mod socket;
