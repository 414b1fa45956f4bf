//! Who is charged for a shared attempt over HTTP: whatever callers do, the receipts of those that ended and what nobody took
//! sum to the ledger.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use claude_code_aws::http::{App, Settings, router};
use claude_code_aws::{ErrorKind, MetricsSink, PicoUsd, Usage};
use claude_code_core::metrics::Observation;
use claude_code_core::provider::{Billing, ProviderError, StopReason};
use claude_code_core::testing::{Script, ScriptedProvider, builder};
use futures_util::future::{BoxFuture, join_all};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use tower::ServiceExt;

use super::support::{Answer, get, post};

const SSE: (&str, &str) = ("accept", "text/event-stream");
const ANSWER: &str = "```python a.py\nvalue = 1\n```\n";

/// Keeps what requests that everybody gave up had cost.
#[derive(Debug, Default)]
struct Lost(Mutex<u64>);

impl MetricsSink for Lost {
    fn record(&self, seen: &Observation) {
        if seen.outcome == "cancelled" {
            *self.0.lock().unwrap() += seen.cost.known().0;
        }
    }

    fn flush(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

/// The same chance in every run.
struct Chance(AtomicU64);

impl Chance {
    fn below(&self, bound: u64) -> u64 {
        let mut x = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % bound
    }
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// What a model does: it answers, is cut, writes half, or forgets its usage.
fn script(chance: &Chance) -> Script {
    let answer = Script::text(ANSWER).wait(ms(chance.below(20)));
    match chance.below(6) {
        0 => answer.then_fail(ProviderError::new(ErrorKind::Cut, Billing::Maybe, "the connection was reset")),
        1 => answer.stop(StopReason::MaxTokens).usage(Usage::new(7, 9)),
        2 => answer.stop(StopReason::EndTurn),
        _ => answer.stop(StopReason::EndTurn).usage(Usage::new(1000, 50)),
    }
}

fn body(chance: &Chance) -> Value {
    let prompt = ["one", "two"][usize::from(chance.below(3) == 0)];
    json!({ "prompt": prompt, "model": "haiku" })
}

/// The amount on the receipt of a result, a problem or the last event.
fn charged(answer: &Answer) -> u64 {
    let last = match answer.header("content-type") {
        "text/event-stream" => answer.events().pop().expect("a last event").1,
        _ => answer.json(),
    };
    let told = [&last, &last["generation"], &last["problem"]];
    let receipt = told.iter().find_map(|told| {
        let receipts = [&told["receipt"], &told["partial"]["receipt"]];
        receipts.into_iter().find(|receipt| receipt.is_object()).cloned()
    });
    let Some(receipt) = receipt else { return 0 };
    let total = [&receipt["total_usd"], &receipt["known_usd"]].into_iter().find_map(Value::as_str);
    usd(total.expect("a total"))
}

fn usd(text: &str) -> u64 {
    PicoUsd::from_usd(text).unwrap().0
}

/// What one caller does; none: it hung up before its answer was there.
async fn caller(router: Router, chance: Arc<Chance>) -> Option<Answer> {
    let body = body(&chance);
    sleep(ms(chance.below(20))).await;
    match chance.below(4) {
        0 => timeout(ms(chance.below(25)), post(&router, "/generate", &[], body)).await.ok(),
        1 => hangs_up(&router, &chance, body).await,
        2 => Some(post(&router, "/generate", &[SSE], body).await),
        _ => Some(post(&router, "/generate", &[], body).await),
    }
}

/// Reads some events and goes away, unless the last one is among them.
async fn hangs_up(router: &Router, chance: &Chance, body: Value) -> Option<Answer> {
    let request = Request::post("/generate")
        .header("content-type", "application/json")
        .header(SSE.0, SSE.1)
        .body(Body::from(body.to_string()))
        .unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, mut body) = response.into_parts();
    let mut answer = Answer { status: parts.status, headers: parts.headers, body: Vec::new() };
    for _ in 0..chance.below(8) {
        let Some(frame) = body.frame().await else { break };
        answer.body.extend(frame.unwrap().into_data().unwrap());
        if answer.text().contains("event: finished") || answer.text().contains("event: error") {
            return Some(answer);
        }
        sleep(ms(chance.below(3))).await;
    }
    None
}

#[tokio::test(start_paused = true)]
async fn over_a_thousand_schedules_of_http_callers_the_receipts_sum_to_the_ledger() {
    let (mut ended, mut saved, mut hung_up, mut lost) = (0, 0, 0, 0);
    for seed in 0..1000_u64 {
        let chance = Arc::new(Chance(AtomicU64::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)));
        let provider = ScriptedProvider::new((0..40).map(|_| script(&chance)).collect::<Vec<_>>());
        let nobodys = Arc::new(Lost::default());
        let client = builder(provider).with_metrics(nobodys.clone()).build();
        let router = router(App::new(client.clone(), Settings::default()));
        let callers = 2 + chance.below(6);
        let spawned = (0..callers).map(|_| tokio::spawn(caller(router.clone(), chance.clone())));
        let answers = join_all(spawned.collect::<Vec<_>>()).await;
        let mut answers: Vec<Answer> = answers.into_iter().filter_map(Result::unwrap).collect();
        hung_up += callers as usize - answers.len();
        // Two more find in the cache what nobody took.
        for prompt in ["one", "two"] {
            let body = json!({ "prompt": prompt, "model": "haiku" });
            answers.push(post(&router, "/generate", &[], body).await);
        }
        client.release_leases().await;
        let budget = get(&router, "/budget", &[]).await.json();
        let ledger = usd(budget["spent"].as_str().unwrap()) + usd(budget["reserved"].as_str().unwrap());
        let receipts: u64 = answers.iter().map(charged).sum();
        let taken_by_nobody = *nobodys.0.lock().unwrap();
        assert_eq!(receipts + taken_by_nobody, ledger, "seed {seed}");
        ended += answers.len();
        saved += answers.iter().filter(|answer| answer.text().contains("\"age_seconds\"")).count();
        lost += usize::from(taken_by_nobody > 0);
    }
    assert!(saved > 500 && hung_up > 500 && lost > 50, "{saved} {hung_up} {lost}");
    println!(
        "1000 schedules: {ended} callers ended, {saved} with another's answer; {hung_up} hung up, {lost} schedules with a \
         cost that nobody took"
    );
}
