//! Recorded answers of Bedrock's other operations, read by our readers: whole answers of Converse in the frames that
//! they would have had as a stream, and what InvokeModel gives of Claude through the reader of the Messages API.

use std::collections::BTreeMap;

use aws_smithy_eventstream::frame::{read_message_from, write_message_to};
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use claude_code_aws::anthropic::{Anthropic, Settings};
use claude_code_aws::{Secret, provider::ModelProvider};
use serde_json::{Value, json};

use super::corpus::{at_least, print_count, records};
use super::recorded::{EVENT_STREAM, Read, Replay, body, provider, read};

/// Messages over these bytes.
fn messages(content_type: &str, body: Vec<u8>) -> impl ModelProvider {
    let headers = vec![("content-type".to_owned(), content_type.to_owned())];
    let connector = SharedHttpConnector::new(Replay { status: 200, headers, body });
    let settings = Settings { api_key: Some(Secret::new("a key of a test")), ..Settings::default() };
    Anthropic::new(&settings, connector, true).unwrap()
}

fn frame(event: &str, payload: &Value) -> Vec<u8> {
    let header =
        |name: &'static str, value: &str| Header::new(name, HeaderValue::String(value.to_owned().into()));
    let message = Message::new(payload.to_string())
        .add_header(header(":message-type", "event"))
        .add_header(header(":event-type", event))
        .add_header(header(":content-type", "application/json"));
    let mut bytes = Vec::new();
    write_message_to(&message, &mut bytes).unwrap();
    bytes
}

/// A whole answer of Converse as the stream that it would have been.
fn streamed(answer: &Value) -> Option<Vec<u8>> {
    let message = answer["output"]["message"].as_object()?;
    let mut bytes = frame("messageStart", &json!({ "role": message["role"] }));
    for (index, block) in message["content"].as_array()?.iter().enumerate() {
        let delta = if block["text"].is_string() {
            json!({ "text": block["text"] })
        } else if block["toolUse"].is_object() {
            let start = json!({ "toolUse": { "toolUseId": "t", "name": block["toolUse"]["name"] } });
            bytes.extend(frame("contentBlockStart", &json!({ "contentBlockIndex": index, "start": start })));
            json!({ "toolUse": { "input": block["toolUse"]["input"].to_string() } })
        } else if block["reasoningContent"]["reasoningText"].is_object() {
            json!({ "reasoningContent": { "text": block["reasoningContent"]["reasoningText"]["text"] } })
        } else if let Some(parts) = block["citationsContent"]["content"].as_array() {
            // A stream has the text and, beside it, where it is from.
            json!({ "text": parts.iter().filter_map(|part| part["text"].as_str()).collect::<String>() })
        } else {
            continue;
        };
        bytes.extend(frame("contentBlockDelta", &json!({ "contentBlockIndex": index, "delta": delta })));
        bytes.extend(frame("contentBlockStop", &json!({ "contentBlockIndex": index })));
    }
    bytes.extend(frame("messageStop", &json!({ "stopReason": answer["stopReason"] })));
    let metrics = json!({ "latencyMs": 1 });
    bytes.extend(frame("metadata", &json!({ "usage": answer["usage"], "metrics": metrics })));
    Some(bytes)
}

/// The events in the chunks of InvokeModelWithResponseStream, as the Messages API sends them; none where a frame is an
/// exception.
fn events(mut bytes: &[u8]) -> Option<String> {
    let mut found = String::new();
    while !bytes.is_empty() {
        let frame = read_message_from(&mut bytes).unwrap();
        let payload: Value = serde_json::from_slice(frame.payload()).unwrap();
        let chunk = aws_smithy_types::base64::decode(payload["bytes"].as_str()?).unwrap();
        found += &format!("data: {}\n\n", String::from_utf8(chunk).unwrap());
    }
    Some(found)
}

/// What ran, what was passed over and why, and what was wrong.
#[derive(Default)]
struct Tally {
    ran: usize,
    passed_over: BTreeMap<&'static str, usize>,
    wrong: Vec<String>,
}

impl Tally {
    fn pass(&mut self, why: &'static str) {
        *self.passed_over.entry(why).or_default() += 1;
    }

    fn compare(&mut self, record: &Value, read: &Read) {
        self.ran += 1;
        self.wrong.extend(read.differs(&record["expected"]).map(|what| format!("{}: {what}", record["id"])));
    }

    fn tell(&self, name: &str, of: usize) {
        print_count(name, self.ran, of);
        println!("of these {} wrong; passed over: {:?}", self.wrong.len(), self.passed_over);
        assert!(self.wrong.is_empty(), "{:#?}", self.wrong);
    }
}

#[tokio::test]
async fn whole_answers_of_converse_give_their_expected_values_as_streams() {
    let all = records("bedrock.jsonl");
    let mut tally = Tally::default();
    let whole = |r: &&Value| r["operation"] == "converse" && r["response"]["status"] == 200;
    for record in all.iter().filter(whole) {
        let answer: Value = serde_json::from_slice(&body(record)).unwrap();
        match streamed(&answer) {
            Some(bytes) => tally.compare(record, &read(&provider(200, EVENT_STREAM, bytes)).await),
            None => tally.pass("another operation's answer"),
        }
    }
    tally.tell("bedrock.jsonl (converse)", all.len());
    assert!(tally.ran >= at_least("bedrock.jsonl", 129, 1), "{}", tally.ran);
}

#[tokio::test]
async fn what_claude_gives_by_invoke_model_reads_as_messages() {
    let all = records("bedrock.jsonl");
    let mut tally = Tally::default();
    let of_claude = |r: &&Value| {
        r["operation"].as_str().unwrap().starts_with("invoke")
            && r["response"]["status"] == 200
            && r["model"].as_str().is_some_and(|model| model.contains("claude"))
    };
    for record in all.iter().filter(of_claude) {
        let bytes = body(record);
        if record["operation"] == "invoke" {
            let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
            match answer["content"].is_array() {
                true => tally.compare(record, &read(&messages("application/json", bytes)).await),
                false => tally.pass("the Text Completions API of before"),
            }
            continue;
        }
        match events(&bytes) {
            None => {
                let read = read(&provider(200, EVENT_STREAM, bytes)).await;
                let code = read.fault.as_ref().and_then(|fault| fault.code.clone()).unwrap_or_default();
                tally.ran += 1;
                let expected = record["expected"]["error"]["code"].as_str().unwrap();
                assert!(code.eq_ignore_ascii_case(expected), "{}: {code:?}", record["id"]);
            }
            Some(events) if events.contains("\"completion\"") => {
                tally.pass("the Text Completions API of before");
            }
            Some(events) => {
                let is_whole = events.contains("message_stop");
                let read = read(&messages("text/event-stream", events.into_bytes())).await;
                match is_whole {
                    true => tally.compare(record, &read),
                    false => {
                        tally.ran += 1;
                        assert!(read.stop.is_none(), "{}: cut, and taken for whole", record["id"]);
                    }
                }
            }
        }
    }
    tally.tell("bedrock.jsonl (invoke of Claude)", all.len());
    assert!(tally.ran >= at_least("bedrock.jsonl", 15, 2), "{}", tally.ran);
}
