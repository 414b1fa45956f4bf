//! Every fault that a caller must be able to take, as three lines of a script, and what our client makes of it. The
//! numbers are those of the rows that the project collected; what is not here needs no twin (47: a port that nobody
//! listens on) or is the store's (19 to 26).

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use claude_code_aws::clock::{SystemClock, SystemIds};
use claude_code_aws::local::{Samples, Scripted, Twin};
use claude_code_aws::{Client, ClientBuilder, GenerateRequest, Kind, Policy};

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

/// An error of this code and status, with faults on its way.
fn error(code: &str, status: u16, faults: &str) -> String {
    format!(
        r#"{{"error": {{"code": "{code}", "status": {status}, "message": "scripted"}}, "faults": [{faults}]}}"#
    )
}

/// A good answer with this fault on its way.
fn fault(fault: &str) -> String {
    format!(r#"{{"answer": {{"text": "```python a.py\nx = 1\n```\n"}}, "faults": [{fault}]}}"#)
}

fn exception(code: &str) -> String {
    fault(&format!(r#"{{"exception": {{"at": 2, "code": "{code}", "message": "scripted"}}}}"#))
}

fn stopped(reason: &str) -> String {
    format!(r#"{{"answer": {{"text": "```python a.py\nx = 1\n", "stop_reason": "{reason}"}}}}"#)
}

fn header(name: &str, value: &str) -> String {
    format!(r#"{{"header": {{"name": "{name}", "value": "{value}"}}}}"#)
}

/// Row, script step, and what the client says.
fn rows() -> Vec<(&'static str, String, Kind)> {
    vec![
        ("1 throttled", error("ThrottlingException", 429, &header("retry-after", "7")), Kind::Throttled),
        ("2 unavailable", error("ServiceUnavailableException", 503, ""), Kind::Unavailable),
        ("2 failed", error("InternalServerException", 500, ""), Kind::Unavailable),
        ("3 not ready", error("ModelNotReadyException", 429, ""), Kind::Unavailable),
        ("4 timed out", error("ModelTimeoutException", 408, ""), Kind::Timeout),
        ("5 throttled midway", exception("throttlingException"), Kind::Throttled),
        ("5 unavailable midway", exception("serviceUnavailableException"), Kind::Unavailable),
        ("5 failed midway", exception("internalServerException"), Kind::Unavailable),
        ("5 stream error", exception("modelStreamErrorException"), Kind::Unavailable),
        ("5 invalid midway", exception("validationException"), Kind::InvalidRequest),
        ("6 reset midway", fault(r#"{"break_at": 300}"#), Kind::Cut),
        ("7 no headers", fault(r#"{"latency_ms": 60000}"#), Kind::Timeout),
        ("8 stalled", fault(r#"{"stall_at": 300}"#), Kind::Timeout),
        ("9 cut within a frame", fault(r#"{"cut_at": 300}"#), Kind::Cut),
        ("10 bad checksum", fault(r#"{"damage": 2}"#), Kind::Protocol),
        ("10 a bit turned over", fault(r#"{"flip_bit": 900}"#), Kind::Protocol),
        ("11 no stop", fault(r#"{"lose": 4}"#), Kind::Protocol),
        ("11 an event twice", fault(r#"{"double": 0}"#), Kind::Protocol),
        ("11 events swapped", fault(r#"{"swap": 4}"#), Kind::Protocol),
        (
            "12 a proxy's page",
            fault(&format!(
                r#"{{"body": "<html><body>502 Bad Gateway: the proxy could not reach the service</body></html>"}}, {}"#,
                header("content-type", "text/html")
            )),
            // Its first bytes are no frame's, whatever length they seem to claim.
            Kind::Protocol,
        ),
        ("13 empty", r#"{"answer": {"text": ""}}"#.to_owned(), Kind::Empty),
        ("13 white space", r#"{"answer": {"text": " \n "}}"#.to_owned(), Kind::Empty),
        ("14 max_tokens", stopped("max_tokens"), Kind::Truncated),
        ("14 window", stopped("model_context_window_exceeded"), Kind::Truncated),
        ("15 refusal", stopped("refusal"), Kind::Refused),
        ("15 filtered", stopped("content_filtered"), Kind::Filtered),
        ("15 guardrail", stopped("guardrail_intervened"), Kind::Guardrail),
        ("15 malformed", stopped("malformed_model_output"), Kind::Protocol),
        ("15 unknown", stopped("because_of_the_moon"), Kind::Protocol),
        ("16 drop by drop", fault(r#"{"slice": 1}, {"pace_ms": 4000}"#), Kind::Timeout),
        ("18 credentials", error("ExpiredTokenException", 403, ""), Kind::Credentials),
        (
            "38 too long",
            error("ValidationException", 400, "").replace("scripted", "prompt is too long"),
            Kind::ContextTooLong,
        ),
        ("quota", error("ServiceQuotaExceededException", 400, ""), Kind::Quota),
        ("denied", error("AccessDeniedException", 403, ""), Kind::AccessDenied),
    ]
}

#[tokio::test(start_paused = true)]
async fn each_fault_is_three_lines_and_has_its_own_error() {
    let mut wrong = Vec::new();
    for (row, step, expected) in rows() {
        let (client, twin) = client(&format!("{{\"steps\": [{step}]}}"));
        let outcome = client.generate(GenerateRequest::new("anything")).await;
        let said = match &outcome {
            Ok(_) => "accepted".to_owned(),
            Err(error) => format!("{:?}: {}", error.kind, error.message),
        };
        println!("{row:22} {said}");
        assert_eq!(twin.sent().len(), 1, "{row}: one send");
        if outcome.err().map(|error| error.kind) != Some(expected) {
            wrong.push(format!("{row}: {said}, not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let (client, _) = client(&format!("{{\"steps\": [{OK}]}}"));
    assert!(client.generate(GenerateRequest::new("anything")).await.unwrap().accepted);
}
