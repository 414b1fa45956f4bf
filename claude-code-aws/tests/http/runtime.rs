//! The function in a process of its own, under a stand-in for Lambda's runtime API: answers that stream.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

const EVENT: &str = include_str!("events/function_url.json");
/// What separates the head of a streamed answer from its body.
const PRELUDE_END: &str = "\0\0\0\0\0\0\0\0";

type Reading = BufReader<TcpStream>;

struct Function(Child);

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The function as it starts, its model at this address.
fn function(runtime: &TcpListener, model: &TcpListener) -> Function {
    let (runtime, model) = (runtime.local_addr().unwrap(), model.local_addr().unwrap());
    let mut command = Command::new(env!("CARGO_BIN_EXE_lambda"));
    command.env_clear().stdout(Stdio::null()).stderr(Stdio::null()).envs([
        ("AWS_LAMBDA_RUNTIME_API", runtime.to_string().as_str()),
        ("AWS_LAMBDA_FUNCTION_NAME", "f"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/f"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "f"),
        ("ANTHROPIC_API_KEY", "k"),
        ("ANTHROPIC_BASE_URL", format!("http://{model}").as_str()),
        ("CLAUDE_CODE_AWS_PROVIDER", "anthropic"),
        ("CLAUDE_CODE_AWS_ALLOW_ENDPOINT_OVERRIDE", "1"),
        ("CLAUDE_CODE_AWS_STORE", "none"),
        ("CLAUDE_CODE_AWS_RESPONSE_STREAMING", "1"),
    ]);
    Function(command.spawn().unwrap())
}

async fn accepted(listener: &TcpListener) -> Reading {
    BufReader::new(listener.accept().await.unwrap().0)
}

/// A request up to its body.
async fn head(stream: &mut Reading) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(stream.read_line(&mut head).await.unwrap() > 0, "{head}");
    }
    head.to_lowercase()
}

/// Reads a chunked body on until it has this text; to its end for none.
async fn read_to(stream: &mut Reading, body: &mut String, text: Option<&str>) {
    while text.is_none_or(|text| !body.contains(text)) {
        let mut size = String::new();
        stream.read_line(&mut size).await.unwrap();
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        let mut bytes = vec![0; size + 2];
        stream.read_exact(&mut bytes).await.unwrap();
        if size == 0 {
            assert!(text.is_none(), "{text:?} never came: {body}");
            return;
        }
        body.push_str(std::str::from_utf8(&bytes[..size]).unwrap());
    }
}

fn sse(events: &[Value]) -> String {
    events
        .iter()
        .map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap()))
        .collect()
}

fn delta(text: &str) -> Value {
    json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": text } })
}

async fn streams() {
    let runtime = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let model = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let _function = function(&runtime, &model);
    let mut event: Value = serde_json::from_str(EVENT).unwrap();
    event["headers"]["accept"] = "text/event-stream".into();
    let event = event.to_string();
    let mut next = accepted(&runtime).await;
    assert!(head(&mut next).await.starts_with("get /2018-06-01/runtime/invocation/next "));
    let deadline =
        (SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(300)).as_millis();
    let given = format!(
        "HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: 8476a536\r\nlambda-runtime-deadline-ms: {deadline}\r\n\
         lambda-runtime-invoked-function-arn: arn:aws:lambda:us-east-1:123456789012:function:f\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{event}",
        event.len()
    );
    next.write_all(given.as_bytes()).await.unwrap();

    let mut asked = accepted(&model).await;
    assert!(head(&mut asked).await.starts_with("post /v1/messages "));
    let message = json!({
        "id": "m", "type": "message", "role": "assistant", "model": "claude-haiku-5-5", "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": { "input_tokens": 9, "output_tokens": 1 },
    });
    let begin = [
        json!({ "type": "message_start", "message": message }),
        json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
        delta("```python a.py\nvalue = 1\n"),
    ];
    let answer = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    asked.write_all(format!("{answer}{}", sse(&begin)).as_bytes()).await.unwrap();

    // The answer is posted over the same connection or a new one.
    let new = tokio::select! {
        new = accepted(&runtime) => Some(new),
        more = next.fill_buf() => more.map(|_| None).unwrap(),
    };
    let mut posted = new.unwrap_or(next);
    let posting = head(&mut posted).await;
    assert!(posting.starts_with("post /2018-06-01/runtime/invocation/8476a536/response "), "{posting}");
    assert!(posting.contains("lambda-runtime-function-response-mode: streaming"), "{posting}");
    let mut body = String::new();
    read_to(&mut posted, &mut body, Some("event: file.started")).await;
    let prelude: Value = serde_json::from_str(body.split(PRELUDE_END).next().unwrap()).unwrap();
    assert_eq!(
        (&prelude["statusCode"], &prelude["headers"]["content-type"]),
        (&json!(200), &json!("text/event-stream"))
    );
    assert!(!body.contains("event: finished"), "the model has not ended yet");
    let end = [
        delta("```\n"),
        json!({ "type": "content_block_stop", "index": 0 }),
        json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn", "stop_sequence": null }, "usage": { "output_tokens": 9 } }),
        json!({ "type": "message_stop" }),
    ];
    asked.write_all(sse(&end).as_bytes()).await.unwrap();
    asked.shutdown().await.unwrap();
    read_to(&mut posted, &mut body, None).await;
    let last = body.rsplit("event: ").next().unwrap();
    assert!(last.starts_with("finished\n") && last.contains("\"accepted\":true"), "{last}");
}

#[tokio::test]
async fn an_answer_streams_through_lambda_while_the_model_still_writes() {
    tokio::time::timeout(Duration::from_secs(60), Box::pin(streams())).await.expect("it hangs");
}
