//! What observing costs with everything on: processor time for each request of the EMF line, the JSON log line, OpenMetrics'
//! counters, and spans and metrics over OTLP. Fails over the bound where ASSERT is set.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::hint::black_box;
use std::time::Duration;

use claude_code_aws::metrics::{AttemptTiming, Observation, emf, open_metrics, otlp, request_log};
use claude_code_aws::trace::RequestTrace;
use claude_code_aws::{Cost, PicoUsd, TraceContext, UtcMillis};

const REQUESTS: u32 = 20_000;
const BOUND: Duration = Duration::from_micros(20);

fn main() {
    let seen = observation();
    let registry = open_metrics::Registry::default();
    let recorder = otlp::Recorder::new("bedrock");
    let parts: [(&str, &dyn Fn()); 4] = [
        ("EMF line", &|| drop(black_box(emf::line(black_box(&seen), 1_700_000_000_000)))),
        ("JSON log line", &|| {
            drop(black_box(request_log::line(black_box(&seen), 1_700_000_000_000).to_string()));
        }),
        ("OpenMetrics", &|| registry.record(black_box(&seen))),
        ("OTLP: two spans, metrics", &|| drop(black_box(recorder.record(black_box(&seen))))),
    ];
    let mut all = Duration::ZERO;
    for (name, work) in parts {
        let each = (0..5).map(|_| timed(work)).min().unwrap();
        println!("{name:<26} {:>6.2} us", each.as_secs_f64() * 1e6);
        all += each;
    }
    println!("{:<26} {:>6.2} us of processor time a request", "all", all.as_secs_f64() * 1e6);
    assert!(std::env::var_os("ASSERT").is_none() || all <= BOUND, "{all:?} is over {BOUND:?}");
}

/// A request of two attempts with everything known.
fn observation() -> Observation {
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let context = TraceContext::parse(parent, None).unwrap();
    let mut seen = Observation::new("accepted");
    seen.request_id = "019adf0c-7a3e-7cc1-8d3b-1f2e3d4c5b6a".to_owned();
    seen.scope = "5f2c".repeat(16);
    seen.model = Some("global.anthropic.claude-sonnet-5-5".to_owned());
    seen.model_name = "claude-sonnet-5-5";
    seen.tier = Some("medium");
    seen.tier_reason = Some("two files and a test".to_owned());
    seen.took = Duration::from_millis(9_431);
    seen.first_event = Some(Duration::from_millis(812));
    seen.first_file = Some(Duration::from_millis(1_204));
    (seen.sends, seen.attempts.all, seen.attempts.retries) = (2, 2, 1);
    (seen.input_tokens, seen.output_tokens, seen.cache_read_tokens) = (1_834, 2_210, 12_000);
    seen.cost = Cost::Priced(PicoUsd::from_usd("0.04311").unwrap());
    seen.stop_reason = Some("end_turn".to_owned());
    seen.started = UtcMillis(1_700_000_000_000);
    seen.max_tokens = Some(16_384);
    seen.files = 3;
    seen.trace = Some(RequestTrace { context, parent: Some([1; 8]), is_recorded: true });
    seen.spans = (0..2).map(attempt).collect();
    seen
}

fn attempt(number: usize) -> AttemptTiming {
    let attempt = serde_json::json!({
        "model": "global.anthropic.claude-sonnet-5-5", "why": "retry", "outcome": "complete", "cost": "0.04311",
        "unknown": false, "waited_ms": 412,
    });
    AttemptTiming {
        number,
        start: Duration::from_millis(400),
        end: Duration::from_millis(9_400),
        first_event: Some(Duration::from_millis(812)),
        attempt: serde_json::from_value(attempt).unwrap(),
        usage: None,
    }
}

/// Processor time of this thread for each call.
fn timed(work: &dyn Fn()) -> Duration {
    let spent = || -> Duration {
        let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
    };
    let before = spent();
    (0..REQUESTS).for_each(|_| work());
    (spent() - before) / REQUESTS
}
