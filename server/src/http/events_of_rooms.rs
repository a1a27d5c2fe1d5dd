//! `GET /api/events?rooms=a,b`: the live lists of several rooms as one stream of server-sent events.
//!
//! Browsers open at most six HTTP/1.1 connections to a host: with one stream for each view, the seventh view
//! could not even load.

use std::collections::BTreeMap;

use app::presence::{RoomName, RoomNameError, Since};
use axum::{
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response, sse::Event},
};
use futures_util::{StreamExt, future, stream};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{
    app_state::AppState,
    event_stream::{end_of_token, event_stream_response, feed},
    security_headers::allow_any_origin,
    visit::Visit,
};
use crate::{
    admission::{Rejection, SocketPermit},
    bearer,
    telemetry::metrics::METRICS,
    tokens::Claims,
};
use registry::hub::RoomPermit;

/// The most rooms in one stream.
pub(crate) const MAX_ROOMS: usize = 50;

/// The query of a request.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RoomsQuery {
    rooms: String,
    since: String,
    key: String,
}

/// What a request for a stream of rooms lacks.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RoomsQueryError {
    /// No rooms, or more than [`MAX_ROOMS`].
    #[error("Name 1 to {MAX_ROOMS} rooms, separated by commas: /api/events?rooms=a,b.")]
    Count,
    /// A name that no room can have.
    #[error("{0}")]
    RoomName(RoomNameError),
}

/// A room that the stream leaves out, as the data of its event `refused`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RefusedRoom<'room> {
    room: &'room str,
    event: &'static str,
    /// The limit that was exceeded.
    code: &'static str,
    message: String,
}

/// Opens a stream of the events of several rooms.
///
/// Each room counts as one feed of its client: a room costs the same in a stream of its own. A room that is
/// refused takes nothing from the others: the stream names it, and is refused only if all its rooms are.
pub(crate) async fn events_of_rooms(
    State(state): State<AppState>,
    visit: Visit,
    Query(query): Query<RoomsQuery>,
    headers: HeaderMap,
) -> Response {
    let rooms = match rooms(&query, &headers) {
        Ok(rooms) => rooms,
        Err(error) => return (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response(),
    };
    // Browsers send no cookie of a room with this request.
    let claims = match state.access.read(bearer::sent(&headers), visit.client) {
        Ok(claims) => claims,
        Err(error) => return Rejection::from(error).into_response(),
    };
    let is_readable_by_any_origin =
        rooms.keys().all(|room| state.cookies.is_embed_key(&query.key, room));
    let mut admitted = Vec::with_capacity(rooms.len());
    let mut refused = Vec::new();
    for (room, since) in rooms {
        match state.admit_feed(&room, claims.as_ref(), &visit) {
            Ok(Admitted { permit, room_permit, ends_at }) => {
                admitted.push((room, since, permit, room_permit, ends_at));
            }
            Err(rejection) => refused.push((room, rejection)),
        }
    }
    // All at once: one that has to be waited for holds up none of the others.
    let opened = admitted.iter().map(|(room, ..)| state.open_room(room));
    let opened = future::join_all(opened).await;
    let mut feeds = Vec::with_capacity(admitted.len());
    for ((room, since, permit, room_permit, ends_at), opened) in admitted.into_iter().zip(opened) {
        if let Err(rejection) = opened {
            refused.push((room, rejection));
            continue;
        }
        let mut subscription = room_permit.subscribe(None);
        subscription.start_from(since.as_ref());
        let events = feed(subscription, Some(room), state.connection.heartbeat_every, permit);
        let events = events.take_until(end_of_token(ends_at));
        // A room that the operator closed, or whose token has expired, ends the whole stream: the client opens it again,
        // with a new list.
        feeds.push(events.map(Some).chain(stream::iter([None])).boxed());
    }
    if let (true, Some((_, rejection))) = (feeds.is_empty(), refused.first()) {
        return rejection.into_response();
    }
    let guard = state.drain.feed();
    let refusals: Vec<_> =
        refused.into_iter().map(|(room, rejection)| refusal(&room, rejection)).collect();
    let events = stream::select_all(feeds)
        .take_while(|event| future::ready(event.is_some()))
        .filter_map(future::ready);
    let events = stream::iter(refusals)
        .map(Ok)
        .chain(events)
        .take_until(async move { guard.drained().await });
    let mut response = event_stream_response(events);
    if is_readable_by_any_origin {
        allow_any_origin(response.headers_mut());
    }
    response
}

/// A room that a client may follow.
struct Admitted {
    permit: SocketPermit,
    room_permit: RoomPermit,
    /// When the client's token is no longer accepted, if it has one.
    ends_at: Option<Instant>,
}

impl AppState {
    fn admit_feed(
        &self,
        room: &RoomName,
        claims: Option<&Claims>,
        visit: &Visit,
    ) -> Result<Admitted, Rejection> {
        let ends_at = self.access.decide(room, claims)?.ends_at();
        let permit = self.admission.feed(visit.client, self.hub.occupancy(room))?;
        let room_permit = self.admit_to(room, visit.client)?;
        Ok(Admitted { permit, room_permit, ends_at })
    }
}

/// The event that says why a room is not in the stream.
fn refusal(room: &RoomName, rejection: Rejection) -> Event {
    METRICS.rejected(rejection.limit());
    let refused = RefusedRoom {
        room: room.as_str(),
        event: "refused",
        code: rejection.limit(),
        message: rejection.to_string(),
    };
    let data = serde_json::to_string(&refused).unwrap_or_default();
    Event::default().event(refused.event).data(data)
}

/// The rooms, each with the position of the client's list: from `Last-Event-ID`, which has that of one room, or
/// else from `?since=ROOM.EPOCH.SEQ,ROOM.EPOCH.SEQ`.
fn rooms(
    query: &RoomsQuery,
    headers: &HeaderMap,
) -> Result<BTreeMap<RoomName, Option<Since>>, RoomsQueryError> {
    let mut rooms = BTreeMap::new();
    for name in query.rooms.split(',') {
        let room = match name.parse() {
            Err(_) if name.is_empty() => continue,
            Err(error) => return Err(RoomsQueryError::RoomName(error)),
            Ok(room) => room,
        };
        rooms.insert(room, None);
    }
    if rooms.is_empty() || rooms.len() > MAX_ROOMS {
        return Err(RoomsQueryError::Count);
    }
    let last_event_id = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let positions = last_event_id.unwrap_or(&query.since);
    for (room, position) in positions.split(',').filter_map(|position| position.split_once('.')) {
        if let Some(since) = room.parse().ok().and_then(|room: RoomName| rooms.get_mut(&room)) {
            *since = Since::from_text(position);
        }
    }
    Ok(rooms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rooms_of(query: &str, last_event_id: Option<&str>) -> Result<Vec<String>, RoomsQueryError> {
        let headers =
            last_event_id.map(|id| ("last-event-id".parse().unwrap(), id.parse().unwrap()));
        let uri = format!("/api/events?{query}").parse().unwrap();
        let Query(query) = Query::try_from_uri(&uri).unwrap();
        let rooms = rooms(&query, &headers.into_iter().collect())?;
        let text = |(room, since): (RoomName, Option<Since>)| {
            format!("{room} {}", since.map(|since| since.to_string()).unwrap_or_default())
        };
        Ok(rooms.into_iter().map(text).collect())
    }

    #[test]
    fn each_room_starts_from_its_own_position() {
        assert_eq!(rooms_of("rooms=b,a,b", None).unwrap(), ["a ", "b "]);
        let query = "rooms=a,b-1,c&since=b-1.e1.7,a.e2.12,unknown.e3.1,c.nonsense";
        assert_eq!(rooms_of(query, None).unwrap(), ["a e2.12", "b-1 e1.7", "c "]);
        assert_eq!(rooms_of(query, Some("a.e2.13")).unwrap(), ["a e2.13", "b-1 ", "c "]);
        // Some programs encode commas.
        assert_eq!(rooms_of("rooms=a%2Cb", None).unwrap(), ["a ", "b "]);
    }

    #[test]
    fn a_query_without_valid_rooms_is_refused() {
        for query in ["", "rooms=", "rooms=,", "room=a"] {
            assert_eq!(rooms_of(query, None), Err(RoomsQueryError::Count), "{query}");
        }
        let many = |count: usize| {
            (0..count).map(|number| format!("r{number}")).collect::<Vec<_>>().join(",")
        };
        assert_eq!(rooms_of(&format!("rooms={}", many(MAX_ROOMS)), None).unwrap().len(), MAX_ROOMS);
        let too_many = format!("rooms={}", many(MAX_ROOMS + 1));
        assert_eq!(rooms_of(&too_many, None), Err(RoomsQueryError::Count));
        let invalid = rooms_of("rooms=a,b_c", None);
        assert_eq!(invalid, Err(RoomsQueryError::RoomName(RoomNameError::Characters)));
    }
}
