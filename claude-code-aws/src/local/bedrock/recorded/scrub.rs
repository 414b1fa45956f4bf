//! Scrubbing of recordings: credentials and account numbers. Twelve zeros stand for an account, `REMOVED` for a
//! credential and for whoever an ARN of IAM or STS names.

use aws_smithy_eventstream::frame::{read_message_from, write_message_to};
use aws_smithy_types::base64;
use aws_smithy_types::event_stream::Message;
use bytes::{Buf, Bytes};
use serde_json::Value;

use crate::local::server::keys::Keys;
use crate::local::server::percent;

/// How credentials begin, and how many of their characters follow at least.
const CREDENTIALS: [(&str, usize); 7] = [
    ("AKIA", 16),
    ("ASIA", 16),
    ("AROA", 16),
    ("AIDA", 16),
    ("sk-ant-", 8),
    ("ABSK", 40),
    ("bedrock-api-key-", 8),
];

const REMOVED: &str = "REMOVED";

/// A text without them.
pub(in super::super) fn text(text: &str) -> String {
    let (mut clean, accounts) = arns(text);
    for account in accounts {
        clean = without_number(&clean, &account);
    }
    for (start, least) in CREDENTIALS {
        clean = without_token(&clean, start, least);
    }
    clean
}

/// A path without them, and without the escapes that ids come in.
pub(in super::super) fn path(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    text(&percent::decode(path).unwrap_or_else(|| path.to_owned()))
}

/// An answer's body without them; event streams are framed anew where that is needed.
#[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "only the command line records"))]
pub(in super::super) fn body(bytes: &Bytes, is_event_stream: bool) -> Bytes {
    if !is_event_stream {
        let Ok(whole) = std::str::from_utf8(bytes) else { return bytes.clone() };
        return text(whole).into();
    }
    let (mut clean, mut rest) = (Vec::with_capacity(bytes.len()), bytes.clone());
    while rest.has_remaining() {
        let before = rest.clone();
        let Ok(message) = read_message_from(&mut rest) else {
            // No frame: nothing in it can be told from anything else, so only its text is cleaned.
            clean.extend_from_slice(text(&String::from_utf8_lossy(&before)).as_bytes());
            break;
        };
        let length = before.len() - rest.len();
        match frame(&message) {
            Some(changed) => clean.extend_from_slice(&changed),
            None => clean.extend_from_slice(&before[..length]),
        }
    }
    clean.into()
}

/// A frame anew, if there was something in it.
#[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "only the command line records"))]
fn frame(message: &Message) -> Option<Vec<u8>> {
    let payload = std::str::from_utf8(message.payload()).ok()?;
    let clean = match serde_json::from_str::<Value>(payload).ok().as_ref().and_then(chunk) {
        Some((padding, inner)) => {
            let clean = text(&inner);
            (clean != inner).then(|| {
                let mut payload = serde_json::json!({ "bytes": base64::encode(&clean) });
                if !padding.is_null() {
                    payload["p"] = padding;
                }
                payload.to_string()
            })?
        }
        None => Some(text(payload)).filter(|clean| clean != payload)?,
    };
    let headers = message.headers().iter().cloned();
    let changed = headers.fold(Message::new(clean), Message::add_header);
    let mut bytes = Vec::new();
    write_message_to(&changed, &mut bytes).ok().map(|()| bytes)
}

/// Padding and text of a chunk of InvokeModel's stream.
#[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "only the command line records"))]
fn chunk(payload: &Value) -> Option<(Value, String)> {
    let inner = base64::decode(payload.get("bytes")?.as_str()?).ok()?;
    Some((payload["p"].clone(), String::from_utf8(inner).ok()?))
}

/// The text with clean ARNs, and the accounts that stood in them.
fn arns(text: &str) -> (String, Vec<String>) {
    let (mut clean, mut accounts, mut rest) = (String::with_capacity(text.len()), Vec::new(), text);
    while let Some(at) = rest.find("arn:aws") {
        let (before, arn) = rest.split_at(at);
        clean.push_str(before);
        let fields: Vec<&str> = arn.splitn(6, ':').collect();
        let [arn_, partition, service, region, account, resource] = fields[..] else {
            clean.push_str(&arn[..7]);
            rest = &arn[7..];
            continue;
        };
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !is_account || ![partition, service, region].into_iter().all(plain) {
            clean.push_str(&arn[..7]);
            rest = &arn[7..];
            continue;
        }
        accounts.push(account.to_owned());
        clean.push_str(&[arn_, partition, service, region, Keys::ACCOUNT, ""].join(":"));
        rest = resource;
        if matches!(service, "iam" | "sts") {
            let name = |c: char| c.is_ascii_alphanumeric() || "+=,.@_/:-".contains(c);
            rest = resource.trim_start_matches(name);
            clean.push_str(REMOVED);
        }
    }
    clean.push_str(rest);
    (clean, accounts)
}

/// The text with zeros in the place of this number, where it stands alone.
fn without_number(text: &str, number: &str) -> String {
    let (mut clean, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find(number) {
        let (before, behind) = (&rest[..at], &rest[at + number.len()..]);
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        let alone = !digit(before.chars().next_back()) && !digit(behind.chars().next());
        clean.push_str(before);
        clean.push_str(if alone { Keys::ACCOUNT } else { number });
        rest = behind;
    }
    clean.push_str(rest);
    clean
}

/// The text without the credentials that begin so.
fn without_token(text: &str, start: &str, least: usize) -> String {
    let (mut clean, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find(start) {
        let behind = &rest[at + start.len()..];
        let end = behind.find(|c: char| !(c.is_ascii_alphanumeric() || "-_+/=".contains(c)));
        let token = &behind[..end.unwrap_or(behind.len())];
        let is_part = rest[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
        clean.push_str(&rest[..at]);
        let is_token = token.len() >= least && !is_part;
        clean.push_str(if is_token { REMOVED } else { start });
        rest = if is_token { &behind[token.len()..] } else { behind };
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_and_credentials_go_and_all_else_stays() {
        let table = [
            (
                "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.x",
                "arn:aws:bedrock:us-east-1:000000000000:inference-profile/us.x",
            ),
            (
                "User: arn:aws:sts::123456789012:assumed-role/Admin/alice@example.com is not authorized; 123456789012!",
                "User: arn:aws:sts::000000000000:REMOVED is not authorized; 000000000000!",
            ),
            ("arn:aws-us-gov:iam::123456789012:user/bob\"", "arn:aws-us-gov:iam::000000000000:REMOVED\""),
            (
                "arn:aws:bedrock:us-east-1::foundation-model/x 123456789012",
                "arn:aws:bedrock:us-east-1::foundation-model/x 123456789012",
            ),
            ("key AKIAIOSFODNN7EXAMPLE.", "key REMOVED."),
            ("sk-ant-api03-abc_def-123 and sk-ant-", "REMOVED and sk-ant-"),
            ("NAKIAIOSFODNN7EXAMPLE arn:aws", "NAKIAIOSFODNN7EXAMPLE arn:aws"),
            ("1234567890123 arn:aws:s3:::bucket", "1234567890123 arn:aws:s3:::bucket"),
        ];
        for (dirty, clean) in table {
            assert_eq!(text(dirty), clean);
            assert_eq!(text(clean), clean, "clean text stays as it is");
        }
    }

    #[test]
    #[allow(clippy::unwrap_used)]
    fn a_cleaned_frame_is_a_frame() {
        use crate::local::bedrock::frames::exception;
        let dirty = exception("validationException", "arn:aws:iam::123456789012:user/bob");
        let good = exception("throttlingException", "slow");
        let both = Bytes::from([good.as_ref(), dirty.as_ref(), b"\0\0"].concat());
        let clean = body(&both, true);
        assert!(
            clean.starts_with(&good) && clean.ends_with(b"\0\0"),
            "what needs nothing stays byte for byte"
        );
        let mut rest = clean.slice(good.len()..);
        let message = read_message_from(&mut rest).unwrap();
        assert_eq!(message.payload().as_ref(), br#"{"message":"arn:aws:iam::000000000000:REMOVED"}"#);
    }
}
