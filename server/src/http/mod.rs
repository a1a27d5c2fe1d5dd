//! HTTP: the router, one file per route, and what all responses share.

pub mod app_state;
pub mod assets;
mod cookie_check;
mod embed;
mod entry;
mod etag;
mod event_stream;
mod events_of_rooms;
mod export;
mod hour_chart;
mod near_miss;
pub(crate) mod origin_warning;
mod page;
mod page_language;
mod print;
mod qr_code;
pub(crate) mod rejected_request;
mod robots;
mod room_opening;
pub(crate) mod room_path;
mod room_url;
pub(crate) mod router;
pub mod security_headers;
mod socket_check;
mod users;
mod visit;
mod websocket_upgrade;
