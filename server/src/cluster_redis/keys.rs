//! The names of what the engine stores.
//!
//! A room's keys and its channel share a hash tag, and so do all keys about servers: with Redis Cluster or Valkey
//! Cluster, each script touches one slot.

use app::presence::RoomName;

/// The names under one prefix: two clusters with different prefixes can share an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Keys {
    prefix: String,
}

/// The names of a room.
#[derive(Debug)]
pub(super) struct RoomKeys {
    /// A hash: the last entry's number, nonce and time, and the offset to the engine's clock.
    pub(super) head: String,
    /// A stream of the entries.
    pub(super) journal: String,
    /// A hash: an entry's number, nonce and time, and the room after it.
    pub(super) snapshot: String,
    /// A sharded channel for new entries.
    pub(super) channel: String,
}

/// The names about servers. `@` is in no room's name.
#[derive(Debug)]
pub(super) struct ServerKeys {
    /// A sorted set: when each server's lease ends.
    pub(super) leases: String,
    /// A sorted set: when the leases of dead servers ended.
    pub(super) expired: String,
    /// A hash: the last renewal, and the offset to the engine's clock.
    pub(super) clock: String,
    /// A string: the last time without any server.
    pub(super) pause: String,
    /// A string: what all servers share.
    pub(super) config: String,
}

impl Keys {
    pub(super) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    pub(super) fn room(&self, room: &RoomName) -> RoomKeys {
        let key = |part| format!("{}:{{{room}}}:{part}", self.prefix);
        RoomKeys {
            head: key("head"),
            journal: key("journal"),
            snapshot: key("snapshot"),
            channel: key("entries"),
        }
    }

    pub(super) fn servers(&self) -> ServerKeys {
        let key = |part| format!("{}:{{@}}:{part}", self.prefix);
        ServerKeys {
            leases: key("leases"),
            expired: key("expired"),
            clock: key("clock"),
            pause: key("pause"),
            config: key("config"),
        }
    }

    /// The room of a channel; `None` for the name of anything else.
    pub(super) fn room_of_channel(&self, channel: &[u8]) -> Option<RoomName> {
        let channel = std::str::from_utf8(channel).ok()?;
        let room = channel.strip_prefix(&self.prefix)?.strip_prefix(":{")?;
        room.strip_suffix("}:entries")?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channel_names_its_room() {
        let keys = Keys::new("rollcall");
        for name in ["lobby", "a-b", "x1"] {
            let room = name.parse::<RoomName>().unwrap();
            let channel = keys.room(&room).channel;
            assert_eq!(keys.room_of_channel(channel.as_bytes()), Some(room));
        }
        for other in ["rollcall:{@}:entries", "rollcall:{a}:head", "other:{a}:entries", ""] {
            assert_eq!(keys.room_of_channel(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn names_of_a_room_share_a_hash_tag_that_no_server_key_has() {
        let keys = Keys::new("rollcall");
        let RoomKeys { head, journal, snapshot, channel } = keys.room(&RoomName::lobby());
        for name in [head, journal, snapshot, channel] {
            assert!(name.starts_with(&format!("rollcall:{{{}}}:", RoomName::lobby())), "{name}");
        }
        let ServerKeys { leases, expired, clock, pause, config } = keys.servers();
        for name in [leases, expired, clock, pause, config] {
            assert!(name.starts_with("rollcall:{@}:"), "{name}");
        }
    }
}
