//! What only the operator sees and does, on a listening socket of its own.
//!
//! How the server is (`/healthz`, `/readyz`, `/metrics`) is told to whoever reaches that socket, and names
//! nobody. To see a room and to act in one takes the token.

mod listen_addr;
mod rooms;
mod token;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{delete, get},
};
use serde::Serialize;

pub use self::{
    listen_addr::OperatorAddress,
    token::{OperatorToken, TokenFault},
};
use crate::{
    hub::Hub,
    lifecycle::drain::Shutdown,
    telemetry::metrics::{self, METRICS, Now},
};

/// What the operator's addresses know of the server.
#[derive(Clone, Debug)]
pub struct Overview {
    /// The rooms.
    pub hub: Arc<Hub>,
    /// Who is connected, and whether the server goes down.
    pub shutdown: Shutdown,
}

/// All addresses of the operator's.
pub(crate) fn router(overview: Overview, token: OperatorToken) -> Router {
    let actions = Router::new()
        .route("/rooms", get(rooms::all))
        .route("/rooms/{room}", get(rooms::one).delete(rooms::close))
        .route("/rooms/{room}/users/{id}", delete(rooms::remove))
        .layer(middleware::from_fn_with_state(token, only_the_operator))
        .with_state(Arc::clone(&overview.hub));
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(readiness))
        .route("/metrics", get(numbers))
        .with_state(overview)
        .merge(actions)
}

async fn only_the_operator(
    State(token): State<OperatorToken>,
    request: Request,
    next: Next,
) -> Response {
    if token.is_in(request.headers()) {
        return next.run(request).await;
    }
    let sentence = "Only the operator may: please send the token of the state folder.\n";
    let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
    (StatusCode::UNAUTHORIZED, challenge, sentence).into_response()
}

/// `GET /readyz`: whether new visitors should be sent here.
async fn readiness(State(overview): State<Overview>) -> Response {
    #[derive(Serialize)]
    struct Readiness {
        ready: bool,
        reasons: &'static [&'static str],
    }
    if overview.shutdown.is_leaving() {
        let reasons = &["the server goes down"];
        let readiness = Json(Readiness { ready: false, reasons });
        return (StatusCode::SERVICE_UNAVAILABLE, readiness).into_response();
    }
    Json(Readiness { ready: true, reasons: &[] }).into_response()
}

/// `GET /metrics`: the numbers, for Prometheus.
async fn numbers(State(overview): State<Overview>) -> Response {
    let census = overview.hub.census();
    let now = Now {
        is_ready: !overview.shutdown.is_leaving(),
        sockets: overview.shutdown.sockets(),
        feeds: overview.shutdown.feeds(),
        rooms: census.len(),
        people: census.iter().map(|room| room.people).sum(),
    };
    let content_type = [(header::CONTENT_TYPE, metrics::CONTENT_TYPE)];
    (content_type, metrics::exposition(&METRICS, now)).into_response()
}
