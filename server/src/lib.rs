//! Rollcall's server: it renders the page, keeps the registry of who is here, and tells everyone.
//!
//! Arrows point one way: `socket` → [`connection`] → [`hub`] → [`presence`] → `app::presence`.

mod address;
pub mod app_state;
pub mod budget;
pub mod config;
pub mod connection;
pub mod conversation;
pub mod door;
pub mod doorbell;
mod embed;
mod etag;
mod feed;
mod hex;
pub mod hub;
pub mod lan;
pub mod limits;
pub mod logs;
pub mod metrics;
pub mod operator;
mod page;
mod past_hour;
pub mod persistence;
pub mod person;
pub mod presence;
mod qr_code;
pub mod response_headers;
mod roll;
mod room_address;
mod routes;
mod secret_file;
pub mod serve;
pub mod shutdown;
pub mod signals;
pub mod site;
mod socket;
pub mod state_directory;
pub mod supervisor;
pub mod tcp;
pub mod tls;
pub mod url;
mod users;
mod web_socket;
pub mod wheel;
