//! The task of one receiver: sends what its queue has, when the queue says so.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use app::presence::RoomName;
use registry::hub::Hub;
use time::{UtcDateTime, format_description::well_known::Rfc3339};
use tokio::{
    sync::Notify,
    time::{Duration, Instant, sleep_until},
};

use super::{
    Webhook,
    event::{Event, Message},
    queue::{DeliveryQueue, QueueLimits, QueuedMessage, Stamp},
    sender::{SendError, Sender, Tls},
};
use crate::{
    hex::hex,
    telemetry::{metrics::METRICS, warning_interval::WarningInterval},
    unix_time::unix_seconds,
};

/// One receiver. What happens is pushed into its queue, which waits for nobody.
#[derive(Debug)]
pub(super) struct Receiver {
    /// Its place in the settings, for the log.
    number: usize,
    webhook: Webhook,
    sender: Sender,
    hub: Arc<Hub>,
    started: Instant,
    queue: Mutex<DeliveryQueue>,
    changed: Notify,
    warning: WarningInterval,
}

impl Receiver {
    pub(super) fn new(number: usize, webhook: Webhook, tls: Tls, hub: &Arc<Hub>) -> Arc<Self> {
        let sender = Sender::new(webhook.url.clone(), webhook.secret.clone(), tls);
        Arc::new(Self {
            number,
            webhook,
            sender,
            hub: Arc::clone(hub),
            started: Instant::now(),
            queue: Mutex::new(DeliveryQueue::new(QueueLimits::default(), Duration::ZERO)),
            changed: Notify::new(),
            warning: WarningInterval::default(),
        })
    }

    /// Something has happened in a room.
    pub(super) fn push(&self, room: &RoomName, event: &Event) {
        let is_wanted = event.kind().is_none_or(|kind| self.webhook.events.contains(&kind));
        if is_wanted && self.webhook.rooms.contains(room) {
            self.change(|queue, now| queue.push(event.clone(), now));
        }
    }

    /// It is not known any more what has happened in a room.
    pub(super) fn lost(&self, room: &RoomName) {
        if self.webhook.rooms.contains(room) {
            self.change(|queue, now| queue.lost(room, now));
        }
    }

    /// Sends messages, one at a time. It ends when the receiver wants no more.
    pub(super) async fn deliver(self: Arc<Self>) {
        loop {
            let due = self.queue().next_attempt().map(|due| self.started + due);
            tokio::select! {
                () = self.changed.notified() => {}
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    let Some(message) = self.next_message() else { continue };
                    let sent = self.send(&message).await;
                    if sent.as_ref().is_err_and(SendError::is_gone) {
                        return self.close();
                    }
                    self.note(sent);
                }
            }
        }
    }

    /// The message that is due.
    fn next_message(&self) -> Option<QueuedMessage> {
        let stamp = || Stamp {
            id: new_id(),
            timestamp: UtcDateTime::now().format(&Rfc3339).unwrap_or_default(),
            rooms: || self.rooms(),
        };
        let mut message = None;
        self.change(|queue, now| message = queue.attempt(now, stamp).cloned());
        message
    }

    async fn send(&self, message: &QueuedMessage) -> Result<(), SendError> {
        METRICS.webhook_attempts.count();
        let body = serde_json::to_vec(&Message::new(&message.timestamp, &message.events));
        self.sender.send(&message.id, unix_seconds(), body.unwrap_or_default().into()).await
    }

    /// What came of an attempt.
    fn note(&self, sent: Result<(), SendError>) {
        let Err(error) = sent else {
            return self.change(|queue, _| queue.arrived());
        };
        METRICS.webhook_failures.count();
        if self.warning.is_due(Instant::now()) {
            let (webhook, receiver) = (self.number, &self.webhook.url);
            tracing::warn!(webhook, %receiver, %error, "a webhook can't be delivered, and is sent again");
        }
        let random = random();
        self.change(|queue, now| queue.failed(now, random, error.retry_after()));
    }

    /// The receiver wants no more: 410 means for ever.
    fn close(&self) {
        let (webhook, receiver) = (self.number, &self.webhook.url);
        tracing::error!(
            webhook, %receiver,
            "a webhook's receiver is gone (410), so it is sent nothing more: remove it from the settings, or start the server again"
        );
        self.change(|queue, _| queue.close());
    }

    /// All rooms that it is told of.
    fn rooms(&self) -> Vec<RoomName> {
        let names = self.hub.room_stats().into_iter().map(|stats| stats.room);
        let mut names: Vec<_> = names.filter(|room| self.webhook.rooms.contains(room)).collect();
        names.sort_unstable();
        names
    }

    /// Changes the queue, and has the task look at it.
    fn change(&self, change: impl FnOnce(&mut DeliveryQueue, Duration)) {
        let now = self.started.elapsed();
        let (before, after) = {
            let mut queue = self.queue();
            let before = queue.len();
            change(&mut queue, now);
            (before, queue.len())
        };
        METRICS.webhook_events_waiting.moved(before, after);
        self.changed.notify_one();
    }

    fn queue(&self) -> MutexGuard<'_, DeliveryQueue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let waiting = self.queue().len();
        METRICS.webhook_events_waiting.moved(waiting, 0);
    }
}

/// 128 random bits: no other message has them.
fn new_id() -> String {
    let mut random = [0; 16];
    if let Err(error) = getrandom::fill(&mut random) {
        // The time still tells two messages of one receiver apart.
        tracing::error!(%error, "no random numbers for a message's id");
        let now = UtcDateTime::now().unix_timestamp_nanos();
        random = now.to_be_bytes();
    }
    format!("msg_{}", hex(&random))
}

/// From 0 to 1.
fn random() -> f64 {
    f64::from(getrandom::u32().unwrap_or_default()) / f64::from(u32::MAX)
}
