//! The rooms of a hub against a reference model, with clients that connect, end and come back.
//!
//! After every transition the list equals the model's, and so does the list of every client that has read all.

mod client;
mod reference_model;
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
    reference_model::{Model, ResumePoint, SocketKey, Transition, id, name},
};
use super::*;
use crate::{
    presence::{
        command::Command,
        join::{JoinKind, JoinRequest},
        room::RoomLimits,
    },
    wake::wake_flags::WakeReasons,
};

const LIMITS: RoomLimits =
    RoomLimits { most_people: 100, most_connections_per_person: 100, keep_attendance: None };

/// The most earlier lists that a client may come back with.
const MOST_EARLIER_LISTS: usize = 12;

/// The hub, its clients, and a runtime whose clock the test advances.
struct System {
    runtime: Runtime,
    world: World,
}

struct World {
    hub: Arc<Hub>,
    room: RoomName,
    sockets: BTreeMap<SocketKey, (Membership, Client)>,
    subscription: Option<(Subscription, Client)>,
    earlier_lists: Vec<Replica>,
    steps: usize,
}

impl System {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.unwrap();
        let world = World {
            hub: runtime.block_on(async { Hub::new(LIMITS) }),
            room: RoomName::lobby(),
            sockets: BTreeMap::new(),
            subscription: None,
            earlier_lists: Vec::new(),
            steps: 0,
        };
        Self { runtime, world }
    }
}

impl Drop for System {
    /// The end of a socket may set a timer, which needs the runtime.
    fn drop(&mut self) {
        let _inside = self.runtime.enter();
        self.world.sockets.clear();
    }
}

impl World {
    fn list(&self) -> ExistingUsers {
        self.hub.snapshot(&self.room, None, usize::MAX)
    }

    fn remember(&mut self, replica: Replica) {
        if self.earlier_lists.len() == MOST_EARLIER_LISTS {
            self.earlier_lists.remove(self.steps % MOST_EARLIER_LISTS);
        }
        self.earlier_lists.push(replica);
    }

    /// A client with the list that it comes back with, and the `since` that it sends.
    fn resuming_client(&self, since: ResumePoint) -> (Client, Option<wire::Since>) {
        let ExistingUsers { epoch, seq, .. } = self.list();
        let without_list = |since| {
            let replica = Replica::default();
            (Client { replica, awaited: Awaited::List }, since)
        };
        match since {
            ResumePoint::Absent => without_list(None),
            ResumePoint::Future(ahead) => {
                without_list(Some(wire::Since { epoch, seq: seq + ahead }))
            }
            ResumePoint::Foreign => {
                without_list(Some(wire::Since { epoch: Epoch::from_number(77), seq }))
            }
            ResumePoint::Remembered(index) => {
                let Some(replica) = self.earlier_lists.get(index % self.earlier_lists.len().max(1))
                else {
                    return without_list(None);
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

    fn join(&mut self, of: SocketKey, model: &Model, request: JoinRequest) {
        let (membership, _) = self.sockets.get_mut(&of).unwrap();
        membership.join(request).unwrap();
        // The socket that had the tab is woken as replaced, and its end changes nothing.
        let replaced: Vec<SocketKey> =
            self.sockets.keys().filter(|of| !model.is_open(**of)).copied().collect();
        for old in replaced {
            let (membership, client) = self.sockets.remove(&old).unwrap();
            let reasons = wake_reasons(&membership).expect("a replaced socket is woken");
            assert!(reasons.contains(WakeReasons::REPLACED));
            self.remember(client.replica);
            drop(membership);
        }
        for (membership, _) in self.sockets.values_mut() {
            if let Some(reasons) = wake_reasons(membership) {
                assert!(!reasons.contains(WakeReasons::REPLACED), "no other socket is replaced");
            }
        }
    }

    async fn transition(&mut self, transition: Transition, model: &Model) {
        match transition {
            Transition::Join { of, tab, is_visible, name: number, since } => {
                let mut request = JoinRequest {
                    name: name(number).to_string(),
                    tab: Some(format!("tab-{tab}").parse().unwrap()),
                    is_visible,
                    kind: JoinKind::Repeat,
                    since: None,
                };
                if !self.sockets.contains_key(&of) {
                    let membership = self.hub.enter(&self.room, id(of.0));
                    let (client, since) = self.resuming_client(since);
                    self.sockets.insert(of, (membership, client));
                    request.kind = JoinKind::Opening;
                    request.since = since;
                }
                self.join(of, model, request);
            }
            Transition::Watch { of, since } => {
                let mut membership = self.hub.enter(&self.room, id(of.0));
                let (client, since) = self.resuming_client(since);
                membership.watch(since.as_ref()).unwrap();
                self.sockets.insert(of, (membership, client));
            }
            Transition::End { of, reason } => {
                let (mut membership, client) = self.sockets.remove(&of).unwrap();
                membership.departs_as(reason);
                drop(membership);
                self.remember(client.replica);
            }
            Transition::Hide { of, is_visible } => self.membership(of).set_visible(is_visible),
            Transition::Rename { of, name: number } => {
                let renamed = self.membership(of).rename(name(number).as_str());
                assert_eq!(renamed.is_ok(), model.is_listed(of.0));
            }
            Transition::Leave { of } => self.membership(of).leave(),
            Transition::Resync { of } => {
                let (membership, client) = self.sockets.get_mut(&of).unwrap();
                membership.subscription_mut().resync();
                client.awaited = Awaited::List;
            }
            Transition::Remove { person } => {
                if let Some(room) = self.hub.find(&self.room) {
                    let reason = wire::DepartureReason::Removed;
                    room.submit(Command::RowRemoved { user_id: id(person), reason });
                }
            }
            Transition::LoadPage { person } => self.hub.note_page_load(&self.room, id(person)),
            Transition::Stream { since } => {
                self.subscription = None;
                if let Some(since) = since {
                    let mut subscription = self.hub.subscribe(&self.room, None);
                    let (client, since) = self.resuming_client(since);
                    subscription.start_from(since.as_ref());
                    self.subscription = Some((subscription, client));
                }
            }
            Transition::ChangeEpoch => {
                if let Some(room) = self.hub.find(&self.room) {
                    let number = 1_000 + u64::try_from(self.steps).unwrap();
                    let (epoch, replaces) = (Epoch::from_number(number), room.epoch());
                    room.submit(Command::EpochChanged { epoch, replaces });
                }
            }
            Transition::Wait { milliseconds } => wait(milliseconds).await,
            Transition::Restart { is_clean, loading } => self.restart(is_clean, loading).await,
        }
    }

    fn membership(&mut self, of: SocketKey) -> &mut Membership {
        &mut self.sockets.get_mut(&of).unwrap().0
    }

    async fn restart(&mut self, is_clean: bool, loading: u64) {
        let before = self.list();
        let saved = if is_clean { self.hub.freeze() } else { self.hub.save() };
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
            (is_clean || before.epoch == no_epoch(), &before.users)
        );
        wait(loading).await;
        assert_eq!(self.list().users, before.users, "no time passes before the server is ready");
        self.hub.start_clock();
    }

    /// The list equals the model's, and the log has the difference from the list before.
    fn check(&mut self, before: ExistingUsers, model: &Model) {
        let after = self.list();
        assert_eq!(rows(&after.users), model.rows());
        let room = self.hub.find(&self.room);
        if after.epoch == before.epoch
            && let Some(room) = room
        {
            let difference =
                room.read(|room| room.log().difference(before.seq, after.seq)).unwrap();
            if after.seq == before.seq {
                assert_eq!(before.users, after.users, "no row changes without a new seq");
            }
            let departed: BTreeMap<_, _> =
                difference.disconnect_user.iter().map(|(reason, id)| (*id, reason)).collect();
            assert!(departed.keys().eq(model.departures().keys()), "{departed:?}");
            for (id, reason) in departed {
                assert!(model.departures()[&id].contains(&reason), "{id} {reason:?}");
            }
            let mut roster = Roster::from_users(before.users).unwrap();
            roster.apply(&difference).unwrap();
            assert_eq!(roster, Roster::from_users(after.users.clone()).unwrap());
        }
        // A client may come back with the list of its page as well.
        if self.steps.is_multiple_of(4) {
            self.remember(Replica::from_first_html(after).unwrap());
        }
    }

    /// Some clients read now and some later. A client that has read is at the last broadcast.
    fn read(&mut self, do_all_read: bool, model: &Model) {
        let last_broadcast = self.hub.find(&self.room).map(|room| room.last_broadcast().seq);
        let list = self.list();
        for (index, ((person_id, _), (membership, client))) in self.sockets.iter_mut().enumerate() {
            if do_all_read || (index + self.steps).is_multiple_of(3) {
                client.receive_all(|| membership.subscription_mut().poll_updates());
                client.receive_beat(membership.subscription().beat());
                check(client, &list, last_broadcast, Some(id(*person_id)), model);
            }
        }
        if let Some((subscription, client)) = &mut self.subscription {
            client.receive_all(|| subscription.poll_updates());
            client.receive_beat(subscription.beat());
            check(client, &list, last_broadcast, None, model);
        }
    }
}

/// Takes the reasons for which a socket was woken.
fn wake_reasons(membership: &Membership) -> Option<WakeReasons> {
    poll_fn(|context| membership.subscription().flags().poll(context)).now_or_never()
}

/// Lets time pass, and the tasks run that are due at its end.
async fn wait(milliseconds: u64) {
    sleep(std::time::Duration::from_millis(milliseconds)).await;
    for _ in 0..5 {
        yield_now().await;
    }
}

/// A client that waits for no reply is at the last broadcast. If that has all changes, the list equals the
/// model's.
fn check(
    client: &Client,
    list: &ExistingUsers,
    last_broadcast: Option<u64>,
    viewer: Option<UserId>,
    model: &Model,
) {
    if client.awaited != Awaited::Updates {
        return;
    }
    let position = client.replica.position().unwrap();
    assert_eq!((&position.epoch, Some(position.seq)), (&list.epoch, last_broadcast));
    assert_eq!(client.replica.you(), viewer);
    if position.seq == list.seq {
        assert_eq!(rows(client.replica.roster().users()), model.rows());
    }
}

fn rows<'a>(
    users: impl IntoIterator<Item = &'a User>,
) -> Vec<(UserId, wire::Name, wire::PresenceState)> {
    users.into_iter().map(|user| (user.id, user.name.clone(), user.state)).collect()
}

struct RowLifecycle;

impl ReferenceStateMachine for RowLifecycle {
    type State = Model;
    type Transition = Transition;

    fn init_state() -> BoxedStrategy<Model> {
        Just(Model::default()).boxed()
    }

    fn transitions(model: &Model) -> BoxedStrategy<Transition> {
        strategy::any_transition(model)
    }

    fn preconditions(model: &Model, transition: &Transition) -> bool {
        model.allows(transition)
    }

    fn apply(model: Model, transition: &Transition) -> Model {
        model.apply(transition)
    }
}

impl StateMachineTest for RowLifecycle {
    type SystemUnderTest = System;
    type Reference = Self;

    fn init_test(_: &Model) -> System {
        System::new()
    }

    fn apply(mut system: System, model: &Model, transition: Transition) -> System {
        let System { runtime, world } = &mut system;
        runtime.block_on(async {
            let before = world.list();
            let is_pause = matches!(transition, Transition::Wait { .. });
            world.steps += 1;
            world.transition(transition, model).await;
            world.read(is_pause, model);
            world.check(before, model);
        });
        system
    }

    /// When all sockets have ended, all rows are removed.
    fn teardown(mut system: System, _: Model) {
        let System { runtime, world } = &mut system;
        runtime.block_on(async {
            world.sockets.clear();
            wait(60_000).await;
            assert_eq!(world.list().count, 0);
            if let Some(room) = world.hub.find(&world.room) {
                let rest = room.read(|room| (room.is_empty(), room.next_deadline()));
                assert_eq!(rest, (true, None));
            }
        });
    }
}

/// Rare bugs need many cases: a forgotten flag was found in one of about a thousand.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(500)
}

prop_state_machine! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn rows_follow_the_reference_model(sequential 1..60 => RowLifecycle);
}
