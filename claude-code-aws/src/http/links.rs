//! Download links: presigned for an hour, or for less where the credentials end sooner.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::config::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_s3::presigning::PresigningConfig;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{self, HeaderValue};
use axum::http::{Request, Response};
use claude_code_core::file::stored_names;
use claude_code_core::service::Code;
use claude_code_core::{Clock, Error, Generation, Kind, Result, UtcMillis};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::app::App;
use super::error::{self, Problem};
use crate::connect::Places;
use crate::local::{self, BodyError, Service, Twin};

/// How long a link is good.
const HOUR: Duration = Duration::from_secs(3600);
/// A link ends so long before the credentials that signed it.
const BEFORE_THEIR_END: Duration = Duration::from_secs(60);
/// Where the twin's S3 is within this server.
const LOCAL: &str = "/_local/s3";

/// Makes links to stored files.
#[derive(Clone, Debug)]
pub(super) struct Links {
    s3: aws_sdk_s3::Client,
    results: String,
    services: String,
    credentials: Option<SharedCredentialsProvider>,
    twin: Option<Twin>,
    clock: Arc<dyn Clock>,
}

/// A file and where to get it.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) path: String,
    pub(super) url: String,
    pub(super) expires_at: UtcMillis,
}

impl Links {
    pub(super) fn new(places: Places, services: &str, clock: Arc<dyn Clock>) -> Self {
        Links {
            s3: crate::s3::client(&places.sdk),
            results: places.bucket,
            services: services.to_owned(),
            credentials: places.sdk.credentials_provider(),
            twin: places.twin,
            clock,
        }
    }

    /// A link for each file of a stored result, in their order.
    pub(super) async fn of_result(&self, generation: &Generation, host: &str) -> Result<Vec<Link>> {
        let Some(s3_key) = &generation.s3_key else {
            return Err(Error::new(Kind::NotFound, "the result is not stored: it has no download"));
        };
        let mut links = Vec::new();
        for name in stored_names(&generation.files)? {
            let key = if s3_key.ends_with('/') { format!("{s3_key}{name}") } else { s3_key.clone() };
            links.push(self.link(&self.results, &key, name, host).await?);
        }
        Ok(links)
    }

    /// A link for each file of a service's code, in their order.
    pub(super) async fn of_code(&self, code: &Code, host: &str) -> Result<Vec<Link>> {
        let mut links = Vec::new();
        for file in &code.files {
            let key = format!("{}{}", code.prefix(), file.path);
            links.push(self.link(&self.services, &key, file.path.clone(), host).await?);
        }
        Ok(links)
    }

    async fn link(&self, bucket: &str, key: &str, path: String, host: &str) -> Result<Link> {
        let ttl = self.ttl().await?;
        let failed = |_| Error::new(Kind::Storage, "the download could not be signed: check the credentials");
        let expires_at = self.clock.now().plus(ttl);
        let name = path.rsplit('/').next().unwrap_or("file").replace(|c: char| !c.is_ascii_graphic(), "_");
        let signed = self
            .s3
            .get_object()
            .bucket(bucket)
            .key(key)
            .response_content_type("text/plain; charset=utf-8")
            .response_content_disposition(format!("attachment; filename=\"{name}\""))
            .presigned(PresigningConfig::expires_in(ttl).map_err(failed)?)
            .await
            .map_err(|_| failed_to_sign())?;
        let url = match &self.twin {
            // The twin has no address of its own: its S3 is reached through this server.
            Some(_) => local_url(signed.uri(), host),
            None => signed.uri().to_owned(),
        };
        Ok(Link { path, url, expires_at })
    }

    async fn ttl(&self) -> Result<Duration> {
        let Some(provider) = &self.credentials else { return Ok(HOUR) };
        let credentials = provider.provide_credentials().await.map_err(|_| failed_to_sign())?;
        let now = self.clock.now();
        Ok(ttl(credentials.expiry().map(|end| crate::clock::millis(end).unwrap_or_default().since(now))))
    }
}

/// An hour, or what the credentials leave less a minute; never nothing, which could not be signed.
fn ttl(credentials_left: Option<Duration>) -> Duration {
    let most = credentials_left.map_or(HOUR, |left| left.saturating_sub(BEFORE_THEIR_END));
    most.clamp(Duration::from_secs(1), HOUR)
}

fn failed_to_sign() -> Error {
    Error::new(Kind::Credentials, "the download could not be signed: check the server's credentials")
}

/// The same signed request, by way of this server.
fn local_url(signed: &str, host: &str) -> String {
    let rest = signed.split_once("://").map_or(signed, |(_, rest)| rest);
    let path = rest.find('/').map_or("/", |at| &rest[at..]);
    format!("http://{host}{LOCAL}{path}")
}

/// What a listing of links says: the files, and for a single one its URL beside them.
pub(super) fn listing(id: &str, links: &[Link], sha256: impl Fn(usize) -> String) -> Value {
    let file = |(index, link): (usize, &Link)| json!({ "path": link.path, "url": link.url, "sha256": sha256(index) });
    let files: Vec<Value> = links.iter().enumerate().map(file).collect();
    let expires_at = links.iter().map(|link| link.expires_at).min().unwrap_or_default().iso();
    let mut body = json!({ "id": id, "files": files, "expires_at": expires_at });
    if let [only] = links {
        body["url"] = only.url.as_str().into();
        body["sha256"] = sha256(0).into();
    }
    body
}

/// GET /_local/s3/…: the twin's S3, for presigned links only. Its own signature check decides.
pub(super) async fn local(State(app): State<App>, request: Request<Body>) -> Result<Response<Body>, Problem> {
    let twin = app.links.as_ref().and_then(|links| links.twin.as_ref());
    let (Some(twin), true) = (twin, request.uri().query().is_some_and(|q| q.contains("X-Amz-Signature=")))
    else {
        return Err(error::no_route().await);
    };
    let target = request.uri().path_and_query().map_or("", |target| target.as_str());
    let target = target.strip_prefix(LOCAL).unwrap_or("/");
    let inner = Request::get(format!("http://{}{target}", Service::S3.host()))
        .header(header::HOST, Service::S3.host())
        .body(http_body_util::Empty::new().map_err(|never| match never {}).boxed());
    let inner = inner.map_err(|_| Error::new(Kind::Malformed, "the link cannot be read"))?;
    let answer = local::handle(twin.engines(), Service::S3, inner).await?;
    let mut response = answer.map(|body| Body::new(body.map_err(|error: BodyError| error)));
    if response.status().is_success() {
        let attachment = HeaderValue::from_static("attachment");
        response.headers_mut().entry(header::CONTENT_DISPOSITION).or_insert(attachment);
        let plain = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, plain);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::{Duration, HOUR, local_url, ttl};

    #[test]
    fn a_link_never_outlives_the_credentials_that_signed_it() {
        let minutes = |n: u64| Duration::from_secs(n * 60);
        assert_eq!(ttl(None), HOUR);
        assert_eq!(ttl(Some(minutes(600))), HOUR);
        assert_eq!(ttl(Some(minutes(5))), minutes(4));
        assert_eq!(ttl(Some(Duration::from_secs(30))), Duration::from_secs(1));
    }

    #[test]
    fn a_link_of_the_twin_leads_through_this_server() {
        let signed = "http://s3.twin.internal/b/k.py?X-Amz-Signature=1";
        assert_eq!(
            local_url(signed, "localhost:8080"),
            "http://localhost:8080/_local/s3/b/k.py?X-Amz-Signature=1"
        );
    }
}
