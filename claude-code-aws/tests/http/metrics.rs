//! The exporters: EMF lines and their names, OpenMetrics, logs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use claude_code_aws::http::Settings;
use claude_code_aws::local::Samples;
use claude_code_aws::metrics::{
    AttemptCounts, Observation, StoreOutcome, emf, open_metrics, otlp, request_log,
};
use claude_code_aws::{Cost, PicoUsd, TraceContext};
use claude_code_core::testing::{Script, ScriptedProvider};
use claude_code_core::trace::RequestTrace;
use serde_json::{Value, json};

use super::protobuf::Fields;
use super::support::{Api, REVERSE, get, post, scripted};

fn infra(name: &str) -> String {
    let path = format!("{}/infra/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

fn contract() -> Value {
    serde_json::from_str(&infra("metrics.json")).unwrap()
}

/// The same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn figure(&mut self) -> u64 {
        match self.below(4) {
            0 => 0,
            1 => self.below(1000),
            2 => self.below(1 << 31),
            _ => u64::MAX >> self.below(64),
        }
    }

    fn small(&mut self) -> u32 {
        u32::try_from(self.below(9)).unwrap()
    }

    fn text(&mut self) -> Option<String> {
        let texts =
            ["", "a", "\"}{\\", "end_turn", "\u{0}\u{1f}\n\r\u{2028}", "漢字 ß \u{1f600}", "</script>"];
        let at = usize::try_from(self.below(texts.len() as u64 + 1)).unwrap();
        texts.get(at).map(|text| (*text).to_owned())
    }

    fn observation(&mut self) -> Observation {
        let outcomes =
            ["accepted", "rejected", "cancelled", "throttled", "truncated", "budget", "interrupted"];
        let outcome = outcomes[usize::try_from(self.below(7)).unwrap()];
        let mut seen = Observation::new(outcome);
        seen.answered = outcome != "cancelled";
        seen.error_kind = outcomes[3..].contains(&outcome).then_some(outcome);
        seen.request_id = self.text().unwrap_or_default();
        seen.scope = self.text().unwrap_or_default();
        seen.batch_id = self.text();
        seen.model = self.text();
        seen.model_name = ["claude-sonnet-5-5", "unknown"][usize::try_from(self.below(2)).unwrap()];
        seen.tier = [None, Some("simple")][usize::try_from(self.below(2)).unwrap()];
        seen.took = Duration::from_millis(self.figure());
        seen.first_file = (self.below(2) == 0).then(|| Duration::from_micros(self.figure()));
        seen.first_event = (self.below(2) == 0).then(|| Duration::from_micros(self.figure()));
        seen.sends = self.small();
        seen.attempts =
            AttemptCounts { all: seen.sends, throttled: self.small(), ..AttemptCounts::default() };
        seen.cached = self.below(2) == 0;
        seen.input_tokens = self.figure();
        seen.output_tokens = self.figure();
        seen.cache_read_tokens = self.figure();
        seen.cache_write_tokens = self.figure();
        seen.thinking_tokens = (self.below(2) == 0).then(|| self.figure());
        let known = PicoUsd(self.figure());
        seen.cost = if self.below(4) == 0 { Cost::Unpriced { known } } else { Cost::Priced(known) };
        seen.stop_reason = self.text();
        seen.service_request_id = self.text();
        seen.stored = [StoreOutcome::NotAsked, StoreOutcome::Stored, StoreOutcome::Failed]
            [usize::try_from(self.below(3)).unwrap()];
        seen
    }
}

/// The metrics of a line by name, with their units; checks what CloudWatch asks of a line.
fn read(line: &str) -> BTreeMap<String, String> {
    assert!(!line.contains('\n') && line.len() < 1 << 20);
    let value: Value = serde_json::from_str(line).unwrap();
    let directive = &value["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(directive["Namespace"], contract()["namespace"]);
    assert_eq!(directive["Dimensions"], contract()["dimensions"]);
    for name in ["Model", "Outcome"] {
        let text = value[name].as_str().unwrap();
        assert!(!text.is_empty() && text.is_ascii() && text.len() <= 1024);
    }
    let metrics = directive["Metrics"].as_array().unwrap();
    assert!((1..=100).contains(&metrics.len()));
    let metrics: BTreeMap<String, String> = metrics
        .iter()
        .map(|metric| {
            (metric["Name"].as_str().unwrap().to_owned(), metric["Unit"].as_str().unwrap().to_owned())
        })
        .collect();
    assert!(metrics.keys().all(|name| value[name].is_number()), "{line}");
    metrics
}

/// Ten thousand random lines; written to the file that EMF_LINES names, for validators that are not ours.
#[test]
fn ten_thousand_random_observations_are_valid_lines_with_the_names_of_the_contract() {
    let mut random = Random(7);
    let now = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    let mut lines = vec![emf::authentication_failure(now)];
    lines.extend((0..10_000).map(|_| emf::line(&random.observation(), now)));
    let mut seen = BTreeMap::new();
    lines.iter().for_each(|line| seen.extend(read(line)));
    let contract = contract();
    let units = contract["metrics"].as_object().unwrap().iter();
    let expected: BTreeMap<String, String> =
        units.map(|(name, of)| (name.clone(), of["unit"].as_str().unwrap().to_owned())).collect();
    assert_eq!(seen, expected);
    if let Some(path) = std::env::var_os("EMF_LINES") {
        std::fs::write(path, lines.join("\n") + "\n").unwrap();
    }
    let longest = lines.iter().map(String::len).max().unwrap();
    println!("{} lines, {} metrics, the longest {longest} bytes", lines.len(), seen.len());
}

#[test]
fn a_line_tells_what_happened_and_leaves_out_what_it_does_not_know() {
    let mut seen = Observation::new("accepted");
    (seen.model_name, seen.sends, seen.cost) =
        ("claude-sonnet-5-5", 3, Cost::Priced(PicoUsd::from_usd("0.01416").unwrap()));
    seen.first_file = Some(Duration::from_millis(700));
    let value: Value = serde_json::from_str(&emf::line(&seen, 5)).unwrap();
    assert_eq!((&value["Success"], &value["Failure"], &value["Requests"]), (&json!(1), &json!(0), &json!(1)));
    assert_eq!((&value["CostUsd"], &value["Retries"]), (&json!(0.01416), &json!(2)));
    assert_eq!((&value["TimeToFirstFile"], &value["_aws"]["Timestamp"]), (&json!(700), &json!(5)));
    for (kind, incomplete) in
        [("truncated", 1), ("cut", 1), ("empty", 1), ("interrupted", 1), ("throttled", 0)]
    {
        let mut seen = Observation::new(kind);
        seen.error_kind = Some(kind);
        seen.cost = Cost::UNPRICED;
        let line = emf::line(&seen, 5);
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&value["Failure"], &value["Incomplete"]), (&json!(1), &json!(incomplete)), "{kind}");
        let names = read(&line);
        assert!(!names.contains_key("CostUsd") && !names.contains_key("TimeToFirstFile"));
        assert!(!names.contains_key("BatchRecordsFailed"));
        seen.batch_id = Some("b".to_owned());
        assert_eq!(read(&emf::line(&seen, 5))["BatchRecordsFailed"], "Count");
    }
    let mut cancelled = Observation::new("cancelled");
    cancelled.answered = false;
    let value: Value = serde_json::from_str(&emf::line(&cancelled, 5)).unwrap();
    assert_eq!((&value["Requests"], &value["Failure"]), (&json!(0), &json!(0)));
}

/// Every `Namespace ClaudeCode, name, dimensions` of a JSON document.
fn used(value: &Value, found: &mut BTreeSet<(String, usize)>) {
    match value {
        Value::Object(fields) => {
            let field = |names: [&str; 2]| names.iter().find_map(|name| fields.get(*name));
            let name = field(["name", "MetricName"]).and_then(Value::as_str);
            if field(["namespace", "Namespace"]).and_then(Value::as_str) == Some(emf::NAMESPACE)
                && let Some(name) = name
            {
                let dimensions = match field(["dimensions", "Dimensions"]) {
                    Some(Value::Object(all)) => all.len(),
                    Some(Value::Array(all)) => all.len(),
                    _ => 0,
                };
                found.insert((name.to_owned(), dimensions));
            }
            fields.values().for_each(|field| used(field, found));
        }
        Value::Array(all) => {
            if let [Value::String(space), Value::String(name), rest @ ..] = all.as_slice()
                && space == emf::NAMESPACE
            {
                let dimensions = rest.iter().take_while(|part| part.is_string()).count() / 2;
                found.insert((name.clone(), dimensions));
            }
            all.iter().for_each(|part| used(part, found));
        }
        // The dashboard is JSON within a text.
        Value::String(text) if text.contains(emf::NAMESPACE) => {
            if let Ok(inner) = serde_json::from_str::<Value>(text) {
                used(&inner, found);
            }
        }
        _ => {}
    }
}

/// A template with a number in each of its places.
fn filled(template: &str) -> String {
    let mut parts = template.split("${");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| format!("{text}0{}", part.split_once('}').map_or("", |(_, rest)| rest)))
}

#[test]
fn alarms_and_dashboard_read_only_metrics_that_are_emitted() {
    let contract = contract();
    let names = contract["metrics"].as_object().unwrap();
    for file in ["alarms.json", "dashboard.json.tmpl", "cloudformation/claude-code.json"] {
        let mut found = BTreeSet::new();
        used(&serde_json::from_str(&filled(&infra(file))).unwrap(), &mut found);
        assert!(found.len() >= 5, "{file}: {found:?}");
        for (name, dimensions) in found {
            assert!(names.contains_key(&name), "{file} reads {name}, which nothing emits");
            assert!([0, 2].contains(&dimensions), "{file}: {name} with {dimensions} dimensions");
        }
    }
}

#[test]
fn a_log_line_has_ids_kinds_and_figures() {
    let mut seen = Observation::new("throttled");
    (seen.request_id, seen.error_kind) = ("r-1".to_owned(), Some("throttled"));
    seen.trace = Some(traced());
    assert!(emf::line(&seen, 5).contains(r#""TraceId":"4bf92f3577b34da6a3ce929d0e0e4736""#));
    let text = request_log::text(&seen);
    assert!(
        text.starts_with("request r-1: throttled by no model, in 0.0 s, not cached, attempts 0"),
        "{text}"
    );
    let line = request_log::line(&seen, 1_700_000_000_000);
    assert_eq!(line["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!((&line["level"], &line["request_id"]), (&json!("warn"), &json!("r-1")));
    assert_eq!((&line["cost_usd"], &line["attempts"]["all"]), (&json!("0"), &json!(0)));
    assert!(line["time"].as_str().unwrap().starts_with("2023-11-14T22:13:20"));
}

#[test]
fn open_metrics_counts_by_model_and_outcome() {
    let registry = open_metrics::Registry::default();
    let mut seen = Observation::new("accepted");
    (seen.model_name, seen.took, seen.sends) = ("claude-sonnet-5-5", Duration::from_millis(1500), 2);
    seen.cost = Cost::Priced(PicoUsd::from_usd("0.5").unwrap());
    registry.record(&seen);
    registry.record(&seen);
    registry.authentication_failed();
    let text = registry.text();
    for line in [
        "claude_code_requests_total{model=\"claude-sonnet-5-5\",outcome=\"accepted\"} 2",
        "claude_code_retries_total{model=\"claude-sonnet-5-5\",outcome=\"accepted\"} 2",
        "claude_code_cost_usd_total{model=\"claude-sonnet-5-5\",outcome=\"accepted\"} 1",
        "claude_code_duration_seconds_bucket{model=\"claude-sonnet-5-5\",outcome=\"accepted\",le=\"1.0\"} 0",
        "claude_code_duration_seconds_bucket{model=\"claude-sonnet-5-5\",outcome=\"accepted\",le=\"2.0\"} 2",
        "claude_code_duration_seconds_bucket{model=\"claude-sonnet-5-5\",outcome=\"accepted\",le=\"+Inf\"} 2",
        "claude_code_duration_seconds_sum{model=\"claude-sonnet-5-5\",outcome=\"accepted\"} 3",
        "claude_code_authentication_failures_total 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn metrics_need_a_token_on_loopback_too() {
    let open = Api::open().await;
    assert_eq!(open.get("/metrics").await.status, 401);
    let settings = Settings::default().with_tokens(["t-1".to_owned()]);
    let api = Api::with(settings, std::sync::Arc::new(Samples::built_in())).await;
    assert_eq!(get(&api.router, "/metrics", &[]).await.status, 401);
    let token = [("authorization", "Bearer t-1")];
    post(&api.router, "/generate", &token, json!({ "prompt": REVERSE })).await;
    let answer = get(&api.router, "/metrics", &token).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, open_metrics::CONTENT_TYPE));
    let text = answer.text();
    assert!(text.contains("outcome=\"accepted\"} 1"), "{text}");
    assert!(text.contains("claude_code_authentication_failures_total 1"), "{text}");
}

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn traced() -> RequestTrace {
    let context = TraceContext::parse(PARENT, Some("vendor=1")).unwrap();
    RequestTrace { context, parent: Some([1; 8]), is_recorded: true }
}

/// Written to the directory that OTLP_BODIES names, for OpenTelemetry's own classes.
#[test]
fn ten_thousand_random_observations_are_encoded_as_spans_and_metrics() {
    let mut random = Random(11);
    let (mut spans, mut metrics, mut names) = (Vec::new(), Vec::new(), BTreeSet::new());
    for at in 0..10_000 {
        let mut seen = random.observation();
        seen.trace = Some(traced());
        let (of_request, measured) = otlp::encoded("bedrock", &seen, random.below(2) == 0);
        let span = Fields::read(&of_request[0]);
        assert_eq!((of_request.len(), span.number(6)), (1, 3));
        assert_eq!(
            span.attributes(9).contains_key("error.type"),
            span.get(15).is_some(),
            "errors have a status"
        );
        spans.extend(of_request);
        // Each has a dozen metrics of two dozen numbers: a tenth of them is enough.
        if at % 10 == 0 {
            names.extend(Fields::read(&measured).all(2).iter().map(|metric| metric.text(1)));
            metrics.push(measured);
        }
    }
    println!("{} spans, {} metrics by name", spans.len(), names.len());
    assert_eq!(names.len(), 13, "{names:?}");
    if let Some(dir) = std::env::var_os("OTLP_BODIES") {
        let lines = |all: &[Vec<u8>]| {
            let hex = |bytes: &Vec<u8>| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            all.iter().map(hex).collect::<Vec<_>>().join("\n")
        };
        let dir = std::path::Path::new(&dir);
        std::fs::write(dir.join("spans"), lines(&spans)).unwrap();
        std::fs::write(dir.join("metrics"), lines(&metrics)).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn the_trace_of_a_request_in_one_piece_or_as_events_reaches_the_model() {
    for accept in ["application/json", "text/event-stream"] {
        let provider = ScriptedProvider::new([Script::answer("```python a.py\nvalue = 1\n```\n")]);
        let headers = [("traceparent", PARENT), ("tracestate", "vendor=1"), ("accept", accept)];
        let body = json!({ "prompt": "a", "model": "sonnet" });
        assert_eq!(post(&scripted(&provider), "/generate", &headers, body).await.status, 200);
        let told = provider.calls()[0].trace.clone().unwrap();
        assert_eq!((told.traceparent().as_str(), told.tracestate()), (PARENT, Some("vendor=1")));
    }
    let provider = ScriptedProvider::new([Script::answer("```python a.py\nvalue = 1\n```\n")]);
    let body = json!({ "prompt": "a", "model": "sonnet" });
    let answer = post(&scripted(&provider), "/generate", &[("traceparent", "nonsense")], body).await;
    assert_eq!((answer.status.as_u16(), provider.calls()[0].trace.is_none()), (200, true));
}
