//! Download links in answers; on the twin they lead through this server.

use std::sync::Arc;

use aws_sdk_s3::config::SharedCredentialsProvider;
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
use crate::presign::Presigner;

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
        let key = |name: &str| if s3_key.ends_with('/') { format!("{s3_key}{name}") } else { s3_key.clone() };
        let names = stored_names(&generation.files)?;
        self.links(&self.results, names.into_iter().map(|name| (key(&name), name)), host).await
    }

    /// A link for each file of a service's code, in their order.
    pub(super) async fn of_code(&self, code: &Code, host: &str) -> Result<Vec<Link>> {
        let key = |path: &str| format!("{}{path}", code.prefix());
        let files = code.files.iter().map(|file| (key(&file.path), file.path.clone()));
        self.links(&self.services, files, host).await
    }

    async fn links(
        &self,
        bucket: &str,
        files: impl Iterator<Item = (String, String)>,
        host: &str,
    ) -> Result<Vec<Link>> {
        let signer = Presigner::new(&self.s3, self.credentials.as_ref(), &self.clock).await?;
        let mut links = Vec::new();
        for (key, path) in files {
            let signed = signer.url(bucket, &key, &path).await?;
            // The twin has no address of its own: its S3 is reached through this server.
            let url = if self.twin.is_some() { local_url(&signed, host) } else { signed };
            links.push(Link { path, url, expires_at: signer.expires_at });
        }
        Ok(links)
    }
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
    use super::local_url;

    #[test]
    fn a_link_of_the_twin_leads_through_this_server() {
        let signed = "http://s3.twin.internal/b/k.py?X-Amz-Signature=1";
        assert_eq!(
            local_url(signed, "localhost:8080"),
            "http://localhost:8080/_local/s3/b/k.py?X-Amz-Signature=1"
        );
    }
}
