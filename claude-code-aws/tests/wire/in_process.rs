//! The SDK's HTTP without a network: scripted replies for paused time, where a real socket would let the clock jump.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use futures_util::FutureExt;
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use tokio::time::{Instant, Sleep, sleep};

use super::bytes::EVENT_STREAM;

/// What happens next on the connection.
#[derive(Clone, Debug)]
pub enum Piece {
    Bytes(Bytes),
    Wait(Duration),
    Break,
    Hang,
}

/// What becomes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connects {
    Yes,
    /// It is never made: nothing of the request is taken.
    Never,
}

/// What a request gets.
#[derive(Clone, Debug)]
pub struct Reply {
    pub connects: Connects,
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// Before the status: waits, a break, or nothing for ever.
    pub before: Vec<Piece>,
    pub pieces: Vec<Piece>,
}

impl Reply {
    pub fn stream(frames: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Reply {
            connects: Connects::Yes,
            status: 200,
            headers: vec![("content-type".into(), EVENT_STREAM.into())],
            before: Vec::new(),
            pieces: frames.into_iter().map(|bytes| Piece::Bytes(bytes.into())).collect(),
        }
    }

    pub fn unconnected() -> Self {
        Reply { connects: Connects::Never, ..Reply::stream([]) }
    }

    pub fn with_type(mut self, content_type: &str) -> Self {
        self.headers = vec![("content-type".into(), content_type.into())];
        self
    }

    pub fn refusal(status: u16, code: &str, text: &str) -> Self {
        let body = serde_json::json!({ "message": text }).to_string();
        Reply { status, ..Reply::stream([body.into_bytes()]) }
            .with_type("application/json")
            .header("x-amzn-errortype", code)
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn before(mut self, piece: Piece) -> Self {
        self.before.push(piece);
        self
    }

    pub fn then(mut self, piece: Piece) -> Self {
        self.pieces.push(piece);
        self
    }
}

type Choice = Box<dyn Fn(usize, Duration) -> Reply + Send + Sync>;

/// Answers each request as a function of its number and of the time since the first one says.
#[derive(Clone)]
pub struct Replies {
    choice: Arc<Choice>,
    sends: Arc<AtomicUsize>,
    begun: Arc<Mutex<Option<Instant>>>,
    times: Arc<Mutex<Vec<Duration>>>,
    open: Arc<AtomicUsize>,
    bodies: Arc<Mutex<Vec<String>>>,
    targets: Arc<Mutex<Vec<String>>>,
}

impl std::fmt::Debug for Replies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Replies")
    }
}

impl Replies {
    pub fn by(choice: impl Fn(usize, Duration) -> Reply + Send + Sync + 'static) -> Self {
        Replies {
            choice: Arc::new(Box::new(choice)),
            sends: Arc::default(),
            begun: Arc::default(),
            times: Arc::default(),
            open: Arc::default(),
            bodies: Arc::default(),
            targets: Arc::default(),
        }
    }

    /// One after the other; the last for all after it.
    pub fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        let replies: Vec<Reply> = replies.into_iter().collect();
        Replies::by(move |nth, _| replies[nth.min(replies.len() - 1)].clone())
    }

    pub fn sends(&self) -> usize {
        self.sends.load(Ordering::SeqCst)
    }

    /// When the requests came, since the first.
    pub fn times(&self) -> Vec<Duration> {
        self.times.lock().unwrap().clone()
    }

    pub fn bodies(&self) -> Vec<String> {
        self.bodies.lock().unwrap().clone()
    }

    /// Host and path of each request.
    pub fn targets(&self) -> Vec<String> {
        self.targets.lock().unwrap().clone()
    }

    /// Answers that somebody still holds.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }
}

impl HttpConnector for Replies {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let to = http::Uri::try_from(request.uri()).unwrap();
        self.targets.lock().unwrap().push(format!("{}{}", to.host().unwrap_or_default(), to.path()));
        let nth = self.sends.fetch_add(1, Ordering::SeqCst);
        let since = self.begun.lock().unwrap().get_or_insert_with(Instant::now).elapsed();
        self.times.lock().unwrap().push(since);
        let reply = (self.choice)(nth, since);
        let held = Held::new(&self.open);
        if reply.connects == Connects::Never {
            return HttpConnectorFuture::new(async move {
                let _connecting = (request, held);
                std::future::pending().await
            });
        }
        // As a connection takes it: all of it is there.
        let body = request.take_body().collect().now_or_never().unwrap().unwrap().to_bytes();
        self.bodies.lock().unwrap().push(String::from_utf8_lossy(&body).into_owned());
        HttpConnectorFuture::new(async move {
            for piece in &reply.before {
                match piece {
                    Piece::Wait(time) => sleep(*time).await,
                    Piece::Hang => std::future::pending().await,
                    Piece::Break => {
                        let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
                        return Err(ConnectorError::io(reset.into()));
                    }
                    Piece::Bytes(_) => {}
                }
            }
            let mut response = http::Response::builder().status(reply.status);
            for (name, value) in &reply.headers {
                response = response.header(name, value);
            }
            let body = Played { pieces: reply.pieces.into(), waiting: None, _held: held };
            Ok(HttpResponse::try_from(response.body(SdkBody::from_body_1_x(body)).unwrap()).unwrap())
        })
    }
}

/// Counts as long as it lives.
struct Held(Arc<AtomicUsize>);

impl Held {
    fn new(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::SeqCst);
        Held(open.clone())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A body that plays its pieces.
struct Played {
    pieces: VecDeque<Piece>,
    waiting: Option<Pin<Box<Sleep>>>,
    _held: Held,
}

impl Body for Played {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        loop {
            if let Some(waiting) = &mut self.waiting {
                if waiting.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                self.waiting = None;
            }
            match self.pieces.pop_front() {
                None => return Poll::Ready(None),
                Some(Piece::Bytes(bytes)) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Some(Piece::Wait(time)) => self.waiting = Some(Box::pin(sleep(time))),
                Some(Piece::Break) => {
                    return Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionReset.into())));
                }
                Some(Piece::Hang) => {
                    self.pieces.push_front(Piece::Hang);
                    return Poll::Pending;
                }
            }
        }
    }
}
