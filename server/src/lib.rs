//! Rollcall's server: it renders the page, keeps the registry of who is here, and tells everyone.
//!
//! # Layout
//!
//! - [`presence`]: one room, pure: members, the log of changes, what happens to a row.
//! - [`hub`]: the rooms behind their locks; [`encoding`]: events as shared frames; [`wake`]: what wakes a connection.
//! - [`websocket`]: one socket: the stream, the protocol (pure), the loop.
//! - [`http`]: the router, and one file a route; [`admin`]: the operator's own listener.
//! - [`admission`]: who may connect (pure); [`listener`]: accepting, time limits, TLS.
//! - [`identity`], [`storage`]: the cookie that makes a browser one person, the files that outlive a restart.
//! - [`config`], [`lifecycle`], [`telemetry`]: settings, the end of the process, logs and metrics.
//!
//! Arrows point one way: [`http`], [`websocket`] → [`hub`] → [`presence`] → `app::presence`.

pub mod admin;
pub mod admission;
pub mod config;
pub mod encoding;
mod hex;
pub mod http;
pub mod hub;
pub mod identity;
pub mod lifecycle;
pub mod listener;
pub mod presence;
pub mod serve;
pub mod storage;
pub mod telemetry;
pub mod url;
pub mod wake;
pub mod websocket;
