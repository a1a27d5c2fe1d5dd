//! Webhooks: tells other people's backends who comes and goes, after Standard Webhooks 1.0.
//!
//! - `event`: what is told; `queue` and `retry`: what is sent when; `secret`: how it is signed. Pure.
//! - `receiver_url`: where it may be sent; `sender`: one attempt; `delivery`: the task of one receiver.
//!
//! The source is one reader of all rooms' logs ([`registry::hub::observer`]), which is there only where a webhook is
//! configured. What is queued is not kept over a restart: a receiver is told then to read the rooms.

mod delivery;
pub(crate) mod event;
mod queue;
mod receiver_url;
mod retry;
mod room_filter;
mod secret;
mod sender;

use std::{collections::BTreeSet, sync::Arc};

use app::ssr::NamesPassedOn;
use registry::hub::{
    Hub,
    observer::{ObservedChanges, ObservedRoom, Observer},
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::{delivery::Receiver, event::Event, sender::Tls};
pub use self::{
    event::EventKind,
    receiver_url::{ParseReceiverUrlError, ReceiverUrl},
    room_filter::{ParseRoomPatternError, RoomFilter},
    secret::{ParseSecretError, WebhookSecret},
};
use crate::{unix_time::unix_seconds, url::Scheme};

/// One receiver, as it is configured.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Where messages are sent.
    pub url: ReceiverUrl,
    /// What they are signed with.
    pub secret: WebhookSecret,
    /// Of which rooms.
    pub rooms: RoomFilter,
    /// Which events.
    pub events: BTreeSet<EventKind>,
}

/// Observes the rooms from now on, and delivers what happens until the server shuts down. Nothing is done without a
/// receiver.
pub(crate) fn start(webhooks: &[Webhook], hub: &Arc<Hub>, closing: CancellationToken) {
    if webhooks.is_empty() {
        return;
    }
    let needs_tls = webhooks.iter().any(|webhook| webhook.url.scheme() == Scheme::Https);
    let tls = if needs_tls { Tls::of_system() } else { Tls::off() };
    let receivers: Vec<_> = (1..)
        .zip(webhooks)
        .map(|(number, webhook)| Receiver::new(number, webhook.clone(), tls.clone(), hub))
        .collect();
    let observer = hub.observe();
    tokio::spawn(async move {
        let mut tasks = JoinSet::new();
        for receiver in &receivers {
            tasks.spawn(Arc::clone(receiver).deliver());
        }
        let observing = observe(&observer, &receivers);
        // Dropping the tasks ends them: the next process tells the receivers to read the rooms.
        closing.run_until_cancelled(observing).await;
    });
}

/// Whether receivers are told who comes and goes, or only whether a room is empty.
pub(crate) fn names_passed_on(webhooks: &[Webhook]) -> NamesPassedOn {
    let mut events = webhooks.iter().flat_map(|webhook| &webhook.events);
    if events.any(|kind| kind.is_about_a_person()) {
        NamesPassedOn::ToWebhooks
    } else {
        NamesPassedOn::ToNobody
    }
}

/// Hands what happens in the rooms to the receivers. It never ends.
async fn observe(observer: &Observer, receivers: &[Arc<Receiver>]) {
    loop {
        observer.changed().await;
        let at = unix_seconds();
        for ObservedRoom { room, epoch, changes } in observer.read() {
            match changes {
                ObservedChanges::Incomplete => {
                    for receiver in receivers {
                        receiver.lost(&room);
                    }
                }
                ObservedChanges::All(changes) => {
                    for change in changes {
                        let events = Event::of_change(&room, &epoch, change, at);
                        for event in events.into_iter().flatten() {
                            for receiver in receivers {
                                receiver.push(&room, &event);
                            }
                        }
                    }
                }
            }
        }
    }
}
