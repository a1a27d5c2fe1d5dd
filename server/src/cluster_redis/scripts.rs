//! What the engine executes as one step each.
//!
//! They begin with `#!lua`: when the engine is out of memory, such a script is refused as a whole, before its first
//! write. That needs Redis 7.0 or Valkey.

use std::sync::LazyLock;

use redis::Script;

/// Appends a batch of commands to a room's journal.
pub(super) static APPEND: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("scripts/append.lua")));

/// Returns what a server needs to subscribe to a room, which it may found.
pub(super) static OPEN: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("scripts/open.lua")));

/// Stores a room's state as of an entry.
pub(super) static SNAPSHOT: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("scripts/snapshot.lua")));

/// Renews a server's lease, or begins one.
pub(super) static RENEW: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("scripts/renew.lua")));

/// All of them.
pub(super) fn all() -> [&'static Script; 4] {
    [&APPEND, &OPEN, &SNAPSHOT, &RENEW]
}
