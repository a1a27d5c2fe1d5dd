//! What all clients of one namespace share: the list of its room, and packets that were made for one of them.
//!
//! A feed exists while a client is in its namespace. It is pulled: whoever translates an update moves it forward first,
//! so it needs no task and is never behind its clients.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use app::presence::{Name, Since, UserId};
use engineioxide::Str;
use tokio::time::Instant;

use super::{
    packet::{Namespace, event},
    payload,
    translation::{KnownRows, ReadBatch, Update},
};
use registry::{
    encoding::frame::{Batch, Frame},
    hub::{Hub, Subscription},
};

/// The feeds of all namespaces in which a client is.
#[derive(Debug, Default)]
pub(super) struct Feeds(Mutex<HashMap<Namespace, Weak<Feed>>>);

/// What one client holds of a feed.
#[derive(Debug)]
pub(super) struct FeedHandle {
    feeds: Arc<Feeds>,
    feed: Option<Arc<Feed>>,
    /// Rows that this client was sent as they were at a later position than its own.
    ahead: Vec<UserId>,
}

#[derive(Debug)]
struct Feed {
    namespace: Namespace,
    started: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    subscription: Subscription,
    known: KnownRows,
    /// The packets of the last broadcast. Its first frame names it: all readers get the same one.
    last: Option<(Frame, Arc<[Str]>)>,
    /// The packet with the list at a position.
    list: Option<(Since, Str)>,
}

/// The packets of an update for one client.
#[derive(Debug)]
pub(super) struct Translated {
    pub(super) packets: Arc<[Str]>,
    /// Whether the update answers a request of this client.
    pub(super) is_reply: bool,
}

impl Feeds {
    /// Enters a namespace.
    pub(super) fn enter(self: &Arc<Self>, namespace: &Namespace, hub: &Arc<Hub>) -> FeedHandle {
        let mut feeds = self.lock();
        let found = feeds.get(namespace).and_then(Weak::upgrade);
        let feed = found.unwrap_or_else(|| {
            let feed = Arc::new(Feed::new(namespace.clone(), hub));
            feeds.insert(namespace.clone(), Arc::downgrade(&feed));
            feed
        });
        FeedHandle { feeds: Arc::clone(self), feed: Some(feed), ahead: Vec::new() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Namespace, Weak<Feed>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }
}

impl FeedHandle {
    /// The packets of a batch that this client has read. `position` is where it leads to.
    pub(super) fn translate(&mut self, batch: &Batch, position: Option<&Since>) -> Translated {
        let Some(feed) = &self.feed else { return Translated::nothing() };
        let mut state = feed.lock();
        feed.catch_up(&mut state);
        let first = batch.remaining().next();
        let shared =
            state.last.as_ref().filter(|(frame, _)| first.is_some_and(|it| is_same(it, frame)));
        if let Some((_, packets)) = shared
            && self.ahead.is_empty()
        {
            return Translated { packets: Arc::clone(packets), is_reply: false };
        }
        let Some(ReadBatch { update, is_reply }) =
            ReadBatch::of(batch.remaining().map(Frame::text))
        else {
            return Translated::nothing();
        };
        let events = state.known.events(&update, &self.ahead);
        if state.subscription.position().as_ref() == position || matches!(update, Update::List(_)) {
            self.ahead = Vec::new();
        } else {
            state.known.note_rows(&update, feed.started.elapsed());
            self.ahead.extend(update.changed_rows());
        }
        drop(state);
        Translated { packets: feed.packets(events), is_reply }
    }

    /// The packet with the list at this position; none while the feed is at another one. Then the client is woken by
    /// the next broadcast, if not already.
    pub(super) fn list_at(&self, position: &Since) -> Option<Str> {
        let feed = self.feed.as_ref()?;
        let mut state = feed.lock();
        feed.catch_up(&mut state);
        if state.subscription.position().as_ref() != Some(position) {
            return None;
        }
        if let Some((_, packet)) = state.list.as_ref().filter(|(at, _)| at == position) {
            return Some(packet.clone());
        }
        let list = payload::existing_users(state.known.roster().users());
        let packet = Str::from(event(&feed.namespace, &list));
        state.list = Some((position.clone(), packet.clone()));
        Some(packet)
    }

    /// The name of a person, if it is on the list, and the length of the list.
    pub(super) fn summary(&self, user_id: UserId) -> (Option<Name>, usize) {
        let Some(feed) = &self.feed else { return (None, 0) };
        let state = feed.lock();
        let roster = state.known.roster();
        (roster.get(&user_id).map(|user| user.name.clone()), roster.len())
    }
}

impl Drop for FeedHandle {
    fn drop(&mut self) {
        let Some(feed) = self.feed.take() else { return };
        let namespace = feed.namespace.clone();
        let mut feeds = self.feeds.lock();
        drop(feed);
        // Another client may have entered meanwhile.
        if feeds.get(&namespace).is_some_and(|feed| feed.strong_count() == 0) {
            feeds.remove(&namespace);
        }
    }
}

impl Feed {
    fn new(namespace: Namespace, hub: &Arc<Hub>) -> Self {
        let mut subscription = hub.subscribe(&namespace.room(), None);
        subscription.start_from(None);
        let state = State { subscription, known: KnownRows::default(), last: None, list: None };
        Self { namespace, started: Instant::now(), state: Mutex::new(state) }
    }

    /// Follows the room to its last broadcast.
    fn catch_up(&self, state: &mut State) {
        loop {
            let batch = state.subscription.poll_updates();
            let Some(first) = batch.remaining().next().cloned() else { return };
            let Some(ReadBatch { update, .. }) = ReadBatch::of(batch.remaining().map(Frame::text))
            else {
                return;
            };
            if state.known.follow(&update, self.started.elapsed()).is_err() {
                // A fault of the server: the list corrects it.
                tracing::error!("an update does not fit the list of a room");
                if matches!(update, Update::List(_)) {
                    return;
                }
                state.subscription.resync();
                continue;
            }
            state.last = match update {
                // Nobody else gets the same first frame of a list.
                Update::List(_) => None,
                Update::Difference(_) => {
                    Some((first, self.packets(state.known.events(&update, &[]))))
                }
            };
        }
    }

    fn packets(&self, events: Vec<String>) -> Arc<[Str]> {
        events.into_iter().map(|arguments| event(&self.namespace, &arguments).into()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Translated {
    fn nothing() -> Self {
        Self { packets: Arc::new([]), is_reply: false }
    }
}

/// Whether two frames are the same one, and not only equal.
fn is_same(one: &Frame, other: &Frame) -> bool {
    let (one, other) = (one.bytes(), other.bytes());
    one.as_ptr() == other.as_ptr() && one.len() == other.len()
}

#[cfg(test)]
mod tests {
    use registry::{
        hub::Membership,
        presence::{
            join::{JoinKind, JoinRequest},
            room::RoomLimits,
        },
    };

    use super::*;

    fn hub() -> Arc<Hub> {
        Hub::new(RoomLimits {
            most_people: 100,
            most_connections_per_person: 8,
            keep_attendance: None,
        })
    }

    fn join(hub: &Arc<Hub>, number: u128) -> Membership {
        let mut member =
            hub.enter(&Namespace::Lobby.room(), UserId::from_leading_bits(number << 100));
        let request = JoinRequest {
            name: format!("Person {number}"),
            tab: None,
            is_visible: true,
            kind: JoinKind::Opening,
            since: None,
        };
        member.join(request).unwrap();
        member
    }

    #[tokio::test(start_paused = true)]
    async fn clients_at_one_position_share_packets() {
        let (hub, feeds) = (hub(), Arc::new(Feeds::default()));
        let mut clients: Vec<_> = (0..2)
            .map(|_| {
                let mut reader = hub.subscribe(&Namespace::Lobby.room(), None);
                reader.start_from(None);
                assert!(!reader.poll_updates().is_empty());
                (reader, feeds.enter(&Namespace::Lobby, &hub))
            })
            .collect();
        assert_eq!(feeds.len(), 1);
        // So that the feed is at the position of its clients.
        for (reader, feed) in &mut clients {
            assert!(feed.list_at(&reader.position().unwrap()).is_some());
        }
        let _ana = join(&hub, 1);
        let translated: Vec<Translated> = clients
            .iter_mut()
            .map(|(reader, feed)| {
                let batch = reader.poll_updates();
                feed.translate(&batch, reader.position().as_ref())
            })
            .collect();
        assert!(Arc::ptr_eq(&translated[0].packets, &translated[1].packets));
        assert_eq!(translated[0].packets.len(), 1);
        assert!(translated[0].packets[0].starts_with(r#"2["new_user",{"id":"#));
        let position = clients[0].0.position().unwrap();
        let lists = clients.iter().map(|(_, feed)| feed.list_at(&position).unwrap());
        let lists: Vec<Str> = lists.collect();
        assert_eq!(lists[0].as_bytes().as_ptr(), lists[1].as_bytes().as_ptr());
        assert!(lists[0].contains("Person 1"));
        assert_eq!(clients[0].1.summary(UserId::from_leading_bits(1 << 100)).1, 1);
        drop(clients);
        assert_eq!(feeds.len(), 0);
    }
}
