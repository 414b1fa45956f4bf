//! The router under Lambda: API Gateway (REST and HTTP) and function URLs, buffered or streamed; and the worker behind
//! the jobs' queue.

use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use bytes::Bytes;
use claude_code_core::metrics::MetricsSink;
use claude_code_core::{Clock, Error, ErrorKind, Result, Scope};
use futures_util::{FutureExt, StreamExt, stream};
use http_body_util::BodyExt;
use lambda_http::lambda_runtime::{self, FunctionResponse};
use lambda_http::request::{LambdaRequest, RequestContext};
use lambda_http::{Adapter, LambdaEvent, Request, RequestExt, Service, StreamAdapter, service_fn};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::clock::SystemClock;
use crate::connect::config::Config;
use crate::http::app::{App, Settings};
use crate::http::auth::credentials::{Unvouched, Vouched};
use crate::http::auth::principal::principal;
use crate::http::jobs::queue::{self, Batch, BatchAnswer};
use crate::http::request::headers::{Deadline, Prefix};
use crate::http::router;
use crate::metrics::Observers;

/// A handler ends so long before Lambda would end it: its answer has to get out.
const BEFORE_THE_END: Duration = Duration::from_secs(2);
/// Answers over this many bytes have URLs in place of content: Lambda's own limit is 6 MB, and base64 adds a third.
const INLINE_BYTES: usize = 1 << 20;

/// The application of the function's environment.
pub async fn from_env() -> Result<App> {
    app(&Config::from_env()?).await
}

/// The application as Lambda needs it: whom the gateway vouches for comes in, large answers are links, and nothing
/// goes on after an answer, because the process is frozen then.
pub async fn app(config: &Config) -> Result<App> {
    let settings = Settings::default()
        .behind_gateway(config.api.token.iter().map(|token| token.expose().to_owned()))
        .with_authorizer_claim(config.api.authorizer_claim.as_deref().unwrap_or("principalId"))
        .with_origins(config.api.origins.clone())
        .with_response_streaming(config.api.streaming)
        .with_inline_bytes(INLINE_BYTES)
        .without_background();
    App::connect(config, settings).await
}

/// What Lambda brings.
#[derive(Debug)]
pub enum Incoming {
    /// Jobs, from the queue.
    Jobs(Batch),
    /// A request.
    Http(Box<LambdaRequest>),
    /// A schedule, or something that keeps the function warm: there is nothing to do.
    Nothing,
}

impl<'de> Deserialize<'de> for Incoming {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = Box::<RawValue>::deserialize(deserializer)?;
        // Jobs first: every field of a REST event may be missing, so anything could be one.
        if let Ok(batch) = serde_json::from_str(event.get()) {
            return Ok(Incoming::Jobs(batch));
        }
        let mut event: Value = serde_json::from_str(event.get()).map_err(D::Error::custom)?;
        if is_warm_up(&event) {
            return Ok(Incoming::Nothing);
        }
        without_broken_base64(&mut event);
        serde_json::from_value(event)
            .map(|request| Incoming::Http(Box::new(request)))
            .map_err(|_| D::Error::custom("the event is neither a request nor a batch of jobs"))
    }
}

/// Whether an event asks for nothing: EventBridge's, a warming plugin's, an empty one.
fn is_warm_up(event: &Value) -> bool {
    const SIGNS: [&str; 5] = ["source", "detail-type", "warmer", "warmup", "ping"];
    let Some(members) = event.as_object().filter(|members| !members.contains_key("requestContext")) else {
        return false;
    };
    let is_request = ["httpMethod", "routeKey", "Records"].iter().any(|name| members.contains_key(*name));
    !is_request && (members.is_empty() || SIGNS.iter().any(|name| members.contains_key(*name)))
}

/// A body that says it is base64 and is not becomes text that no route takes: it is answered with 400. The event library
/// would panic over it.
fn without_broken_base64(event: &mut Value) {
    if event["isBase64Encoded"] != true {
        return;
    }
    let broken = event["body"].as_str().is_some_and(|body| aws_smithy_types::base64::decode(body).is_err());
    if broken {
        event["isBase64Encoded"] = false.into();
        event["body"] = "the body is not base64".into();
    }
}

/// Answers one event after the other, for as long as the process lives.
pub async fn run(app: App) -> Result<(), lambda_http::Error> {
    let streaming = app.settings.streams;
    let handler = move |LambdaEvent { payload, context }: LambdaEvent<Incoming>| {
        let app = app.clone();
        async move {
            let request = match payload {
                Incoming::Http(request) if streaming && !matches!(*request, LambdaRequest::Alb(_)) => {
                    LambdaEvent::new(*request, context)
                }
                other => return whole(&app, other, context).await.map(FunctionResponse::BufferedResponse),
            };
            let answer = service_fn(|event| {
                let app = app.clone();
                async move { Ok::<_, lambda_http::Error>(answer(app, event).await) }
            });
            let answer = StreamAdapter::from(answer).call(request).await?;
            Ok::<_, lambda_http::Error>(FunctionResponse::StreamingResponse(answer))
        }
    };
    lambda_runtime::run(service_fn(handler)).await
}

/// Answers one event in one piece, JSON for JSON, until shortly before `deadline` in milliseconds since 1970: for
/// hosts that have a Lambda runtime of their own.
pub async fn invoke(app: &App, event: &str, deadline: u64) -> Result<String> {
    let unreadable =
        |_| Error::new(ErrorKind::Malformed, "the event is neither a request nor a batch of jobs");
    let event = serde_json::from_str(event).map_err(unreadable)?;
    let mut context = lambda_http::Context::default();
    context.deadline = deadline;
    let failed = |error| Error::new(ErrorKind::Protocol, format!("the answer cannot be written: {error}"));
    Ok(whole(app, event, context).await.map_err(failed)?.to_string())
}

async fn whole(
    app: &App,
    event: Incoming,
    context: lambda_http::Context,
) -> Result<serde_json::Value, lambda_http::Error> {
    let answer = match event {
        Incoming::Nothing => Ok(Value::Null),
        Incoming::Jobs(batch) => serde_json::to_value(work(app, batch, context.deadline).await),
        Incoming::Http(request) => {
            let answer = service_fn(|event| answered(app.clone(), event));
            serde_json::to_value(Adapter::from(answer).call(LambdaEvent::new(*request, context)).await?)
        }
    };
    Ok(answer?)
}

/// The answer with its whole body: as text where it is some, else in base64.
async fn answered(app: App, event: Request) -> Result<Response<lambda_http::Body>, lambda_http::Error> {
    let (parts, body) = answer(app, event).await.into_parts();
    let bytes = body.collect().await?.to_bytes();
    let body = String::from_utf8(bytes.into())
        .map_or_else(|binary| binary.into_bytes().into(), lambda_http::Body::from);
    Ok(Response::from_parts(parts, body))
}

/// Works on the jobs of a batch until shortly before `deadline`, in milliseconds since 1970.
pub async fn work(app: &App, batch: Batch, deadline: u64) -> BatchAnswer {
    let answer = queue::batch(app, batch, left(deadline).min(app.total)).await;
    app.observers.flush().await;
    answer
}

/// Answers one event.
pub async fn answer(app: App, event: Request) -> Response<Body> {
    let claim = app.settings.authorizer_claim.as_str();
    let context = event.request_context_ref();
    let vouched =
        context.and_then(|context| principal(context, claim)).map(|id| Vouched(Scope::authenticated(&id)));
    let unvouched =
        context.is_some_and(|context| matches!(context, RequestContext::Alb(_))).then_some(Unvouched);
    let left = event.lambda_context_ref().map(|context| left(context.deadline));
    let path = path(&event);
    let prefix = prefix(&event).map(Prefix);
    let (mut parts, body) = event.into_parts();
    parts.uri = path.and_then(|path| path.parse().ok()).unwrap_or(parts.uri);
    parts.extensions.extend(prefix.map(extension).unwrap_or_default());
    parts.extensions.extend(vouched.map(extension).unwrap_or_default());
    parts.extensions.extend(unvouched.map(extension).unwrap_or_default());
    if let Some(left) = left {
        parts.extensions.insert(Deadline(left));
    }
    let body = match body {
        lambda_http::Body::Empty => Body::empty(),
        lambda_http::Body::Text(text) => Body::from(text),
        lambda_http::Body::Binary(bytes) => Body::from(Bytes::from(bytes)),
        _ => Body::empty(),
    };
    let request = axum::http::Request::from_parts(parts, body);
    let observers = app.observers.clone();
    let answered = Service::call(&mut router(app), request).await;
    flushed(answered.unwrap_or_else(|never| match never {}), observers)
}

/// The answer, which ends once what it came to has been sent: the process is frozen behind it.
fn flushed(answer: Response<Body>, observers: Observers) -> Response<Body> {
    if !observers.waits() {
        return answer;
    }
    answer.map(|body| {
        let last = async move {
            observers.flush().await;
            stream::empty()
        };
        Body::from_stream(body.into_data_stream().chain(last.flatten_stream()))
    })
}

/// Path and query as the routes know them. The gateway's stage is no part of them: REST events leave it out and the
/// event library puts it in front, HTTP events have it in their path.
fn path(event: &Request) -> Option<String> {
    let stage = match event.request_context_ref()? {
        RequestContext::ApiGatewayV2(context) => {
            context.stage.as_deref().filter(|stage| *stage != "$default")
        }
        _ => None,
    };
    let raw = event.raw_http_path();
    let inner = stage.and_then(|stage| raw.strip_prefix('/')?.strip_prefix(stage));
    let path = inner.filter(|rest| rest.is_empty() || rest.starts_with('/')).unwrap_or(raw);
    let path = if path.is_empty() { "/" } else { path };
    Some(event.uri().query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}")))
}

/// What stands before the routes in the path that the caller asked for: a stage, or what a domain maps to it.
fn prefix(event: &Request) -> Option<String> {
    let asked = match event.request_context_ref()? {
        RequestContext::ApiGatewayV1(context) => context.path.clone()?,
        _ => event.raw_http_path().to_owned(),
    };
    asked.strip_suffix(path(event)?.split('?').next()?).map(str::to_owned)
}

fn extension<T: Clone + Send + Sync + 'static>(value: T) -> axum::http::Extensions {
    let mut extensions = axum::http::Extensions::new();
    extensions.insert(value);
    extensions
}

/// From now to the end of the invocation, which is given in milliseconds since 1970, less the way out.
fn left(deadline: u64) -> Duration {
    let now = Duration::from_millis(u64::try_from(SystemClock.now().0).unwrap_or(0));
    Duration::from_millis(deadline).saturating_sub(now).saturating_sub(BEFORE_THE_END)
}
