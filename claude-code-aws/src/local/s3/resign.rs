//! Requests signed with keys that the twin does not know, which are taken where nobody asked for signatures to be
//! verified. They are signed anew with its own key: behind this point every request is checked alike, its payload is
//! read in the same way, and a presigned URL still ends.

use bytes::Bytes;
use claude_code_core::Result;
use claude_code_core::answer::file::sha256_hex;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST};
use http::request::Parts;
use http::{HeaderValue, Request, Uri};

use super::payload::MAX_OBJECT;
use crate::local::server::body::{self, Body};
use crate::local::server::keys::Keys;
use crate::local::server::{clock, percent, signature};

/// The header that says how the payload was signed.
const PAYLOAD: &str = "x-amz-content-sha256";
/// The longest life of a presigned URL, seconds.
const WEEK: i64 = 7 * 24 * 3600;

/// The request, under a key that the twin knows. Fails if its body breaks off.
pub(in crate::local) async fn known(request: Request<Body>, keys: &Keys) -> Result<Request<Body>> {
    let (mut parts, mut content) = request.into_parts();
    if let Some(scope) = foreign_scope(&parts, keys) {
        let signed_chunks = header(&parts, PAYLOAD).starts_with("STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
        if signed_chunks {
            content = unsigned(&mut parts, content).await?;
        }
        sign(&mut parts, &scope);
    } else if let Some(uri) = presigned(&parts, keys) {
        parts.uri = uri;
    }
    Ok(Request::from_parts(parts, content))
}

fn header<'p>(parts: &'p Parts, name: &str) -> &'p str {
    parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The scope of a header's signature whose key is unknown: `date/region/s3/aws4_request`.
fn foreign_scope(parts: &Parts, keys: &Keys) -> Option<String> {
    let fields = header(parts, AUTHORIZATION.as_str()).strip_prefix("AWS4-HMAC-SHA256")?;
    let credential = fields.split(',').find_map(|part| part.trim().strip_prefix("Credential="))?;
    let (key, scope) = credential.split_once('/')?;
    keys.secret(key).is_none().then(|| scope.to_owned())
}

/// Signs what a signature must cover, and no more.
fn sign(parts: &mut Parts, scope: &str) {
    let (date, payload) = (header(parts, "x-amz-date"), header(parts, PAYLOAD));
    let signed = format!("host;{PAYLOAD};x-amz-date");
    let headers = format!("host:{}\n{PAYLOAD}:{payload}\nx-amz-date:{date}\n", header(parts, HOST.as_str()));
    let query = canonical_query(&pairs(parts.uri.query().unwrap_or_default()));
    let signature = signature_of(parts, date, scope, &format!("{query}\n{headers}\n{signed}\n{payload}"));
    let value = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={signed}, Signature={signature}",
        Keys::ACCESS_KEY
    );
    if let Ok(value) = HeaderValue::from_str(&value) {
        parts.headers.insert(AUTHORIZATION, value);
    }
}

/// The signature of a canonical request whose lines from the query on are these.
fn signature_of(parts: &Parts, date: &str, scope: &str, rest: &str) -> String {
    let path = percent::decode(parts.uri.path()).unwrap_or_default();
    let request = sha256_hex(format!("{}\n{}\n{rest}", parts.method, percent::encode(&path)).as_bytes());
    signature::signed(Keys::SECRET_KEY, scope, &format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{request}"))
}

/// The address of a presigned request whose key is unknown, signed anew; none where it is another request.
fn presigned(parts: &Parts, keys: &Keys) -> Option<Uri> {
    let mut query = pairs(parts.uri.query()?);
    let take = |query: &mut Vec<(String, String)>, name: &str| {
        let at = query.iter().position(|(other, _)| other == name)?;
        Some(query.remove(at).1)
    };
    let (date, scope) = if let Some(credential) = take(&mut query, "X-Amz-Credential") {
        let (key, scope) = credential.split_once('/')?;
        keys.secret(key).is_none().then_some(())?;
        take(&mut query, "X-Amz-Signature")?;
        take(&mut query, "X-Amz-SignedHeaders")?;
        (query.iter().find(|(name, _)| name == "X-Amz-Date")?.1.clone(), scope.to_owned())
    } else {
        // Version 2 tells the moment of its end.
        keys.secret(&take(&mut query, "AWSAccessKeyId")?).is_none().then_some(())?;
        take(&mut query, "Signature")?;
        let left = take(&mut query, "Expires")?.parse::<i64>().ok()? - clock::now_millis() / 1000;
        let date = format!("{}Z", clock::stamp());
        // Of a URL that has ended, a life of no second is left.
        let left = left.clamp(0, WEEK).to_string();
        let made = [("X-Amz-Algorithm", "AWS4-HMAC-SHA256"), ("X-Amz-Date", &date), ("X-Amz-Expires", &left)];
        query.extend(made.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let scope = format!("{}/us-east-1/s3/aws4_request", &date[..8]);
        (date, scope)
    };
    query.push(("X-Amz-Credential".to_owned(), format!("{}/{scope}", Keys::ACCESS_KEY)));
    query.push(("X-Amz-SignedHeaders".to_owned(), "host".to_owned()));
    let query = canonical_query(&query);
    let host = header(parts, HOST.as_str());
    let signature =
        signature_of(parts, &date, &scope, &format!("{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD"));
    let target = format!("{}?{query}&X-Amz-Signature={signature}", parts.uri.path());
    let mut uri = parts.uri.clone().into_parts();
    uri.path_and_query = Some(target.parse().ok()?);
    Uri::from_parts(uri).ok()
}

/// The parameters of a query, decoded.
fn pairs(query: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| percent::decode(&text.replace('+', " "));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .filter_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decoded(name)?, decoded(value)?))
        })
        .collect()
}

fn canonical_query(pairs: &[(String, String)]) -> String {
    let encoded = |text: &str| percent::encode(text).replace('/', "%2F");
    let mut pairs: Vec<_> = pairs.iter().map(|(name, value)| (encoded(name), encoded(value))).collect();
    pairs.sort_by(|one, other| one.0.cmp(&other.0));
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// The body without the signatures of its chunks, which nobody could check.
async fn unsigned(parts: &mut Parts, content: Body) -> Result<Body> {
    // Signatures and sizes of the chunks come on top of the object: at most as much again.
    let bytes = body::collect(content, 2 * MAX_OBJECT).await?;
    let Some(chunks) = without_signatures(&bytes) else { return Ok(body::full(bytes)) };
    parts.headers.insert(PAYLOAD, HeaderValue::from_static("STREAMING-UNSIGNED-PAYLOAD-TRAILER"));
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(chunks.len()));
    Ok(body::full(chunks))
}

/// Chunks (`SIZE;chunk-signature=…`, data) without their signatures, nor that of the trailers. None: they are no chunks.
fn without_signatures(mut bytes: &[u8]) -> Option<Bytes> {
    const END: &[u8] = b"\r\n";
    let mut out = Vec::with_capacity(bytes.len());
    loop {
        let end = bytes.windows(2).position(|pair| pair == END)?;
        let line = std::str::from_utf8(&bytes[..end]).ok()?;
        let size = usize::from_str_radix(line.split(';').next()?, 16).ok()?;
        out.extend_from_slice(format!("{size:x}\r\n").as_bytes());
        bytes = &bytes[end + 2..];
        if size == 0 {
            break;
        }
        let data = bytes.get(..size.checked_add(2)?)?;
        out.extend_from_slice(data);
        bytes = &bytes[data.len()..];
    }
    let trailers = std::str::from_utf8(bytes).ok()?;
    let kept = trailers.split("\r\n").filter(|line| !line.starts_with("x-amz-trailer-signature"));
    out.extend_from_slice(kept.collect::<Vec<_>>().join("\r\n").as_bytes());
    Some(out.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_of_chunks_and_trailers_are_left_out() {
        let signed =
            b"5;chunk-signature=aa\r\nhello\r\n0;chunk-signature=bb\r\nx-amz-checksum-crc32:AA==\r\n\
            x-amz-trailer-signature:cc\r\n\r\n";
        let plain: &[u8] = b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AA==\r\n\r\n";
        assert_eq!(without_signatures(signed).as_deref(), Some(plain));
        assert_eq!(without_signatures(plain).as_deref(), Some(plain));
        for broken in [&b"hello"[..], b"5;chunk-signature=aa\r\nhel", b"zz\r\n", b"ffffffffffffffff\r\n"] {
            assert_eq!(without_signatures(broken), None);
        }
    }
}
