//! Signature version 4 of requests to Bedrock and DynamoDB. (S3 checks its own: payloads come in pieces there.)

use claude_code_core::answer::file::{hex, sha256_hex};
use claude_code_core::{Clock, UtcMillis};
use http::request::Parts;
use sha2::{Digest, Sha256};

use super::keys::Keys;
use super::percent;
use crate::clock::SystemClock;

/// HMAC's block for SHA-256, bytes.
const BLOCK: usize = 64;
/// What HTTP/2 has in the place of `host`.
const AUTHORITY: &str = ":authority";
/// How far a signature's moment may be from now, seconds.
const LIFE: i64 = 300;

/// What the Authorization header says.
struct Claim<'h> {
    access_key: &'h str,
    /// `date/region/service/aws4_request`.
    scope: &'h str,
    signed_headers: &'h str,
    signature: &'h str,
}

/// Why a request is refused, in the service's words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Refusal {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Refusal { code, message: message.into() }
    }

    fn invalid(message: impl Into<String>) -> Self {
        Refusal::new("InvalidSignatureException", message)
    }
}

/// Why a request's signature is refused, or none. The keys are all that it may be made with, for this service.
pub(crate) fn refusal(parts: &Parts, body: &[u8], keys: &Keys, service: &str) -> Option<Refusal> {
    check(parts, body, keys, service, SystemClock.now().seconds()).err()
}

fn check(parts: &Parts, body: &[u8], keys: &Keys, service: &str, now: i64) -> Result<(), Refusal> {
    let Some(authorization) = parts.headers.get(http::header::AUTHORIZATION) else {
        return Err(Refusal::new("MissingAuthenticationTokenException", "Missing Authentication Token"));
    };
    let claim = authorization.to_str().ok().and_then(claim).ok_or_else(|| {
        Refusal::new("IncompleteSignatureException", "the Authorization header is not of signature version 4")
    })?;
    let secret = keys.secret(claim.access_key).ok_or_else(|| {
        let message = "The security token included in the request is invalid: the access key is unknown";
        Refusal::new("UnrecognizedClientException", message)
    })?;
    let date = parts.headers.get("x-amz-date").and_then(|date| date.to_str().ok()).unwrap_or_default();
    in_time(date, now)?;
    in_scope(&claim, date, service)?;
    let text = format!(
        "AWS4-HMAC-SHA256\n{date}\n{}\n{}",
        claim.scope,
        sha256_hex(canonical(parts, body, claim.signed_headers).as_bytes())
    );
    match signed(secret, claim.scope, &text) == claim.signature {
        true => Ok(()),
        false => Err(Refusal::invalid(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
             Access Key and signing method.",
        )),
    }
}

/// A signature counts for five minutes, and not before it was made.
fn in_time(date: &str, now: i64) -> Result<(), Refusal> {
    let made = seconds(date)
        .ok_or_else(|| Refusal::invalid(format!("Date must be in ISO-8601 'basic format'. Got '{date}'.")))?;
    let (early, late) = (now - LIFE, now + LIFE);
    let at = |seconds: i64| format!("{}Z", &UtcMillis(seconds * 1000).compact()[..15]);
    if made < early {
        let (early, now) = (at(early), at(now));
        let message = format!("Signature expired: {date} is now earlier than {early} ({now} - 5 min.)");
        return Err(Refusal::invalid(message));
    }
    if made > late {
        let (late, now) = (at(late), at(now));
        let message =
            format!("Signature not yet current: {date} is still later than {late} ({now} + 5 min.)");
        return Err(Refusal::invalid(message));
    }
    Ok(())
}

/// A signature is for one day and one service, and of a request to one host.
fn in_scope(claim: &Claim<'_>, date: &str, service: &str) -> Result<(), Refusal> {
    let mut scope = claim.scope.split('/');
    let (day, _region, named, end) = (scope.next(), scope.next(), scope.next(), scope.next());
    if day != date.get(..8) {
        let message = format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{}'",
            day.unwrap_or_default(),
            date.get(..8).unwrap_or_default()
        );
        return Err(Refusal::invalid(message));
    }
    if named != Some(service) {
        return Err(Refusal::invalid(format!(
            "Credential should be scoped to correct service: '{service}'."
        )));
    }
    if end != Some("aws4_request") || scope.next().is_some() {
        return Err(Refusal::invalid("Credential should be scoped with a valid terminator: 'aws4_request'."));
    }
    match claim.signed_headers.split(';').any(|name| name == "host" || name == AUTHORITY) {
        true => Ok(()),
        false => {
            Err(Refusal::invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."))
        }
    }
}

/// The moment of `20261121T204600Z`, in seconds since 1970.
fn seconds(date: &str) -> Option<i64> {
    let format = time::macros::format_description!("[year][month][day]T[hour][minute][second]Z");
    Some(time::PrimitiveDateTime::parse(date, format).ok()?.assume_utc().unix_timestamp())
}

/// The Authorization header of a request that has its `host` and `x-amz-date`; a session token is signed too.
#[cfg(any(feature = "cli", test))]
pub(crate) fn sign(
    parts: &Parts,
    body: &[u8],
    region: &str,
    service: &str,
    access_key: &str,
    secret: &str,
) -> String {
    let date = parts.headers.get("x-amz-date").and_then(|date| date.to_str().ok()).unwrap_or_default();
    let scope = format!("{}/{region}/{service}/aws4_request", date.get(..8).unwrap_or_default());
    let token = if parts.headers.contains_key("x-amz-security-token") { ";x-amz-security-token" } else { "" };
    let headers = format!("host;x-amz-date{token}");
    let request = sha256_hex(canonical(parts, body, &headers).as_bytes());
    let signature = signed(secret, &scope, &format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{request}"));
    format!(
        "AWS4-HMAC-SHA256 Credential={access_key}/{scope}, SignedHeaders={headers}, Signature={signature}"
    )
}

/// The signature of a text under the key that a secret gives for a scope.
pub(crate) fn signed(secret: &str, scope: &str, text: &str) -> String {
    let start = format!("AWS4{secret}").into_bytes();
    let key = scope.split('/').fold(start, |key, part| hmac(&key, part.as_bytes()).to_vec());
    hex(&hmac(&key, text.as_bytes()))
}

fn claim(value: &str) -> Option<Claim<'_>> {
    let fields = value.strip_prefix("AWS4-HMAC-SHA256")?;
    let field = |name: &str| fields.split(',').find_map(|part| part.trim().strip_prefix(name));
    let (access_key, scope) = field("Credential=")?.split_once('/')?;
    Some(Claim {
        access_key,
        scope,
        signed_headers: field("SignedHeaders=")?,
        signature: field("Signature=")?,
    })
}

/// The request in the form that is signed.
fn canonical(parts: &Parts, body: &[u8], signed_headers: &str) -> String {
    let headers: String = signed_headers
        .split(';')
        .map(|name| {
            let kept = if name == AUTHORITY { "host" } else { name };
            let values: Vec<String> = parts.headers.get_all(kept).iter().map(squeezed).collect();
            format!("{name}:{}\n", values.join(","))
        })
        .collect();
    // The path as it was sent is encoded once more: every service but S3 signs it so.
    let path = percent::encode(parts.uri.path());
    let mut query: Vec<&str> =
        parts.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()).collect();
    query.sort_unstable();
    format!(
        "{}\n{path}\n{}\n{headers}\n{signed_headers}\n{}",
        parts.method,
        query.join("&"),
        sha256_hex(body)
    )
}

/// A header's value with its runs of spaces as one.
fn squeezed(value: &http::HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// HMAC-SHA256 (RFC 2104).
fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; BLOCK];
    if key.len() > BLOCK {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2 and 6.
    #[test]
    fn hmac_is_that_of_the_standard() {
        let short = hmac(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(hex(&short), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        let long = hmac(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First");
        assert_eq!(hex(&long), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    }

    const NOW: i64 = 1_795_000_000;

    /// What is said of a request that was signed at this moment, for this service, and then changed.
    fn said(at: i64, service: &str, change: impl Fn(&str) -> String) -> String {
        let date = format!("{}Z", &UtcMillis(at * 1000).compact()[..15]);
        let request =
            http::Request::post("/model/x/converse").header("host", "localhost").header("x-amz-date", &date);
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let signed = sign(&parts, b"{}", "us-east-1", service, Keys::ACCESS_KEY, Keys::SECRET_KEY);
        let changed = change(&signed);
        if !changed.is_empty() {
            parts.headers.insert(http::header::AUTHORIZATION, changed.parse().unwrap());
        }
        match check(&parts, b"{}", &Keys::default(), "bedrock", NOW) {
            Ok(()) => "good".to_owned(),
            Err(Refusal { code, message }) => format!("{code}: {message}"),
        }
    }

    #[test]
    fn each_way_to_sign_badly_has_the_services_own_code() {
        let same = |signed: &str| signed.to_owned();
        let table: [(String, &str); 11] = [
            (said(NOW, "bedrock", same), "good"),
            (said(NOW - 299, "bedrock", same), "good"),
            (said(NOW + 299, "bedrock", same), "good"),
            (said(NOW - 301, "bedrock", same), "InvalidSignatureException: Signature expired: 2026"),
            (said(NOW + 301, "bedrock", same), "InvalidSignatureException: Signature not yet current: 2026"),
            (
                said(NOW, "s3", same),
                "InvalidSignatureException: Credential should be scoped to correct service",
            ),
            (
                said(NOW, "bedrock", |signed| signed.replace("/2026", "/2025")),
                "InvalidSignatureException: Date in Credential scope",
            ),
            (
                said(NOW, "bedrock", |signed| signed.replace("host;", "")),
                "InvalidSignatureException: 'Host' or ':authority' must be",
            ),
            (
                said(NOW, "bedrock", |signed| format!("{}0", &signed[..signed.len() - 1])),
                "InvalidSignatureException: The request signature we calculated",
            ),
            (said(NOW, "bedrock", |_| String::new()), "MissingAuthenticationTokenException: "),
            (
                said(NOW, "bedrock", |signed| signed.replace(Keys::ACCESS_KEY, "AKIAUNKNOWN")),
                "UnrecognizedClientException: ",
            ),
        ];
        for (said, expected) in table {
            assert!(said.starts_with(expected), "{said}, not {expected}");
        }
        assert!(
            said(NOW, "bedrock", |_| "Basic eA==".to_owned()).starts_with("IncompleteSignatureException")
        );
    }
}
