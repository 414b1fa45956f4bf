//! What observing a request costs while its answer arrives: nothing that grows with it.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::alloc::System;
use std::sync::{Arc, Mutex};

use claude_code_core::metrics::Observation;
use claude_code_core::testing::{Script, ScriptedProvider, builder};
use claude_code_core::{GenerateRequest, MetricsSink};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[derive(Debug, Default)]
struct Seen(Mutex<Vec<Observation>>);

impl MetricsSink for Seen {
    fn record(&self, observation: &Observation) {
        self.0.lock().unwrap().push(observation.clone());
    }

    fn flush(&self) -> BoxFuture<'_, ()> {
        async {}.boxed()
    }
}

/// Allocations of a request whose answer arrives in about so many pieces.
fn allocations(pieces: usize, is_observed: bool) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let answer = format!("```text a.txt\n{}```\n", "thirty-one letters in each line\n".repeat(pieces));
    let seen = Arc::<Seen>::default();
    let made = || {
        let builder = builder(ScriptedProvider::new([Script::answer(&answer)]));
        match is_observed {
            true => builder.with_metrics(seen.clone()).with_spans().build(),
            false => builder.build(),
        }
    };
    let request = || GenerateRequest::new("lines").with_model("haiku").without_validation();
    // What is made once for a process is made by the first request.
    runtime.block_on(made().generate(request())).unwrap();
    let (client, request) = (made(), request());
    let region = Region::new(ALLOCATOR);
    let generation = runtime.block_on(client.generate(request)).unwrap();
    let stats = region.change();
    assert!(generation.accepted);
    assert_eq!(seen.0.lock().unwrap().len(), 2 * usize::from(is_observed), "one for each request");
    stats.allocations + stats.reallocations
}

#[test]
fn observing_a_request_allocates_nothing_for_each_piece_of_its_answer() {
    let cost = |pieces| allocations(pieces, true) - allocations(pieces, false);
    let (few, many) = (cost(10), cost(5_000));
    println!("observed: {few} allocations more for 10 pieces, {many} for 5,000");
    assert_eq!(few, many);
    assert!(allocations(5_000, false) > 5_000, "the pieces themselves are counted");
}
