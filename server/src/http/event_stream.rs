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
    room_path::{no_room, room_of},
};
use crate::{
    admission::{Peer, SocketPass},
    hub::Observer,
    wake::wake_flags::Signals,
};

/// `GET /api/rooms/{room}/events`: the live list, for those who only watch.
pub(crate) async fn events(
    State(state): State<AppState>,
    Extension(Peer(peer)): Extension<Peer>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let room_name = match room_of(path) {
        Ok(room_name) => room_name,
        Err(fault) => return no_room(fault),
    };
    let occupancy = state.hub.occupancy(&room_name);
    let pass = match state.door.feed(peer, &headers, occupancy) {
        Ok(pass) => pass,
        Err(turned_away) => return turned_away.into_response(),
    };
    let mut observer = state.hub.observe(&room_name, None);
    observer.start(last_event(&headers).or_else(|| asked_for(&uri)).as_ref());
    let guest = state.shutdown.feed();
    let events = follow(observer, state.connection.heartbeat_every, pass)
        .take_until(async move { guest.called().await });
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
    observer: Observer,
    beat_every: Duration,
    pass: SocketPass,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let mut reader = Reader {
        observer,
        beat_every,
        next_beat: Instant::now(),
        is_beat_due: false,
        is_room_closed: false,
        waiting: VecDeque::new(),
        _pass: pass,
    };
    reader.set_next_beat();
    stream::unfold(reader, async |mut reader| {
        let event = reader.next().await?;
        Some((Ok(event), reader))
    })
}

struct Reader {
    observer: Observer,
    beat_every: Duration,
    next_beat: Instant,
    is_beat_due: bool,
    /// The operator closed the room: this ends when all is said.
    is_room_closed: bool,
    /// The rest of what belongs together.
    waiting: VecDeque<Event>,
    /// It is counted for as long as it is followed.
    _pass: SocketPass,
}

impl Reader {
    /// None at the end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            self.waiting.extend(self.observer.news().map(|frame| named(frame.text())));
            // Only the piece that completes something is a point to come back to.
            if let Some(last) = self.waiting.pop_back() {
                let last = self.point(last);
                self.waiting.push_back(last);
                continue;
            }
            // Where there are news by now, it comes after them.
            if self.is_beat_due
                && let Some(beat) = self.observer.beat()
            {
                self.is_beat_due = false;
                return Some(named(beat.text()));
            }
            if self.is_room_closed {
                return None;
            }
            let signals = self.observer.listen().await;
            self.is_room_closed = signals.include(Signals::ROOM_CLOSED);
            if self.next_beat <= Instant::now() {
                self.is_beat_due = true;
                self.set_next_beat();
            }
        }
    }

    fn set_next_beat(&mut self) {
        self.next_beat = Instant::now() + self.beat_every;
        self.observer.wheel().ring_at(self.observer.bell(), self.next_beat);
    }

    fn point(&self, event: Event) -> Event {
        match self.observer.position() {
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
