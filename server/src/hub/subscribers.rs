//! Who is to be woken when something happens in a room.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    presence::members::ConnectionId,
    wake::wake_flags::{Doorbell, Signals},
};

/// The bells of everyone who holds something of a room.
///
/// Whoever has not said yet what they want is no follower: news would wake thousands who never say it.
#[derive(Debug, Default)]
pub(super) struct Bells {
    following: BTreeMap<ConnectionId, Arc<Doorbell>>,
    silent: BTreeMap<ConnectionId, Arc<Doorbell>>,
}

impl Bells {
    /// Somebody comes, and says nothing yet.
    pub(super) fn come(&mut self, connection: ConnectionId, bell: Arc<Doorbell>) {
        self.silent.insert(connection, bell);
    }

    /// They follow the room from now on.
    pub(super) fn follow(&mut self, connection: ConnectionId) {
        if let Some(bell) = self.silent.remove(&connection) {
            self.following.insert(connection, bell);
        }
    }

    /// They are gone.
    pub(super) fn go(&mut self, connection: ConnectionId) {
        self.silent.remove(&connection);
        self.following.remove(&connection);
    }

    /// How many follow the room.
    pub(super) fn followers(&self) -> usize {
        self.following.len()
    }

    /// Rings for all who follow the room.
    pub(super) fn ring_followers(&self, signal: Signals) {
        self.following.values().for_each(|bell| bell.ring(signal));
    }

    /// Rings for everyone.
    pub(super) fn ring_everyone(&self, signal: Signals) {
        self.ring_followers(signal);
        self.silent.values().for_each(|bell| bell.ring(signal));
    }

    /// Rings for this one, if they are still there.
    pub(super) fn ring(&self, connection: ConnectionId, signal: Signals) {
        let bell = self.following.get(&connection).or_else(|| self.silent.get(&connection));
        if let Some(bell) = bell {
            bell.ring(signal);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;

    fn is_rung(bell: &Doorbell) -> bool {
        bell.poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn news_wake_only_those_who_follow_and_an_end_wakes_everyone() {
        let mut bells = Bells::default();
        let own: Vec<_> = (0..3).map(|_| Arc::new(Doorbell::default())).collect();
        for (number, bell) in (0..).zip(&own) {
            bells.come(ConnectionId(number), Arc::clone(bell));
        }
        bells.follow(ConnectionId(1));
        assert_eq!(bells.followers(), 1);
        let rung = |own: &[Arc<Doorbell>]| own.iter().map(|bell| is_rung(bell)).collect::<Vec<_>>();
        bells.ring_followers(Signals::NEWS);
        assert_eq!(rung(&own), [false, true, false]);
        bells.go(ConnectionId(2));
        bells.ring_everyone(Signals::ROOM_CLOSED);
        assert_eq!(rung(&own), [true, true, false]);
        bells.ring(ConnectionId(0), Signals::REPLACED);
        bells.ring(ConnectionId(2), Signals::REPLACED);
        assert_eq!(rung(&own), [true, false, false]);
    }
}
