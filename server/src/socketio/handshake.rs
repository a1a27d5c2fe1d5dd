//! Requests to `/socket.io/`: which pages may send them, who begins a session, and the upgrade to a WebSocket.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use engineioxide::{
    TransportType,
    config::EngineIoConfig,
    service::{EngineIoService, NotFoundService},
};
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tower::{Service, ServiceExt};
use tungstenite::handshake::server::create_response_with_body;

use super::{
    PING_INTERVAL, PING_TIMEOUT, RoomsHandler,
    outgoing::QUEUE_LENGTH,
    query::{Purpose, QueryError, Transport, purpose, session},
    session::Handshake,
    stream::BudgetedStream,
    upgrades::{UpgradeSlot, Upgrades},
};
use crate::{
    admission::RequestOrigin,
    config::socketio::Transports,
    http::{
        app_state::AppState, security_headers::allow_origin, visit::Visit,
        websocket_upgrade::has_key,
    },
    listener::{InFlight, SystemBuffer, UpgradedStream, WriteTimeout},
    websocket::budget::FrameLimits,
};

/// Time for progress of a write to a WebSocket.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// The most bytes of a packet where no limit is set.
const MOST_BYTES_OF_A_PACKET: usize = 1024 * 1024;

/// The size of the buffer that each WebSocket reads into: clients send little.
const READ_BUFFER_IN_BYTES: usize = 1024;

/// What answers requests to `/socket.io/`. Cloning it is cheap.
#[derive(Clone)]
pub(crate) struct SocketIo {
    state: AppState,
    transports: Transports,
    engine: EngineIoService<RoomsHandler, NotFoundService>,
    upgrades: Upgrades,
}

impl SocketIo {
    pub(crate) fn new(state: AppState, transports: Transports) -> Self {
        let longest = state.connection.frames.longest.number().unwrap_or(MOST_BYTES_OF_A_PACKET);
        let config = EngineIoConfig::builder()
            .req_path("/socket.io")
            .ping_interval(PING_INTERVAL)
            .ping_timeout(PING_TIMEOUT)
            .max_buffer_size(QUEUE_LENGTH)
            .max_payload(u64::try_from(longest).unwrap_or(u64::MAX))
            .ws_read_buffer_size(READ_BUFFER_IN_BYTES)
            .ws_max_message_size(longest)
            .ws_max_frame_size(longest);
        let config = match transports {
            Transports::WebSocket => config.transports([TransportType::Websocket]),
            Transports::PollingAndWebSocket => {
                config.transports([TransportType::Polling, TransportType::Websocket])
            }
        };
        let handler = Arc::new(RoomsHandler::new(state.clone()));
        let engine = EngineIoService::with_config(handler, config.build());
        Self { state, transports, engine, upgrades: Upgrades::default() }
    }
}

/// Answers a request to `/socket.io/`.
pub(crate) async fn answer(socket_io: SocketIo, visit: Visit, request: Request) -> Response {
    let headers = request.headers().clone();
    let origin = RequestOrigin::of(&headers, visit.host.as_deref());
    let origins = &socket_io.state.admission.policy().origins;
    if let Err(rejected) = origins.admit(origin) {
        socket_io.state.origin_warning.log(origin.origin, socket_io.state.site_origin(&visit));
        return error(StatusCode::FORBIDDEN, rejected.code(), rejected.to_string());
    }
    let mut response = if request.method() == Method::OPTIONS {
        preflight()
    } else {
        socket_io.answer(&visit, request).await
    };
    // Never pages of any origin: who may send requests may read the answers, and nobody else.
    response.headers_mut().append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = headers.get(header::ORIGIN)
        && origin.to_str().is_ok_and(|text| origins.allows(text))
    {
        allow_origin(response.headers_mut(), origin.clone());
        // With them a page of the same site, as browsers have it, is the same person as in the room's page.
        let credentials = header::ACCESS_CONTROL_ALLOW_CREDENTIALS;
        response.headers_mut().insert(credentials, HeaderValue::from_static("true"));
    }
    response
}

/// Answers a request to any other address below `/socket.io/`.
pub(crate) async fn no_such_address() -> Response {
    let sentence = "This server speaks Socket.IO with socket.io-client 3.x or 4.x, at /socket.io/. \
                    Clients of 0.9 and 2.x can't connect, and the client itself is not served here.\n";
    (StatusCode::NOT_FOUND, sentence).into_response()
}

impl SocketIo {
    async fn answer(&self, visit: &Visit, mut request: Request) -> Response {
        let is_polling_enabled = self.transports == Transports::PollingAndWebSocket;
        let query = request.uri().query().unwrap_or_default();
        let purpose = match purpose(request.method(), query, is_polling_enabled) {
            Ok(purpose) => purpose,
            Err(error) => return refuse(error),
        };
        match purpose {
            Purpose::Continue(Transport::Polling) => self.step(request).await,
            Purpose::Continue(Transport::WebSocket) => self.upgrade(request, None),
            Purpose::Open(transport) => {
                let (handshake, cookie) = match self.admit(visit, request.headers()) {
                    Ok(admitted) => admitted,
                    Err(response) => return *response,
                };
                let mut response = match transport {
                    Transport::Polling => {
                        // Engine.IO keeps the request: nothing of it but who it is from is needed.
                        *request.headers_mut() = HeaderMap::new();
                        request.extensions_mut().clear();
                        request.extensions_mut().insert(Arc::new(handshake));
                        self.step(request).await
                    }
                    Transport::WebSocket => self.upgrade(request, Some(handshake)),
                };
                if let Some(cookie) = cookie {
                    response.headers_mut().append(header::SET_COOKIE, cookie);
                }
                response
            }
        }
    }

    /// Passes a request on to Engine.IO.
    async fn step(&self, request: Request) -> Response {
        let Ok(response) = ServiceExt::<Request>::oneshot(self.engine.clone(), request).await;
        let mut response = response.map(Body::new);
        let no_store = HeaderValue::from_static("no-store");
        response.headers_mut().insert(header::CACHE_CONTROL, no_store);
        response
    }

    /// Who begins a session, admitted as for a WebSocket of a room.
    fn admit(
        &self,
        visit: &Visit,
        headers: &HeaderMap,
    ) -> Result<(Handshake, Option<HeaderValue>), Box<Response>> {
        let state = &self.state;
        let rejected = |rejection: crate::admission::Rejection| Box::new(rejection.into_response());
        // Of the room, which is not known yet, the namespace decides.
        let occupancy = registry::hub::Occupancy::Vacant { rooms: 0 };
        let permit = state.admission.socket(visit.client, occupancy).map_err(rejected)?;
        let port = state.site_port(visit);
        let person = state.cookies.identify(headers, port);
        let person =
            person.map_err(|_| Box::new(StatusCode::INTERNAL_SERVER_ERROR.into_response()))?;
        let permit = permit.with_person(person).map_err(rejected)?;
        let cookie = state.cookies.set_cookie(person, port);
        Ok((Handshake::new(visit.client, person, permit), cookie))
    }

    /// Upgrades to a WebSocket, of a new session or of one that polled until now.
    fn upgrade(&self, mut request: Request, handshake: Option<Handshake>) -> Response {
        let session = session(request.uri().query().unwrap_or_default());
        let slot = session.map(|session| self.upgrades.take(session));
        if let Some(None) = slot {
            return refuse(QueryError::BadUpgrade);
        }
        let slot = slot.flatten();
        let response = create_response_with_body(&request, Body::empty);
        let Some(response) = response.ok().filter(|_| has_key(request.headers())) else {
            return refuse(QueryError::BadUpgrade);
        };
        let upgrade = hyper::upgrade::on(&mut request);
        let mut opening = axum::http::Request::new(());
        *opening.uri_mut() = request.uri().clone();
        if let Some(handshake) = handshake {
            opening.extensions_mut().insert(Arc::new(handshake));
        }
        let limits = self.state.connection.frames;
        let engine = self.engine.clone();
        tokio::spawn(async move {
            let upgraded = match upgrade.await {
                Ok(upgraded) => upgraded,
                Err(error) => {
                    tracing::debug!(%error, "the upgrade to a WebSocket failed");
                    return;
                }
            };
            match UpgradedStream::of(upgraded) {
                Ok((UpgradedStream::Plain(stream), read)) => {
                    start(engine, bounded(stream, &read, limits, slot), opening).await;
                }
                Ok((UpgradedStream::Tls(stream), read)) => {
                    start(engine, bounded(*stream, &read, limits, slot), opening).await;
                }
                Err(upgraded) => tracing::error!(?upgraded, "unknown type of an upgraded stream"),
            }
        });
        response
    }
}

/// Has Engine.IO serve a stream.
async fn start<S>(
    mut engine: EngineIoService<RoomsHandler, NotFoundService>,
    stream: S,
    request: axum::http::Request<()>,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    if let Err(error) = Service::call(&mut engine, (stream, request)).await {
        // Unreachable: its query was read before.
        tracing::debug!(%error, "a request of Engine.IO was not understood");
    }
}

/// A stream with the limits of a session.
fn bounded<S>(
    stream: InFlight<S>,
    already_read: &[u8],
    limits: FrameLimits,
    slot: Option<UpgradeSlot>,
) -> BudgetedStream<WriteTimeout<InFlight<S>>>
where
    S: SystemBuffer + AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let stream = WriteTimeout::new(stream, Some(WRITE_TIMEOUT));
    // A copy, so that hyper's buffer is freed.
    let already_read = Bytes::copy_from_slice(already_read);
    BudgetedStream::new(stream, already_read, limits, slot)
}

/// What browsers may send from pages of other origins.
fn preflight() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

fn refuse(refused: QueryError) -> Response {
    error(StatusCode::BAD_REQUEST, refused.code(), refused.to_string())
}

/// An error in the form that clients of Engine.IO know.
fn error(status: StatusCode, code: impl Serialize, message: String) -> Response {
    #[derive(Serialize)]
    struct Error<C> {
        code: C,
        message: String,
    }
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    (status, no_store, Json(Error { code, message })).into_response()
}
