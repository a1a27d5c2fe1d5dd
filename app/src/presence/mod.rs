//! The domain of presence: pure values and functions, the same on both sides of the wire.
//!
//! A room is an ordered log of changes, and every list is a replica of it.
//! The server's list, the list in the first HTML and the list in each browser are all a [`Roster`],
//! and only [`Roster::apply`] changes one.

mod difference;
mod digest;
mod event;
pub(crate) mod id_map;
mod name;
mod opaque;
mod replica;
mod retry;
mod room_name;
mod roster;
mod rows;
mod user;

pub use difference::{Alterations, DepartureReason, Departures, Difference, Renamed};
pub use digest::Digest;
pub use event::{
    Beat, Changes, ClientEvent, CloseCode, ExistingUsers, MoreUsers, Refusal, RefusalCode, Resumed,
    ServerEvent, Since,
};
pub use name::{LONGEST_NAME_IN_BYTES, Name, NameFault};
pub use opaque::{Epoch, Opaque, OpaqueFault, TabId};
pub use replica::{Gap, Progress, Replica};
pub use retry::Retry;
pub use room_name::{RoomName, RoomNameFault};
pub use roster::{Mismatch, Roster};
pub use user::{PresenceState, User, UserId, UserIdFault};
