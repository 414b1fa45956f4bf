use std::sync::Arc;

use claude_code_core::state::memory::MemoryState;
use claude_code_core::testing::{Script, ScriptedProvider};
use claude_code_core::{Client, ErrorKind, GenerateRequest, PicoUsd, Policy, Tier};

use super::{REVERSE, on};

const HARD: &str =
    "Implement a lock-free concurrent B-tree with MVCC transactions and crash recovery in Rust";

fn with(policy: Policy) -> (Arc<ScriptedProvider>, Client) {
    let provider = ScriptedProvider::new([Script::answer(REVERSE)]);
    (provider.clone(), on(&provider, Arc::new(MemoryState::default()), policy))
}

/// What the hard task costs at most on the tier of its choice, and on the cheapest one with the same answer length.
fn prices() -> (PicoUsd, PicoUsd) {
    let (_, client) = with(Policy::default());
    let of = |request: GenerateRequest| client.estimate(request).unwrap();
    let hard = of(GenerateRequest::new(HARD));
    assert_eq!(hard.tier, Tier::Complex);
    let simple = of(GenerateRequest::new(HARD).with_tier(Tier::Simple).with_max_tokens(32_768));
    (hard.worst_usd.known(), simple.worst_usd.known())
}

#[tokio::test(start_paused = true)]
async fn the_requests_cap_gets_a_cheaper_tier_where_the_policy_allows_it() {
    let (_, simple) = prices();
    let (provider, client) = with(Policy { downgrade: true, ..Policy::default() });
    let g = client.generate(GenerateRequest::new(HARD).with_max_usd(simple)).await.unwrap();
    assert_eq!((g.tier, g.attempts.len(), provider.calls().len()), (Tier::Simple, 1, 1));
    assert_eq!(g.attempts[0].why, "downgrade");
    assert!(g.warnings.iter().any(|w| w.contains("the budget did not allow")), "{:?}", g.warnings);
}

#[tokio::test(start_paused = true)]
async fn the_days_cap_gets_a_cheaper_tier_too_even_for_a_request_of_one_send() {
    let (_, simple) = prices();
    let cap = Some(PicoUsd(simple.0 + 1));
    let (provider, client) = with(Policy { downgrade: true, max_usd_per_day: cap, ..Policy::default() });
    let g = client.generate(GenerateRequest::new(HARD).with_max_sends(1)).await.unwrap();
    assert_eq!((g.tier, provider.calls().len()), (Tier::Simple, 1));
    assert_eq!(g.attempts.last().unwrap().why, "downgrade");
}

#[tokio::test(start_paused = true)]
async fn without_leave_or_with_a_model_of_the_callers_choice_the_budget_refuses() {
    let (hard, simple) = prices();
    assert!(simple < hard);
    let capped = || GenerateRequest::new(HARD).with_max_usd(simple);
    let (provider, client) = with(Policy::default());
    assert_eq!(client.generate(capped()).await.unwrap_err().kind(), ErrorKind::Budget);
    let (other, client) = with(Policy { downgrade: true, ..Policy::default() });
    for request in [capped().with_model("opus"), capped().with_tier(Tier::Complex)] {
        assert_eq!(client.generate(request).await.unwrap_err().kind(), ErrorKind::Budget);
    }
    assert_eq!(provider.calls().len() + other.calls().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_cap_below_every_tier_refuses() {
    let cap = PicoUsd::from_usd("0.0001").unwrap();
    let policy = Policy { downgrade: true, max_usd_per_day: Some(cap), ..Policy::default() };
    let (provider, client) = with(policy);
    let error = client.generate(HARD).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Budget);
    assert!(provider.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_cheaper_tiers_answer_is_served_to_nobody_else() {
    let (hard, simple) = prices();
    let (provider, client) = with(Policy { downgrade: true, ..Policy::default() });
    let weak = client.generate(GenerateRequest::new(HARD).with_max_usd(simple)).await.unwrap();
    let strong = client.generate(GenerateRequest::new(HARD).with_max_usd(hard)).await.unwrap();
    assert_eq!((weak.tier, strong.tier, strong.cached), (Tier::Simple, Tier::Complex, None));
    assert_eq!(provider.calls().len(), 2);
}
