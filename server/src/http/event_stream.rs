//! `GET /api/rooms/{room}/events`: the live list as server-sent events, for clients that only watch.

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use app::presence::{RoomName, Since};
use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, HeaderName, StatusCode, Uri, header},
    response::{IntoResponse, Response, Sse, sse::Event},
};
use futures_util::{Stream, StreamExt, future, stream};
use tokio::time::{Instant, sleep_until};

use super::{
    app_state::AppState,
    room_path::{room_from_path, room_not_found},
    visit::Visit,
};
use crate::{
    admission::SocketPermit, room_access::Permission, websocket::paid_updates::poll_paid_updates,
};
use registry::{hub::Subscription, wake::wake_flags::WakeReasons};

/// Opens a feed of the room's events.
pub(crate) async fn events(
    State(state): State<AppState>,
    visit: Visit,
    path: Result<Path<String>, PathRejection>,
    permission: Result<Permission, StatusCode>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let room_name = match room_from_path(path) {
        Ok(room_name) => room_name,
        Err(error) => return room_not_found(error),
    };
    let ends_at = match permission {
        Ok(permission) => permission.ends_at(),
        Err(status) => return status.into_response(),
    };
    let occupancy = state.hub.occupancy(&room_name);
    let permit = match state.admission.feed(visit.client, occupancy) {
        Ok(permit) => permit,
        Err(rejection) => return rejection.into_response(),
    };
    let room_permit = match state.admit_to(&room_name, visit.client) {
        Ok(room_permit) => room_permit,
        Err(rejection) => return rejection.into_response(),
    };
    if let Err(rejection) = state.open_room(&room_name).await {
        return rejection.into_response();
    }
    let mut subscription = room_permit.subscribe(None);
    subscription.start_from(last_event_id(&headers).or_else(|| since_in_query(&uri)).as_ref());
    let guard = state.drain.feed();
    let events = feed(subscription, None, state.connection.heartbeat_every, permit)
        .take_until(async move { guard.drained().await })
        .take_until(end_of_token(ends_at));
    event_stream_response(events)
}

/// Waits until the reader's token is no longer accepted: for ever, if there is none.
pub(super) async fn end_of_token(ends_at: Option<Instant>) {
    match ends_at {
        Some(ends_at) => sleep_until(ends_at).await,
        None => future::pending().await,
    }
}

/// The response that sends these events.
pub(super) fn event_stream_response(
    events: impl Stream<Item = Result<Event, Infallible>> + Send + 'static,
) -> Response {
    // Proxies would gather events until a buffer is full, to compress them for instance.
    let unbuffered = [
        (header::CACHE_CONTROL, "no-store, no-transform"),
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (unbuffered, Sse::new(events)).into_response()
}

/// The position of a client that reconnects, `EPOCH.SEQ`: browsers send back the last event's id.
fn last_event_id(headers: &HeaderMap) -> Option<Since> {
    Since::from_text(headers.get("last-event-id")?.to_str().ok()?)
}

/// The same in the query, `?since=EPOCH.SEQ`: a browser can't set a header on its first request.
fn since_in_query(uri: &Uri) -> Option<Since> {
    uri.query()?.split('&').find_map(|part| Since::from_text(part.strip_prefix("since=")?))
}

/// The events of a subscription; `label` is the room that each of them names, in a stream of several rooms.
pub(super) fn feed(
    subscription: Subscription,
    label: Option<RoomName>,
    heartbeat_every: Duration,
    permit: SocketPermit,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let mut feed = Feed {
        // Only a beat says that a list is old.
        is_beat_due: subscription.is_stale(),
        subscription,
        label,
        heartbeat_every,
        next_beat: Instant::now(),
        is_room_closed: false,
        queue: VecDeque::new(),
        permit,
    };
    feed.schedule_beat();
    stream::unfold(feed, async |mut feed| {
        let event = feed.next().await?;
        Some((Ok(event), feed))
    })
}

struct Feed {
    subscription: Subscription,
    /// The room that every event and every position names.
    label: Option<RoomName>,
    heartbeat_every: Duration,
    next_beat: Instant,
    is_beat_due: bool,
    /// The operator closed the room: the feed ends after the pending updates.
    is_room_closed: bool,
    /// The rest of the current batch.
    queue: VecDeque<Event>,
    /// The feed counts until this is dropped.
    permit: SocketPermit,
}

impl Feed {
    /// The next event; none at the end of the feed.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return Some(event);
            }
            let updates = poll_paid_updates(&mut self.subscription, &self.permit);
            self.queue.extend(updates.map(|frame| named_event(frame.text(), self.label.as_ref())));
            // A client can resume only from the end of a batch.
            if let Some(last) = self.queue.pop_back() {
                let last = self.with_position(last);
                self.queue.push_back(last);
                continue;
            }
            // If there are updates by now, the beat is sent after them.
            if self.is_beat_due
                && let Some(beat) = self.subscription.beat()
            {
                self.is_beat_due = false;
                return Some(named_event(beat.text(), self.label.as_ref()));
            }
            if self.is_room_closed {
                return None;
            }
            let reasons = self.subscription.woken().await;
            self.is_room_closed = reasons.contains(WakeReasons::ROOM_CLOSED);
            self.is_beat_due |= reasons.contains(WakeReasons::FRESHNESS);
            if self.next_beat <= Instant::now() {
                self.is_beat_due = true;
                self.schedule_beat();
            }
        }
    }

    fn schedule_beat(&mut self) {
        self.next_beat = Instant::now() + self.heartbeat_every;
        self.subscription.timers().insert_at(self.subscription.flags(), self.next_beat);
    }

    /// Adds the position from which a client can resume, as the event's id.
    fn with_position(&self, event: Event) -> Event {
        match (self.subscription.position(), &self.label) {
            (Some(position), Some(room)) => event.id(format!("{room}.{position}")),
            (Some(position), None) => event.id(position.to_string()),
            (None, _) => event,
        }
    }
}

/// A frame as an event with the frame's `event` as its name. A label becomes its first field, `room`.
fn named_event(frame: &str, label: Option<&RoomName>) -> Event {
    let name = frame.strip_prefix(r#"{"event":""#).and_then(|rest| rest.split('"').next());
    let event = Event::default().event(name.unwrap_or_default());
    match (label, frame.strip_prefix('{')) {
        (Some(room), Some(fields)) => event.data(format!(r#"{{"room":"{room}",{fields}"#)),
        _ => event.data(frame),
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use app::presence::UserId;
    use registry::{
        hub::Hub,
        presence::join::{JoinKind, JoinRequest},
    };

    use super::*;
    use crate::{
        admission::{Account, Admission},
        config::{Config, admission::AdmissionSettings},
        url::Scheme,
    };

    /// One address that opens streams of a large room again and again pays as if it fetched the list.
    #[tokio::test(start_paused = true)]
    async fn first_list_of_a_stream_is_paid_and_what_others_change_is_not() {
        // The price of a byte is 10 ns, and next to nothing is granted later.
        let settings = AdmissionSettings {
            processor_burst_per_address: Duration::from_nanos(500),
            processor_rate_per_address: 1,
            ..AdmissionSettings::default()
        };
        let admission = Admission::new(settings.into_policy(None, Scheme::Http));
        let hub = Hub::new(Config::default().room_limits);
        let room = RoomName::lobby();
        let mut ana = hub.enter(&room, UserId::from_leading_bits(1 << 64));
        let join = |name: &str| JoinRequest {
            name: name.to_owned(),
            tab: None,
            is_visible: true,
            kind: JoinKind::Opening,
            since: None,
        };
        ana.join(join("Ana")).unwrap();
        let stream = |last: u8| {
            let address = [127, 0, 0, last].into();
            let permit = admission.feed(address, hub.occupancy(&room)).unwrap();
            let mut subscription = hub.subscribe(&room, None);
            subscription.start_from(None);
            let account = Account::new(&admission, address);
            (feed(subscription, None, Duration::from_secs(10), permit), account)
        };
        let (events, account) = stream(1);
        let mut events = pin!(events);
        assert_eq!(account.check(), Ok(()));
        let _list = events.next().await.unwrap().unwrap();
        assert!(account.check().is_err(), "the list has more than 50 bytes");
        // In time it is granted again, and then only others change something.
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(account.check(), Ok(()));
        for name in ["Bo", "Cy", "Di"] {
            ana.rename(name).unwrap();
            let _change = events.next().await.unwrap().unwrap();
        }
        assert_eq!(account.check(), Ok(()));
    }
}
