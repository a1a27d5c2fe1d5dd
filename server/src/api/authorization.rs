//! Admits requests with an API key, and only to what the key permits. Wrong keys are slowed, counted and logged.

use std::{path::Path, sync::Arc};

use axum::{
    Extension,
    extract::{Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{key::ApiKey, keys::ApiKeys, problem::Problem, scope::Scope};
use crate::{
    bearer::{self, TokenCheck, TokenKind, WrongToken},
    http::{app_state::AppState, visit::Visit},
    telemetry::metrics::METRICS,
};

/// The keys, and who sent a wrong one of late.
#[derive(Debug)]
pub(crate) struct ApiAccess {
    keys: ApiKeys,
    check: TokenCheck,
}

impl ApiAccess {
    pub(crate) fn of_state_directory(state_directory: &Path) -> Self {
        let check = TokenCheck::new(TokenKind {
            counter: &METRICS.wrong_api_keys,
            warning: "a wrong API key was sent: a program has a key that was removed, or somebody tries keys",
        });
        Self { keys: ApiKeys::of_state_directory(state_directory), check }
    }

    async fn admit(&self, headers: &HeaderMap, visit: &Visit) -> Result<ApiKey, Problem> {
        // Browsers send it with every request that another page caused and this server could change something for.
        if headers.contains_key(header::ORIGIN) {
            return Err(Problem::OriginNotAllowed);
        }
        let token = bearer::sent(headers).ok_or(Problem::KeyMissing)?;
        let keys = self.keys.all().await;
        let look_up = || keys.iter().find(|key| key.sha256.is_of(token)).cloned();
        self.check.check(visit.client, look_up).map_err(|wrong| match wrong {
            WrongToken::Unknown => Problem::KeyUnknown,
            WrongToken::TooMany(wait) => Problem::TooManyWrongKeys(wait),
        })
    }
}

/// Lets a request through that has a key, and adds the key to it.
pub(super) async fn require_key(
    State(state): State<AppState>,
    visit: Visit,
    mut request: Request,
    next: Next,
) -> Response {
    match state.api.admit(request.headers(), &visit).await {
        Ok(key) => {
            request.extensions_mut().insert(Arc::new(key));
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// Lets a request through whose key permits this.
pub(super) async fn require_scope(
    State(scope): State<Scope>,
    Extension(key): Extension<Arc<ApiKey>>,
    request: Request,
    next: Next,
) -> Response {
    if key.scopes.permit(scope) {
        next.run(request).await
    } else {
        Problem::ScopeMissing(scope).into_response()
    }
}
