//! What becomes of streams: rows 5, 6, 8 to 11 and 13 to 16 of the fault catalogue.

use std::sync::Arc;
use std::time::Duration;

use claude_code_aws::provider::ModelProvider;
use claude_code_aws::{ErrorKind, Policy};
use claude_code_core::testing;
use futures_util::StreamExt;
use serde_json::json;

use super::bytes::{EVENT_STREAM, converse, delta, exception, frame, metadata, ok, reverse};
use super::damage::call;
use super::in_process::{Piece, Replies, Reply};
use super::server::{Script, Server, Toxic};
use super::{REVERSE, campaign, once, paused, real, replayed, request};

async fn outcome(frames: Vec<Vec<u8>>) -> Result<claude_code_aws::Generation, claude_code_aws::Error> {
    paused(&Replies::new([Reply::stream(frames)])).generate(once()).await
}

#[tokio::test(start_paused = true)]
async fn an_exception_in_the_stream_is_typed_and_carries_what_had_arrived() {
    let table = [
        ("internalServerException", ErrorKind::Unavailable),
        ("modelStreamErrorException", ErrorKind::Unavailable),
        ("throttlingException", ErrorKind::Throttled),
        ("serviceUnavailableException", ErrorKind::Unavailable),
        ("validationException", ErrorKind::InvalidRequest),
        ("somethingNewException", ErrorKind::Unavailable),
    ];
    for (name, expected) in table {
        for deltas in [0, 1, 3] {
            let mut frames = converse(REVERSE, "end_turn");
            frames.truncate(1 + deltas);
            frames.push(exception(name, "midway"));
            let error = outcome(frames).await.unwrap_err();
            println!("{name} after {deltas}: {} {error}", error.kind());
            let partial = error.partial().unwrap();
            assert_eq!(error.kind(), expected, "{name} after {deltas}");
            assert_eq!(partial.text, REVERSE.chars().take(16 * deltas).collect::<String>());
            assert!(!partial.accepted && partial.files.iter().all(|file| !file.complete));
            assert!(partial.attempts[0].unknown, "it may be on the bill");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_exception_in_the_stream_is_named_whether_it_is_known_or_not() {
    for (name, code) in [
        ("modelStreamErrorException", "ModelStreamErrorException"),
        ("throttlingException", "ThrottlingException"),
        ("somethingNewException", "SomethingNewException"),
    ] {
        let replies = Replies::new([Reply::stream([exception(name, "midway")])]);
        let fault = replayed(&replies).stream(call()).next().await.unwrap().unwrap_err();
        assert_eq!(fault.code.as_deref(), Some(code));
    }
}

#[tokio::test]
async fn a_reset_at_any_byte_is_never_success() {
    let bytes = reverse();
    let step = campaign();
    let body = bytes.len() - super::bytes::metadata().len();
    let (mut ran, mut unknown) = (0, 0);
    for at in (0..bytes.len()).step_by(step) {
        let server = Server::start([Script::new(bytes.clone()).with(Toxic::Reset(at))]).await;
        match real(&server).generate(once()).await {
            // Behind the stop event only the usage is missing.
            Ok(g) => {
                assert!(at >= body, "success after {at} of {} bytes", bytes.len());
                assert!(g.attempts[0].unknown || at == bytes.len());
                unknown += 1;
            }
            Err(error) => {
                assert!(
                    matches!(error.kind(), ErrorKind::Cut | ErrorKind::Protocol),
                    "{at}: {}",
                    error.kind()
                )
            }
        }
        assert_eq!(server.sends(), 1);
        ran += 1;
    }
    println!("resets over TCP: {ran} cases, 0 taken for whole; {unknown} behind the stop with unknown usage");
}

#[tokio::test(start_paused = true)]
async fn a_gap_just_below_the_idle_limit_is_well_and_one_just_above_is_not() {
    let policy = Policy {
        first_event: Some(Duration::from_secs(120)),
        idle: Some(Duration::from_secs(60)),
        ..Policy::default()
    };
    let limited =
        |replies: &Replies| testing::builder(Arc::new(replayed(replies))).with_policy(policy.clone()).build();
    for (first, gap, expected) in [(119, 59, true), (121, 1, false), (1, 61, false)] {
        let frames = converse(REVERSE, "end_turn");
        let mut reply = Reply::stream(frames[..2].to_vec()).before(Piece::Wait(Duration::from_secs(first)));
        reply = reply.then(Piece::Wait(Duration::from_secs(gap)));
        for frame in &frames[2..] {
            reply = reply.then(Piece::Bytes(frame.clone().into()));
        }
        let replies = Replies::new([reply]);
        let result = limited(&replies).generate(once()).await;
        assert_eq!(result.is_ok(), expected, "first after {first} s, gap of {gap} s");
        assert!(result.err().is_none_or(|error| error.kind() == ErrorKind::Timeout));
        assert_eq!(replies.open(), 0, "the connection is closed");
    }
}

#[tokio::test(start_paused = true)]
async fn a_drip_ends_at_the_total_limit_not_at_the_idle_one() {
    let bytes = converse(&REVERSE.repeat(50), "end_turn").concat();
    let mut reply = Reply::stream([]);
    for byte in bytes {
        reply = reply.then(Piece::Bytes(vec![byte].into())).then(Piece::Wait(Duration::from_secs(1)));
    }
    let begun = tokio::time::Instant::now();
    let replies = Replies::new([reply]);
    let request = once().with_timeout(Duration::from_secs(300));
    assert_eq!(paused(&replies).generate(request).await.unwrap_err().kind(), ErrorKind::Timeout);
    assert!(begun.elapsed() <= Duration::from_secs(301), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_frame_with_a_wrong_checksum_is_final_though_the_stream_goes_on() {
    let mut frames = converse(REVERSE, "end_turn");
    *frames[2].last_mut().unwrap() ^= 1;
    let server = Server::start([Script::new(ok(EVENT_STREAM, &frames.concat()))]).await;
    let error = real(&server).generate(once()).await.unwrap_err();
    assert_eq!((error.kind(), server.sends()), (ErrorKind::Protocol, 1));
    assert!(REVERSE.starts_with(&error.partial().unwrap().text));
}

#[tokio::test]
async fn a_frame_that_claims_a_gigabyte_is_refused_at_once() {
    let mut prelude = (1u32 << 30).to_be_bytes().to_vec();
    prelude.extend_from_slice(&0u32.to_be_bytes());
    let checksum = crc32fast::hash(&prelude);
    prelude.extend_from_slice(&checksum.to_be_bytes());
    let mut body = converse(REVERSE, "end_turn")[..2].concat();
    body.extend(prelude);
    let page = b"<!doctype html><title>Sign in to the network</title>".as_slice();
    let charset = format!("{EVENT_STREAM}; charset=utf-8");
    let without_type = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".as_slice();
    let table = [
        (ok(EVENT_STREAM, &body), "1073741824"),
        (ok(&charset, &body), "1073741824"),
        (ok("text/html", &body), "1073741824"),
        ([without_type, &body].concat(), "1073741824"),
        (ok("text/html", page), "prelude"),
    ];
    for (bytes, told) in table {
        let server = Server::start([Script::new(bytes).with(Toxic::Timeout(usize::MAX))]).await;
        let error = real(&server).generate(once()).await.unwrap_err();
        // The connection stays open: whoever waits for the rest ends at a limit, with another kind.
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
        assert!(error.message().contains(told), "{error}");
    }
}

#[tokio::test]
async fn a_stream_that_does_not_end_is_refused_at_64_mib() {
    let long = delta(0, &"x".repeat(1 << 20));
    let frames = std::iter::once(converse("", "end_turn")[0].clone()).chain((0..66).map(|_| long.clone()));
    let replies = Replies::new([Reply::stream(frames)]);
    let error = paused(&replies).generate(once()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_ten_megabytes_is_taken() {
    let line = "value = 1  # a line of code in a long file\n";
    let text = format!("```python long.py\n{}```\n", line.repeat((10 << 20) / line.len()));
    let mut frames = vec![frame("messageStart", json!({ "role": "assistant" }))];
    let bytes: Vec<char> = text.chars().collect();
    frames.extend(bytes.chunks(16 << 10).map(|piece| delta(0, &piece.iter().collect::<String>())));
    frames.push(frame("contentBlockStop", json!({ "contentBlockIndex": 0 })));
    frames.push(frame("messageStop", json!({ "stopReason": "end_turn" })));
    frames.push(metadata());
    let replies = Replies::new([Reply::stream(frames)]);
    let g = paused(&replies).generate(once().without_validation()).await.unwrap();
    assert_eq!(g.text.len(), text.len());
}

#[tokio::test(start_paused = true)]
async fn a_stream_without_one_of_its_framing_events_is_not_success() {
    let frames = converse(REVERSE, "end_turn");
    let last = frames.len() - 1;
    for missing in [0, last - 2, last - 1] {
        let mut frames = frames.clone();
        frames.remove(missing);
        assert!(outcome(frames).await.is_err(), "without event {missing}");
    }
    let mut without_usage = frames;
    without_usage.pop();
    let g = outcome(without_usage).await.unwrap();
    assert!(g.accepted && g.attempts[0].unknown, "usage is not proof of an end, nor its lack of a cut");
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_nothing_or_of_thinking_alone_is_empty() {
    let thinking = json!({ "contentBlockIndex": 0, "delta": { "reasoningContent": { "text": "hm" } } });
    let thought = vec![
        frame("messageStart", json!({ "role": "assistant" })),
        frame("contentBlockDelta", thinking),
        frame("contentBlockStop", json!({ "contentBlockIndex": 0 })),
        frame("messageStop", json!({ "stopReason": "end_turn" })),
        metadata(),
    ];
    for frames in [converse("", "end_turn"), converse(" \n\t", "end_turn"), thought] {
        let error = outcome(frames).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Empty);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_model_thinks_is_neither_text_nor_a_file() {
    let draft = "```python draft.py\nnot_the_answer = 1\n```\n";
    let thinking = json!({ "contentBlockIndex": 0, "delta": { "reasoningContent": { "text": draft } } });
    let signed = json!({ "contentBlockIndex": 0, "delta": { "reasoningContent": { "signature": "c2ln" } } });
    let frames = vec![
        frame("messageStart", json!({ "role": "assistant" })),
        frame("contentBlockDelta", thinking),
        frame("contentBlockDelta", signed),
        frame("contentBlockStop", json!({ "contentBlockIndex": 0 })),
        delta(1, REVERSE),
        frame("contentBlockStop", json!({ "contentBlockIndex": 1 })),
        frame("messageStop", json!({ "stopReason": "end_turn" })),
        metadata(),
    ];
    let g = outcome(frames).await.unwrap();
    assert_eq!(g.text, REVERSE);
    let paths: Vec<_> = g.files.iter().map(|file| file.path.as_deref()).collect();
    assert_eq!(paths, [Some("reverse.py")]);
}

#[tokio::test(start_paused = true)]
async fn every_stop_reason_is_what_it_means_and_none_but_two_is_success() {
    let table = [
        ("end_turn", None),
        ("stop_sequence", None),
        ("max_tokens", Some(ErrorKind::Truncated)),
        ("model_context_window_exceeded", Some(ErrorKind::Truncated)),
        ("refusal", Some(ErrorKind::Refused)),
        ("content_filtered", Some(ErrorKind::Filtered)),
        ("guardrail_intervened", Some(ErrorKind::Guardrail)),
        ("tool_use", Some(ErrorKind::Protocol)),
        ("pause_turn", Some(ErrorKind::Protocol)),
        ("malformed_model_output", Some(ErrorKind::Protocol)),
        ("malformed_tool_use", Some(ErrorKind::Protocol)),
        ("xq7-something-new", Some(ErrorKind::Protocol)),
    ];
    for (reason, expected) in table {
        let replies = Replies::new([Reply::stream(converse(REVERSE, reason))]);
        let result = paused(&replies).generate(once()).await;
        match (&result, expected) {
            (Ok(g), None) => assert!(g.accepted, "{reason}"),
            (Err(error), Some(kind)) => {
                assert_eq!(error.kind(), kind, "{reason}");
                assert_eq!(error.partial().unwrap().text, REVERSE);
                assert!(!error.partial().unwrap().attempts[0].unknown, "the usage arrived");
            }
            _ => panic!("{reason}: {result:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_answer_is_neither_sent_again_nor_cached() {
    for reason in ["refusal", "content_filtered", "guardrail_intervened", "tool_use", "something_new"] {
        let replies = Replies::new([Reply::stream(converse(REVERSE, reason))]);
        let client = paused(&replies);
        assert!(client.generate(request()).await.is_err());
        assert_eq!(replies.sends(), 1, "{reason}");
        assert!(client.generate(request()).await.is_err());
        assert_eq!(replies.sends(), 2, "{reason}: not from the cache");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_event_is_passed_over() {
    let mut frames = converse(REVERSE, "end_turn");
    frames.insert(2, frame("amazon-bedrock-somethingNew", json!({ "a": 1 })));
    let g = outcome(frames).await.unwrap();
    assert!(
        g.accepted
            && g.warnings.iter().any(|told| told.contains("had 1 events that this version does not know")),
        "{:?}",
        g.warnings
    );
}
