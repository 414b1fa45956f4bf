use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Fault, Hand, MINUTE, State};
use crate::budget::usage_counters::UsageCounters;
use crate::budget::usage_report::{By, UsageReport, saving};
use crate::metrics::Observation;
use crate::model::catalogue::Catalogue;
use crate::money::price::{Cost, PicoUsd, SignedPicoUsd};
use crate::money::receipt::Saved;
use crate::state::Scope;

const DAY: Duration = Duration::from_secs(86_400);

fn counters(state: &Arc<State>, hand: &Arc<Hand>) -> UsageCounters {
    UsageCounters::new(state.clone(), hand.clone(), Catalogue::builtin())
}

fn seen(model: &'static str, tier: &'static str, milliseconds: u64) -> Observation {
    let mut seen = Observation::new("accepted");
    (seen.model_name, seen.tier, seen.took) = (model, Some(tier), Duration::from_millis(milliseconds));
    seen
}

async fn report(counters: &UsageCounters, days: u32) -> UsageReport {
    UsageReport { days, rows: counters.read(&Scope::local(), "own", days).await.unwrap() }
}

/// The seconds that nine of ten requests keep, and the average, of requests that take so many milliseconds.
async fn times(took: &[u64]) -> (f64, f64) {
    let counters = counters(&State::new(), &Hand::at_noon());
    for took in took {
        counters.count(&Scope::local(), &seen("claude-haiku-5-5", "simple", *took), MINUTE).await;
    }
    let total = report(&counters, 1).await.total();
    (total.p90_seconds(), total.average_seconds())
}

#[tokio::test]
async fn what_a_request_came_to_is_counted_figure_by_figure() {
    let (state, hand) = (State::new(), Hand::at_noon());
    let counters = counters(&state, &hand);
    let mut first = seen("claude-haiku-5-5", "simple", 3_000);
    (first.input_tokens, first.output_tokens, first.cost) = (1_000, 50, Cost::Priced(PicoUsd(7)));
    first.saved = Saved {
        by_tier_usd: SignedPicoUsd(40),
        by_response_cache_usd: SignedPicoUsd(-9),
        by_prompt_cache_usd: SignedPicoUsd(1),
    };
    let mut hit = seen("claude-haiku-5-5", "simple", 0);
    hit.cached = true;
    hit.saved.by_response_cache_usd = SignedPicoUsd(7);
    let mut failed = seen("claude-haiku-5-5", "simple", 0);
    (failed.outcome, failed.error_kind) = ("timeout", Some("timeout"));
    failed.cost = Cost::Unpriced { known: PicoUsd(5) };
    for seen in [&first, &hit, &failed] {
        counters.count(&Scope::local(), seen, MINUTE).await;
    }
    let report = report(&counters, 1).await;
    let [row] = &report.rows[..] else { panic!("{report:?}") };
    let names = (row.day.as_str(), row.model.as_str(), row.tier.as_str(), row.scope);
    assert_eq!(names, ("2026-11-21", "claude-haiku-5-5", "simple", "own"));
    let json = report.json(By::Model);
    let named = |name: &str, value: &str| {
        let mut figures = json!({
            "requests": 3, "accepted": 2, "failed": 1, "cached": 1, "spent_usd": PicoUsd(12),
            "saved_by_cache_usd": PicoUsd(7), "saved_by_tier_usd": PicoUsd(40), "input_tokens": 1_000,
            "output_tokens": 50, "average_seconds": 1.0, "p90_seconds": 4.1,
        });
        figures[name] = value.into();
        figures
    };
    assert_eq!(json["total"], named("name", "total"));
    assert_eq!(json["groups"], json!([named("model", "claude-haiku-5-5")]));
    assert_eq!((&json["days"], &json["by"]), (&json!(1), &json!("model")));
    assert_eq!((saving(SignedPicoUsd(-1)), saving(SignedPicoUsd(1))), (PicoUsd(0), PicoUsd(1)));
}

#[tokio::test]
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
    assert_eq!(times(&[320_000]).await, (304.0, 320.0));
    assert_eq!(times(&[330_000]).await, (842.0, 330.0));
}

#[tokio::test]
async fn seconds_in_json_have_three_digits() {
    let counters = counters(&State::new(), &Hand::at_noon());
    for took in [1, 1, 2] {
        counters.count(&Scope::local(), &seen("claude-haiku-5-5", "simple", took), MINUTE).await;
    }
    let total = &report(&counters, 1).await.json(By::Day)["total"];
    assert_eq!((&total["average_seconds"], &total["p90_seconds"]), (&json!(0.001), &json!(0.45)));
}

#[tokio::test]
async fn groups_are_by_day_model_tier_and_scope() {
    let (state, hand) = (State::new(), Hand::at_noon());
    let counters = counters(&state, &hand);
    let (own, bob) = (Scope::local(), Scope::authenticated("bob"));
    counters.count(&own, &seen("claude-haiku-5-5", "simple", 1), MINUTE).await;
    counters.count(&own, &seen("claude-sonnet-5-5", "medium", 1), MINUTE).await;
    counters.count(&bob, &seen("unknown", "complex", 1), MINUTE).await;
    hand.moves(DAY);
    counters.count(&own, &seen("claude-haiku-5-5", "simple", 1), MINUTE).await;
    let mut all = report(&counters, 2).await;
    all.rows.extend(counters.read(&Scope::all(), "everybody", 2).await.unwrap());
    let requests = |by| -> Vec<(String, u64)> {
        all.groups(by).into_iter().map(|group| (group.name, group.requests)).collect()
    };
    let named = |pairs: &[(&str, u64)]| -> Vec<(String, u64)> {
        pairs.iter().map(|(name, requests)| ((*name).to_owned(), *requests)).collect()
    };
    assert_eq!(requests(By::Day), named(&[("2026-11-21", 2), ("2026-11-22", 1)]));
    assert_eq!(requests(By::Model), named(&[("claude-haiku-5-5", 2), ("claude-sonnet-5-5", 1)]));
    assert_eq!(requests(By::Tier), named(&[("medium", 1), ("simple", 2)]));
    assert_eq!(requests(By::Scope), named(&[("everybody", 4), ("own", 3)]));
    assert_eq!(all.total().requests, 3, "the total is one's own");
    assert_eq!(report(&counters, 1).await.total().requests, 1, "today's alone");
    for (name, by) in [("day", By::Day), ("model", By::Model), ("tier", By::Tier), ("scope", By::Scope)] {
        assert_eq!(name.parse::<By>().unwrap(), by);
        let json: Value = all.json(by);
        assert!(json["by"] == name && json["groups"][0][name].is_string(), "{json}");
    }
    let error = "colour".parse::<By>().unwrap_err().message().to_owned();
    assert_eq!(error, "by=\"colour\": it takes day, model, tier or scope");
}

#[tokio::test]
async fn a_model_is_named_in_its_days_index_once_by_each_process() {
    let (state, hand) = (State::new(), Hand::at_noon());
    let counters = counters(&state, &hand);
    for _ in 0..3 {
        counters.count(&Scope::local(), &seen("claude-haiku-5-5", "simple", 1), MINUTE).await;
    }
    let index = |key: &str| state.changes().into_iter().filter(|(row, _)| row.ends_with(key)).count();
    assert_eq!((index("USAGE#local#2026-11-21#models"), index("#claude-haiku-5-5#simple")), (1, 6));
    hand.moves(DAY);
    counters.count(&Scope::local(), &seen("claude-haiku-5-5", "simple", 1), MINUTE).await;
    assert_eq!(index("USAGE#local#2026-11-22#models"), 1);
}

#[tokio::test]
async fn what_could_not_be_counted_is_named_again_the_next_time() {
    let (state, hand) = (State::new(), Hand::at_noon());
    let counters = counters(&state, &hand);
    state.is(Fault::Down);
    counters.count(&Scope::local(), &seen("claude-haiku-5-5", "simple", 1), MINUTE).await;
    assert!(counters.read(&Scope::local(), "own", 1).await.is_err());
    state.is(Fault::None);
    counters.count(&Scope::local(), &seen("claude-haiku-5-5", "simple", 1), MINUTE).await;
    assert_eq!(report(&counters, 1).await.total().requests, 1);
    let kept = state
        .added
        .lock()
        .unwrap()
        .iter()
        .all(|(_, added)| added.expires_at.0 == super::NOON + 40 * 86_400_000);
    assert!(kept, "as long as the budget's rows");
}

#[tokio::test(start_paused = true)]
async fn counting_holds_a_request_up_for_ten_seconds_at_most() {
    let (state, hand) = (State::new(), Hand::at_noon());
    state.is(Fault::Hangs);
    let began = tokio::time::Instant::now();
    counters(&state, &hand).count(&Scope::local(), &seen("unknown", "simple", 1), MINUTE).await;
    assert_eq!(began.elapsed(), Duration::from_secs(10));
}
