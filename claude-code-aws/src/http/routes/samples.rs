//! GET /samples: prompts that have a sample answer offline.

use crate::service_creator::STEPS;
use axum::extract::State;
use serde_json::{Value, json};

use crate::http::app::App;
use crate::http::response::idempotent::Answer;

/// Whether this server has samples only, their prompts, and the answers that lead to the sample service.
pub(crate) async fn samples(State(app): State<App>) -> Answer {
    let offline = app.client.policy().samples;
    let service: Vec<&str> = STEPS.iter().map(|step| step.example).collect();
    let prompts: Vec<Value> = if offline { prompts() } else { Vec::new() };
    Answer::ok(json!({
        "offline": offline,
        "prompts": prompts,
        "service": if offline { json!(service) } else { json!([]) },
    }))
}

#[cfg(feature = "local")]
fn prompts() -> Vec<Value> {
    crate::local::Samples::built_in().prompts().into_iter().map(Into::into).collect()
}

#[cfg(not(feature = "local"))]
fn prompts() -> Vec<Value> {
    Vec::new()
}
