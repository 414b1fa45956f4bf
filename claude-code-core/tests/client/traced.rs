//! Trace context: a request's span below its caller's, and an attempt's below the request's.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use claude_code_core::metrics::Observation;
use claude_code_core::provider::StopReason;
use claude_code_core::testing::{Script, ScriptedProvider, builder};
use claude_code_core::{Client, GenerateRequest, MetricsSink, TraceContext, Usage};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{REVERSE, throttled};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

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

fn after_a_throttle() -> Arc<ScriptedProvider> {
    let answer = Script::text(REVERSE).wait(Duration::from_millis(30)).stop(StopReason::EndTurn);
    ScriptedProvider::new([Script::fail(throttled()), answer.usage(Usage::new(100, 50))])
}

fn client(provider: &Arc<ScriptedProvider>, seen: &Arc<Seen>, spans: bool) -> Client {
    let builder = builder(provider.clone()).with_metrics(seen.clone());
    if spans { builder.with_spans().build() } else { builder.build() }
}

fn request() -> GenerateRequest {
    let caller = TraceContext::parse(PARENT, Some("vendor=1")).unwrap();
    GenerateRequest::new("reverse").with_model("haiku").with_trace(caller)
}

#[tokio::test(start_paused = true)]
async fn each_attempt_tells_the_service_a_span_of_its_own_in_the_callers_trace() {
    let (provider, seen) = (after_a_throttle(), Arc::<Seen>::default());
    client(&provider, &seen, true).generate(request()).await.unwrap();
    let told: Vec<TraceContext> = provider.calls().into_iter().map(|call| call.trace.unwrap()).collect();
    let seen = seen.0.lock().unwrap().remove(0);
    let trace = seen.trace.unwrap();
    let caller = TraceContext::parse(PARENT, None).unwrap();
    assert_eq!((trace.parent, trace.context.trace_id), (Some(caller.span_id), caller.trace_id));
    assert_eq!(told, [trace.attempt(0), trace.attempt(1)]);
    let mut ids = vec![caller.span_id, trace.context.span_id, told[0].span_id, told[1].span_id];
    ids.dedup();
    assert_eq!(ids.len(), 4, "four spans");
    assert!(told.iter().all(|span| span.tracestate() == Some("vendor=1") && span.is_sampled));
    let spans: Vec<_> = seen.spans.iter().map(|span| (span.number, span.attempt.why.as_str())).collect();
    assert_eq!(spans, [(0, "first"), (1, "retry")]);
    assert!(seen.spans[0].end <= seen.spans[1].start && seen.spans[1].end <= seen.took);
    assert!(seen.spans[1].end - seen.spans[1].start >= Duration::from_millis(30));
    assert_eq!(seen.spans[1].usage, Some(Usage::new(100, 50)));
}

#[tokio::test(start_paused = true)]
async fn without_spans_of_its_own_a_client_passes_the_callers_trace_on_as_it_came() {
    let (provider, seen) = (after_a_throttle(), Arc::<Seen>::default());
    client(&provider, &seen, false).generate(request()).await.unwrap();
    assert!(provider.calls().iter().all(|call| call.trace.as_ref().unwrap().traceparent() == PARENT));
    assert!(seen.0.lock().unwrap()[0].spans.is_empty());
    let (provider, seen) = (after_a_throttle(), Arc::<Seen>::default());
    client(&provider, &seen, false).generate("reverse").await.unwrap();
    assert!(provider.calls().iter().all(|call| call.trace.is_none()), "nobody traces");
    assert_eq!(seen.0.lock().unwrap()[0].trace, None);
}

#[tokio::test(start_paused = true)]
async fn a_trace_that_its_caller_does_not_record_is_told_on_and_not_recorded_here() {
    let (provider, seen) = (after_a_throttle(), Arc::<Seen>::default());
    let caller = TraceContext::parse(&format!("{}00", &PARENT[..53]), None).unwrap();
    client(&provider, &seen, true).generate(request().with_trace(caller)).await.unwrap();
    let seen = seen.0.lock().unwrap().remove(0);
    assert!(!seen.trace.unwrap().is_recorded && seen.spans.is_empty());
    assert!(provider.calls().iter().all(|call| call.trace.as_ref().unwrap().traceparent().ends_with("-00")));
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_records_the_requests_span_is_told_its_attempts() {
    let (provider, seen) = (after_a_throttle(), Arc::<Seen>::default());
    let own = TraceContext::parse(PARENT, None).unwrap();
    let request = GenerateRequest::new("reverse").with_model("haiku").with_own_span(own.clone());
    let mut stream = client(&provider, &seen, false).stream(request);
    stream.finish().await;
    assert!(stream.attempts().is_empty(), "nothing is told before the result is");
    stream.deliver().unwrap().unwrap();
    let told: Vec<TraceContext> = provider.calls().into_iter().map(|call| call.trace.unwrap()).collect();
    let attempts = stream.attempts();
    let spans: Vec<_> = attempts.iter().map(|attempt| attempt.context.clone()).collect();
    assert_eq!(spans, told, "the service is told the spans that are recorded");
    assert!(spans.iter().all(|span| span.trace_id == own.trace_id && span.span_id != own.span_id));
    let causes: Vec<_> = attempts.iter().map(|attempt| attempt.timing.attempt.why.as_str()).collect();
    assert_eq!(causes, ["first", "retry"]);
    let trace = seen.0.lock().unwrap()[0].trace.clone().unwrap();
    assert_eq!((trace.context, trace.parent), (own, None));
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_an_equal_request_records_none_of_its_attempts() {
    let (provider, seen) = (after_a_throttle(), Arc::<Seen>::default());
    let client = client(&provider, &seen, false);
    let own = TraceContext::parse(PARENT, None).unwrap();
    let stream =
        || client.stream(GenerateRequest::new("reverse").with_model("haiku").with_own_span(own.clone()));
    let (mut first, mut second) = (stream(), stream());
    futures_util::join!(first.finish(), second.finish());
    first.deliver().unwrap().unwrap();
    assert!(second.deliver().unwrap().unwrap().cached.is_some());
    assert_eq!((first.attempts().len(), second.attempts().len()), (2, 0));
}

#[test]
fn a_traceparent_is_read_as_the_specification_says() {
    let read = |text: &str| TraceContext::parse(text, None).map(|context| context.traceparent());
    assert_eq!(read(PARENT).as_deref(), Some(PARENT));
    let unsampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
    assert_eq!(read(unsampled).as_deref(), Some(unsampled));
    // Other flags are not passed on, and a later version is read as this one.
    assert_eq!(read(&PARENT.replace("-01", "-ff")).as_deref(), Some(PARENT));
    assert_eq!(read(&PARENT.replacen("00", "cc", 1)).as_deref(), Some(PARENT));
    assert_eq!(
        read(&format!("{}-what-the-future-brings", PARENT.replacen("00", "cc", 1))).as_deref(),
        Some(PARENT)
    );
    for wrong in [
        "",
        "00",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "00-4bf92f3577b34da6a3ce929d0e0e47-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01",
        "4bf92f3577b34da6a3ce929d0e0e4736",
    ] {
        assert_eq!(read(wrong), None, "{wrong}");
    }
    let with =
        |state: &str| TraceContext::parse(PARENT, Some(state)).unwrap().tracestate().map(str::to_owned);
    assert_eq!(with("a=1,b=2").as_deref(), Some("a=1,b=2"));
    assert_eq!((with("a=\u{7}"), with(&"x".repeat(513)), with("")), (None, None, None));
}
