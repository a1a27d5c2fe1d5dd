//! The price of every answer, which the client's address pays in processor time.
//!
//! What an answer takes is measured: the processor time of its handler and of its body. What is not done here, but in
//! hyper and in the kernel, has fixed prices. An address that has used up its budget gets 429 before anything is done
//! for it.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use app::ssr::BasePath;
use axum::{
    Extension,
    body::{Body, Bytes, HttpBody},
    extract::{FromRequestParts, Request, State, rejection::ExtensionRejection},
    http::{header, request::Parts},
    middleware::Next,
    response::Response,
};
use hyper::body::{Frame, SizeHint};

use super::{entry::HEALTH_CHECK, rejected_request, visit::Visit};
use crate::{
    admission::{Account, Admission, Bill},
    telemetry::metrics::METRICS,
    url::Scheme,
};

/// To read a request and to write the head of its answer, with the system calls that they need.
const REQUEST_PRICE: Duration = Duration::from_micros(50);
/// To refuse a request.
const REJECTION_PRICE: Duration = Duration::from_micros(20);

/// What decides about prices.
#[derive(Clone, Debug)]
pub(crate) struct Prices {
    pub(crate) admission: Arc<Admission>,
    pub(crate) base_path: BasePath,
    /// What this server itself speaks, behind any proxy.
    pub(crate) spoken: Scheme,
}

/// Answers a client whose address is within its budget, and charges the address what the answer costs.
pub(crate) async fn charge(
    State(prices): State<Prices>,
    mut request: Request,
    next: Next,
) -> Response {
    let trusted = &prices.admission.policy().trusted_proxies;
    let visit = Visit::of(&request, trusted, prices.spoken);
    let account = Account::new(&prices.admission, visit.client);
    let path = request.uri().path();
    // A supervisor would end a process that rejects it.
    let is_health_check = prices.base_path.strip(path).unwrap_or(path) == HEALTH_CHECK;
    if !is_health_check {
        account.begin().await;
    }
    if let Err(rejection) = account.check()
        && !is_health_check
    {
        METRICS.rejected(rejection.limit());
        let mut bill = Bill::new(account);
        bill.add(REJECTION_PRICE);
        return bill
            .measure(|| rejected_request::answer(rejection, request.uri(), request.headers()));
    }
    if !is_health_check && let Err(rejection) = account.flight_share().await {
        METRICS.rejected(rejection.limit());
        return rejected_request::answer(rejection, request.uri(), request.headers());
    }
    // What proxies say is read once, here.
    request.extensions_mut().insert(visit);
    request.extensions_mut().insert(account.clone());
    let mut bill = Bill::new(account);
    bill.add(REQUEST_PRICE);
    let mut answered = pin!(next.run(request));
    let response = poll_fn(|context| bill.measure(|| answered.as_mut().poll(context))).await;
    charge_for_body(response, bill)
}

/// A body of a known size is all there, and its size is the rest of the price. Others are measured until they end.
///
/// An event stream pays for the lists that it begins with (see `event_stream`): what it sends later is caused by others,
/// whom a room's limits apply to.
fn charge_for_body(response: Response, mut bill: Bill) -> Response {
    if let Some(size) = response.body().size_hint().exact() {
        bill.add_bytes(size);
        return response;
    }
    let content_type = response.headers().get(header::CONTENT_TYPE);
    if content_type.is_some_and(|content_type| content_type.as_bytes() == b"text/event-stream") {
        return response;
    }
    response.map(|body| Body::new(PricedBody { body, bill }))
}

/// A body whose price is measured while it is sent.
struct PricedBody {
    body: Body,
    bill: Bill,
}

impl HttpBody for PricedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Self { body, bill } = self.get_mut();
        let frame = ready!(bill.measure(|| Pin::new(body).poll_frame(context)));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            bill.add_bytes(u64::try_from(data.len()).unwrap_or(u64::MAX));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The account that [`charge`] has found.
impl<State: Send + Sync> FromRequestParts<State> for Account {
    type Rejection = ExtensionRejection;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Self::Rejection> {
        Extension::from_request_parts(parts, state).await.map(|Extension(account)| account)
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        Router,
        body::to_bytes,
        middleware::{from_fn_with_state, map_request},
        routing::get,
    };
    use tower::ServiceExt;

    use super::*;
    use crate::{
        admission::{PeerAddr, parse_network},
        config::admission::AdmissionSettings,
    };

    /// Else each handler would parse the same headers again.
    #[tokio::test]
    async fn handlers_get_the_visit_that_was_charged() {
        let settings = AdmissionSettings {
            trusted_proxies: vec![parse_network("10.0.0.1").unwrap()],
            ..AdmissionSettings::default()
        };
        let admission = Admission::new(settings.into_policy(None, Scheme::Http));
        let base_path = BasePath::default();
        let prices = Prices { admission, base_path, spoken: Scheme::Http };
        let forget_headers = map_request(async |mut request: Request| {
            request.headers_mut().clear();
            request
        });
        let routes = Router::new()
            .route("/", get(async |visit: Visit, _: Account| visit.client.to_string()))
            .layer(forget_headers)
            .layer(from_fn_with_state(prices, charge));
        let mut request = Request::new(Body::empty());
        request.headers_mut().insert("x-forwarded-for", "192.0.2.7".parse().unwrap());
        request.extensions_mut().insert(PeerAddr([10, 0, 0, 1].into()));
        let response = routes.oneshot(request).await.unwrap();
        let client = to_bytes(response.into_body(), 100).await.unwrap();
        assert_eq!(client, "192.0.2.7");
    }
}
