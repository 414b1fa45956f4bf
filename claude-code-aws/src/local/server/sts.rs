//! STS: GetCallerIdentity names the twin's account, and roles are assumed with the twin's own keys.

use std::time::Duration;

use claude_code_core::{Clock, Result};
use http::{Request, Response, StatusCode};

use super::body::{self, Body};
use super::keys::Keys;
use super::percent;
use crate::clock::SystemClock;

/// How long assumed credentials last.
const HOUR: Duration = Duration::from_secs(3600);

/// A call of STS is a line of parameters; the longest that roles and policies make.
const MAX_REQUEST: usize = 64 * 1024;

/// Answers one request. Fails if its body breaks off.
pub(crate) async fn handle(request: Request<Body>) -> Result<Response<Body>> {
    let (head, content) = request.into_parts();
    let sent = body::collect(content, MAX_REQUEST).await?;
    let sent = String::from_utf8_lossy(&sent).into_owned();
    let query = head.uri.query().unwrap_or_default();
    let parameter = |wanted: &str| {
        let mut pairs = sent.split('&').chain(query.split('&')).filter_map(|pair| pair.split_once('='));
        pairs.find(|(name, _)| *name == wanted).and_then(|(_, value)| percent::decode(value))
    };
    Ok(match parameter("Action").as_deref() {
        Some("GetCallerIdentity") => caller_identity(),
        Some(action @ ("AssumeRole" | "AssumeRoleWithWebIdentity")) => {
            match (parameter("RoleArn").as_deref().and_then(role), parameter("RoleSessionName")) {
                (Some(role), Some(session)) => assumed(action, &role, &word(&session)),
                _ => {
                    failed("ValidationError", "RoleArn must be a role's ARN, and RoleSessionName is required")
                }
            }
        }
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

/// The name of a role in its ARN: `arn:aws:iam::111122223333:role/path/name`.
fn role(arn: &str) -> Option<String> {
    let name = arn.strip_prefix("arn:aws")?.split_once(":role/")?.1.rsplit('/').next()?;
    let sign = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c);
    (!name.is_empty() && name.len() <= 64 && name.chars().all(sign)).then(|| name.to_owned())
}

/// Credentials of the role for an hour: the twin's own keys, for it knows no others.
fn assumed(action: &str, role: &str, session: &str) -> Response<Body> {
    let (account, key, secret) = (Keys::ACCOUNT, Keys::ACCESS_KEY, Keys::SECRET_KEY);
    let ends = SystemClock.now().plus(HOUR).iso();
    xml(
        StatusCode::OK,
        format!(
            "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result><AssumedRoleUser>\
             <Arn>arn:aws:sts::{account}:assumed-role/{role}/{session}</Arn><AssumedRoleId>AROATWIN:{session}</AssumedRoleId>\
             </AssumedRoleUser><Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>\
             <SessionToken>twin-session-token</SessionToken><Expiration>{ends}</Expiration></Credentials></{action}Result>\
             </{action}Response>"
        ),
    )
}

fn invalid(message: &str) -> Response<Body> {
    failed("InvalidAction", message)
}

fn failed(code: &str, message: &str) -> Response<Body> {
    xml(
        StatusCode::BAD_REQUEST,
        format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
             <Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
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
