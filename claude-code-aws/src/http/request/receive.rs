//! Receiving request bodies: bounded in size, time and rate, so many at a time and half of them from one address. No place
//! among the requests that are worked on is held meanwhile: who sends slowly keeps nobody from working.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, EXPECT};
use axum::http::{HeaderMap, Request, StatusCode};
use claude_code_core::{Error, ErrorKind};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout};

use crate::http::middleware;
use crate::http::response::problem::Problem;

/// The largest body, in bytes. The largest prompt with files that makes sense over HTTP is far below.
const MAX_BODY: usize = 1 << 20;
/// What is read and thrown away of a body that is too large, in bytes.
const MOST_DISCARDED: usize = 16 << 20;
/// Bodies that are received at the same time, for each request that may be worked on.
const FOR_EACH: usize = 4;
/// A third of the time is given to whoever sends nothing; from then on the average must be above this, in bytes a second:
/// the slowest mobile line is ten times as fast.
const LEAST_RATE: f64 = 256.0;

/// Who sends; hosts put it into the request's extensions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// The bodies that are being received, by who sends them.
#[derive(Clone, Debug)]
pub(crate) struct Receivers {
    most: usize,
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A body's place among them; dropped, it is free.
struct Receiving<'a> {
    receivers: &'a Receivers,
    peer: IpAddr,
}

impl Receivers {
    /// Room for the bodies of so many requests that are worked on at the same time.
    pub(crate) fn new(concurrency: usize) -> Self {
        Receivers { most: concurrency.saturating_mul(FOR_EACH).max(2), open: Arc::default() }
    }

    /// The request with its whole body in memory. One that is no JSON is left as it is: nobody reads it.
    pub(crate) async fn received(
        &self,
        request: Request<Body>,
        timeouts: Duration,
    ) -> Result<Request<Body>, Problem> {
        if !is_json(request.headers()) {
            return Ok(request);
        }
        let peer = request.extensions().get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.0);
        let receiving = self.place(peer).ok_or_else(middleware::full)?;
        let (parts, body) = request.into_parts();
        let late = || {
            let detail = "the body did not arrive in time: send it in one go";
            Problem::of_status(StatusCode::REQUEST_TIMEOUT, "malformed", detail)
        };
        let whole = timeout(timeouts, whole(&parts.headers, body, timeouts / 3)).await;
        drop(receiving);
        let bytes = whole.map_err(|_| late())??.ok_or_else(late)?;
        Ok(Request::from_parts(parts, Body::from(bytes)))
    }

    fn place(&self, peer: IpAddr) -> Option<Receiving<'_>> {
        let mut open = self.open();
        let own = open.get(&peer).copied().unwrap_or(0);
        if own >= self.most / 2 || open.values().sum::<usize>() >= self.most {
            return None;
        }
        open.insert(peer, own + 1);
        Some(Receiving { receivers: self, peer })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Receiving<'_> {
    fn drop(&mut self) {
        let mut open = self.receivers.open();
        let left = open.get(&self.peer).map_or(0, |count| count.saturating_sub(1));
        match left {
            0 => open.remove(&self.peer),
            left => open.insert(self.peer, left),
        };
    }
}

/// Whether a body says that it is JSON. Browsers send other types across origins without asking first.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    media.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

/// The whole body; none where it comes too slowly. One that is too large is read on and thrown away, within reason: a
/// caller that is still sending when its connection is closed never sees the answer. Who asks before sending is told at once.
async fn whole(headers: &HeaderMap, mut body: Body, grace: Duration) -> Result<Option<Vec<u8>>, Problem> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let mut is_too_large = announced.is_some_and(|bytes: usize| bytes > MAX_BODY);
    if is_too_large && headers.contains_key(EXPECT) {
        return Err(too_large());
    }
    let (mut bytes, mut seen, begun) = (Vec::new(), 0, Instant::now());
    while let Some(frame) = body.frame().await {
        let frame =
            frame.map_err(|_| Problem::from(Error::new(ErrorKind::Malformed, "the body broke off")))?;
        let Ok(data) = frame.into_data() else { continue };
        seen += data.len();
        is_too_large |= seen > MAX_BODY;
        if !is_too_large {
            bytes.extend_from_slice(&data);
        } else if seen > MOST_DISCARDED {
            break;
        }
        let time = begun.elapsed();
        if time > grace && (seen as f64) < LEAST_RATE * time.as_secs_f64() {
            return Ok(None);
        }
    }
    if is_too_large { Err(too_large()) } else { Ok(Some(bytes)) }
}

fn too_large() -> Problem {
    let detail = format!("the body is larger than {MAX_BODY} bytes: hand in fewer files");
    Problem::of_status(StatusCode::PAYLOAD_TOO_LARGE, "context_too_long", detail)
}
