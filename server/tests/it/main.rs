//! Integration tests of the server through real sockets and processes, a module for each behaviour.
//!
//! All tests run as threads of one process. What exists once per process (signals, logs, environment) is
//! tested with the real program as a child process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it measured"
)]

mod admin;
mod admission;
mod api;
mod attendance;
mod base_path;
mod budget;
mod command_line;
mod compression;
mod connection_timers;
mod cookies;
mod deploy_files;
mod deploy_yaml;
mod descriptions;
mod direct_writes;
mod drain;
mod embed;
mod event_stream;
mod fault_injection;
mod helpers;
mod host;
mod in_flight;
mod integrate_page;
mod killed;
mod names;
mod near_misses;
mod new_room;
mod other_origins;
mod pages;
mod protocol;
mod protocol_violations;
mod proxy_headers;
mod request_form;
mod restart;
mod restart_under_load;
mod resume;
mod room_views;
mod row_lifecycle;
mod secrets;
mod signals;
mod site_names;
mod socket_check;
#[cfg(feature = "socketio")]
mod socketio;
#[cfg(feature = "socketio")]
mod socketio_limits;
mod support;
mod systemd;
mod tls;
mod tokens;
mod webhooks;
