//! Every fault that a caller must be able to take, as three lines of a script, and what our client makes of it. The
//! numbers are those of the rows that the project collected; what is not here needs no twin (47: a port that nobody
//! listens on) or is the store's (19 to 26). A proxy's page (12) reads as a cut stream where it is shorter than the length
//! that its first bytes seem to claim.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use claude_code_aws::clock::{SystemClock, SystemIds};
use claude_code_aws::local::{Samples, Scripted, Twin};
use claude_code_aws::{Client, ClientBuilder, GenerateRequest, Policy};
use serde::Deserialize;
use serde_json::Value;

/// A client of a twin that plays these steps, with one send each and short limits.
fn client(steps: &str) -> (Client, Twin) {
    let script = Scripted::parse(steps, Arc::new(Samples::built_in())).unwrap();
    let twin = Twin::lazy(Path::new("/nonexistent"), Arc::new(script));
    let bedrock = claude_code_aws::bedrock::Bedrock::new(&twin.sdk_config());
    let limit = Some(Duration::from_secs(5));
    let policy = Policy { max_sends: 1, first_event: limit, idle: limit, ..Policy::default() };
    let builder = ClientBuilder::new(Arc::new(bedrock), Arc::new(SystemClock), Arc::new(SystemIds));
    (builder.with_policy(policy).build(), twin)
}

const OK: &str = r#"{"answer": {"text": "```python a.py\nx = 1\n```\n"}}"#;

/// A row, the step of a script that makes it, and what the client says.
#[derive(Deserialize)]
struct Row {
    row: String,
    step: Value,
    kind: String,
}

/// The Python package plays the same ones.
fn rows() -> Vec<Row> {
    serde_json::from_str(include_str!("fault_rows.json")).unwrap()
}

#[tokio::test(start_paused = true)]
async fn each_fault_is_three_lines_and_has_its_own_error() {
    let mut wrong = Vec::new();
    for Row { row, step, kind } in rows() {
        let (client, twin) = client(&format!("{{\"steps\": [{step}]}}"));
        let outcome = client.generate(GenerateRequest::new("anything")).await;
        let said = match &outcome {
            Ok(_) => "accepted".to_owned(),
            Err(error) => format!("{:?}: {}", error.kind(), error.message()),
        };
        println!("{row:22} {said}");
        assert_eq!(twin.sent().len(), 1, "{row}: one send");
        if outcome.err().is_none_or(|error| error.kind().as_str() != kind) {
            wrong.push(format!("{row}: {said}, not {kind}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let (client, _) = client(&format!("{{\"steps\": [{OK}]}}"));
    assert!(client.generate(GenerateRequest::new("anything")).await.unwrap().accepted);
}
