//! Rollcall's server: it renders the page, keeps the registry of who is here, and tells everyone.
//!
//! # Layout
//!
//! - [`websocket`]: one socket: the stream, the protocol (pure), the loop.
//! - [`http`]: the router, and one file a route; [`admin`]: the operator's own listener.
//! - [`admission`]: who may connect (pure); [`listener`]: accepting, time limits, TLS.
//! - [`identity`], [`storage`]: the cookie that makes a browser one person, the files that outlive a restart.
//! - [`config`], [`lifecycle`], [`telemetry`]: settings, the end of the process, logs and metrics.
//!
//! Arrows point one way: [`http`], [`websocket`] → [`registry`] → `app::presence`.
//! Who is here stands in [`registry`]: rooms, members, changes.

pub mod admin;
pub mod admission;
pub mod config;
mod hex;
pub mod http;
pub mod identity;
pub mod lifecycle;
pub mod listener;
pub mod serve;
pub mod storage;
pub mod telemetry;
pub mod url;
pub mod websocket;
