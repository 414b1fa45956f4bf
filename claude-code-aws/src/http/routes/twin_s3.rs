//! S3 of the twin behind this server: target of download links of `serve --offline`.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{self, HeaderValue};
use axum::http::{Request, Response};
use claude_code_core::{Error, ErrorKind};
use http_body_util::BodyExt;

use crate::http::app::App;
use crate::http::response::problem::{self, Problem};
use crate::local::{self, BodyError, Service};

/// Where it is.
const LOCAL: &str = "/_local/s3";

/// The same signed request, by way of this server.
pub(crate) fn url(signed: &str, host: &str) -> String {
    let rest = signed.split_once("://").map_or(signed, |(_, rest)| rest);
    let path = rest.find('/').map_or("/", |at| &rest[at..]);
    format!("http://{host}{LOCAL}{path}")
}

/// GET /_local/s3/…: the twin's S3, for presigned links only. Its own signature check decides.
pub(crate) async fn object(
    State(app): State<App>,
    request: Request<Body>,
) -> Result<Response<Body>, Problem> {
    let twin = app.links.as_ref().and_then(|links| links.twin.as_ref());
    let (Some(twin), true) = (twin, request.uri().query().is_some_and(|q| q.contains("X-Amz-Signature=")))
    else {
        return Err(problem::no_route().await);
    };
    let target = request.uri().path_and_query().map_or("", |target| target.as_str());
    let target = target.strip_prefix(LOCAL).unwrap_or("/");
    let mut inner = Request::get(format!("http://{}{target}", Service::S3.host()))
        .header(header::HOST, Service::S3.host());
    for name in [header::RANGE, header::IF_NONE_MATCH, header::IF_RANGE] {
        if let Some(value) = request.headers().get(&name) {
            inner = inner.header(name, value);
        }
    }
    let inner = inner.body(http_body_util::Empty::new().map_err(|never| match never {}).boxed());
    let inner = inner.map_err(|_| Error::new(ErrorKind::Malformed, "the link cannot be read"))?;
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
    use super::url;

    #[test]
    fn a_link_of_the_twin_leads_through_this_server() {
        let signed = "http://s3.twin.internal/b/k.py?X-Amz-Signature=1";
        assert_eq!(url(signed, "localhost:8080"), "http://localhost:8080/_local/s3/b/k.py?X-Amz-Signature=1");
    }
}
