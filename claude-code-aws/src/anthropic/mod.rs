//! Claude over the Messages API: Anthropic's, Bedrock's own Messages endpoint, and local servers that speak it. One
//! attempt per call, over the same HTTP stack as the AWS SDK.

mod count;
pub(crate) mod endpoint;
pub(crate) mod error;
mod event;
#[cfg(feature = "local")]
mod reach;
mod request;
pub(crate) mod sse;

#[cfg(feature = "local")]
pub(crate) use reach::Reached;

use std::collections::VecDeque;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use claude_code_core::provider::{Billing, ModelCall, ModelEvent, ModelProvider, ProviderError};
use claude_code_core::select::Reach;
use claude_code_core::{Error, ErrorKind, Result};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use http_body_util::BodyExt;

use crate::model_service::faults;
use crate::model_service::redact::Sent;
use crate::model_service::sent_body::{departing, trace_headers};
use crate::secret::Secret;
use endpoint::Endpoint;
use event::Answer;
use sse::Events;

/// The version that every server knows. 2026-10-21 changes what answers to sampling, documents and citations, none of
/// which is ever sent here, and models up to Opus 4.6 and servers other than Anthropic's refuse it.
const VERSION: &str = "2023-06-01";
/// An error's body beyond this is not read.
const MAX_ERROR: usize = 64 << 10;
/// A whole answer in one JSON is no longer than this.
const MAX_WHOLE: usize = 64 << 20;

/// How the Messages API is reached.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The key; none for local servers that want none.
    pub api_key: Option<Secret>,
    /// The server; none: Anthropic's.
    pub base_url: Option<String>,
    /// Servers to ask after safe faults, in this order, with the same key.
    pub other_urls: Vec<String>,
    /// The secret of AWS Secrets Manager that holds the key, where none is given.
    pub secret_arn: Option<String>,
}

impl Settings {
    /// How models are named there: Bedrock's Messages endpoint has ids of its own.
    pub fn reach(&self) -> Reach {
        let host =
            self.base_url.as_deref().and_then(|url| url.parse::<http::Uri>().ok()?.host().map(str::to_owned));
        match host {
            Some(host) if host.ends_with(".api.aws") || host.starts_with("bedrock-mantle.") => {
                Reach::BedrockMessages
            }
            _ => Reach::AnthropicApi,
        }
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("has_api_key", &self.api_key.is_some())
            .field("has_base_url", &self.base_url.is_some())
            .field("other_urls", &self.other_urls.len())
            .field("secret_arn", &self.secret_arn)
            .finish()
    }
}

/// Claude over the Messages API.
#[derive(Clone)]
pub struct Anthropic {
    connector: SharedHttpConnector,
    endpoint: Endpoint,
    others: Arc<[Endpoint]>,
    key: Option<Secret>,
}

impl std::fmt::Debug for Anthropic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Anthropic").field("host", &self.endpoint.host).finish_non_exhaustive()
    }
}

impl Anthropic {
    /// The Messages API as these settings reach it, over this connector. `strict` takes https only: inside Lambda.
    ///
    /// Fails with [`ErrorKind::Credentials`] without a key, unless the server stands on this machine or in a private
    /// network, and with [`ErrorKind::InvalidRequest`] for an address that is not acceptable.
    pub fn new(settings: &Settings, connector: SharedHttpConnector, strict: bool) -> Result<Self> {
        let endpoint = Endpoint::new(settings.base_url.as_deref(), strict)?;
        let others = settings.other_urls.iter().map(|url| Endpoint::new(Some(url), strict));
        let others = others.collect::<Result<Arc<[Endpoint]>>>()?;
        let key = settings.api_key.clone();
        if key.is_none() && !endpoint.is_near {
            return Err(Error::new(
                ErrorKind::Credentials,
                "no key for the Messages API: set ANTHROPIC_API_KEY, or ANTHROPIC_BASE_URL to a local server",
            ));
        }
        if key.as_ref().is_some_and(|key| http::HeaderValue::from_str(key.expose()).is_err()) {
            return Err(Error::new(
                ErrorKind::Credentials,
                "ANTHROPIC_API_KEY has characters that no key has: copy it again, without quotes or line breaks",
            ));
        }
        Ok(Anthropic { connector, endpoint, others, key })
    }

    /// The names of the servers to ask after safe faults, as [`ModelCall::place`] takes them.
    pub fn places(&self) -> Vec<Arc<str>> {
        self.others.iter().map(|other| other.name().into()).collect()
    }

    fn endpoint(&self, call: &ModelCall) -> Option<&Endpoint> {
        match call.place.as_deref() {
            None => Some(&self.endpoint),
            Some(place) => self.others.iter().find(|other| other.name() == place),
        }
    }

    async fn send(&self, call: &ModelCall) -> Result<Open, ProviderError> {
        if call.guardrail.is_some() {
            return Err(ProviderError::new(
                ErrorKind::InvalidRequest,
                Billing::No,
                "the Messages API has no guardrails: take provider bedrock, or take the guardrail away",
            ));
        }
        let endpoint = self.endpoint(call).ok_or_else(|| {
            let place = call.place.as_deref().unwrap_or_default();
            ProviderError::new(
                ErrorKind::InvalidRequest,
                Billing::No,
                format!("no server {place} was configured"),
            )
        })?;
        let mut request = self.request(endpoint.messages.clone(), &request::body(call)).map_err(|_| {
            ProviderError::new(
                ErrorKind::InvalidRequest,
                Billing::No,
                "the request could not be built: check the key",
            )
        })?;
        for (name, value) in trace_headers(call.trace.as_ref()) {
            request.headers_mut().insert(name, value);
        }
        let request = request.map(|body| departing(body, &call.sent_flag));
        let response = self.connector.call(request).await.map_err(|failed| unsent(&failed))?;
        let status = response.status().as_u16();
        let sent = Sent { call, key: self.key.as_ref() };
        let header = |name: &'static str| response.headers().get(name);
        let request_id = header("request-id").or(header("x-request-id")).map(|id| faults::printable(id, 128));
        if status != 200 {
            return Err(refused(sent, response, request_id).await);
        }
        let whole = header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
        let mut open =
            Open { body: response.into_body(), events: Some(Events::default()), ..Open::new(sent) };
        if whole {
            let body = collect(&mut open.body, MAX_WHOLE).await?;
            open.events = None;
            open.ready = Answer::read_whole(sent, &body)?.into();
        }
        Ok(open)
    }

    fn request(
        &self,
        to: http::Uri,
        body: &serde_json::Value,
    ) -> Result<HttpRequest, Box<dyn std::error::Error + Send + Sync>> {
        let mut request = http::Request::post(to)
            .header("content-type", "application/json")
            .header("accept", "text/event-stream, application/json")
            .header("anthropic-version", VERSION);
        if let Some(value) = self.key_header() {
            request = request.header("x-api-key", value);
        }
        let body = serde_json::to_vec(body)?;
        Ok(HttpRequest::try_from(request.body(SdkBody::from(body))?)?)
    }
}

impl Anthropic {
    /// The key as a header; that it can be one was checked at the beginning.
    fn key_header(&self) -> Option<http::HeaderValue> {
        let mut value = http::HeaderValue::from_str(self.key.as_ref()?.expose()).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// Why a request was refused, by its status, headers and body.
async fn refused(sent: Sent<'_>, response: HttpResponse, request_id: Option<String>) -> ProviderError {
    let header = |name: &'static str| response.headers().get(name);
    let (status, retry_after) = (response.status().as_u16(), faults::retry_after(header));
    let again = header("x-should-retry") != Some("false");
    let kind = header("content-type").map(str::to_owned);
    let mut refused = error::of_response(sent, status, kind.as_deref(), &first(response, MAX_ERROR).await);
    refused.retry_after = retry_after.or(refused.retry_after);
    refused.request_id = request_id.or(refused.request_id);
    if !again && refused.kind == ErrorKind::Throttled {
        // The server says itself that waiting does not help.
        refused.kind = ErrorKind::Quota;
    }
    refused
}

fn unsent(failed: &ConnectorError) -> ProviderError {
    faults::connection(failed)
}

impl ModelProvider for Anthropic {
    fn name(&self) -> &'static str {
        "anthropic"
    }

    fn stream(&self, call: ModelCall) -> BoxStream<'static, Result<ModelEvent, ProviderError>> {
        let provider = self.clone();
        stream::unfold(Phase::Unsent(Box::new((provider, call))), |phase| async move {
            let mut open = match phase {
                Phase::Unsent(unsent) => match unsent.0.send(&unsent.1).await {
                    Ok(open) => Box::new(open),
                    Err(fault) => return Some((Err(fault), Phase::Ended)),
                },
                Phase::Open(open) => open,
                Phase::Ended => return None,
            };
            match open.next().await {
                Ok(Some(event)) => Some((Ok(event), Phase::Open(open))),
                Ok(None) => None,
                Err(fault) => Some((Err(fault), Phase::Ended)),
            }
        })
        .boxed()
    }
}

/// Where a call stands.
enum Phase {
    Unsent(Box<(Anthropic, ModelCall)>),
    Open(Box<Open>),
    Ended,
}

/// A call whose answer arrives.
struct Open {
    body: SdkBody,
    /// None once the bytes have ended.
    events: Option<Events>,
    answer: Answer,
    ready: VecDeque<ModelEvent>,
    /// What ends the answer, after all that is ready.
    fault: Option<ProviderError>,
    call: ModelCall,
    key: Option<Secret>,
}

impl Open {
    fn new(sent: Sent<'_>) -> Self {
        Open {
            body: SdkBody::empty(),
            events: None,
            answer: Answer::default(),
            ready: VecDeque::new(),
            fault: None,
            call: sent.call.clone(),
            key: sent.key.cloned(),
        }
    }

    async fn next(&mut self) -> Result<Option<ModelEvent>, ProviderError> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            if let Some(fault) = self.fault.take() {
                return Err(fault);
            }
            let Some(events) = self.events.as_mut().filter(|_| !self.answer.has_ended()) else {
                return Ok(None);
            };
            match data(&mut self.body).await? {
                Some(bytes) => {
                    let found = events.feed(&bytes)?;
                    let comment = events.take_comment();
                    self.read(&found);
                    // Servers keep a connection alive by comments too.
                    if comment && self.ready.is_empty() {
                        self.ready.push_back(ModelEvent::Alive);
                    }
                }
                None => {
                    let last = self.events.take().map(Events::finish).transpose()?.flatten();
                    // Half an event is the sign of a cut, which its missing stop tells too.
                    let is_whole =
                        |last: &String| serde_json::from_str::<serde::de::IgnoredAny>(last).is_ok();
                    self.read(last.filter(is_whole).as_slice());
                }
            }
        }
    }

    /// Reads events that arrived together. What came before a fault is told first.
    fn read(&mut self, found: &[String]) {
        let sent = Sent { call: &self.call, key: self.key.as_ref() };
        for event in found {
            match self.answer.read(sent, event) {
                Ok(events) => self.ready.extend(events),
                Err(fault) => {
                    self.fault = Some(fault);
                    return;
                }
            }
        }
    }
}

/// The next bytes of a body; none at its end.
pub(crate) async fn data(body: &mut SdkBody) -> Result<Option<Bytes>, ProviderError> {
    loop {
        match body.frame().await {
            None => return Ok(None),
            Some(Ok(frame)) => {
                if let Ok(bytes) = frame.into_data() {
                    return Ok(Some(bytes));
                }
            }
            Some(Err(_)) => {
                return Err(ProviderError::new(
                    ErrorKind::Cut,
                    Billing::Maybe,
                    "the connection broke before the answer's end: try again",
                ));
            }
        }
    }
}

pub(crate) async fn collect(body: &mut SdkBody, longest: usize) -> Result<Vec<u8>, ProviderError> {
    let mut whole = Vec::new();
    while let Some(bytes) = data(body).await? {
        whole.extend_from_slice(&bytes);
        if whole.len() > longest {
            return Err(error::Damage::Stream.into());
        }
    }
    Ok(whole)
}

/// The beginning of a refusal's body, as far as it comes.
pub(crate) async fn first(response: HttpResponse, longest: usize) -> Vec<u8> {
    let (mut body, mut found) = (response.into_body(), Vec::new());
    while let Ok(Some(bytes)) = data(&mut body).await {
        found.extend_from_slice(&bytes);
        if found.len() > longest {
            break;
        }
    }
    found
}
