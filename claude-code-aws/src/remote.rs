//! Client of the HTTP API: the same requests, answered by a server (`serve`, Lambda) instead of a model service.
//!
//! Checks of the caller's own do not travel: a server never runs commands. What the server refuses comes as the error that
//! it would be in process.

use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use claude_code_core::request::SourceFile;
use claude_code_core::{Error, ErrorKind, Event, GenerateRequest, Generation, PicoUsd, Result, Task};
use serde_json::{Value, json};

use crate::anthropic::endpoint::Endpoint;
use crate::anthropic::sse::Events;
use crate::anthropic::{collect, data, first};
use crate::connect::Network;
use crate::secret::Secret;

/// An error's body beyond this is not read.
const MAX_ERROR: usize = 8 << 20;

/// The HTTP API at a URL.
#[derive(Clone)]
pub struct Remote {
    connector: SharedHttpConnector,
    base: String,
    token: Option<Secret>,
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remote").field("has_token", &self.token.is_some()).finish_non_exhaustive()
    }
}

impl Remote {
    /// The API below this URL, with the bearer token that it asks for. Fails for an address that is not acceptable: any
    /// host but this machine and private addresses must be https.
    pub fn new(url: &str, token: Option<Secret>, network: &Network) -> Result<Self> {
        let base = url.trim_end_matches('/').to_owned();
        Endpoint::checked("the endpoint", &base, false)?;
        if token.as_ref().is_some_and(|token| http::HeaderValue::from_str(token.expose()).is_err()) {
            return Err(Error::new(
                ErrorKind::Credentials,
                "the token has characters that no token has: copy it again, without quotes or line breaks",
            ));
        }
        Ok(Remote { connector: crate::connect::transport::connector(network), base, token })
    }

    /// Asks for an answer and shows its events. Standing instructions follow the prompt.
    pub async fn generate(
        &self,
        request: &GenerateRequest,
        mut seen: impl FnMut(&Event) + Send,
    ) -> Result<Generation> {
        let (route, body) = body(request);
        let response = self.send(route, &body).await?;
        if response.status().as_u16() != 200 {
            return Err(refusal(response).await);
        }
        let (mut body, mut events) = (response.into_body(), Events::default());
        let cut = || Error::new(ErrorKind::Cut, "the server's answer ended before its result: try again");
        while let Some(bytes) = data(&mut body).await.map_err(|_| cut())? {
            for frame in events.feed(&bytes).map_err(|_| damaged())? {
                let frame: Value = serde_json::from_str(&frame).map_err(|_| damaged())?;
                if let Some(problem) = frame.get("problem") {
                    return Err(error(problem, 500));
                }
                if let Some(generation) = frame.get("generation") {
                    return serde_json::from_value(generation.clone()).map_err(|_| damaged());
                }
                if let Some(event) = event(&frame) {
                    seen(&event);
                }
            }
        }
        Err(cut())
    }

    async fn send(&self, route: &str, body: &Value) -> Result<HttpResponse> {
        let unusable = || Error::invalid("the endpoint cannot be asked: check its address");
        let mut request = http::Request::post(format!("{}/{route}", self.base))
            .header("content-type", "application/json")
            .header("accept", "text/event-stream");
        if let Some(token) = &self.token {
            let mut value =
                http::HeaderValue::from_str(&format!("Bearer {}", token.expose())).map_err(|_| unusable())?;
            value.set_sensitive(true);
            request = request.header("authorization", value);
        }
        let request = request.body(SdkBody::from(body.to_string())).map_err(|_| unusable())?;
        let request = HttpRequest::try_from(request).map_err(|_| unusable())?;
        self.connector.call(request).await.map_err(|failed| {
            let why = crate::connect::unreachable(&failed).map_or(String::new(), |why| format!(": {why}"));
            Error::new(ErrorKind::Connection, format!("the endpoint cannot be reached{why}"))
        })
    }
}

/// The text at a URL, up to so many bytes. The same rules as for [`Remote`]: https, but on this machine and private networks.
pub async fn get(url: &str, network: &Network, most: usize) -> Result<String> {
    Endpoint::checked("the URL", url, false)?;
    let unusable = || Error::invalid(format!("{url} cannot be asked for: check the address"));
    let request = http::Request::get(url).header("accept", "application/json, application/yaml, */*");
    let request = request.body(SdkBody::empty()).map_err(|_| unusable())?;
    let request = HttpRequest::try_from(request).map_err(|_| unusable())?;
    let response = crate::connect::transport::connector(network).call(request).await.map_err(|failed| {
        let why = crate::connect::unreachable(&failed).map_or(String::new(), |why| format!(": {why}"));
        Error::new(ErrorKind::Connection, format!("{url} cannot be reached{why}"))
    })?;
    let status = response.status().as_u16();
    if status != 200 {
        return Err(Error::new(ErrorKind::NotFound, format!("{url} answered with status {status}")));
    }
    let bytes = collect(&mut response.into_body(), most).await.map_err(|_| {
        Error::new(ErrorKind::Cut, format!("{url} ended early, or is longer than {most} bytes"))
    })?;
    String::from_utf8(bytes).map_err(|_| Error::invalid(format!("{url} is not UTF-8 text")))
}

/// The route and the body of a request.
fn body(request: &GenerateRequest) -> (&'static str, Value) {
    let mut prompt = request.prompt.clone();
    if let Some(instructions) = &request.instructions {
        prompt.push_str("\n\n");
        prompt.push_str(instructions);
    }
    let file = |file: &SourceFile| json!({ "path": file.path, "content": file.content });
    let files: Vec<Value> = request.files.iter().map(file).collect();
    let mut body = json!({ "files": files });
    let mut set = |name: &str, value: Option<Value>| {
        if let (Some(body), Some(value)) = (body.as_object_mut(), value) {
            body.insert(name.to_owned(), value);
        }
    };
    set("language", request.language.as_deref().map(Into::into));
    set("model", request.model.as_deref().map(Into::into));
    set("tier", request.tier.map(|tier| tier.to_string().into()));
    set("max_usd", request.max_usd.map(|usd: PicoUsd| usd.to_string().trim_start_matches('$').into()));
    if request.work == Task::Refactor {
        set("instructions", Some(prompt.into()));
        return ("refactor", body);
    }
    set("prompt", Some(prompt.into()));
    set("max_tokens", request.max_tokens.map(Into::into));
    // The API has no task of its own for infrastructure: it is code from words.
    let known = !matches!(request.work, Task::Generate | Task::Infrastructure);
    set("task", known.then(|| request.work.as_str().into()));
    ("generate", body)
}

/// The event of a frame; none for one that this version does not know.
fn event(frame: &Value) -> Option<Event> {
    let text = |name: &str| frame[name].as_str().map(str::to_owned);
    let (path, revision) = (text("path"), || u32::try_from(frame["revision"].as_u64()?).ok());
    let index = frame["index"].as_u64().and_then(|index| usize::try_from(index).ok());
    let seconds = |name: &str| frame[name].as_f64().unwrap_or_default();
    match (index, frame) {
        (Some(index), _) if frame["language"].is_string() => {
            Some(Event::FileStarted { index, path, language: text("language")?, revision: revision()? })
        }
        (Some(index), _) if frame["text"].is_string() => {
            Some(Event::FileChunk { index, path, revision: revision()?, text: text("text")? })
        }
        (Some(index), _) => {
            let complete = frame["complete"].as_bool()?;
            Some(Event::FileFinished { index, path, revision: revision()?, complete })
        }
        (None, _) if frame["why"].is_string() => Some(Event::Notice {
            why: text("why")?,
            model: text("model")?,
            wait_seconds: seconds("wait_seconds"),
            cause: text("cause"),
            left_seconds: seconds("left_seconds"),
        }),
        (None, _) => text("text").map(Event::Text),
    }
}

async fn refusal(response: HttpResponse) -> Error {
    let status = response.status().as_u16();
    let body = first(response, MAX_ERROR).await;
    error(&serde_json::from_slice(&body).unwrap_or_default(), status)
}

/// The error of a problem document.
fn error(problem: &Value, status: u16) -> Error {
    let kind = serde_json::from_value(problem["kind"].clone()).unwrap_or(match status {
        401 => ErrorKind::Credentials,
        404 => ErrorKind::NotFound,
        429 => ErrorKind::Shed,
        _ => ErrorKind::Unavailable,
    });
    let told = match problem["detail"].as_str() {
        Some(detail) => detail.chars().filter(|c| !c.is_control()).collect(),
        None => format!("the server answered with status {status}: is it the HTTP API of this project?"),
    };
    let wait = problem["retry_after"].as_u64().map(std::time::Duration::from_secs);
    let error = Error::new(kind, told).with_retry_after(wait);
    match serde_json::from_value(problem["partial"].clone()) {
        Ok(partial) => error.with_partial(partial),
        Err(_) => error,
    }
}

fn damaged() -> Error {
    Error::new(ErrorKind::Protocol, "the server's answer cannot be read: is it of another version?")
}
