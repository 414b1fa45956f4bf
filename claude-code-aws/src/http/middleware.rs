//! Middleware of every route: request id, authentication, load shedding, and response headers.

use std::sync::Arc;

use axum::body::{Body, HttpBody};
use axum::extract::State;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Method, Request, Response, StatusCode};
use axum::middleware::Next;
use axum::response::IntoResponse;
use claude_code_core::{Error, ErrorKind};
use futures_util::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, TryAcquireError};

use super::app::App;
use super::response::problem::{self, Problem};
use super::routes::{page, usage};

/// The id of a request, taken over from the caller if it is a plain one.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Shed callers come back after 1 to this many seconds, each at another time.
const LONGEST_WAIT: u64 = 30;
/// Browsers ask with it before a page of the internet may call this machine.
const PRIVATE_ASKED: HeaderName = HeaderName::from_static("access-control-request-private-network");
/// Given to listed origins only.
const PRIVATE_ALLOWED: HeaderName = HeaderName::from_static("access-control-allow-private-network");
/// What other origins may send.
const ALLOWED: &str = "authorization, content-type, idempotency-key, last-event-id, prefer, traceparent, tracestate, x-api-key, x-request-id";
/// What other origins may read.
const EXPOSED: &str = "location, retry-after, x-request-id, preference-applied";

/// A request's place in the house. Work that goes on after its caller has hung up keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Permit(#[allow(dead_code, reason = "held, never read")] Arc<OwnedSemaphorePermit>);

/// One request from the door to the door.
pub(crate) async fn edge(State(app): State<App>, request: Request<Body>, next: Next) -> Response<Body> {
    let id = request_id(&app, request.headers());
    let origin = request.headers().get(header::ORIGIN).cloned();
    let mut response = inside(&app, request, next).await;
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response = problem::no_method(response.headers_mut().remove(header::ALLOW));
    }
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    secure(headers);
    share(&app, origin.as_ref(), headers);
    response
}

async fn inside(app: &App, mut request: Request<Body>, next: Next) -> Response<Body> {
    if request.method() == Method::OPTIONS {
        return options(request, next).await;
    }
    if page::is_public(request.uri().path()) {
        return next.run(request).await;
    }
    if let Some(page) = usage::page(&request) {
        return page;
    }
    match app.settings.authentication.scope(&request) {
        Ok(scope) => request.extensions_mut().insert(scope),
        Err(problem) => {
            let response = problem.into_response();
            if response.status() == StatusCode::UNAUTHORIZED {
                app.observers.authentication_failed();
            }
            return response;
        }
    };
    // Before the body is read and before anything is paid: a full house costs nothing.
    match app.room.available_permits() {
        0 if app.room.is_closed() => return ending().into_response(),
        0 => return full().into_response(),
        _ => {}
    }
    let mut request = match app.receivers.received(request, app.settings.timeouts).await {
        Ok(request) => request,
        Err(problem) => return problem.into_response(),
    };
    let place = match app.room.clone().try_acquire_owned() {
        Ok(permit) => Permit(Arc::new(permit)),
        Err(TryAcquireError::NoPermits) => return full().into_response(),
        Err(TryAcquireError::Closed) => return ending().into_response(),
    };
    request.extensions_mut().insert(place.clone());
    held(next.run(request).await, place)
}

/// The answer, with its place kept until its body goes out. It is free before the caller has the last byte: who asks one
/// request after the other never finds the server full of the one that is over.
fn held(response: Response<Body>, place: Permit) -> Response<Body> {
    response.map(|body| {
        let mut left = body.size_hint().exact();
        let mut place = Some(place);
        Body::from_stream(body.into_data_stream().map(move |bytes| {
            left = left.map(|left| left.saturating_sub(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)));
            if left == Some(0) {
                drop(place.take());
            }
            bytes
        }))
    })
}

/// There is no room: nothing has happened yet.
pub(crate) fn full() -> Problem {
    let mut byte = [0];
    let _ = getrandom::fill(&mut byte);
    let message = "the server is full: nothing was sent, and nothing is charged; come back later";
    Problem::from(Error::new(ErrorKind::Shed, message)).after(1 + u64::from(byte[0]) % LONGEST_WAIT)
}

/// The server ends: another one will be there.
fn ending() -> Problem {
    let message = "the server is ending: nothing was sent, and nothing is charged; come back in a moment";
    Problem::from(Error::new(ErrorKind::Unavailable, message))
}

fn request_id(app: &App, headers: &HeaderMap) -> String {
    let plain = |id: &&str| (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok()).filter(plain);
    given.map_or_else(|| app.client.new_id(), str::to_owned)
}

/// What a path takes: the router knows, and says so when it refuses a method.
async fn options(request: Request<Body>, next: Next) -> Response<Body> {
    let is_cors = request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let is_to_this_machine = request.headers().contains_key(PRIVATE_ASKED);
    let refused = next.run(request).await;
    let Some(allow) = refused.headers().get(header::ALLOW).cloned() else { return refused };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(header::ALLOW, allow.clone());
    if is_cors {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, allow);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ALLOWED));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        if is_to_this_machine {
            headers.insert(PRIVATE_ALLOWED, HeaderValue::from_static("true"));
        }
    }
    response
}

/// A listed origin is named; nobody else is, and credentials of browsers are never asked for.
fn share(app: &App, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    let Some(origin) = origin else { return };
    if app.settings.origins.iter().any(|listed| listed.as_bytes() == origin.as_bytes()) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    } else {
        headers.remove(header::ACCESS_CONTROL_ALLOW_METHODS);
        headers.remove(header::ACCESS_CONTROL_ALLOW_HEADERS);
        headers.remove(header::ACCESS_CONTROL_MAX_AGE);
        headers.remove(PRIVATE_ALLOWED);
    }
}

fn secure(headers: &mut HeaderMap) {
    let all = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in all {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}
