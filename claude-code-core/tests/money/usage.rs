//! The usage report: what requests came to by day, model, tier and scope.

use std::sync::Arc;
use std::time::Duration;

use claude_code_core::budget::usage_report::By;
use claude_code_core::provider::{Billing, ProviderError, StopReason};
use claude_code_core::state::memory::MemoryState;
use claude_code_core::testing::{Script, ScriptedProvider, builder};
use claude_code_core::{Client, ErrorKind, PicoUsd, Scope, Usage};
use serde_json::json;
use tokio::time::advance;

use super::{REVERSE, on_haiku};

/// 1,000 tokens at $0.10 and 50 at $0.50 a million; on Opus they would be $4 and $20.
const COST: u64 = 1_000 * 100_000 + 50 * 500_000;
const ON_OPUS: u64 = 1_000 * 4_000_000 + 50 * 20_000_000;

fn answer(milliseconds: u64) -> Script {
    let answer = Script::text(REVERSE).wait(Duration::from_millis(milliseconds)).stop(StopReason::EndTurn);
    answer.usage(Usage::new(1_000, 50))
}

fn client(scripts: Vec<Script>) -> Client {
    let provider = ScriptedProvider::new(scripts);
    builder(provider).with_state(Arc::new(MemoryState::default())).with_usage_counters().build()
}

/// The seconds that nine of ten requests keep, and the average, of requests that take so many milliseconds.
async fn times(took: &[u64]) -> (f64, f64) {
    let client = client(took.iter().map(|took| answer(*took)).collect());
    for n in 0..took.len() {
        client.generate(on_haiku(n)).await.unwrap();
    }
    let total = client.usage(1).await.unwrap().total();
    (total.p90_seconds(), total.average_seconds())
}

#[tokio::test(start_paused = true)]
async fn what_requests_came_to_is_counted_figure_by_figure() {
    let refused = ProviderError::new(ErrorKind::AccessDenied, Billing::No, "not yet");
    let client = client(vec![answer(3_000), Script::fail(refused), answer(9_000)]);
    client.generate(on_haiku(1)).await.unwrap();
    client.generate(on_haiku(1)).await.unwrap();
    client.generate(on_haiku(2)).await.unwrap_err();
    let report = client.usage(1).await.unwrap();
    let total = report.total();
    assert_eq!((total.requests, total.accepted, total.failed, total.cached), (3, 2, 1, 1));
    assert_eq!((total.input_tokens, total.output_tokens, total.took_ms), (1_000, 50, 3_000));
    assert_eq!((total.spent, total.saved_by_cache), (PicoUsd(COST), PicoUsd(COST)));
    assert_eq!(total.saved_by_tier, PicoUsd(ON_OPUS - COST));
    let json = report.json(By::Model);
    let figures = json!({
        "requests": 3, "accepted": 2, "failed": 1, "cached": 1, "spent_usd": PicoUsd(COST),
        "saved_by_cache_usd": PicoUsd(COST), "saved_by_tier_usd": PicoUsd(ON_OPUS - COST),
        "input_tokens": 1_000, "output_tokens": 50, "average_seconds": 1.0, "p90_seconds": 4.1,
    });
    let named = |name: &str, value: &str| {
        let mut figures = figures.clone();
        figures[name] = value.into();
        figures
    };
    assert_eq!(json["total"], named("name", "total"));
    assert_eq!(json["groups"], json!([named("model", "claude-haiku-5-5")]));
    assert_eq!((&json["days"], &json["by"]), (&json!(1), &json!("model")));
}

#[tokio::test(start_paused = true)]
async fn nine_of_ten_requests_keep_the_time_that_is_told() {
    assert_eq!(times(&[]).await, (0.0, 0.0));
    // Nine in the bucket of 2 to 5 s, one in that of 20 to 40 s: its end.
    let mut took = vec![3_000; 9];
    took.push(30_000);
    assert_eq!(times(&took).await, (5.0, 5.7));
    // Eight and two: half of the way through the later bucket.
    took[8] = 30_000;
    assert_eq!(times(&took).await, (30.0, 8.4));
    // A bucket's own end belongs to it; 500 ms are in the first one.
    assert_eq!(times(&[500]).await, (0.45, 0.5));
    assert_eq!(times(&[501]).await, (0.95, 0.501));
    // Behind the last bucket stand 320 to 900 s.
    assert_eq!(times(&[330_000]).await, (842.0, 330.0));
}

#[tokio::test(start_paused = true)]
async fn groups_are_by_day_model_tier_and_scope() {
    let client = client(vec![answer(1_000)]);
    let [ann, bob] = ["ann", "bob"].map(|name| client.scoped(Scope::authenticated(name)));
    ann.generate(on_haiku(1)).await.unwrap();
    ann.generate(on_haiku(2).with_model("sonnet")).await.unwrap();
    bob.generate(on_haiku(3)).await.unwrap();
    advance(Duration::from_secs(86_400)).await;
    ann.generate(on_haiku(4)).await.unwrap();
    let report = ann.usage_of_all(2).await.unwrap();
    let requests = |by| -> Vec<(String, u64)> {
        report.groups(by).into_iter().map(|group| (group.name, group.requests)).collect()
    };
    let named = |pairs: &[(&str, u64)]| -> Vec<(String, u64)> {
        pairs.iter().map(|(name, requests)| ((*name).to_owned(), *requests)).collect()
    };
    let days: Vec<u64> = requests(By::Day).into_iter().map(|(_, requests)| requests).collect();
    assert_eq!(days, [2, 1], "one's own, the older day first");
    assert_eq!(requests(By::Model), named(&[("claude-haiku-5-5", 2), ("claude-sonnet-5-5", 1)]));
    assert_eq!(requests(By::Tier), named(&[("medium", 1), ("simple", 2)]));
    assert_eq!(requests(By::Scope), named(&[("everybody", 4), ("own", 3)]));
    assert_eq!(report.total().requests, 3, "the total is one's own");
    assert_eq!(ann.usage(1).await.unwrap().total().requests, 1, "today's alone");
    assert_eq!(bob.usage(2).await.unwrap().total().requests, 1);
    for (name, by) in [("day", By::Day), ("model", By::Model), ("tier", By::Tier), ("scope", By::Scope)] {
        assert_eq!(name.parse::<By>().unwrap(), by);
        assert_eq!(report.json(by)["by"], name);
        assert!(report.json(by)["groups"][0][name].is_string());
    }
    let error = "colour".parse::<By>().unwrap_err().message;
    assert_eq!(error, "by=\"colour\": it takes day, model, tier or scope");
}

#[tokio::test(start_paused = true)]
async fn without_counters_a_report_is_empty() {
    let client = builder(ScriptedProvider::new([answer(1)])).build();
    client.generate(on_haiku(1)).await.unwrap();
    let report = client.usage(3).await.unwrap();
    assert_eq!((report.days, report.rows.len(), report.total().requests), (3, 0, 0));
}
