//! The Rust client in the scenarios of `run.py`; prints one line of JSON. See benches/README.md.
//!
//! `bench_client NAME [CALLS [AT_A_TIME]]` against the mock that AWS_ENDPOINT_URL_BEDROCK_RUNTIME names. SDK: the AWS SDK alone.
//! CHECKED: with validation. USUAL: as users call it, with validation and the response cache. NAME `cached`: one prompt again and again.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Instant;

use aws_config::BehaviorVersion;
use aws_sdk_bedrockruntime::types::{ContentBlock, ConversationRole, ConverseStreamOutput, Message};
use claude_code_aws::{CacheMode, Client, Config, GenerateRequest, connect};
use futures_util::stream::{self, StreamExt};

fn main() {
    let begun = Instant::now();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| arguments.get(at).map_or(1, |text| text.parse().expect("a number"));
    let (scenario, calls, at_a_time) = (arguments[0].as_str(), number(1), number(2));
    let is_set = |name: &str| std::env::var_os(name).is_some();
    let how = match (is_set("USUAL") || scenario == "cached", is_set("CHECKED")) {
        (true, _) => How::Usual,
        (false, true) => How::Checked,
        (false, false) => How::Bare,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run(scenario, calls, at_a_time, how, begun));
}

/// How the client is used.
#[derive(Clone, Copy)]
enum How {
    /// Without validation and response cache.
    Bare,
    /// With validation.
    Checked,
    /// With both, as it is by default.
    Usual,
}

async fn run(scenario: &str, calls: usize, at_a_time: usize, how: How, begun: Instant) {
    let client = match std::env::var_os("SDK") {
        Some(_) => Either::Sdk(sdk().await),
        None => Either::Ours(connect(Config::from_env().unwrap()).await.unwrap()),
    };
    if calls > 1 || is_about_memory(scenario) {
        let first = if scenario == "cached" { scenario } else { "small" };
        call(&client, first, 0, how).await.unwrap();
    }
    let (idle, cpu, wall) = (resident("VmRSS"), cpu_micros(), Instant::now());
    let mut results =
        stream::iter(0..calls).map(|n| call(&client, scenario, n, how)).buffer_unordered(at_a_time);
    let mut outcome = String::new();
    while let Some(result) = results.next().await {
        // A failure is what one scenario is about; in every other the runner refuses it.
        let now = result.unwrap_or_else(|error| error);
        assert!(outcome.is_empty() || outcome == now, "{outcome}, then {now}");
        outcome = now;
    }
    println!(
        "{{\"cpu_us\":{},\"wall_us\":{},\"since_start_us\":{},\"idle_kb\":{idle},\"resident_kb\":{},\"peak_kb\":{},\
         \"outcome\":{outcome:?}}}",
        cpu_micros() - if calls > 1 { cpu } else { 0 },
        wall.elapsed().as_micros(),
        begun.elapsed().as_micros(),
        resident("VmRSS"),
        resident("VmHWM"),
    );
}

fn is_about_memory(scenario: &str) -> bool {
    matches!(scenario, "large" | "claims")
}

async fn sdk() -> aws_sdk_bedrockruntime::Client {
    let config = aws_config::load_defaults(BehaviorVersion::v2026_01_12()).await;
    aws_sdk_bedrockruntime::Client::new(&config)
}

/// What is measured: the whole client, or the SDK that it stands on.
enum Either {
    Ours(Client),
    Sdk(aws_sdk_bedrockruntime::Client),
}

async fn call(client: &Either, scenario: &str, n: usize, how: How) -> Result<String, String> {
    match client {
        Either::Ours(client) => generate(client, scenario, n, how).await,
        Either::Sdk(client) => Ok(converse(client, scenario, n).await),
    }
}

/// ConverseStream by the SDK alone, its deltas put together.
async fn converse(client: &aws_sdk_bedrockruntime::Client, scenario: &str, n: usize) -> String {
    let words = ContentBlock::Text(format!("Half of a number, {n}. scenario={scenario} "));
    let message = Message::builder().role(ConversationRole::User).content(words).build().unwrap();
    let call = client.converse_stream().model_id("global.anthropic.claude-haiku-5-5").messages(message);
    let mut events = call.send().await.unwrap().stream;
    let mut text = String::new();
    while let Some(event) = events.recv().await.unwrap() {
        if let ConverseStreamOutput::ContentBlockDelta(delta) = event {
            text += delta.delta().unwrap().as_text().unwrap();
        }
    }
    format!("{} bytes", text.len())
}

async fn generate(client: &Client, scenario: &str, n: usize, how: How) -> Result<String, String> {
    // The mock knows no `cached`: it is asked once for a small answer.
    let (scenario, n) = if scenario == "cached" { ("small", 0) } else { (scenario, n) };
    let mut request = GenerateRequest::new(format!("Half of a number, {n}. scenario={scenario} "))
        .with_model("haiku")
        .with_max_sends(1);
    match how {
        How::Bare | How::Checked => request = request.with_cache(CacheMode::Off),
        How::Usual => {}
    }
    request.skip_validation = matches!(how, How::Bare);
    let generation = client.generate(request).await.map_err(|error| error.to_string())?;
    Ok(format!("{} files", generation.files.len()))
}

/// Microseconds of processor time of this process's threads, user and system.
fn cpu_micros() -> u64 {
    let threads = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let nanos = threads.filter_map(|thread| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    nanos.sum::<u64>() / 1_000
}

/// Kilobytes of this process's memory by name.
fn resident(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
