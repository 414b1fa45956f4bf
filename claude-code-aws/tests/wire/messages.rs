//! The Messages API under the same faults as Bedrock: events lost, doubled and swapped, errors midway, and how often a
//! fault is sent again. Its bytes have no checksum, so of flipped bits only those that break an event are seen.

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use claude_code_aws::anthropic::{Anthropic, Settings};
use claude_code_aws::clock::{SystemClock, SystemIds};
use claude_code_aws::select::Reach;
use claude_code_aws::{Client, ClientBuilder, ErrorKind, GenerateRequest, Policy, Secret};
use claude_code_core::testing;
use serde_json::json;

use super::bytes::{ok, sse};
use super::contract::messages;
use super::in_process::{Piece, Replies, Reply};
use super::server::{Script, Server, Toxic};
use super::{REVERSE, quick};

fn once() -> GenerateRequest {
    GenerateRequest::new("reverse a string").with_model("sonnet").with_max_sends(1)
}

fn paused(replies: &Replies) -> Client {
    let policy = Policy { reach: Reach::AnthropicApi, ..Policy::default() };
    testing::builder(Arc::new(messages(replies))).with_policy(policy).build()
}

async fn outcome(events: &[String]) -> Result<claude_code_aws::Generation, claude_code_aws::Error> {
    let events = events.iter().map(|event| event.clone().into_bytes());
    let replies = Replies::new([Reply::stream(events).with_type("text/event-stream")]);
    paused(&replies).generate(once()).await
}

/// An answer without pings, which may stand anywhere; one that thinks before it.
fn answers() -> [Vec<String>; 2] {
    let event = |value: serde_json::Value| format!("data: {value}\n\n");
    let mut plain = sse(REVERSE, "end_turn");
    plain.retain(|event| !event.contains("\"ping\""));
    let mut thought: Vec<String> =
        plain.iter().map(|event| event.replace("\"index\":0", "\"index\":1")).collect();
    let block = json!({ "type": "thinking", "thinking": "" });
    let delta = json!({ "type": "thinking_delta", "thinking": "hm" });
    let thinking = [
        event(json!({ "type": "content_block_start", "index": 0, "content_block": block })),
        event(json!({ "type": "content_block_delta", "index": 0, "delta": delta })),
        event(json!({ "type": "content_block_stop", "index": 0 })),
    ];
    thought.splice(1..1, thinking);
    [plain, thought]
}

#[tokio::test(start_paused = true)]
async fn an_event_lost_doubled_or_swapped_is_never_taken_for_whole() {
    let mut ran = 0;
    for events in answers() {
        assert!(outcome(&events).await.unwrap().accepted);
        let is_delta = |at: usize| events[at].contains("content_block_delta");
        for at in (0..events.len()).filter(|at| !is_delta(*at)) {
            let mut lost = events.clone();
            lost.remove(at);
            let mut doubled = events.clone();
            doubled.insert(at, events[at].clone());
            let swapped = (0..events.len()).filter(|other| *other != at).map(|other| {
                let mut swapped = events.clone();
                swapped.swap(at, other);
                (format!("{at} and {other} swapped"), swapped)
            });
            // What stands behind the last event is not read.
            let last = at + 1 == events.len();
            let doubled = (!last).then(|| (format!("{at} doubled"), doubled));
            let all = [(format!("{at} lost"), lost)].into_iter().chain(doubled).chain(swapped);
            for (what, damaged) in all {
                let error = outcome(&damaged).await.expect_err(&what);
                assert!(matches!(error.kind(), ErrorKind::Protocol | ErrorKind::Cut), "{what}: {error}");
                assert!(error.into_partial().unwrap().attempts[0].unknown, "{what}");
                ran += 1;
            }
        }
    }
    println!("the Messages API: {ran} rearranged answers, 0 taken for whole");
}

#[tokio::test(start_paused = true)]
async fn a_later_count_without_a_reason_is_no_second_end() {
    let mut events = sse(REVERSE, "end_turn");
    let more = json!({ "type": "message_delta", "delta": {}, "usage": { "output_tokens": 41 } });
    events.insert(events.len() - 1, format!("data: {more}\n\n"));
    assert_eq!(outcome(&events).await.unwrap().usage.output_tokens, 41);
}

#[tokio::test(start_paused = true)]
async fn an_error_in_the_stream_is_typed_and_carries_what_had_arrived() {
    let table = [
        ("overloaded_error", ErrorKind::Unavailable),
        ("api_error", ErrorKind::Unavailable),
        ("rate_limit_error", ErrorKind::Throttled),
        ("timeout_error", ErrorKind::Timeout),
        ("invalid_request_error", ErrorKind::InvalidRequest),
        ("something_new", ErrorKind::Unavailable),
    ];
    for (code, expected) in table {
        for deltas in [0, 1, 3] {
            let mut events = sse(REVERSE, "end_turn");
            events.truncate(3 + deltas);
            let error = json!({ "type": "error", "error": { "type": code, "message": "midway" } });
            events.push(format!("event: error\ndata: {error}\n\n"));
            // Each on its own, and all at once.
            for events in [events.clone(), vec![events.concat()]] {
                let error = outcome(&events).await.unwrap_err();
                assert_eq!(error.kind(), expected, "{code} after {deltas}");
                let partial = error.partial().unwrap();
                assert_eq!(partial.text, REVERSE.chars().take(16 * deltas).collect::<String>());
                assert!(partial.attempts[0].unknown, "it may be on the bill");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn pings_keep_a_silent_model_from_its_limits_but_not_from_the_total() {
    let events = sse(REVERSE, "end_turn");
    let wait = || Piece::Wait(Duration::from_secs(500));
    let (event, comment) = ("event: ping\ndata: {\"type\": \"ping\"}\n\n", ": keep-alive\n\n");
    let table = [
        (0, event, Some(ErrorKind::Timeout)),
        (1, event, None),
        (1, comment, None),
        (2, event, Some(ErrorKind::Timeout)),
        (2, comment, Some(ErrorKind::Timeout)),
    ];
    for (pings, ping, expected) in table {
        // Two silences of 500 s: alone they pass the first event's 600 s, and a third one the total of 1,200 s.
        let mut reply = Reply::stream([events[0].clone().into_bytes()]).with_type("text/event-stream");
        for _ in 0..pings {
            reply = reply.then(wait()).then(Piece::Bytes(ping.into()));
        }
        reply = reply.then(wait());
        if pings == 0 {
            reply = reply.then(wait());
        }
        for event in &events[1..] {
            reply = reply.then(Piece::Bytes(event.clone().into()));
        }
        let replies = Replies::new([reply]);
        let request = once().with_timeout(Duration::from_secs(1_200));
        let kind = paused(&replies).generate(request).await.err().map(|error| error.kind());
        assert_eq!(kind, expected, "{pings} pings");
    }
}

/// A client over TCP, with limits in milliseconds.
fn real(server: &Server) -> Client {
    let settings = Settings {
        api_key: Some(Secret::new("a key of a test")),
        base_url: Some(server.url.clone()),
        ..Settings::default()
    };
    let connector = SharedHttpConnector::new(aws_smithy_http_client::Connector::builder().build_http());
    let policy = Policy { reach: Reach::AnthropicApi, ..quick() };
    let provider = Arc::new(Anthropic::new(&settings, connector, true).unwrap());
    ClientBuilder::new(provider, Arc::new(SystemClock), Arc::new(SystemIds)).with_policy(policy).build()
}

async fn sends_of(script: Script) -> (usize, ErrorKind) {
    let server = Server::start([script]).await;
    let request = GenerateRequest::new("reverse a string").with_model("sonnet");
    let request = request.with_timeout(Duration::from_millis(2500));
    let error = real(&server).generate(request).await.unwrap_err();
    (server.sends(), error.kind())
}

fn refusal(status: u16, code: &str) -> Script {
    let body = json!({ "type": "error", "error": { "type": code, "message": "x" } }).to_string();
    let head = format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n");
    Script::new(format!("{head}content-length: {}\r\n\r\n{body}", body.len()))
}

#[tokio::test]
async fn a_fault_that_may_have_been_paid_for_is_sent_twice_and_no_more() {
    let answer = ok("text/event-stream", sse(REVERSE, "end_turn").concat().as_bytes());
    let table = [
        ("reset after the request", Script::new("").with(Toxic::Reset(0)), ErrorKind::Cut),
        ("closed after the request", Script::new("").with(Toxic::Limit(0)), ErrorKind::Cut),
        ("reset after the headers", Script::new(answer.clone()).with(Toxic::Reset(90)), ErrorKind::Cut),
        ("silent after the request", Script::new("").with(Toxic::Timeout(0)), ErrorKind::Timeout),
        ("silent after the headers", Script::new(answer).with(Toxic::Timeout(90)), ErrorKind::Timeout),
        ("500", refusal(500, "api_error"), ErrorKind::Unavailable),
        ("504", refusal(504, "timeout_error"), ErrorKind::Timeout),
    ];
    for (name, script, kind) in table {
        assert_eq!(sends_of(script).await, (2, kind), "{name}");
    }
}

#[tokio::test]
async fn what_is_safe_is_sent_again_and_what_will_not_change_is_not() {
    let again = [
        (429, "rate_limit_error", ErrorKind::Throttled),
        (529, "overloaded_error", ErrorKind::Unavailable),
        (503, "", ErrorKind::Unavailable),
    ];
    for (status, code, kind) in again {
        let (sends, found) = sends_of(refusal(status, code)).await;
        assert!(sends >= 2 && found == kind, "{status}: {sends} sends, {found}");
    }
    let never = [
        (400, "invalid_request_error", ErrorKind::InvalidRequest),
        (401, "authentication_error", ErrorKind::Credentials),
        (402, "billing_error", ErrorKind::Quota),
        (403, "permission_error", ErrorKind::AccessDenied),
        (404, "not_found_error", ErrorKind::NotFound),
        (413, "request_too_large", ErrorKind::ContextTooLong),
    ];
    for (status, code, kind) in never {
        assert_eq!(sends_of(refusal(status, code)).await, (1, kind), "{status}");
    }
}
