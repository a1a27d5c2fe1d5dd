//! The admin interface, on a listening socket of its own.
//!
//! `/healthz`, `/readyz` and `/metrics` need no token, and contain no names. Listing rooms and acting in them
//! needs the token.

mod connections;
mod listen_addr;
mod rooms;
mod token;
mod token_check;

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{ConnectInfo, Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{delete, get},
};
use serde::Serialize;

pub(crate) use self::connections::{OperatorConnection, serve_operator};
use self::token_check::{OperatorCheck, require_token};
pub use self::{
    listen_addr::AdminAddr,
    token::{AdminToken, TokenError},
};
use crate::{
    admission::Admission,
    config::cluster,
    http::{entry::HEALTH_CHECK, name_check::NameCheck, request_form},
    lifecycle::graceful_shutdown::Drain,
    listener::BareLineFeed,
    telemetry::metrics::{self, METRICS, Now},
};
use registry::hub::Hub;

/// The state of the admin interface's handlers.
#[derive(Clone, Debug)]
pub struct AdminState {
    /// The rooms.
    pub hub: Arc<Hub>,
    /// The open sockets, and whether the server shuts down.
    pub drain: Drain,
    /// What visitors use of the pools.
    pub admission: Arc<Admission>,
    /// Whether the server is ready while its engine is silent.
    pub readiness: cluster::Readiness,
}

/// For so long an engine may be silent before the server is not ready.
const LONGEST_SILENCE: Duration = Duration::from_secs(5);

impl AdminState {
    /// Why no visitors should be sent here; none if they should.
    fn not_ready_because(&self) -> Option<String> {
        if self.drain.is_draining() {
            return Some("the server is shutting down".to_owned());
        }
        // A server of a cluster has heard its engine before it serves.
        let silence = self.hub.engine_silence().filter(|silence| *silence >= LONGEST_SILENCE);
        match (self.readiness, silence) {
            (cluster::Readiness::NeedsEngine, Some(silence)) => {
                Some(format!("the engine has not been heard for {} s", silence.as_secs()))
            }
            _ => None,
        }
    }
}

/// All routes of the admin interface.
pub(crate) fn router(state: AdminState, token: AdminToken, name_check: Arc<NameCheck>) -> Router {
    let token_check = Arc::new(OperatorCheck::new(token));
    let actions = Router::new()
        .route("/rooms", get(rooms::all))
        .route("/rooms/{room}", get(rooms::one).delete(rooms::close))
        .route("/rooms/{room}/users/{id}", delete(rooms::remove))
        .layer(middleware::from_fn_with_state(token_check, require_token))
        .with_state(Arc::clone(&state.hub));
    let about_the_server = Router::new()
        .route("/readyz", get(readiness))
        .route("/metrics", get(metrics_text))
        .with_state(state);
    about_the_server
        .merge(actions)
        .layer(middleware::from_fn_with_state(name_check, require_name))
        // Whoever asks whether the process answers may do so by any name.
        .route(HEALTH_CHECK, get(async || "ok\n"))
        .layer(middleware::from_fn(require_form))
}

/// Refuses what HTTP calls invalid.
async fn require_form(
    ConnectInfo(connection): ConnectInfo<OperatorConnection>,
    mut request: Request,
    next: Next,
) -> Response {
    if connection.bare_line_feeds.were_read() {
        request.extensions_mut().insert(BareLineFeed);
    }
    match request_form::check(&request) {
        Ok(()) => next.run(request).await,
        Err(invalid) => invalid.into_response(),
    }
}

/// Refuses the page of a stranger whose name leads to this machine: its browser may be the operator's.
async fn require_name(
    State(name_check): State<Arc<NameCheck>>,
    request: Request,
    next: Next,
) -> Response {
    let host = request_form::host(request.uri(), request.headers());
    match name_check.check(host) {
        Ok(()) => next.run(request).await,
        Err(refused) => *refused,
    }
}

/// `GET /readyz`: whether a load balancer should send visitors here.
async fn readiness(State(state): State<AdminState>) -> Response {
    #[derive(Serialize)]
    struct Readiness {
        ready: bool,
        reasons: Vec<String>,
    }
    let reasons: Vec<_> = state.not_ready_because().into_iter().collect();
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready: reasons.is_empty(), reasons })).into_response()
}

/// `GET /metrics`: the metrics for Prometheus.
async fn metrics_text(State(state): State<AdminState>) -> Response {
    let room_stats = state.hub.room_stats();
    let now = Now {
        is_ready: state.not_ready_because().is_none(),
        sockets: state.drain.sockets(),
        feeds: state.drain.feeds(),
        rooms: room_stats.len(),
        people: room_stats.iter().map(|room| room.people).sum(),
        bytes_in_flight: state.admission.bytes_in_flight(),
    };
    let content_type = [(header::CONTENT_TYPE, metrics::CONTENT_TYPE)];
    let cluster = state.hub.cluster().map(|cluster| &**cluster);
    let text = metrics::exposition(&METRICS, state.hub.stats(), cluster, now);
    (content_type, text).into_response()
}
