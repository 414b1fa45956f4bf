//! Error output: one line on stderr, and with `--json` one value on stdout.

use claude_code_core::{Error, ErrorKind, Generation};
use serde::Serialize;

use super::figures::{some, usd};
use super::plain::plain;

/// What `--json` prints where there is no result.
#[derive(Serialize)]
struct Problem<'e> {
    error: What<'e>,
    /// What was received and paid for, in the result schema.
    partial: Option<serde_json::Value>,
}

#[derive(Serialize)]
struct What<'e> {
    kind: &'static str,
    message: &'e str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'e str>,
}

/// `error: …`, with what arrived and what it cost where a paid answer is not whole.
pub(crate) fn line(error: &Error) -> String {
    let mut line = format!("error: {}", plain(error.message()).trim_end());
    match error.partial() {
        Some(partial) if partial.stored => {
            line.push_str(&format!("; the answer is kept: results download {} -o DIR", partial.id));
        }
        Some(partial) if !partial.text.is_empty() => {
            let cost = usd(partial.receipt.total().known());
            let files = some(partial.files.len(), "file");
            line.push_str(&format!("; {files} arrived for {cost}: --json prints what there is"));
        }
        _ => {}
    }
    // The samples are our own: nobody would look that id up.
    if let Some(id) = error.request_id().as_ref().filter(|_| error.kind() != ErrorKind::NoSample) {
        line.push_str(&format!(" (request {})", plain(id)));
    }
    line
}

/// The error as a JSON value.
pub(crate) fn json(error: &Error) -> String {
    let problem = Problem { error: What::of(error), partial: error.partial().map(Generation::schema) };
    super::json::text(&problem).unwrap_or_default()
}

/// What went wrong, as a member of a larger value, with what was received and paid for.
pub(crate) fn value(error: &Error) -> serde_json::Value {
    let mut value = serde_json::to_value(What::of(error)).unwrap_or_default();
    if let (Some(members), Some(partial)) = (value.as_object_mut(), error.partial()) {
        members.insert("partial".to_owned(), partial.schema());
    }
    value
}

impl<'e> What<'e> {
    fn of(error: &'e Error) -> Self {
        What {
            kind: error.kind().as_str(),
            message: error.message(),
            retry_after_seconds: error.retry_after().map(|time| time.as_secs_f64()),
            request_id: error.request_id(),
        }
    }
}
