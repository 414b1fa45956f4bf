//! Lookup key of a recorded exchange.

use claude_code_core::Family;
use claude_code_core::answer::file::sha256_hex;
use serde_json::Value;

use super::scrub;
use crate::local::bedrock::route::Route;
use crate::local::bedrock::{converse, invoke, messages};
use crate::local::responder::Question;
use crate::local::samples;

/// The keys of a request, the surest first.
pub(super) struct Keys {
    exact: String,
    task: Option<String>,
}

impl Keys {
    /// The keys of a request. Credentials and account numbers have no part in them.
    pub(super) fn of(route: &Route, path: &str, body: &[u8]) -> Self {
        let text = scrub::text(&String::from_utf8_lossy(body));
        let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        let path = scrub::path(path);
        let exact = sha256_hex(format!("{path}\n{}", sorted(&body)).as_bytes());
        let question = question(route, text.as_bytes());
        // A turn without a text is told from others by the whole request alone.
        let told = |question: &Question| question.messages.iter().all(|turn| !turn.text.is_empty());
        let task = question.filter(told).map(|question| {
            let mut key = format!("{}\n{}", route.name(), family(&question.model));
            for turn in &question.messages {
                let words = samples::task(&turn.text).split_whitespace().collect::<Vec<_>>().join(" ");
                key += &format!("\n{:?} {words}", turn.role);
            }
            sha256_hex(key.as_bytes())
        });
        Keys { exact, task }
    }

    pub(super) fn all(self) -> impl Iterator<Item = String> {
        [format!("exact {}", self.exact)].into_iter().chain(self.task.map(|task| format!("task {task}")))
    }
}

/// The family in a model's id; an id that names none stands for itself.
fn family(model: &str) -> String {
    let named = Family::ALL.into_iter().find(|family| model.contains(family.as_str()));
    named.map_or_else(|| scrub::text(model), |family| family.as_str().to_owned())
}

/// What is asked of a model, where the request is read.
pub(in super::super) fn question(route: &Route, body: &[u8]) -> Option<Question> {
    match route {
        Route::Converse { model, streaming } => converse::question(model.clone(), *streaming, body).ok(),
        Route::Invoke { model, streaming } => invoke::question(model.clone(), *streaming, body).ok(),
        Route::Messages => messages::question(body, true).ok(),
        Route::CountTokens { .. } | Route::CountMessages => None,
    }
}

/// A value as text with the members of each object in the order of their names.
fn sorted(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| name.as_str());
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("{name:?}:{}", sorted(value))).collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(sorted).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}
