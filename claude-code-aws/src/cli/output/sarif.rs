//! Findings as a SARIF 2.1.0 log, which code hosts and editors read.

use claude_code_core::Diagnostic;
use serde_json::{Value, json};

/// The log of one run.
pub(crate) fn log(found: &[Diagnostic]) -> Value {
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": env!("CARGO_PKG_NAME"),
                "version": env!("CARGO_PKG_VERSION"),
                "rules": [{ "id": "validation", "shortDescription": { "text": "Syntax, contract between files, dangerous constructs" } }],
            } },
            "columnKind": "unicodeCodePoints",
            "results": found.iter().map(result).collect::<Vec<Value>>(),
        }],
    })
}

fn result(found: &Diagnostic) -> Value {
    let mut place = json!({ "artifactLocation": { "uri": uri(found.path.as_deref().unwrap_or("")) } });
    if found.line > 0 {
        place["region"] = json!({ "startLine": found.line, "startColumn": found.column.max(1) });
    }
    json!({
        "ruleId": "validation",
        "level": if found.is_error() { "error" } else { "warning" },
        "message": { "text": found.message },
        "locations": [{ "physicalLocation": place }],
    })
}

/// A path as a relative reference: what a URI may not hold is escaped.
fn uri(path: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=@".contains(&byte);
    path.bytes()
        .map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
