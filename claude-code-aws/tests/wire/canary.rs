//! Twelve planted canaries appear in no error, no Debug output, no metric, no span and no log line of our crates at TRACE.
//! The AWS SDK and hyper are capped at INFO there: below it they log answers.

use std::io::Write;
use std::sync::{Arc, Mutex};

use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};
use claude_code_aws::anthropic::{Anthropic, Settings};
use claude_code_aws::bedrock::Bedrock;
use claude_code_aws::metrics::{Observation, otlp};
use claude_code_aws::provider::ModelProvider;
use claude_code_aws::select::Reach;
use claude_code_aws::{Config, GenerateRequest, MetricsSink, Policy, Secret};
use claude_code_core::testing;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;

use super::bytes::{converse, exception, sse};
use super::in_process::{Piece, Replies, Reply};
use super::sdk;

const CANARIES: [&str; 12] = [
    "AKIACANARYKEYID",
    "canary-secret-access-key",
    "canary-session-token",
    "canary-anthropic-key",
    "canary-prompt",
    "canary-instructions",
    "canary-file-content",
    "canary_given_path",
    "canary-answer-text",
    "canary_answer_code",
    "canary_answer_path",
    "X-Amz-Signature=canary-signed-url",
];

const ANSWER: &str = "A canary-answer-text stands here, see https://b.example/?X-Amz-Signature=canary-signed-url\n\n\
                      ```python canary_answer_path.py\ncanary_answer_code = 1\n```\n";

/// What servers say of a request that they do not take.
const ECHO: &str = "1 validation error: 'Write canary-prompt' and '# canary-file-content\nx = 1' do not fit";

fn error(text: &str) -> serde_json::Value {
    serde_json::json!({ "type": "error", "error": { "type": "invalid_request_error", "message": text } })
}

fn refused(text: &str) -> Reply {
    let body = error(text).to_string().into_bytes();
    Reply { status: 400, ..Reply::stream([body]) }.with_type("application/json")
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Seen(Mutex<String>);

impl MetricsSink for Seen {
    fn record(&self, observation: &Observation) {
        let mut text = self.0.lock().unwrap();
        *text += &format!("{observation:?}\n");
        let (spans, metrics) = otlp::encoded("bedrock", observation, true);
        for bytes in spans.iter().chain([&metrics]) {
            *text += &String::from_utf8_lossy(bytes);
        }
    }

    fn flush(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

fn replies() -> Vec<Reply> {
    let whole = converse(ANSWER, "end_turn");
    let events = |stop| sse(ANSWER, stop).into_iter().map(String::into_bytes).collect::<Vec<_>>();
    let mut damaged = whole.clone();
    damaged[2][20] ^= 4;
    let messages = |events: Vec<Vec<u8>>| Reply::stream(events).with_type("text/event-stream");
    vec![
        Reply::stream(whole.clone()),
        Reply::stream(whole[..5].to_vec()),
        Reply::stream(whole[..5].to_vec()).then(Piece::Break),
        Reply::stream(whole[..5].to_vec()).then(Piece::Hang),
        Reply::stream(damaged),
        Reply::stream(whole[..5].iter().cloned().chain([exception("throttlingException", "x")])),
        Reply::stream(converse(ANSWER, "refusal")),
        Reply::stream(converse(&format!("{ANSWER}```json b.json\n{{\"a\": \n```\n"), "end_turn")),
        Reply::stream([b"canary-answer-text is no frame at all".to_vec()]),
        Reply::refusal(500, "InternalServerException", "canary-answer-text"),
        Reply::refusal(400, "ValidationException", ECHO),
        Reply::stream(whole[..5].iter().cloned().chain([exception("validationException", ECHO)])),
        refused(ECHO),
        Reply::refusal(400, "ValidationException", "'Write canary-prompt' has no sample answer"),
        refused("invalid header x-api-key: canary-anthropic-key"),
        refused("not understood: canary-instructions"),
        messages(
            events("end_turn")[..5]
                .iter()
                .cloned()
                .chain([format!("data: {}\n\n", error(ECHO)).into_bytes()])
                .collect(),
        ),
        Reply { status: 502, ..Reply::stream([ANSWER.as_bytes().to_vec()]) }.with_type("text/html"),
        messages(events("end_turn")),
        messages(events("end_turn")[..5].to_vec()),
        messages(vec![ANSWER.as_bytes().to_vec()]),
        messages(vec![format!("data: {{\"canary-answer-text\": {ANSWER:?}}}\n\n").into_bytes()]),
        Reply::stream([ANSWER.as_bytes().to_vec()]).with_type("application/json"),
    ]
}

fn providers(replies: &Replies) -> Vec<(Arc<dyn ModelProvider>, Reach)> {
    let connector = SharedHttpConnector::new(replies.clone());
    let keys = Credentials::new(CANARIES[0], CANARIES[1], Some(CANARIES[2].into()), None, "test");
    let shared = connector.clone();
    let config = sdk()
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .http_client(http_client_fn(move |_, _| shared.clone()))
        .build();
    let settings = Settings { api_key: Some(Secret::new(CANARIES[3])), ..Settings::default() };
    let anthropic = Anthropic::new(&settings, connector, true).unwrap();
    vec![
        (Arc::new(Bedrock::new(&config)), Policy::default().reach),
        (Arc::new(anthropic), Reach::AnthropicApi),
    ]
}

fn request() -> GenerateRequest {
    GenerateRequest::new("Write canary-prompt")
        .with_model("sonnet")
        .with_instructions("canary-instructions")
        .with_file("canary_given_path.py", "# canary-file-content\nx = 1\n")
}

/// Everything that a careless caller could print.
async fn printed(seen: &Arc<Seen>) -> String {
    let mut text = String::new();
    let vars = [("ANTHROPIC_API_KEY", CANARIES[3]), ("ANTHROPIC_BASE_URL", CANARIES[11])];
    let config = Config::from_vars(vars.map(|(k, v)| (k.to_owned(), v.to_owned()))).unwrap();
    text += &format!("{config:?} {:?}\n", request());
    for reply in replies() {
        let replies = Replies::new([reply]);
        for (provider, reach) in providers(&replies) {
            let policy = Policy { reach, ..Policy::default() };
            let client = testing::builder(provider)
                .with_policy(policy)
                .with_metrics(seen.clone())
                .with_spans()
                .build();
            text += &format!("{client:?}\n");
            let mut stream = client.stream(request());
            while let Some(event) = stream.next().await {
                text += &format!("{event:?} {stream:?}\n");
                if let Err(error) = event {
                    text += &format!("{error} {error:#?} {:?}\n", error.partial());
                }
            }
        }
    }
    text
}

#[tokio::test(start_paused = true)]
async fn canaries_stay_where_they_belong() {
    let (sink, seen) = (Sink::default(), Arc::<Seen>::default());
    let capped = ["aws_", "hyper"].map(|name| (name, LevelFilter::INFO));
    let targets = Targets::new().with_default(LevelFilter::TRACE).with_targets(capped);
    let written = sink.clone();
    let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || written.clone());
    let subscriber = tracing_subscriber::registry().with(targets).with(layer);
    let guard = tracing::subscriber::set_default(subscriber);
    tracing::info!("the log is read");
    let printed = printed(&seen).await;
    drop(guard);
    let log = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
    let metrics = seen.0.lock().unwrap().clone();
    assert!(
        log.contains("the log is read")
            && metrics.contains("Observation")
            && metrics.contains("claude_code.attempt")
            && printed.len() > 1000
    );
    let mut found = Vec::new();
    for canary in CANARIES {
        for (place, text) in [("output", &printed), ("log", &log), ("metrics", &metrics)] {
            if let Some(at) = text.find(canary) {
                let from = text.floor_char_boundary(at.saturating_sub(120));
                found.push(format!("{canary} in {place}: {}", &text[from..at + canary.len()]));
            }
        }
    }
    println!(
        "canaries: {} planted, {} found in {} kB of output, {} kB of log, {} kB of metrics",
        CANARIES.len(),
        found.len(),
        printed.len() >> 10,
        log.len() >> 10,
        metrics.len() >> 10
    );
    assert!(found.is_empty(), "{found:#?}");
}
