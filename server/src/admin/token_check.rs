//! Admits requests with the operator's token.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{AdminToken, OperatorConnection};
use crate::{
    admission::rate_limit::whole_seconds,
    bearer::{self, TokenCheck, TokenKind, WrongToken},
    telemetry::metrics::METRICS,
};

/// The operator's token, and who sent a wrong one of late.
#[derive(Debug)]
pub(super) struct OperatorCheck {
    token: AdminToken,
    check: TokenCheck,
}

impl OperatorCheck {
    pub(super) fn new(token: AdminToken) -> Self {
        let check = TokenCheck::new(TokenKind {
            counter: &METRICS.wrong_operator_tokens,
            warning: "a wrong operator's token was sent: a program has an old one, or somebody tries tokens",
        });
        Self { token, check }
    }
}

/// Lets a request through that has the token.
pub(super) async fn require_token(
    State(operator): State<Arc<OperatorCheck>>,
    ConnectInfo(connection): ConnectInfo<OperatorConnection>,
    request: Request,
    next: Next,
) -> Response {
    let Some(token) = bearer::sent(request.headers()) else { return token_required() };
    match operator.check.check(connection.peer, || operator.token.is(token).then_some(())) {
        Ok(()) => next.run(request).await,
        Err(WrongToken::Unknown) => token_required(),
        Err(WrongToken::TooMany(wait)) => too_many_wrong_tokens(wait),
    }
}

fn token_required() -> Response {
    let sentence =
        "This needs the token in the state directory's operator.token, as a bearer token.\n";
    let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
    (StatusCode::UNAUTHORIZED, challenge, sentence).into_response()
}

fn too_many_wrong_tokens(wait: Duration) -> Response {
    let retry_after = [(header::RETRY_AFTER, HeaderValue::from(whole_seconds(wait)))];
    let sentence =
        "Too many wrong tokens were sent, so no token is looked at for a moment: try again soon.\n";
    (StatusCode::TOO_MANY_REQUESTS, retry_after, sentence).into_response()
}
