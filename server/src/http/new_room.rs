//! `GET /new`: a form for a new room. `POST /new`: names the room, and makes the browser its host.
//!
//! Nothing is stored: a room exists once somebody is in it, and the limit of rooms counts then.

use app::ssr::new_room_document;
use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
};
use leptos::nonce::Nonce;
use url::form_urlencoded;

use super::{
    app_state::AppState,
    own_pages::REFERRER_POLICY,
    page::no_cache,
    page_language::PageLanguage,
    room_naming::{LONGEST_TITLE, RANDOM_BYTES, new_room_name},
    security_headers::{Framing, set_page_policy},
    visit::Visit,
};

/// The page with the form.
pub(crate) async fn page(State(state): State<AppState>, language: PageLanguage) -> Response {
    let document = || new_room_document(&state.leptos, LONGEST_TITLE);
    state.page_with_forms(language, StatusCode::OK, document)
}

/// Names the room and redirects to the page with its links.
pub(crate) async fn create(
    State(state): State<AppState>,
    visit: Visit,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Err(refused) = state.require_own_page(&headers, &visit) {
        return *refused;
    }
    let mut random = [0; RANDOM_BYTES];
    if getrandom::fill(&mut random).is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let title = field(&body, "title").unwrap_or_default();
    let Some(room) = new_room_name(&title, random) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response =
        Redirect::to(&format!("{}/host", state.base_path().room(&room))).into_response();
    if let Some(cookie) = state.cookies.hosts().set_cookie(&room, state.site_port(&visit)) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// A field of a form (`application/x-www-form-urlencoded`).
pub(super) fn field(body: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(body)
        .find(|(field, _)| field == name)
        .map(|(_, value)| value.into_owned())
}

impl AppState {
    /// A page whose forms come back to this site.
    pub(super) fn page_with_forms(
        &self,
        language: PageLanguage,
        status: StatusCode,
        document: impl FnOnce() -> String,
    ) -> Response {
        let mut response = (status, self.render(language, || Html(document()))).into_response();
        let headers = response.headers_mut();
        // The page has no inline script, so the nonce is used nowhere.
        set_page_policy(headers, &Nonce::new(), Framing::Forbidden, self.header_policy);
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static(REFERRER_POLICY));
        no_cache(response)
    }
}
