//! The rooms of a hub against a model, with clients that come and go and come back.
//!
//! After every step the list is the model's, and so is every client's that has heard it all.

mod client;
mod story;
mod strategy;

use std::{collections::BTreeMap, future::poll_fn};

use app::{
    client::Replica,
    presence::{self as wire, Epoch, Roster, User},
};
use futures_util::FutureExt;
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use tokio::{
    runtime::{Builder, Runtime},
    task::yield_now,
    time::sleep,
};

use self::{
    client::{Awaited, Client},
    story::{Since, SocketOf, Step, Story, id, name},
};
use super::*;
use crate::{
    presence::join::{JoinKind, JoinRequest},
    wake::wake_flags::WakeReasons,
};

const LIMITS: RoomLimits = RoomLimits { most_people: 100, most_connections_per_person: 100 };

/// How many lists are remembered for somebody to come back with.
const MOST_MEMORIES: usize = 12;

/// The rooms of a server, and everybody's lists, on a clock of their own.
struct System {
    runtime: Runtime,
    scene: Scene,
}

struct Scene {
    hub: Arc<Hub>,
    room: RoomName,
    sockets: BTreeMap<SocketOf, (Membership, Client)>,
    subscription: Option<(Subscription, Client)>,
    memories: Vec<Replica>,
    steps: usize,
}

impl System {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.unwrap();
        let scene = Scene {
            hub: runtime.block_on(async { Hub::new(LIMITS) }),
            room: RoomName::lobby(),
            sockets: BTreeMap::new(),
            subscription: None,
            memories: Vec::new(),
            steps: 0,
        };
        Self { runtime, scene }
    }
}

impl Drop for System {
    /// The end of a socket is something that happens, and may be told later.
    fn drop(&mut self) {
        let _inside = self.runtime.enter();
        self.scene.sockets.clear();
    }
}

impl Scene {
    fn list(&self) -> ExistingUsers {
        self.hub.snapshot(&self.room, None, usize::MAX)
    }

    fn remember(&mut self, replica: Replica) {
        if self.memories.len() == MOST_MEMORIES {
            self.memories.remove(self.steps % MOST_MEMORIES);
        }
        self.memories.push(replica);
    }

    /// The list that a client comes back with, what it says of it, and what it is to be answered.
    fn come_back_with(&self, since: Since) -> (Client, Option<wire::Since>) {
        let ExistingUsers { epoch, seq, .. } = self.list();
        let from_nowhere = |since| {
            let replica = Replica::default();
            (Client { replica, awaited: Awaited::List }, since)
        };
        match since {
            Since::Absent => from_nowhere(None),
            Since::Future(ahead) => from_nowhere(Some(wire::Since { epoch, seq: seq + ahead })),
            Since::Foreign => {
                from_nowhere(Some(wire::Since { epoch: Epoch::from_number(77), seq }))
            }
            Since::Remembered(index) => {
                let Some(replica) = self.memories.get(index % self.memories.len().max(1)) else {
                    return from_nowhere(None);
                };
                let mut replica = replica.clone();
                replica.disconnected();
                let since = replica.position().cloned();
                let awaited = match &since {
                    Some(since)
                        if since.epoch == epoch && epoch != no_epoch() && since.seq <= seq =>
                    {
                        Awaited::ResumedFrom(since.seq)
                    }
                    _ => Awaited::List,
                };
                (Client { replica, awaited }, since)
            }
        }
    }

    fn join(&mut self, of: SocketOf, story: &Story, request: JoinRequest) {
        let (membership, _) = self.sockets.get_mut(&of).unwrap();
        membership.join(request).unwrap();
        // Who had the tab until now is told so, and its end is nothing to anybody.
        let replaced: Vec<SocketOf> =
            self.sockets.keys().filter(|of| !story.is_open(**of)).copied().collect();
        for old in replaced {
            let (membership, client) = self.sockets.remove(&old).unwrap();
            let signals = listen(&membership).expect("it is rung");
            assert!(signals.contains(WakeReasons::REPLACED), "it is replaced");
            self.remember(client.replica);
            drop(membership);
        }
        for (membership, _) in self.sockets.values_mut() {
            if let Some(signals) = listen(membership) {
                assert!(!signals.contains(WakeReasons::REPLACED), "nobody else is replaced");
            }
        }
    }

    async fn step(&mut self, step: Step, story: &Story) {
        match step {
            Step::Join { of, tab, is_visible, name: called, since } => {
                let mut request = JoinRequest {
                    name: name(called).to_string(),
                    tab: Some(format!("tab-{tab}").parse().unwrap()),
                    is_visible,
                    kind: JoinKind::Repeat,
                    since: None,
                };
                if !self.sockets.contains_key(&of) {
                    let membership = self.hub.enter(&self.room, id(of.0));
                    let (client, since) = self.come_back_with(since);
                    self.sockets.insert(of, (membership, client));
                    request.kind = JoinKind::Opening;
                    request.since = since;
                }
                self.join(of, story, request);
            }
            Step::Watch { of, since } => {
                let mut membership = self.hub.enter(&self.room, id(of.0));
                let (client, since) = self.come_back_with(since);
                membership.watch(since.as_ref()).unwrap();
                self.sockets.insert(of, (membership, client));
            }
            Step::End { of, how } => {
                let (mut membership, client) = self.sockets.remove(&of).unwrap();
                membership.departs_as(how);
                drop(membership);
                self.remember(client.replica);
            }
            Step::Hide { of, is_visible } => self.membership(of).set_visible(is_visible),
            Step::Rename { of, name: called } => {
                let renamed = self.membership(of).rename(name(called).as_str());
                assert_eq!(renamed.is_ok(), story.is_listed(of.0));
            }
            Step::Leave { of } => self.membership(of).leave(),
            Step::Resync { of } => {
                let (membership, client) = self.sockets.get_mut(&of).unwrap();
                membership.subscription_mut().resync();
                client.awaited = Awaited::List;
            }
            Step::Remove { who } => {
                if let Some(room) = self.hub.find(&self.room) {
                    room.update_room(|room, now| {
                        room.remove_row(id(who), wire::DepartureReason::Removed, now)
                    });
                }
            }
            Step::ServePage { who } => self.hub.note_page_load(&self.room, id(who)),
            Step::Observe { since } => {
                self.subscription = None;
                if let Some(since) = since {
                    let mut subscription = self.hub.subscribe(&self.room, None);
                    let (client, since) = self.come_back_with(since);
                    subscription.start_from(since.as_ref());
                    self.subscription = Some((subscription, client));
                }
            }
            Step::Wait { milliseconds } => wait(milliseconds).await,
            Step::Restart { is_in_order, loading } => self.restart(is_in_order, loading).await,
        }
    }

    fn membership(&mut self, of: SocketOf) -> &mut Membership {
        &mut self.sockets.get_mut(&of).unwrap().0
    }

    async fn restart(&mut self, is_in_order: bool, loading: u64) {
        let before = self.list();
        let saved = if is_in_order { self.hub.freeze() } else { self.hub.save() };
        self.subscription = None;
        for (membership, client) in std::mem::take(&mut self.sockets).into_values() {
            drop(membership);
            self.remember(client.replica);
        }
        let text = serde_json::to_string(&saved).unwrap();
        self.hub = Hub::restore(LIMITS, serde_json::from_str(&text).unwrap());
        let after = self.list();
        assert_eq!(
            (after.epoch == before.epoch, &after.users),
            (is_in_order || before.epoch == no_epoch(), &before.users)
        );
        wait(loading).await;
        assert_eq!(self.list().users, before.users, "no time passes before it is ready");
        self.hub.start_clock();
    }

    /// The list is the model's, and the log says how it came from what it was.
    fn check(&mut self, before: ExistingUsers, story: &Story) {
        let after = self.list();
        assert_eq!(rows(&after.users), story.rows());
        let room = self.hub.find(&self.room);
        if after.epoch == before.epoch
            && let Some(room) = room
        {
            let difference =
                room.update_room(|room, _| room.log().difference(before.seq, after.seq)).unwrap();
            if after.seq == before.seq {
                assert_eq!(before.users, after.users, "nothing changes without a number");
            }
            let departed: BTreeMap<_, _> =
                difference.disconnect_user.iter().map(|(reason, id)| (*id, reason)).collect();
            assert!(departed.keys().eq(story.departures().keys()), "{departed:?}");
            for (id, reason) in departed {
                assert!(story.departures()[&id].contains(&reason), "{id} {reason:?}");
            }
            let mut roster = Roster::from_users(before.users).unwrap();
            roster.apply(&difference).unwrap();
            assert_eq!(roster, Roster::from_users(after.users.clone()).unwrap());
        }
        // The list that a page comes with is one to come back with, too.
        if self.steps.is_multiple_of(4) {
            self.remember(Replica::from_first_html(after).unwrap());
        }
    }

    /// Some clients read now and some later; whoever reads is brought to where everybody is.
    fn read(&mut self, everybody: bool, story: &Story) {
        let last_broadcast = self.hub.find(&self.room).map(|room| room.last_broadcast().seq);
        let list = self.list();
        for (index, ((who, _), (membership, client))) in self.sockets.iter_mut().enumerate() {
            if everybody || (index + self.steps).is_multiple_of(3) {
                client.hear(|| membership.subscription_mut().poll_updates());
                client.compare(membership.subscription().beat());
                check(client, &list, last_broadcast, Some(id(*who)), story);
            }
        }
        if let Some((subscription, client)) = &mut self.subscription {
            client.hear(|| subscription.poll_updates());
            client.compare(subscription.beat());
            check(client, &list, last_broadcast, None, story);
        }
    }
}

/// Why a socket's bell rang, if it did.
fn listen(membership: &Membership) -> Option<WakeReasons> {
    poll_fn(|context| membership.subscription().flags().poll(context)).now_or_never()
}

/// Time passes, and what is due at the end of it is done.
async fn wait(milliseconds: u64) {
    sleep(std::time::Duration::from_millis(milliseconds)).await;
    for _ in 0..5 {
        yield_now().await;
    }
}

/// Who has heard all that was told, and all of it is what happened, has the model's list.
fn check(
    client: &Client,
    list: &ExistingUsers,
    last_broadcast: Option<u64>,
    you: Option<UserId>,
    story: &Story,
) {
    if client.awaited != Awaited::Updates {
        return;
    }
    let position = client.replica.position().unwrap();
    assert_eq!((&position.epoch, Some(position.seq)), (&list.epoch, last_broadcast));
    assert_eq!(client.replica.you(), you);
    if position.seq == list.seq {
        assert_eq!(rows(client.replica.roster().users()), story.rows());
    }
}

fn rows<'a>(
    users: impl IntoIterator<Item = &'a User>,
) -> Vec<(UserId, wire::Name, wire::PresenceState)> {
    users.into_iter().map(|user| (user.id, user.name.clone(), user.state)).collect()
}

struct LifeOfARow;

impl ReferenceStateMachine for LifeOfARow {
    type State = Story;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Story> {
        Just(Story::default()).boxed()
    }

    fn transitions(story: &Story) -> BoxedStrategy<Step> {
        strategy::any_step(story)
    }

    fn preconditions(story: &Story, step: &Step) -> bool {
        story.allows(step)
    }

    fn apply(story: Story, step: &Step) -> Story {
        story.go_on(step)
    }
}

impl StateMachineTest for LifeOfARow {
    type SystemUnderTest = System;
    type Reference = Self;

    fn init_test(_: &Story) -> System {
        System::new()
    }

    fn apply(mut system: System, story: &Story, step: Step) -> System {
        let System { runtime, scene } = &mut system;
        runtime.block_on(async {
            let before = scene.list();
            let is_pause = matches!(step, Step::Wait { .. });
            scene.steps += 1;
            scene.step(step, story).await;
            scene.read(is_pause, story);
            scene.check(before, story);
        });
        system
    }

    /// In the end everybody goes, and nobody haunts.
    fn teardown(mut system: System, _: Story) {
        let System { runtime, scene } = &mut system;
        runtime.block_on(async {
            scene.sockets.clear();
            wait(60_000).await;
            assert_eq!(scene.list().count, 0);
            if let Some(room) = scene.hub.find(&scene.room) {
                let rest = room.update_room(|room, _| (room.is_empty(), room.next_deadline()));
                assert_eq!(rest, (true, None));
            }
        });
    }
}

/// Rare faults need many cases: a forgotten flag was found in one of about a thousand.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(500)
}

prop_state_machine! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn the_room_does_what_the_table_says(sequential 1..60 => LifeOfARow);
}
