//! HTTP: the router, one file per route, and what all responses share.

pub mod app_state;
pub mod assets;
mod embed;
mod etag;
mod event_stream;
mod events_of_rooms;
mod export;
mod hour_chart;
mod page;
mod qr_code;
pub(crate) mod room_path;
mod room_url;
pub(crate) mod router;
pub mod security_headers;
mod users;
mod websocket_upgrade;
