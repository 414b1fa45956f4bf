//! Scripted faults, as the real SDK meets them.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_bedrockruntime::types::{ContentBlockDelta, ConverseStreamOutput};
use claude_code_aws::local::{
    End, Fault, Question, Reply, Samples, Script, Scripted, StopReason, Twin, Usage,
};

use crate::bedrock::{REVERSE, ask, user};
use crate::support::code;

const SONNET: &str = "global.anthropic.claude-sonnet-5-5";

/// A twin that plays a script; its directory is never touched.
fn scripted(script: impl FnOnce(Script) -> Script) -> Twin {
    let script = script(Script::new(Arc::new(Samples::built_in())));
    Twin::lazy(std::path::Path::new("/nonexistent"), Arc::new(script))
}

/// What a stream gave: its text, whether messageStop was seen, and the error that ended it.
#[derive(Debug, Default)]
struct Heard {
    text: String,
    stopped: bool,
    error: Option<String>,
}

async fn listen(twin: &Twin) -> Heard {
    let client = twin.bedrock_client();
    let sent = client.converse_stream().model_id(SONNET).messages(user(REVERSE)).send().await;
    let mut heard = Heard::default();
    let mut output = match sent {
        Ok(output) => output,
        Err(error) => return Heard { error: Some(format!("{error:?}")), ..heard },
    };
    loop {
        match output.stream.recv().await {
            Ok(Some(ConverseStreamOutput::ContentBlockDelta(delta))) => {
                let Some(ContentBlockDelta::Text(text)) = delta.delta else { panic!("not text") };
                heard.text.push_str(&text);
            }
            Ok(Some(ConverseStreamOutput::MessageStop(_))) => heard.stopped = true,
            Ok(Some(_)) => {}
            Ok(None) => return heard,
            Err(error) => {
                heard.error = Some(format!("{error:?}"));
                return heard;
            }
        }
    }
}

#[tokio::test]
async fn a_script_throttles_as_often_as_told_and_then_answers() {
    let twin = scripted(|script| script.reply(2, Reply::throttled()).reply(1, Reply::unavailable()));
    assert_eq!(code(ask(&twin, REVERSE).await), "ThrottlingException");
    assert_eq!(code(ask(&twin, REVERSE).await), "ThrottlingException");
    assert_eq!(code(ask(&twin, REVERSE).await), "ServiceUnavailableException");
    ask(&twin, REVERSE).await.unwrap();
    assert_eq!(twin.sent().len(), 4);
}

#[tokio::test]
async fn a_damaged_frame_is_noticed_by_its_checksum() {
    let twin = scripted(|script| script.faults([Fault::Damage(3)]));
    let heard = listen(&twin).await;
    assert!(heard.error.unwrap().contains("Checksum"), "a checksum error");
    // Frame 0 is the start, 1 and 2 are text.
    assert_eq!(heard.text.chars().count(), 40);
}

#[tokio::test]
async fn a_cut_stream_ends_without_its_stop() {
    let whole = listen(&scripted(|script| script)).await;
    assert!(whole.stopped && whole.error.is_none());
    let twin = scripted(|script| script.faults([Fault::CutAt(1500)]).faults([Fault::BreakAt(1500)]));
    for fault in ["cut", "break"] {
        let heard = listen(&twin).await;
        assert!(!heard.stopped, "{fault}");
        assert!(!heard.text.is_empty() && whole.text.starts_with(&heard.text), "{fault}");
    }
    assert!(listen(&twin).await.stopped);
}

#[tokio::test]
async fn an_exception_ends_a_stream_that_had_begun() {
    let exception =
        Fault::Exception { at: 5, code: "throttlingException".to_owned(), message: "slow down".to_owned() };
    let heard = listen(&scripted(|script| script.faults([exception]))).await;
    assert!(heard.error.unwrap().contains("ThrottlingException"));
    assert_eq!((heard.text.chars().count(), heard.stopped), (80, false));
}

#[tokio::test(start_paused = true)]
async fn a_late_and_slow_answer_takes_its_time_and_a_stalled_one_never_ends() {
    let second = Duration::from_secs(1);
    let twin = scripted(|script| {
        script
            .faults([Fault::Latency(30 * second)])
            .faults([Fault::Pace(second)])
            .faults([Fault::StallAt(700)])
    });
    let started = tokio::time::Instant::now();
    assert!(listen(&twin).await.stopped);
    assert_eq!(started.elapsed(), 30 * second);
    let started = tokio::time::Instant::now();
    assert!(listen(&twin).await.stopped);
    assert!(started.elapsed() > 20 * second);
    assert!(tokio::time::timeout(3600 * second, listen(&twin)).await.is_err());
}

/// A twin that plays a script in JSON.
fn played(steps: &str) -> Twin {
    let script = Scripted::parse(&format!("{{\"steps\": [{steps}]}}"), Arc::new(Samples::built_in()));
    Twin::lazy(std::path::Path::new("/nonexistent"), Arc::new(script.unwrap()))
}

#[tokio::test(start_paused = true)]
async fn so_many_tokens_a_second_are_a_pace_or_without_a_stream_a_delay() {
    let step = format!(
        r#"{{"answer": {{"text": "{}"}}, "faults": [{{"tokens_per_second": 10}}]}}"#,
        "x".repeat(400)
    );
    let twin = played(&format!("{step}, {step}"));
    let started = tokio::time::Instant::now();
    assert!(listen(&twin).await.stopped);
    // Twenty pieces of five tokens, and the three frames behind them.
    assert_eq!(started.elapsed(), Duration::from_millis(23 * 500));
    let started = tokio::time::Instant::now();
    ask(&twin, REVERSE).await.unwrap();
    assert_eq!(started.elapsed(), Duration::from_secs(10));
}

#[tokio::test]
async fn scripted_figures_stand_in_the_place_of_estimates() {
    let usage = r#"{"input": 900, "output": 7, "cache_read": 400, "cache_write": 50}"#;
    let twin = played(&format!(
        r#"{{"answer": {{"text": "four", "usage": {usage}}}}}, {{"answer": {{"text": "four", "usage": {{"cache_read": 1}}}}}}"#
    ));
    let usage = ask(&twin, REVERSE).await.unwrap().usage.unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens, usage.total_tokens), (900, 7, 1357));
    assert_eq!((usage.cache_read_input_tokens, usage.cache_write_input_tokens), (Some(400), Some(50)));
    let usage = ask(&twin, REVERSE).await.unwrap().usage.unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens, usage.cache_read_input_tokens), (12, 1, Some(1)));
    let figures = Usage { output_tokens: 3, cache_write_tokens: 8, ..Usage::default() };
    let reply = Reply::text(&Question::default(), "four").with_usage(figures);
    let usage = ask(&scripted(|script| script.reply(1, reply)), REVERSE).await.unwrap().usage.unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens, usage.cache_write_input_tokens), (0, 3, Some(8)));
}

#[test]
fn a_script_that_cannot_be_played_is_refused_with_what_is_wrong() {
    let table = [
        (r#"{"faults": [{"tokens_per_second": 0}]}"#, "tokens_per_second"),
        (r#"{"faults": [{"tokens_per_second": -3}]}"#, "tokens_per_second"),
        (r#"{"faults": [{"body_base64": "%"}]}"#, "base64"),
        (r#"{"faults": [{"latency_ms": -1}]}"#, "-1"),
        (r#"{"answer": {"text": "x", "usage": {"inputs": 1}}}"#, "inputs"),
    ];
    for (step, part) in table {
        let script = format!("{{\"steps\": [{step}]}}");
        let error = Scripted::parse(&script, Arc::new(Samples::built_in())).unwrap_err();
        assert!(error.message().contains(part), "{step}: {}", error.message());
    }
}

#[tokio::test]
async fn a_refusal_is_an_answer_with_its_own_stop_reason() {
    let refusal = Reply::Answer { text: String::new(), end: End::new(StopReason::Refusal, Usage::default()) };
    let twin = scripted(|script| script.reply(1, refusal));
    let output = ask(&twin, REVERSE).await.unwrap();
    assert_eq!(output.stop_reason().as_str(), "refusal");
    assert!(output.output().unwrap().as_message().unwrap().content().is_empty());
}
