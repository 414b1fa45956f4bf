//! Worker threads: requests are worked on apart from the threads that take the connections. A check of a file or a long
//! prompt keeps a thread busy for milliseconds; with a thousand streams the next connection would wait behind all of them.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::{Request, Response, StatusCode, response::Parts};
use axum::{Error, Router};
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use lambda_http::Service;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::http::routes::page;

/// Frames that wait for a slow reader: the work goes on when it has taken one.
const WAITING: usize = 1;

/// The answer, worked on by these threads where there are any. Public paths cost nothing and are answered here.
pub(super) async fn answered(
    workers: Option<Handle>,
    mut router: Router,
    request: Request<Body>,
) -> Result<Response<Body>, Infallible> {
    match workers.filter(|_| !page::is_public(request.uri().path())) {
        None => Service::call(&mut router, request).await,
        Some(workers) => Ok(apart(&workers, router, request).await),
    }
}

async fn apart(workers: &Handle, router: Router, request: Request<Body>) -> Response<Body> {
    let (head, answered) = oneshot::channel();
    let (frames, arriving) = mpsc::channel(WAITING);
    let work = Work(workers.spawn(done(router, request, head, frames)));
    match answered.await {
        Ok((head, size)) => {
            Response::from_parts(head, Body::new(Arriving { frames: arriving, size, _work: work }))
        }
        // The work panicked: its message is in the log.
        Err(_) => {
            let mut broken = Response::new(Body::empty());
            *broken.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            broken
        }
    }
}

type Arrived = Result<Frame<Bytes>, Error>;

/// Works on the request and hands its answer over, piece by piece.
async fn done(
    mut router: Router,
    request: Request<Body>,
    head: oneshot::Sender<(Parts, SizeHint)>,
    frames: mpsc::Sender<Arrived>,
) {
    let Ok(response) = Service::call(&mut router, request).await;
    let (parts, mut body) = response.into_parts();
    if head.send((parts, hyper::body::Body::size_hint(&body))).is_err() {
        return;
    }
    while let Some(frame) = body.frame().await {
        if frames.send(frame).await.is_err() {
            return;
        }
    }
}

/// Work elsewhere; dropped, it ends: a caller that hangs up closes the request to the model.
struct Work(JoinHandle<()>);

impl Drop for Work {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A body whose pieces come from a worker.
struct Arriving {
    frames: mpsc::Receiver<Arrived>,
    size: SizeHint,
    _work: Work,
}

impl hyper::body::Body for Arriving {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Arrived>> {
        let arrived = self.frames.poll_recv(cx);
        if let Poll::Ready(Some(Ok(frame))) = &arrived
            && let Some(data) = frame.data_ref()
            && let Some(size) = self.size.exact()
        {
            self.size = SizeHint::with_exact(size.saturating_sub(data.len() as u64));
        }
        arrived
    }

    fn size_hint(&self) -> SizeHint {
        self.size
    }
}
