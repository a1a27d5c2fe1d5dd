//! The list for those who only look: once as JSON, or live as Server-Sent Events.

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use app::presence::Since;
use axum::{
    extract::{Extension, Path, State, rejection::PathRejection},
    http::{HeaderMap, Uri, header},
    response::{IntoResponse, Response, Sse, sse::Event},
};
use futures_util::{Stream, StreamExt, stream};
use tokio::time::Instant;

use super::{
    app_state::AppState,
    room_path::{room_from_path, room_not_found},
};
use crate::admission::{PeerAddr, SocketPermit};
use registry::{hub::Subscription, wake::wake_flags::WakeReasons};

/// `GET /api/rooms/{room}/events`: the live list, for those who only watch.
pub(crate) async fn events(
    State(state): State<AppState>,
    Extension(PeerAddr(peer)): Extension<PeerAddr>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let room_name = match room_from_path(path) {
        Ok(room_name) => room_name,
        Err(fault) => return room_not_found(fault),
    };
    let occupancy = state.hub.occupancy(&room_name);
    let permit = match state.admission.feed(peer, &headers, occupancy) {
        Ok(permit) => permit,
        Err(rejection) => return rejection.into_response(),
    };
    let mut subscription = state.hub.subscribe(&room_name, None);
    subscription.start_from(last_event(&headers).or_else(|| asked_for(&uri)).as_ref());
    let guard = state.drain.feed();
    let events = follow(subscription, state.connection.heartbeat_every, permit)
        .take_until(async move { guard.drained().await });
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    (no_store, Sse::new(events)).into_response()
}

/// Where a client that lost its connection was: `EPOCH.SEQ`.
fn last_event(headers: &HeaderMap) -> Option<Since> {
    Since::from_text(headers.get("last-event-id")?.to_str().ok()?)
}

/// The same in the address, `?since=EPOCH.SEQ`: a browser's first request for a feed has no header for it.
fn asked_for(uri: &Uri) -> Option<Since> {
    uri.query()?.split('&').find_map(|part| Since::from_text(part.strip_prefix("since=")?))
}

/// Everything that an observer is told, as events.
fn follow(
    subscription: Subscription,
    beat_every: Duration,
    permit: SocketPermit,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let mut reader = Reader {
        subscription,
        beat_every,
        next_beat: Instant::now(),
        is_beat_due: false,
        is_room_closed: false,
        waiting: VecDeque::new(),
        _pass: permit,
    };
    reader.set_next_beat();
    stream::unfold(reader, async |mut reader| {
        let event = reader.next().await?;
        Some((Ok(event), reader))
    })
}

struct Reader {
    subscription: Subscription,
    beat_every: Duration,
    next_beat: Instant,
    is_beat_due: bool,
    /// The operator closed the room: this ends when all is said.
    is_room_closed: bool,
    /// The rest of what belongs together.
    waiting: VecDeque<Event>,
    /// It is counted for as long as it is followed.
    _pass: SocketPermit,
}

impl Reader {
    /// None at the end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            self.waiting.extend(self.subscription.poll_updates().map(|frame| named(frame.text())));
            // Only the piece that completes something is a point to come back to.
            if let Some(last) = self.waiting.pop_back() {
                let last = self.point(last);
                self.waiting.push_back(last);
                continue;
            }
            // Where there are news by now, it comes after them.
            if self.is_beat_due
                && let Some(beat) = self.subscription.beat()
            {
                self.is_beat_due = false;
                return Some(named(beat.text()));
            }
            if self.is_room_closed {
                return None;
            }
            let signals = self.subscription.woken().await;
            self.is_room_closed = signals.contains(WakeReasons::ROOM_CLOSED);
            if self.next_beat <= Instant::now() {
                self.is_beat_due = true;
                self.set_next_beat();
            }
        }
    }

    fn set_next_beat(&mut self) {
        self.next_beat = Instant::now() + self.beat_every;
        self.subscription.timers().insert_at(self.subscription.flags(), self.next_beat);
    }

    fn point(&self, event: Event) -> Event {
        match self.subscription.position() {
            Some(point) => event.id(point.to_string()),
            None => event,
        }
    }
}

/// A frame as an event of the same name.
fn named(frame: &str) -> Event {
    let name = frame.strip_prefix(r#"{"event":""#).and_then(|rest| rest.split('"').next());
    Event::default().event(name.unwrap_or_default()).data(frame)
}
