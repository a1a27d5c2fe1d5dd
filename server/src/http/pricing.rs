//! The price of every answer, which the client's address pays in processor time.
//!
//! What an answer takes is measured: the processor time of its handler and of its body. What is not done here, but in
//! hyper and in the kernel, has fixed prices. An address that has used up its budget gets 429 before anything is done
//! for it.

use std::{
    future::poll_fn,
    net::IpAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use app::ssr::BasePath;
use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, header, request::Parts},
    middleware::Next,
    response::Response,
};
use hyper::body::{Frame, SizeHint};

use super::{app_state::AppState, entry::HEALTH_CHECK, rejected_request};
use crate::{
    admission::{Account, Admission, Bill, ForwardedRequest, PeerAddr},
    telemetry::metrics::METRICS,
};

/// To read a request and to write the head of its answer, with the system calls that they need.
const REQUEST_PRICE: Duration = Duration::from_micros(50);
/// To refuse a request.
const REJECTION_PRICE: Duration = Duration::from_micros(20);
/// To copy a byte to the kernel, and perhaps to encrypt it: 10 ms for a MB. It is more than that costs, so that the
/// budget bounds what an address takes of the line as well: at the default rate 25 MB a second.
const PRICE_OF_BYTE: Duration = Duration::from_nanos(10);

/// What decides about prices.
#[derive(Clone, Debug)]
pub(crate) struct Prices {
    pub(crate) admission: Arc<Admission>,
    pub(crate) base_path: BasePath,
}

/// Answers a client whose address is within its budget, and charges the address what the answer costs.
pub(crate) async fn charge(
    State(prices): State<Prices>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get().copied();
    let account = account_of(&prices.admission, peer, request.headers());
    let path = request.uri().path();
    // A supervisor would end a process that rejects it.
    let is_health_check = prices.base_path.strip(path).unwrap_or(path) == HEALTH_CHECK;
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
    request.extensions_mut().insert(account.clone());
    let mut bill = Bill::new(account);
    bill.add(REQUEST_PRICE);
    let mut answered = pin!(next.run(request));
    let response = poll_fn(|context| bill.measure(|| answered.as_mut().poll(context))).await;
    charge_for_body(response, bill)
}

fn price_of_bytes(bytes: u64) -> Duration {
    PRICE_OF_BYTE.saturating_mul(u32::try_from(bytes).unwrap_or(u32::MAX))
}

/// A body of a known size is all there, and its size is the rest of the price. Others are measured until they end.
///
/// An event stream costs its head alone: what it sends is caused by others, whom a room's limits apply to.
fn charge_for_body(response: Response, mut bill: Bill) -> Response {
    if let Some(size) = response.body().size_hint().exact() {
        bill.add(price_of_bytes(size));
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
            bill.add(price_of_bytes(u64::try_from(data.len()).unwrap_or(u64::MAX)));
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

fn account_of(admission: &Arc<Admission>, peer: Option<PeerAddr>, headers: &HeaderMap) -> Account {
    // The listener knows the peer of every request.
    let PeerAddr(peer) = peer.unwrap_or(PeerAddr(IpAddr::from([0, 0, 0, 0])));
    let trusted = &admission.policy().trusted_proxies;
    Account::new(admission, ForwardedRequest::read(peer, headers, trusted).client)
}

impl FromRequestParts<AppState> for Account {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &AppState,
    ) -> Result<Self, Self::Rejection> {
        let known = parts.extensions.get().cloned();
        Ok(known.unwrap_or_else(|| {
            account_of(&state.admission, parts.extensions.get().copied(), &parts.headers)
        }))
    }
}
