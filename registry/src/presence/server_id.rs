//! What names a server among several.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

/// One life of a server in a cluster, by a random number. A server that was declared dead goes on under
/// another id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct ServerId(NonZeroU32);

impl ServerId {
    /// The first of these random numbers that names a server.
    pub fn draw<E>(mut random: impl FnMut() -> Result<u32, E>) -> Result<Self, E> {
        loop {
            if let Ok(server) = Self::try_from(random()?) {
                return Ok(server);
            }
        }
    }
}

/// 0 and `u32::MAX` name no server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("0 and {max} name no server", max = u32::MAX)]
pub struct InvalidServerIdError;

impl TryFrom<u32> for ServerId {
    type Error = InvalidServerIdError;

    fn try_from(number: u32) -> Result<Self, InvalidServerIdError> {
        // Connections of a server alone have 0 in the upper half of their ids, and those that hold unnamed
        // tabs after a restart have `u32::MAX` there.
        let is_valid = number != u32::MAX;
        NonZeroU32::new(number).filter(|_| is_valid).map(Self).ok_or(InvalidServerIdError)
    }
}

impl From<ServerId> for u32 {
    fn from(server: ServerId) -> Self {
        server.0.get()
    }
}
