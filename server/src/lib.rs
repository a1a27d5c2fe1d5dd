//! Rollcall's server: it renders the page, and connects clients to the registry of who is here.
//!
//! # Layout
//!
//! - [`websocket`]: one socket: the stream, the protocol (pure), the loop.
//! - [`http`]: the router, and one file per route; [`api`]: for other people's backends; [`admin`]: the operator's
//!   own listener.
//! - `socketio`: the same rooms for clients of Socket.IO.
//! - [`admission`]: who may connect (pure); `bearer`: bearer tokens, and who sends wrong ones; [`listener`]: accepting,
//!   time limits, TLS.
//! - [`tokens`], [`room_access`]: what tokens of other applications say, and who may enter which room.
//! - [`identity`], [`storage`]: the cookie that identifies a browser, the files that survive a restart.
//! - [`cluster`], [`cluster_redis`]: several servers: taking part, and the client of Valkey and Redis.
//! - [`webhooks`]: tells other people's backends who comes and goes.
//! - [`config`], [`lifecycle`], [`telemetry`]: settings, signals and draining, log and metrics.
//!
//! Arrows point one way: [`http`], [`websocket`] → [`registry`] → `app::presence`.
//! The rooms with their members and changes are in [`registry`].

pub mod admin;
pub mod admission;
pub mod api;
mod bearer;
pub mod cluster;
pub mod cluster_redis;
pub mod config;
#[cfg(test)]
mod descriptions;
mod hex;
pub mod http;
pub mod identity;
pub mod lifecycle;
pub mod listener;
mod processor_time;
#[cfg(test)]
mod reference;
pub mod room_access;
mod rooms_backend;
pub mod serve;
#[cfg(feature = "socketio")]
mod socketio;
pub mod storage;
pub mod telemetry;
pub mod tokens;
mod unix_time;
pub mod url;
pub mod webhooks;
pub mod websocket;
