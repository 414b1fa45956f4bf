//! How often a request is sent, counted where it arrives: rows 1 to 4, 6, 7 and 31 of the fault catalogue.

use std::time::Duration;

use claude_code_aws::{Cost, ErrorKind, GenerateRequest, PicoUsd, Tier, TraceContext};
use futures_util::future::join_all;

use super::bytes::{EVENT_STREAM, converse, ok, refusal, reverse};
use super::in_process::{Piece, Replies, Reply};
use super::server::{Script, Server, Toxic};
use super::{MODEL, REVERSE, once, paused, real, request};

fn good() -> Reply {
    Reply::stream(converse(REVERSE, "end_turn"))
}

fn throttled() -> Reply {
    Reply::refusal(429, "ThrottlingException", "Too many tokens, please wait before trying again.")
}

/// Throttles for 45 s, then answers.
fn throttles_for_45_s() -> Replies {
    Replies::by(|_, since| if since < Duration::from_secs(45) { throttled() } else { good() })
}

#[tokio::test(start_paused = true)]
async fn throttling_of_45_s_is_waited_out_with_growing_jittered_waits() {
    let replies = throttles_for_45_s();
    let g = paused(&replies).generate(request()).await.unwrap();
    assert!(g.accepted);
    let waits: Vec<f64> = replies.times().windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect();
    println!("throttled for 45 s: {} sends, waits {waits:.1?}", replies.sends());
    for (nth, wait) in waits.iter().enumerate() {
        let bound = f64::from(1u32 << nth.min(5)).min(30.0);
        assert!(*wait <= bound + 0.1, "wait {nth} of {wait} s is longer than {bound} s");
    }
    assert!(replies.sends() <= 16, "{} sends", replies.sends());
    assert!(g.attempts[..g.attempts.len() - 1].iter().all(|a| a.cost == Cost::ZERO));
    assert!(replies.bodies().iter().all(|body| body.contains("\"maxTokens\":")), "max_tokens is always sent");
}

#[tokio::test(start_paused = true)]
async fn a_hundred_callers_who_are_throttled_find_out_together_when_it_ends() {
    // The second may ask no other model either: the fallbacks are too dear for it.
    let cheap = GenerateRequest::new("reverse a string").with_tier(Tier::Simple);
    for request in [request(), cheap.with_max_usd(PicoUsd::from_usd("0.01").unwrap())] {
        let sole = throttles_for_45_s();
        paused(&sole).generate(request.clone()).await.unwrap();
        let replies = throttles_for_45_s();
        let client = paused(&replies);
        let callers = (0..100).map(|n| {
            let (client, prompt) = (client.clone(), format!("reverse {n}"));
            let request = GenerateRequest { prompt, ..request.clone() };
            async move { client.generate(request).await }
        });
        assert!(join_all(callers).await.iter().all(Result::is_ok));
        // One send each that is answered, and before them what one caller needs to find out when the model answers again.
        let least = 100 + sole.sends() - 1;
        println!(
            "100 callers throttled for 45 s: {} sends ({} for one caller alone)",
            replies.sends(),
            sole.sends()
        );
        assert!(replies.sends() * 10 <= least * 11, "{} sends", replies.sends());
    }
}

#[tokio::test(start_paused = true)]
async fn the_wait_that_a_header_asks_for_is_obeyed() {
    for (name, value, least) in [("x-amz-retry-after", "7000", 7), ("retry-after", "9", 9)] {
        let replies = Replies::new([throttled().header(name, value), good()]);
        paused(&replies).generate(request()).await.unwrap();
        let wait = replies.times()[1];
        let least = Duration::from_secs(least);
        assert!(wait >= least && wait <= least + Duration::from_secs(5), "{name}: {wait:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn throttling_for_ever_ends_at_the_deadline_and_says_how_long_to_wait() {
    let replies = Replies::new([throttled().header("retry-after", "11")]);
    let timeout = Duration::from_secs(100);
    let error = paused(&replies).generate(request().with_timeout(timeout)).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::Throttled, Some(Duration::from_secs(11))));
    assert!(replies.times().last().unwrap() <= &timeout);
    assert!(error.message().contains("max_tokens"), "{error}");
}

/// The same fault for every send: how many sends there are, and what comes of it.
async fn sends_of(script: Script) -> (usize, ErrorKind) {
    let server = Server::start([script]).await;
    let request = request().with_timeout(Duration::from_millis(2500));
    let error = real(&server).generate(request).await.unwrap_err();
    (server.sends(), error.kind())
}

#[tokio::test]
async fn a_fault_that_may_have_been_paid_for_is_sent_twice_and_no_more() {
    let scripts = [
        ("reset after the request", Script::new("").with(Toxic::Reset(0)), ErrorKind::Cut),
        ("closed after the request", Script::new("").with(Toxic::Limit(0)), ErrorKind::Cut),
        ("reset after the headers", Script::new(reverse()).with(Toxic::Reset(90)), ErrorKind::Cut),
        ("silent after the request", Script::new("").with(Toxic::Timeout(0)), ErrorKind::Timeout),
        ("silent after the headers", Script::new(reverse()).with(Toxic::Timeout(90)), ErrorKind::Timeout),
        ("500", Script::new(refusal(500, "InternalServerException", "x", "")), ErrorKind::Unavailable),
        ("424", Script::new(refusal(424, "ModelErrorException", "x", "")), ErrorKind::Unavailable),
    ];
    for (name, script, expected) in scripts {
        let (sends, kind) = sends_of(script).await;
        println!("{name}: {sends} sends, {kind}");
        assert_eq!((sends, kind), (2, expected), "{name}");
    }
}

#[tokio::test]
async fn a_fault_before_any_generation_is_sent_again_until_the_deadline() {
    let table = [
        (503, "ServiceUnavailableException", ErrorKind::Unavailable),
        (429, "ThrottlingException", ErrorKind::Throttled),
        (529, "OverloadedException", ErrorKind::Unavailable),
    ];
    for (status, code, expected) in table {
        let (sends, kind) = sends_of(Script::new(refusal(status, code, "x", ""))).await;
        println!("{code}: {sends} sends within 2.5 s, {kind}");
        assert!(sends >= 2, "{code}: {sends}");
        assert_eq!(kind, expected, "{code}");
    }
}

#[tokio::test]
async fn what_will_not_change_is_sent_once() {
    let table = [
        (408, "ModelTimeoutException", ErrorKind::Timeout),
        (400, "ValidationException", ErrorKind::InvalidRequest),
        (403, "AccessDeniedException", ErrorKind::AccessDenied),
        (404, "ResourceNotFoundException", ErrorKind::NotFound),
        (400, "ServiceQuotaExceededException", ErrorKind::Quota),
        (403, "InvalidSignatureException", ErrorKind::Credentials),
    ];
    for (status, code, expected) in table {
        assert_eq!(sends_of(Script::new(refusal(status, code, "x", ""))).await, (1, expected), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_model_that_is_being_loaded_is_given_time() {
    let loading = Reply::refusal(429, "ModelNotReadyException", "loading");
    let replies = Replies::new([loading.clone(), loading, good()]);
    assert!(paused(&replies).generate(request()).await.unwrap().accepted);
    let times = replies.times();
    assert!(times[1] >= Duration::from_secs(10) && times[2] >= Duration::from_secs(20), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn silence_before_the_headers_ends_at_the_first_event_limit() {
    let replies = Replies::new([good().before(Piece::Hang)]);
    let begun = tokio::time::Instant::now();
    let error = paused(&replies).generate(once()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(begun.elapsed().as_secs(), 600, "a thinking model is given ten minutes");
    assert_eq!(replies.open(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_model_rests_and_the_next_request_begins_with_another() {
    let haiku = "claude-haiku";
    let replies = Replies::by(|nth, _| if nth < 3 { throttled() } else { good() });
    let client = paused(&replies);
    let first = client.generate("reverse a string").await.unwrap();
    assert_eq!(first.attempts.last().unwrap().why, "fallback");
    let second = client.generate("reverse another string").await.unwrap();
    assert_eq!(second.attempts.len(), 1);
    assert!(first.attempts[0].model.contains(haiku) && !second.model.ends_with(&first.attempts[0].model));
    assert!(second.warnings.iter().any(|warning| warning.contains("left alone")), "{:?}", second.warnings);
    tokio::time::sleep(Duration::from_secs(40)).await;
    let third = client.generate("reverse a third string").await.unwrap();
    assert_eq!(third.model, first.attempts[0].model, "after its rest it is asked first again");
}

#[tokio::test(start_paused = true)]
async fn a_model_whose_tokens_of_the_day_are_used_up_is_left_for_another_at_once() {
    let used_up = Reply::refusal(429, "ThrottlingException", "Too many tokens per day, please wait.");
    let replies = Replies::new([used_up, good()]);
    let g = paused(&replies).generate("reverse a string").await.unwrap();
    assert_eq!((g.attempts.len(), g.attempts[1].why.as_str()), (2, "fallback"));
}

#[tokio::test]
async fn a_call_that_is_never_awaited_is_never_sent() {
    let server = Server::start([Script::new(reverse())]).await;
    let client = real(&server);
    drop(client.generate(request()));
    drop(client.stream(request()));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(server.sends(), 0);
    assert!(client.generate(request()).await.unwrap().accepted);
    assert_eq!(server.sends(), 1);
}

/// The toxics that only slow a connection down change nothing.
#[tokio::test]
async fn a_slow_wire_gives_the_same_answer_with_one_send() {
    let toxics = [
        Toxic::Latency(Duration::from_millis(150)),
        Toxic::Bandwidth(200),
        Toxic::SlowClose(Duration::from_millis(200)),
        Toxic::Slicer(1),
        Toxic::Slicer(7),
    ];
    for toxic in toxics {
        let server = Server::start([Script::new(reverse()).with(toxic)]).await;
        let g = real(&server).generate(request()).await.unwrap();
        assert!(g.accepted && g.text == REVERSE, "{toxic:?}");
        assert_eq!(server.sends(), 1, "{toxic:?}");
    }
}

#[tokio::test]
async fn the_model_id_is_sent_as_it_was_given() {
    let server =
        Server::start([Script::new(ok(EVENT_STREAM, &converse(REVERSE, "end_turn").concat()))]).await;
    real(&server).generate(request()).await.unwrap();
    assert!(server.request(0).starts_with(&format!("POST /model/{MODEL}/converse-stream")));
}

#[tokio::test]
async fn the_trace_is_told_to_bedrock_outside_of_the_signature() {
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let server = Server::start([Script::new(reverse())]).await;
    let request = once().with_trace(TraceContext::parse(parent, None).unwrap());
    real(&server).generate(request).await.unwrap();
    let sent = server.request(0);
    assert!(sent.contains(&format!("traceparent: {parent}")), "{sent}");
    let signed = sent.split("SignedHeaders=").nth(1).unwrap().split(',').next().unwrap();
    assert!(signed.contains("host") && !signed.contains("trace"), "{signed}");
}
