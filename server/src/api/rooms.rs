//! What a key can ask for: all rooms, one room, counts of many, and removing people.

use std::{collections::BTreeMap, sync::Arc};

use app::presence::{Epoch, ExistingUsers, RoomName, User};
use axum::{
    Extension, Json,
    body::Bytes,
    extract::{
        Path, Query, State,
        rejection::{BytesRejection, PathRejection, QueryRejection},
    },
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

use super::{
    cursor::{MOST_COUNTED, Page, PageError, PageQuery},
    key::ApiKey,
    problem::Problem,
    scope::Scope,
};
use crate::{
    admission::Account,
    http::{
        app_state::AppState,
        compression::Coding,
        documents::DocumentKind,
        export::ExportError,
        room_action::{RoomActionError, close_room, remove_person},
        room_path::room_from_path,
    },
};
use registry::{
    hub::{Hub, RoomStats},
    replication::handle::OpenMode,
};

/// A page of all rooms that this server knows.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RoomPage {
    rooms: Vec<RoomStats>,
    /// The `cursor` of the next page; null on the last one.
    next: Option<RoomName>,
}

/// One room. One in which nobody is has no people.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RoomDetails {
    room: RoomName,
    /// The epoch of `seq`.
    epoch: Epoch,
    /// The number of changes that this includes.
    seq: u64,
    /// The number of rows of the list.
    people: usize,
    /// Sockets and event streams, listed or not.
    observers: usize,
    /// The rows, for a key with the scope `users:read`.
    #[serde(skip_serializing_if = "Option::is_none")]
    users: Option<Vec<User>>,
}

/// Which rooms to count.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct CountsRequest {
    rooms: Vec<String>,
}

/// How many people are in each room.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Counts {
    counts: BTreeMap<RoomName, usize>,
}

/// `GET /api/rooms`: a page of all rooms, in the order of their names.
pub(super) async fn all(
    State(state): State<AppState>,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|_| PageError::Cursor)?;
    let Page { after, most } = query.try_into()?;
    let (rooms, has_more) = state.hub.room_page(after.as_ref(), most);
    let next = rooms.last().filter(|_| has_more).map(|last| last.room.clone());
    Ok(uncached(Json(RoomPage { rooms, next })))
}

/// `GET /api/rooms/{room}`: how many people are in a room, and who, if the key permits that.
pub(super) async fn one(
    State(state): State<AppState>,
    account: Account,
    Extension(key): Extension<Arc<ApiKey>>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let room = room_from_path(path).map_err(RoomActionError::Name)?;
    // Without the engine, what is known here.
    let _ = state.hub.open(&room, OpenMode::Look).await;
    if !key.scopes.permit(Scope::UsersRead) {
        return Ok(uncached(Json(details(&state.hub, room, 0))));
    }
    let hub = Arc::clone(&state.hub);
    let coding = Coding::accepted_by(&headers);
    let document = (room, DocumentKind::Room);
    let write = move |room: &RoomName| {
        serde_json::to_vec(&details(&hub, room.clone(), usize::MAX)).map_err(ExportError::from)
    };
    let document = state.documents.get(&state.hub, account, document, coding, write).await?;
    let content_type = [(header::CONTENT_TYPE, "application/json")];
    Ok(uncached((document.headers(), content_type, document.content)))
}

/// `DELETE /api/rooms/{room}`: removes everybody from a room, and closes its sockets and event streams.
pub(super) async fn close(
    State(state): State<AppState>,
    Extension(key): Extension<Arc<ApiKey>>,
    path: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Problem> {
    let room = room_from_path(path).map_err(RoomActionError::Name)?;
    let people = close_room(&state.hub, &room).await?;
    tracing::info!(key = %key.name, people, "an API key closed a room");
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /api/rooms/{room}/users/{id}`: removes a person from a room's list.
pub(super) async fn remove(
    State(state): State<AppState>,
    Extension(key): Extension<Arc<ApiKey>>,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<StatusCode, Problem> {
    let Path((room, id)) = path.map_err(|_| RoomActionError::NotListed)?;
    remove_person(&state.hub, &room, &id).await?;
    tracing::info!(key = %key.name, "an API key removed a person");
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/rooms/-/counts`: how many people are in each of these rooms.
pub(super) async fn counts(
    State(state): State<AppState>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = body.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::BodyTooLong,
        _ => Problem::Body("The body did not arrive.".to_owned()),
    })?;
    let rooms = rooms_of(&body)?;
    let people = state.hub.people_in(&rooms);
    Ok(uncached(Json(Counts { counts: rooms.into_iter().zip(people).collect() })))
}

fn rooms_of(body: &[u8]) -> Result<Vec<RoomName>, Problem> {
    let request: CountsRequest = serde_json::from_slice(body).map_err(|error| {
        Problem::Body(format!("The body is JSON like {{\"rooms\":[\"a\",\"b\"]}}: {error}."))
    })?;
    if request.rooms.len() > MOST_COUNTED {
        return Err(Problem::Body(format!("The body names more than {MOST_COUNTED} rooms.")));
    }
    let names = request.rooms.iter().map(|name| name.parse());
    Ok(names.collect::<Result<_, _>>().map_err(RoomActionError::Name)?)
}

/// A room with its first rows; without any, those are left out.
fn details(hub: &Hub, room: RoomName, most_rows: usize) -> RoomDetails {
    let ExistingUsers { epoch, seq, count, users, .. } = hub.snapshot(&room, None, most_rows);
    let observers = hub.room_stats_of(&room).map(|stats| stats.subscribers).unwrap_or_default();
    let users = (most_rows > 0).then_some(users);
    RoomDetails { room, epoch, seq, people: count, observers, users }
}

fn uncached(response: impl IntoResponse) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], response).into_response()
}
