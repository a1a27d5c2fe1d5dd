//! What happens to every request before it is routed.

use app::ssr::BasePath;
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, Uri, header, uri::PathAndQuery},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};

use super::{app_state::AppState, request_form, visit::Visit};

/// Where supervisors and load balancers ask whether the process answers, by whatever name: it says nothing about
/// anybody.
pub(crate) const HEALTH_CHECK: &str = "/healthz";

/// Serves the routes at the root and below the base path: some proxies strip it, and others keep it.
pub(crate) fn with_entry(routes: Router, state: AppState) -> Router {
    let prepare = middleware::from_fn_with_state(state, prepare);
    Router::new().fallback_service(routes).layer(prepare)
}

async fn prepare(
    State(state): State<AppState>,
    visit: Visit,
    mut request: Request,
    next: Next,
) -> Response {
    if let Err(invalid) = request_form::check(&request) {
        return invalid.into_response();
    }
    if let Some(uri) = without_base_path(request.uri(), &state.base_path()) {
        *request.uri_mut() = uri;
    }
    if request.uri().path() != HEALTH_CHECK
        && !visit.is_certified
        && let Err(refused) = check_names(&state, &visit, &request)
    {
        return *refused;
    }
    let is_chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
    let mut response = next.run(request).await;
    if is_chunked {
        // Where the next head begins is not known to what checks the ends of lines: see `listener::line_ends`.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Checks the name that the request is for, and the one that a trusted proxy passes on: a script can't change `Host`, but
/// it can send `X-Forwarded-Host` with what it reads, and many proxies pass that on.
fn check_names(state: &AppState, visit: &Visit, request: &Request) -> Result<(), Box<Response>> {
    let requested = request_form::host(request.uri(), request.headers());
    let forwarded = visit.host.as_deref().filter(|host| Some(*host) != requested);
    state.name_check.check(requested)?;
    state.name_check.check(forwarded)
}

/// The URI below the base path; none if it stays as it is.
fn without_base_path(uri: &Uri, base_path: &BasePath) -> Option<Uri> {
    if base_path.as_str().is_empty() {
        return None;
    }
    let rest = base_path.strip(uri.path())?;
    let path = if rest.is_empty() { "/" } else { rest };
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(format!("{path}{query}")).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_path_is_stripped_and_the_query_kept() {
        let base_path = "/rollcall".parse().unwrap();
        for (uri, rest) in [
            ("/rollcall", Some("/")),
            ("/rollcall?wall", Some("/?wall")),
            ("/rollcall/r/a?wall", Some("/r/a?wall")),
            ("http://host.example/rollcall/r/a", Some("http://host.example/r/a")),
            ("/r/a", None),
            ("/rollcalls/r/a", None),
        ] {
            let stripped = without_base_path(&uri.parse().unwrap(), &base_path);
            assert_eq!(stripped.map(|uri| uri.to_string()).as_deref(), rest, "{uri}");
        }
        assert_eq!(without_base_path(&"/r/a".parse().unwrap(), &BasePath::default()), None);
    }
}
