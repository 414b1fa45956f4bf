//! Answers of a model elsewhere, passed on as they are written.

use std::path::Path;
use std::sync::{Arc, Mutex};

use aws_sdk_bedrockruntime::types::{
    ContentBlockDelta, ConverseStreamOutput as Event, InferenceConfiguration,
};
use claude_code_aws::local::{Relay, Twin};
use claude_code_core::provider::{Billing, ModelCall, ModelEvent, ModelProvider, ProviderError, StopReason};
use claude_code_core::{ErrorKind, Usage};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use serde_json::json;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::bedrock::user;
use crate::support::{send, value};

const SONNET: &str = "global.anthropic.claude-sonnet-5-5";

type Said = Result<ModelEvent, ProviderError>;

/// A model that says what the test hands it, when the test hands it.
#[derive(Debug)]
struct Puppet(Mutex<Option<UnboundedReceiver<Said>>>);

impl ModelProvider for Puppet {
    fn name(&self) -> &'static str {
        "puppet"
    }

    fn stream(&self, _: ModelCall) -> BoxStream<'static, Said> {
        let said = self.0.lock().unwrap().take().expect("one question");
        stream::unfold(said, |mut said| async move { Some((said.recv().await?, said)) }).boxed()
    }
}

fn puppet() -> (UnboundedSender<Said>, Twin) {
    let (say, said) = unbounded_channel();
    let relay = Relay::new(Arc::new(Puppet(Mutex::new(Some(said)))), None);
    (say, Twin::lazy(Path::new("/nonexistent"), Arc::new(relay)))
}

fn text(text: &str) -> Said {
    Ok(ModelEvent::Text(text.to_owned()))
}

fn stop() -> Said {
    Ok(ModelEvent::Stop { reason: StopReason::EndTurn, detail: None })
}

fn fault(kind: ErrorKind) -> Said {
    Err(ProviderError::new(kind, Billing::Maybe, "the far side said so"))
}

#[tokio::test]
async fn each_piece_is_passed_on_before_the_next_one_is_written() {
    let (say, twin) = puppet();
    let client = twin.bedrock_client();
    say.send(text("first")).unwrap();
    let mut output = client.converse_stream().model_id(SONNET).messages(user("x")).send().await.unwrap();
    assert!(matches!(output.stream.recv().await.unwrap(), Some(Event::MessageStart(_))));
    for piece in ["first", "second", "third"] {
        // The next piece exists only after this one was read: nothing is collected on the way.
        let Some(Event::ContentBlockDelta(delta)) = output.stream.recv().await.unwrap() else {
            panic!("{piece}")
        };
        assert_eq!(delta.delta, Some(ContentBlockDelta::Text(piece.to_owned())));
        match piece {
            "first" => say.send(text("second")).unwrap(),
            "second" => say.send(text("third")).unwrap(),
            _ => {
                say.send(stop()).unwrap();
                say.send(Ok(ModelEvent::Usage(Usage::new(7, 9)))).unwrap();
            }
        }
    }
    drop(say);
    let mut last = None;
    while let Some(event) = output.stream.recv().await.unwrap() {
        last = Some(event);
    }
    let Some(Event::Metadata(metadata)) = last else { panic!("{last:?}") };
    let usage = metadata.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens), (7, 9));
}

#[tokio::test]
async fn dropping_the_answer_drops_the_question_on_the_far_side() {
    let (say, twin) = puppet();
    let client = twin.bedrock_client();
    say.send(text("first")).unwrap();
    let output = client.converse_stream().model_id(SONNET).messages(user("x")).send().await.unwrap();
    assert!(!say.is_closed());
    drop(output);
    say.closed().await;
}

#[tokio::test]
async fn a_fault_before_the_answer_has_a_status_and_one_within_it_a_frame() {
    let table = [
        (ErrorKind::Throttled, 429, "ThrottlingException"),
        (ErrorKind::Unavailable, 503, "ServiceUnavailableException"),
        (ErrorKind::Timeout, 408, "ModelTimeoutException"),
        (ErrorKind::Credentials, 403, "AccessDeniedException"),
        (ErrorKind::NotFound, 404, "ResourceNotFoundException"),
        (ErrorKind::ContextTooLong, 400, "ValidationException"),
        (ErrorKind::Protocol, 424, "ModelErrorException"),
    ];
    let body = json!({ "messages": [{ "role": "user", "content": [{ "text": "x" }] }] });
    for (kind, status, code) in table {
        for operation in ["converse", "converse-stream"] {
            let (say, twin) = puppet();
            say.send(fault(kind)).unwrap();
            let refused = send(&twin, "POST", &format!("/model/{SONNET}/{operation}"), &body).await;
            assert_eq!(refused.status(), status, "{kind:?}");
            assert!(refused.headers()["x-amzn-errortype"].to_str().unwrap().starts_with(code), "{kind:?}");
        }
    }
    let table = [
        (vec![fault(ErrorKind::Throttled)], "ThrottlingException"),
        (vec![fault(ErrorKind::Unavailable)], "ServiceUnavailableException"),
        (vec![fault(ErrorKind::Cut)], "ModelStreamErrorException"),
        (vec![], "ModelStreamErrorException"),
        (vec![text("more")], "ModelStreamErrorException"),
    ];
    for (rest, expected) in table {
        let (say, twin) = puppet();
        say.send(text("half")).unwrap();
        rest.into_iter().for_each(|said| say.send(said).unwrap());
        drop(say);
        let client = twin.bedrock_client();
        let mut output = client.converse_stream().model_id(SONNET).messages(user("x")).send().await.unwrap();
        let error = loop {
            match output.stream.recv().await {
                Ok(Some(Event::MessageStop(_)) | None) => panic!("{expected}: it ended well"),
                Ok(Some(_)) => {}
                Err(error) => break format!("{error:?}"),
            }
        };
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

#[tokio::test]
async fn the_messages_api_has_an_error_event_for_a_broken_answer() {
    let (say, twin) = puppet();
    say.send(text("half")).unwrap();
    say.send(fault(ErrorKind::Unavailable)).unwrap();
    let body = json!({
        "model": "claude-sonnet-5-5", "max_tokens": 100, "stream": true,
        "messages": [{ "role": "user", "content": "x" }],
    });
    let answer = send(&twin, "POST", "/v1/messages", &body).await;
    let events = String::from_utf8(answer.body().to_vec()).unwrap();
    assert!(events.contains("\"text\":\"half\"") && !events.contains("message_stop"), "{events}");
    let last: serde_json::Value =
        serde_json::from_str(events.trim_end().rsplit("data: ").next().unwrap()).unwrap();
    assert_eq!(last["type"], "error", "{events}");
    assert!(events.contains("event: error\ndata: ") && events.contains("overloaded_error"), "{events}");
}

#[tokio::test]
async fn a_stop_sequence_is_kept_here_where_the_far_side_does_not_know_it() {
    let (say, twin) = puppet();
    for piece in ["one ST", "OP two", " three"] {
        say.send(text(piece)).unwrap();
    }
    let config = InferenceConfiguration::builder().stop_sequences("STOP").build();
    let request =
        twin.bedrock_client().converse().model_id(SONNET).messages(user("x")).inference_config(config);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.stop_reason().as_str(), "stop_sequence");
    assert_eq!(answer.output.unwrap().as_message().unwrap().content[0].as_text().unwrap(), "one ");
    say.closed().await;
}

#[tokio::test]
async fn a_whole_answer_is_one_for_who_did_not_ask_for_a_stream() {
    let (say, twin) = puppet();
    for said in [text("one "), text("two"), Ok(ModelEvent::Thinking { chars: 3 }), stop()] {
        say.send(said).unwrap();
    }
    drop(say);
    let body = json!({ "messages": [{ "role": "user", "content": [{ "text": "x" }] }] });
    let answer = value(&send(&twin, "POST", &format!("/model/{SONNET}/converse"), &body).await);
    assert_eq!(answer["output"]["message"]["content"][0]["text"], "one two");
    assert_eq!(answer["usage"]["outputTokens"], 2, "estimated, as the far side gave none");
}
