//! Rooms that this server may have to get from its engine first. A server alone knows all of its rooms.

use std::{net::IpAddr, time::Duration};

use app::presence::RoomName;
use tokio::time::timeout;

use super::app_state::AppState;
use crate::admission::{ClientPrefix, Rejection};
use registry::hub::RoomPermit;
use registry::replication::handle::{OpenMode, STALE_AFTER};

/// The longest wait for the engine: it covers everything, also other requests before this one.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// The wait when the engine has missed an answer lately.
const SHORT_WAIT: Duration = Duration::from_millis(250);

/// The engine is heard twice a second: after so long an answer is missing.
const ANSWER_MISSING_AFTER: Duration = Duration::from_millis(750);

impl AppState {
    /// Lets this client into the room, if it exists or may be opened.
    pub(crate) fn admit_to(
        &self,
        room: &RoomName,
        client: IpAddr,
    ) -> Result<RoomPermit, Rejection> {
        Ok(self.hub.admit(room, ClientPrefix::from(client).for_rooms())?)
    }

    /// Whether [`admit_to`](Self::admit_to) would let this client in.
    pub(crate) fn would_admit_to(&self, room: &RoomName, client: IpAddr) -> Result<(), Rejection> {
        Ok(self.hub.would_admit(room, ClientPrefix::from(client).for_rooms())?)
    }

    /// Waits until the room is known, or not much longer than a visitor would. The caller shows what is known;
    /// nobody's room is made.
    pub(crate) async fn look_up(&self, room: &RoomName) {
        if !self.hub.is_known(room) {
            self.wait_for(room, OpenMode::Look).await;
        }
    }

    /// Waits until the room is known, and makes it if there is none.
    pub(crate) async fn open_room(&self, room: &RoomName) -> Result<(), Rejection> {
        if !self.hub.is_known(room) {
            self.wait_for(room, OpenMode::Found).await;
            if !self.hub.is_known(room) {
                return Err(Rejection::EngineSilent);
            }
        }
        Ok(())
    }

    /// What [`open_room`](Self::open_room) would answer now, as far as is known: nothing is asked, and no room made.
    pub(crate) fn would_open_room(&self, room: &RoomName) -> Result<(), Rejection> {
        if self.hub.is_known(room) || longest_wait(self.hub.engine_silence()) > Duration::ZERO {
            Ok(())
        } else {
            Err(Rejection::EngineSilent)
        }
    }

    /// The opening goes on when the wait is over.
    async fn wait_for(&self, room: &RoomName, mode: OpenMode) {
        let longest = longest_wait(self.hub.engine_silence());
        // Whether it is known now is all that counts.
        let _ = timeout(longest, self.hub.open(room, mode)).await;
    }
}

/// How long a request may wait for an engine that has been silent for so long.
fn longest_wait(silence: Option<Duration>) -> Duration {
    match silence {
        Some(silence) if silence < ANSWER_MISSING_AFTER => LONGEST_WAIT,
        Some(silence) if silence < STALE_AFTER => SHORT_WAIT,
        _ => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_waits_for_an_engine_that_is_known_to_be_silent() {
        let after = |milliseconds| longest_wait(Some(Duration::from_millis(milliseconds)));
        assert_eq!([after(0), after(600)], [LONGEST_WAIT; 2]);
        assert_eq!([after(800), after(1_900)], [SHORT_WAIT; 2]);
        assert_eq!([after(2_000), longest_wait(None)], [Duration::ZERO; 2]);
    }
}
