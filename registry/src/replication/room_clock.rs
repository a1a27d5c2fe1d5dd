//! The estimate of a room's present between two words of the engine.

use std::time::Duration;

use crate::presence::members::Moment;

/// The present of a room, as the engine's last word and what passed since say.
///
/// It is for waking up and for what readers are shown. No command is applied by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoomClock {
    /// A moment of the room.
    moment: Moment,
    /// When it was, by this server's monotonic clock.
    heard_at: Duration,
}

impl RoomClock {
    /// The engine says the room's present. `now` is by this server's monotonic clock, here and below.
    pub fn new(moment: Moment, now: Duration) -> Self {
        Self { moment, heard_at: now }
    }

    /// An entry has arrived. Its time was the present when it was appended, so what arrives late says nothing.
    pub fn hear(&mut self, moment: Moment, now: Duration) {
        if self.present(now) < moment {
            *self = Self::new(moment, now);
        }
    }

    /// The room's present.
    pub fn present(&self, now: Duration) -> Moment {
        self.moment + now.saturating_sub(self.heard_at)
    }

    /// How long until a deadline of the room.
    pub fn until(&self, deadline: Moment, now: Duration) -> Duration {
        deadline.saturating_sub(self.present(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn present_goes_on_from_the_last_word_of_the_engine() {
        let mut clock = RoomClock::new(ms(70_000), ms(500));
        assert_eq!(clock.present(ms(800)), ms(70_300));
        assert_eq!(clock.until(ms(70_400), ms(800)), ms(100));
        assert_eq!(clock.until(ms(70_100), ms(800)), ms(0));
        // An entry that was under way for 100 ms.
        clock.hear(ms(70_200), ms(800));
        assert_eq!(clock.present(ms(800)), ms(70_300));
        // One that shows that the estimate is behind.
        clock.hear(ms(70_350), ms(800));
        assert_eq!(clock.present(ms(900)), ms(70_450));
    }
}
