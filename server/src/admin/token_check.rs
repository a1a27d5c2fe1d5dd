//! Admits requests with the operator's token. Wrong ones are slowed, counted and logged.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::time::Instant;

use super::{AdminToken, OperatorConnection, token_tries::TokenTries};
use crate::{
    admission::{ClientPrefix, rate_limit::whole_seconds},
    telemetry::{metrics::METRICS, warning_interval::WarningInterval},
};

/// The operator's token, and who sent a wrong one of late.
#[derive(Debug)]
pub(super) struct TokenCheck {
    token: AdminToken,
    started: Instant,
    tries: Mutex<TokenTries>,
    warning: WarningInterval,
}

impl TokenCheck {
    pub(super) fn new(token: AdminToken) -> Self {
        let (tries, warning) = (Mutex::default(), WarningInterval::default());
        Self { token, started: Instant::now(), tries, warning }
    }

    /// Counts and logs a wrong token, or one that was not looked at.
    fn note_wrong_token(&self) {
        METRICS.wrong_operator_tokens.count();
        if self.warning.is_due(Instant::now()) {
            tracing::warn!(
                "a wrong operator's token was sent: a program has an old one, or somebody tries tokens"
            );
        }
    }

    fn tries(&self) -> MutexGuard<'_, TokenTries> {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets a request through that has the token.
pub(super) async fn require_token(
    State(check): State<Arc<TokenCheck>>,
    ConnectInfo(connection): ConnectInfo<OperatorConnection>,
    request: Request,
    next: Next,
) -> Response {
    let Some(token) = AdminToken::sent(request.headers()) else { return token_required() };
    let from = sender(connection.peer);
    let now = check.started.elapsed();
    let may_try = check.tries().check(from, now);
    if let Err(wait) = may_try {
        check.note_wrong_token();
        return too_many_wrong_tokens(wait);
    }
    if !check.token.is(token) {
        check.tries().wrong(from, now);
        check.note_wrong_token();
        return token_required();
    }
    check.tries().right(from);
    next.run(request).await
}

/// Any program of this machine can use all addresses of loopback.
fn sender(peer: IpAddr) -> ClientPrefix {
    let peer = peer.to_canonical();
    if peer.is_loopback() { IpAddr::from(Ipv4Addr::LOCALHOST).into() } else { peer.into() }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_loopback_are_one_sender() {
        let of = |text: &str| sender(text.parse().unwrap());
        for text in ["127.0.0.2", "127.9.9.9", "::1", "::ffff:127.0.0.3"] {
            assert_eq!(of(text), of("127.0.0.1"), "{text}");
        }
        assert_ne!(of("10.0.0.7"), of("10.0.0.8"));
        assert_ne!(of("10.0.0.7"), of("127.0.0.1"));
    }
}
