//! A usage that is unknown, or has no known price, in the ledger of a client.

use std::sync::Arc;

use claude_code_core::money::usage_figures::InferenceGeo;
use claude_code_core::provider::StopReason;
use claude_code_core::state::memory::MemoryState;
use claude_code_core::testing::{Script, ScriptedProvider, builder};
use claude_code_core::{GenerateRequest, PicoUsd, Policy, Usage};

use super::{REVERSE, capped, on, on_haiku};

#[tokio::test(start_paused = true)]
async fn what_ran_in_an_unknown_geography_counts_against_the_cap_at_its_ceiling() {
    let answer = Script::text(REVERSE).in_geo(InferenceGeo::Unknown("mars".into()));
    let answer = answer.stop(StopReason::EndTurn).usage(Usage::new(100, 50));
    let client = on(&ScriptedProvider::new([answer]), Arc::new(MemoryState::default()), capped(2));
    let first = client.generate(on_haiku(1)).await.unwrap();
    assert!(first.accepted && !first.receipt.total().is_priced() && !first.attempts[0].unknown);
    let view = client.budget().await.unwrap();
    assert!(view.unknown > PicoUsd::ZERO && view.spent == PicoUsd::ZERO);
    client.generate(on_haiku(2)).await.unwrap();
    assert!(client.generate(on_haiku(3)).await.is_err(), "the cap has room for two ceilings");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_well_without_usage_is_charged_at_its_ceiling() {
    let provider = ScriptedProvider::new([Script::text(REVERSE).stop(StopReason::EndTurn)]);
    let client = builder(provider).with_policy(Policy::default()).build();
    let request = || GenerateRequest::new("reverse").with_model("haiku");
    let ceiling = client.estimate(request()).unwrap().worst_usd;
    let g = client.generate(request()).await.unwrap();
    assert!(g.accepted && g.attempts[0].unknown);
    assert_eq!(
        g.receipt.total().priced().map(|cost| cost.0 / 1_000_000),
        ceiling.priced().map(|cost| cost.0 / 1_000_000)
    );
    assert_eq!(client.budget().await.unwrap().unknown, g.receipt.total().known());
}
