//! The domain of presence: pure values and functions, the same on both sides of the wire.
//!
//! A room is an ordered log of changes, and every list is a replica of it.
//! The server's list, the list in the first HTML and the list in each browser are all a [`Roster`],
//! and only [`Roster::apply`] changes one.

mod difference;
mod digest;
mod fnv;
pub(crate) mod id_map;
mod name;
mod opaque_id;
mod recent_change;
mod room_name;
mod roster;
mod rows;
#[cfg(feature = "schema")]
mod schema;
mod tidying;
mod user;
mod wire;

pub use difference::{DepartureReason, Departures, Difference, Renamed, Updates};
pub use digest::Digest;
pub use fnv::fnv1a;
pub use name::{LONGEST_NAME_IN_BYTES, Name, NameError, single_spaced};
pub use opaque_id::{Epoch, OpaqueId, OpaqueIdError, TabId};
pub use recent_change::RecentChange;
pub use room_name::{RoomName, RoomNameError};
pub use roster::{Mismatch, Roster};
pub use tidying::tidied;
pub use user::{PresenceState, User, UserId, UserIdError};
pub use wire::{
    Beat, Changes, ClientEvent, CloseCode, ExistingUsers, MoreUsers, Refusal, RefusalCode, Resumed,
    ServerEvent, Since,
};
