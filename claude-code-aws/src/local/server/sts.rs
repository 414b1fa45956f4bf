//! STS, as far as GetCallerIdentity: it names the twin's account.

use claude_code_core::Result;
use http::{Request, Response, StatusCode};

use super::body::{self, Body};
use super::keys::Keys;
use super::percent;

/// A call of STS is a line of parameters; the longest that roles and policies make.
const MAX_REQUEST: usize = 64 * 1024;

/// Answers one request. Fails if its body breaks off.
pub(crate) async fn handle(request: Request<Body>) -> Result<Response<Body>> {
    let (head, content) = request.into_parts();
    let sent = body::collect(content, MAX_REQUEST).await?;
    let sent = String::from_utf8_lossy(&sent).into_owned();
    let query = head.uri.query().unwrap_or_default();
    let mut pairs = sent.split('&').chain(query.split('&')).filter_map(|pair| pair.split_once('='));
    let action = pairs.find(|(name, _)| *name == "Action").and_then(|(_, action)| percent::decode(action));
    Ok(match action.as_deref() {
        Some("GetCallerIdentity") => caller_identity(),
        Some(other) => invalid(&format!("Could not find operation {} for version 2011-06-15", word(other))),
        None => invalid("the request names no Action"),
    })
}

/// As much of a name as can stand in XML.
fn word(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).take(64).collect()
}

fn caller_identity() -> Response<Body> {
    let account = Keys::ACCOUNT;
    xml(
        StatusCode::OK,
        format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
             <Arn>arn:aws:iam::{account}:root</Arn><UserId>{account}</UserId><Account>{account}</Account>\
             </GetCallerIdentityResult></GetCallerIdentityResponse>"
        ),
    )
}

fn invalid(message: &str) -> Response<Body> {
    xml(
        StatusCode::BAD_REQUEST,
        format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
             <Code>InvalidAction</Code><Message>{message}</Message></Error></ErrorResponse>"
        ),
    )
}

fn xml(status: StatusCode, text: String) -> Response<Body> {
    let mut response = Response::new(body::full(text));
    *response.status_mut() = status;
    let kind = http::HeaderValue::from_static("text/xml");
    response.headers_mut().insert(http::header::CONTENT_TYPE, kind);
    response
}
