//! Signature version 4 of requests to Bedrock and DynamoDB. (S3 checks its own: payloads come in pieces there.)

use claude_code_core::file::{hex, sha256_hex};
use http::HeaderMap;
use http::request::Parts;
use sha2::{Digest, Sha256};

use super::keys::Keys;
use super::percent;

/// HMAC's block for SHA-256, bytes.
const BLOCK: usize = 64;

/// What the Authorization header says.
struct Claim<'h> {
    access_key: &'h str,
    /// `date/region/service/aws4_request`.
    scope: &'h str,
    signed_headers: &'h str,
    signature: &'h str,
}

/// Why a request's signature is refused, or none. The keys are all that it may be made with.
pub(super) fn refusal(parts: &Parts, body: &[u8], keys: &Keys) -> Option<&'static str> {
    let Some(claim) = claim(&parts.headers) else { return Some("the request has no signature of version 4") };
    let Some(secret) = keys.secret(claim.access_key) else {
        return Some("the security token included in the request is invalid: the access key is unknown");
    };
    let date = parts.headers.get("x-amz-date").and_then(|date| date.to_str().ok()).unwrap_or_default();
    let text = format!(
        "AWS4-HMAC-SHA256\n{date}\n{}\n{}",
        claim.scope,
        sha256_hex(canonical(parts, body, claim.signed_headers).as_bytes())
    );
    (signed(secret, claim.scope, &text) != claim.signature).then_some(
        "the request signature we calculated does not match the signature you provided: check the secret key",
    )
}

/// The Authorization header of a request that has its `host` and `x-amz-date`; a session token is signed too.
#[cfg(feature = "cli")]
pub(super) fn sign(
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
fn signed(secret: &str, scope: &str, text: &str) -> String {
    let start = format!("AWS4{secret}").into_bytes();
    let key = scope.split('/').fold(start, |key, part| hmac(&key, part.as_bytes()).to_vec());
    hex(&hmac(&key, text.as_bytes()))
}

fn claim(headers: &HeaderMap) -> Option<Claim<'_>> {
    let value = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
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
            let values: Vec<String> = parts.headers.get_all(name).iter().map(squeezed).collect();
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
}
