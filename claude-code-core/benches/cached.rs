//! How long a cached `generate` takes, from call to result, and what its parts take: medians and 99th percentiles over
//! 10,000 calls. Fails if the median is over the bound.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use claude_code_core::select::{Task, classify};
use claude_code_core::testing::{Script, ScriptedProvider, builder};
use claude_code_core::{GenerateRequest, Generation};

const CALLS: usize = 10_000;
/// What issue and design promise of a hit from memory.
const BOUND: Duration = Duration::from_micros(50);

const PROMPT: &str = "Write a Python function that reads a CSV file of orders, groups them by customer and month, and \
                      returns the totals sorted by amount. Skip rows with a missing amount and report how many there \
                      were. Use only the standard library and add type hints.";

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let answer = format!(
        "```python orders.py\n{}```\n",
        "def totals(path: str) -> dict[str, int]:\n    return {}\n\n\n".repeat(40)
    );
    let client = builder(ScriptedProvider::new([Script::answer(&answer)])).build();
    let first: Generation = runtime.block_on(client.generate(PROMPT)).unwrap();
    assert!(first.accepted);

    let cached = runtime.block_on(async {
        let mut times = Vec::with_capacity(CALLS);
        for _ in 0..CALLS {
            let begun = Instant::now();
            let hit = client.generate(black_box(PROMPT)).await.unwrap();
            times.push(begun.elapsed());
            assert!(hit.cached.is_some());
        }
        times
    });
    let median = told("cached generate", cached);
    told("of it: the plan", each(|| drop(black_box(client.estimate(black_box(PROMPT))))));
    let named = || GenerateRequest::new(black_box(PROMPT)).with_model("haiku");
    told("of it: the plan of a named model", each(|| drop(black_box(client.estimate(named())))));
    told("of it: the classifier", each(|| drop(black_box(classify(&Task::new(black_box(PROMPT)))))));
    told("of it: copying the result", each(|| drop(black_box(first.clone()))));
    assert!(median <= BOUND, "{median:?} is over {BOUND:?}");
}

fn each(run: impl Fn()) -> Vec<Duration> {
    let timed = |_| {
        let begun = Instant::now();
        run();
        begun.elapsed()
    };
    (0..CALLS).map(timed).collect()
}

/// Prints a line of the table and gives the median.
fn told(what: &str, mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    let (median, late) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    println!("{what:<34} median {median:>10.2?}   p99 {late:>10.2?}");
    median
}
