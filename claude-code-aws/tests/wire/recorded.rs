//! Recorded answers of the Messages API, read by our provider; text, stop reason, usage and error code as another
//! parser found them. Bedrock's ConverseStream is in `main_job/recorded.rs`.

use std::collections::BTreeMap;

use claude_code_aws::answer::file::sha256_hex;
use claude_code_aws::provider::message::Message;
use claude_code_aws::provider::{ModelCall, ModelEvent, ModelProvider, ProviderError, StopReason};
use claude_code_aws::{ModelId, Usage};
use futures_util::StreamExt;
use serde_json::Value;

use super::contract::messages;
use super::corpus::{at_least, print_count, records};
use super::in_process::{Replies, Reply};

#[derive(Default)]
struct Read {
    text: String,
    stop: Option<StopReason>,
    usage: Option<Usage>,
    fault: Option<ProviderError>,
}

async fn read(reply: Reply) -> Read {
    let call = ModelCall::new(ModelId::new("claude-sonnet-5").unwrap(), vec![Message::user("u")], 100);
    let mut events = messages(&Replies::new([reply])).stream(call);
    let mut read = Read::default();
    while let Some(event) = events.next().await {
        match event {
            Ok(ModelEvent::Text(text)) => read.text += &text,
            Ok(ModelEvent::Stop { reason, .. }) => read.stop = Some(reason),
            Ok(ModelEvent::Usage(usage)) => read.usage = Some(usage),
            Ok(_) => {}
            Err(fault) => read.fault = Some(fault),
        }
    }
    read
}

fn body(record: &Value) -> Vec<u8> {
    match record["response"]["body_base64"].as_str() {
        Some(encoded) => aws_smithy_types::base64::decode(encoded).unwrap(),
        None => record["response"]["body_text"].as_str().unwrap_or_default().as_bytes().to_vec(),
    }
}

fn reply(record: &Value, body: &[u8]) -> Reply {
    let kind =
        if body.trim_ascii_start().starts_with(b"{") { "application/json" } else { "text/event-stream" };
    let status = record["response"]["status"].as_u64().unwrap() as u16;
    let mut reply = Reply { status, ..Reply::stream([body.to_vec()]) }.with_type(kind);
    for (name, value) in record["response"]["headers"].as_object().into_iter().flatten() {
        let name = name.to_lowercase();
        if name.starts_with("request-id") || name == "retry-after" || name == "x-should-retry" {
            reply = reply.header(&name, value.as_str().unwrap_or_default());
        }
    }
    reply
}

/// Why a record is none of text generation by the Messages API, if it is none.
fn passed_over(record: &Value) -> Option<&'static str> {
    let expected = &record["expected"];
    if record["operation"] != "messages" {
        return Some("another operation (models, files, batches, counting)");
    }
    if !expected["several_messages"].is_null() {
        return Some("several answers in one body");
    }
    if !expected["payload_list"].is_null() {
        return Some("payloads without their framing");
    }
    let whole: Value = serde_json::from_slice(&body(record)).unwrap_or_default();
    if whole["completion"].is_string() {
        return Some("the Text Completions API of before");
    }
    if whole.is_array() {
        return Some("payloads without their framing");
    }
    None
}

fn differs(read: &Read, expected: &Value) -> Option<String> {
    let text = sha256_hex(read.text.as_bytes());
    if expected["text_sha256"].as_str().is_some_and(|sha| sha != text) {
        return Some(format!("text of {} characters", read.text.chars().count()));
    }
    if read.stop.as_ref().map(StopReason::as_str) != expected["stop_reason"].as_str() {
        return Some(format!("stop {:?} fault {:?}", read.stop, read.fault));
    }
    let usage = read.usage.unwrap_or_default();
    let figures = [
        ("input_tokens", usage.input_tokens),
        ("output_tokens", usage.output_tokens),
        ("cache_read_tokens", usage.cache_read_input_tokens),
        ("cache_write_tokens", usage.cache_creation_input_tokens()),
    ];
    let wrong = figures.iter().find(|(name, figure)| expected[*name].as_u64().is_some_and(|e| e != *figure));
    wrong.map(|(name, figure)| format!("{name} {figure} is not {}", expected[*name]))
}

#[tokio::test]
async fn recorded_messages_give_their_expected_values() {
    let all = records("anthropic.jsonl");
    let mut skipped = BTreeMap::<&str, usize>::new();
    let (mut ran, mut errors, mut wrong) = (0, 0, Vec::new());
    for record in &all {
        if let Some(why) = passed_over(record) {
            *skipped.entry(why).or_default() += 1;
            continue;
        }
        let id = record["id"].as_str().unwrap();
        let read = read(reply(record, &body(record))).await;
        let expected = &record["expected"];
        ran += 1;
        if record["response"]["status"] != 200 {
            errors += 1;
            let code = read.fault.as_ref().and_then(|fault| fault.code.clone());
            if code.as_deref() != expected["error"]["code"].as_str() {
                wrong.push(format!("{id}: code {code:?}"));
            }
        } else if let Some(what) = differs(&read, expected) {
            wrong.push(format!("{id}: {what}"));
        }
    }
    print_count("anthropic.jsonl (messages, SSE and JSON)", ran, all.len());
    println!("of these {errors} were errors; {} wrong; passed over: {skipped:?}", wrong.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(ran >= at_least("anthropic.jsonl", 340, 3), "{ran}");
}

/// Our Bedrock provider speaks ConverseStream only; what InvokeModel gives for Claude in one JSON is the Messages
/// API's own body, so its records test that reader too.
#[tokio::test]
async fn recorded_invoke_model_bodies_of_claude_are_messages() {
    let all = records("bedrock.jsonl");
    let (mut ran, mut wrong, mut others) = (0, Vec::new(), BTreeMap::<String, usize>::new());
    for record in &all {
        let operation = record["operation"].as_str().unwrap();
        let body = body(record);
        let message: Value = serde_json::from_slice(&body).unwrap_or_default();
        if operation != "invoke" || message["type"] != "message" {
            if operation != "converse-stream" {
                *others.entry(operation.to_owned()).or_default() += 1;
            }
            continue;
        }
        ran += 1;
        let read = read(reply(record, &body)).await;
        wrong.extend(differs(&read, &record["expected"]).map(|what| format!("{}: {what}", record["id"])));
    }
    print_count("bedrock.jsonl (invoke, Claude)", ran, all.len());
    println!(
        "not run here, for our providers do not speak them (Converse and InvokeModel without streaming, other models, \
         agents): {others:?}"
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(ran >= 1);
}
