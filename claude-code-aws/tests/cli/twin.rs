//! `twin up` over TCP, with the real SDK clients.

use std::process::Stdio;

use aws_config::SdkConfig;
use aws_sdk_bedrockruntime::error::ProvideErrorMetadata;
use aws_sdk_bedrockruntime::types::{ContentBlock, ConversationRole, ConverseStreamOutput, Message};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::presigning::PresigningConfig;

use super::up::{Up, answering};
use super::{Done, Place, REVERSE};

const MODEL: &str = "global.anthropic.claude-haiku-5-5";

fn user(text: &str) -> Message {
    let content = ContentBlock::Text(text.to_owned());
    Message::builder().role(ConversationRole::User).content(content).build().unwrap()
}

#[test]
fn prints_its_lines_in_order_with_dummy_keys_only_where_none_are_set() {
    let place = Place::new();
    let up = Up::start(&place, &[]);
    let names: Vec<&str> = up.exports.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "AWS_ENDPOINT_URL_S3",
        "AWS_ENDPOINT_URL_DYNAMODB",
        "AWS_ENDPOINT_URL_BEDROCK",
        "AWS_ENDPOINT_URL_STS",
        "ANTHROPIC_BASE_URL",
        "ANTHROPIC_BEDROCK_BASE_URL",
        "ANTHROPIC_BEDROCK_MANTLE_BASE_URL",
        "AWS_BEDROCK_RUNTIME_ENDPOINT",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "ANTHROPIC_API_KEY",
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
    ];
    assert_eq!(names, expected);
    drop(up);
    let keys =
        [("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "s"), ("ANTHROPIC_API_KEY", "k")];
    let up = Up::start_with(&place, &[], &keys);
    assert!(!up.exports.iter().any(|(name, _)| name.contains("KEY")), "{:?}", up.exports);
}

#[tokio::test]
async fn bedrock_answers_over_tcp_streaming_and_not() {
    let place = Place::new();
    let up = Up::start(&place, &[]);
    let client = aws_sdk_bedrockruntime::Client::new(&up.config("AWS_ENDPOINT_URL_BEDROCK_RUNTIME"));
    let whole = client.converse().model_id(MODEL).messages(user(REVERSE)).send().await.unwrap();
    assert_eq!(whole.stop_reason().as_str(), "end_turn");
    let whole = whole.output.unwrap().as_message().unwrap().content[0].as_text().unwrap().clone();
    assert!(whole.contains("def reverse_string"));

    let mut stream = client.converse_stream().model_id(MODEL).messages(user(REVERSE)).send().await.unwrap();
    let (mut text, mut stopped, mut tokens) = (String::new(), false, 0);
    while let Some(event) = stream.stream.recv().await.unwrap() {
        match event {
            ConverseStreamOutput::ContentBlockDelta(delta) => {
                text.push_str(delta.delta.unwrap().as_text().unwrap());
            }
            ConverseStreamOutput::MessageStop(_) => stopped = true,
            ConverseStreamOutput::Metadata(metadata) => tokens = metadata.usage.unwrap().output_tokens,
            _ => {}
        }
    }
    assert!(stopped && tokens > 0);
    assert_eq!(text, whole);
}

#[tokio::test]
async fn s3_and_dynamodb_answer_over_tcp_and_presigned_urls_open() {
    let place = Place::new();
    let up = Up::start(&place, &[]);
    let s3 = aws_sdk_s3::Client::new(&up.config("AWS_ENDPOINT_URL_S3"));
    s3.create_bucket().bucket("mine").send().await.unwrap();
    let body = aws_sdk_s3::primitives::ByteStream::from_static(b"print(1)\n");
    s3.put_object().bucket("mine").key("a/b c.py").body(body).send().await.unwrap();
    let listed = s3.list_objects_v2().bucket("mine").send().await.unwrap();
    assert_eq!(listed.contents()[0].key(), Some("a/b c.py"));
    let for_a_minute = PresigningConfig::expires_in(std::time::Duration::from_secs(60)).unwrap();
    let url = s3.get_object().bucket("mine").key("a/b c.py").presigned(for_a_minute).await.unwrap();
    let address = up.get("AWS_ENDPOINT_URL_S3").trim_start_matches("http://");
    let path = url.uri().split_once(address).unwrap().1;
    let get = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    let answer = up.raw("AWS_ENDPOINT_URL_S3", &get);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("print(1)\n"), "{answer}");

    let dynamodb = aws_sdk_dynamodb::Client::new(&up.config("AWS_ENDPOINT_URL_DYNAMODB"));
    let id = AttributeValue::S("x".into());
    let put = dynamodb.put_item().table_name("claude-code-results").item("id", id.clone());
    put.send().await.unwrap();
    let got = dynamodb.get_item().table_name("claude-code-results").key("id", id).send().await.unwrap();
    assert!(got.item.is_some());
}

#[tokio::test]
async fn a_wrong_secret_is_refused_by_s3_always_and_by_the_others_when_asked() {
    let place = Place::new();
    let up = Up::start(&place, &["--verify-signatures"]);
    let runtime = |sdk: &SdkConfig| aws_sdk_bedrockruntime::Client::new(sdk);
    let good = runtime(&up.config("AWS_ENDPOINT_URL_BEDROCK_RUNTIME"));
    let arn = "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.anthropic.claude-haiku-5-5";
    for id in [MODEL, "us.anthropic.claude-haiku-4-5-20251001-v1:0", arn] {
        good.converse().model_id(id).messages(user(REVERSE)).send().await.unwrap();
    }
    let tables = aws_sdk_dynamodb::Client::new(&up.config("AWS_ENDPOINT_URL_DYNAMODB"));
    tables.list_tables().send().await.unwrap();

    let bad = runtime(&up.sdk("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "wrong"));
    let refused = bad.converse().model_id(MODEL).messages(user(REVERSE)).send().await.unwrap_err();
    assert_eq!(refused.code(), Some("InvalidSignatureException"), "{refused:?}");
    let date = refused.raw_response().unwrap().headers().get("date");
    assert!(date.is_some(), "by it a client whose clock is wrong signs anew");
    let bad = aws_sdk_dynamodb::Client::new(&up.sdk("AWS_ENDPOINT_URL_DYNAMODB", "wrong"));
    assert!(bad.list_tables().send().await.is_err());
    let bad = aws_sdk_s3::Client::new(&up.sdk("AWS_ENDPOINT_URL_S3", "wrong"));
    assert_eq!(bad.list_buckets().send().await.unwrap_err().code(), Some("SignatureDoesNotMatch"));
}

#[test]
fn hosts_and_pages_that_are_not_loopback_are_refused() {
    let place = Place::new();
    let up = Up::start(&place, &[]);
    let pages = ["https://evil.example", "http://localhost:3000", "null"];
    let pages = pages.map(|origin| format!("host: localhost\r\norigin: {origin}"));
    for headers in pages.into_iter().chain(["host: evil.example".to_owned()]) {
        let request = format!(
            "POST /v1/messages HTTP/1.1\r\n{headers}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        );
        let answer = up.raw("ANTHROPIC_BASE_URL", &request);
        assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
        assert!(!answer.to_lowercase().contains("access-control-allow"), "{answer}");
    }
}

#[test]
fn the_command_itself_works_against_a_twin_as_against_aws() {
    let place = Place::new();
    let up = Up::start(&place, &[]);
    let mut command = place.command(&["generate", REVERSE, "--json"]);
    command.envs(up.env()).env("CLAUDE_CODE_AWS_STORE", "aws").stdin(Stdio::null());
    let done = Done::of(command.output().unwrap());
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(done.json()["stored"], true, "{done:?}");
    let mut command = place.command(&["doctor"]);
    let done = Done::of(command.envs(up.env()).env("CLAUDE_CODE_AWS_STORE", "aws").output().unwrap());
    assert_eq!(done.code, 0, "{done:?}");
}

#[test]
fn a_command_stores_into_the_directory_of_a_running_twin() {
    let place = Place::new();
    let up = Up::start(&place, &[]);
    let done = place.run(&["generate", REVERSE, "--offline", "--json"]);
    assert_eq!((done.code, &done.json()["stored"]), (0, &true.into()), "{done:?}");
    let mut command = place.command(&["results", "list", "-l", "python"]);
    let listed = Done::of(command.envs(up.env()).env("CLAUDE_CODE_AWS_STORE", "aws").output().unwrap());
    assert!(listed.out.contains(done.json()["id"].as_str().unwrap()), "{listed:?}");
}

#[test]
fn a_script_of_answers_and_faults_is_played() {
    let place = Place::new();
    let script = r#"{"steps": [{"error": {"code": "ThrottlingException", "status": 429, "message": "slow"}},
        {"answer": {"text": "```python\nx = (", "stop_reason": "refusal"}}]}"#;
    let script = place.write("script.json", script);
    let up = Up::start(&place, &["--answers", script.to_str().unwrap()]);
    let mut command = place.command(&["generate", "anything", "--no-store", "--json"]);
    command.envs(up.env()).env("CLAUDE_CODE_AWS_STORE", "none").stdin(Stdio::null());
    let done = Done::of(command.output().unwrap());
    assert_eq!((done.code, done.json()["error"]["kind"].as_str()), (1, Some("refused")), "{done:?}");
    let attempts = done.json()["partial"]["attempts"].clone();
    assert_eq!(attempts[0]["outcome"], "throttled", "{attempts}");
    let help = place.run(&["twin", "up", "--help"]).out;
    assert!(help.contains("latency_ms") && help.contains("body_base64"), "the format is told: {help}");
    let bad = place.run(&["twin", "up", "--answers", "missing.json"]);
    assert_eq!(bad.code, 2, "{bad:?}");
}

#[test]
fn fresh_begins_without_the_data_of_earlier_runs() {
    let place = Place::new();
    let made = place.run(&["generate", REVERSE, "--offline", "--json"]).json();
    assert_eq!(made["stored"], true);
    drop(Up::start(&place, &["--fresh"]));
    assert_eq!(place.run(&["results", "list", "--offline"]).out, "");
}

#[test]
fn fresh_removes_its_own_databases_only_and_only_when_everything_else_is_right() {
    let (place, other) = (Place::new(), Place::new());
    let made = place.run(&["generate", REVERSE, "--offline", "--json"]).json();
    assert_eq!(made["stored"], true);
    let foreign = place.path("data").join("other.sqlite");
    std::fs::write(&foreign, "another program's").unwrap();
    let up = Up::start(&other, &[]);
    let port = up.get("ANTHROPIC_BASE_URL").rsplit(':').next().unwrap();
    let refused = [&["--answers", "missing.json"][..], &["--port", port], &["--answers", "ftp://x"]];
    for more in refused {
        let done = place.run(&[&["twin", "up", "--fresh"], more].concat());
        assert_ne!(done.code, 0, "{done:?}");
        assert!(!place.run(&["results", "list", "--offline"]).out.is_empty(), "{more:?} lost what was kept");
    }
    drop(Up::start(&place, &["--fresh"]));
    assert_eq!(place.run(&["results", "list", "--offline"]).out, "");
    assert_eq!(super::run::read(&foreign), "another program's");
}

#[test]
fn a_directory_named_samples_is_not_taken_for_the_word() {
    let place = Place::new();
    std::fs::create_dir(place.work().join("samples")).unwrap();
    let up = Up::start(&place, &[]);
    let mut command = place.command(&["generate", REVERSE]);
    command.envs(up.env()).env("CLAUDE_CODE_AWS_STORE", "none").stdin(Stdio::null());
    let done = Done::of(command.output().unwrap());
    assert_eq!(done.code, 0, "{done:?}");
    drop(up);
    let named = place.run(&["twin", "up", "--answers", "./samples"]);
    assert_eq!(named.code, 2, "an empty directory of recordings: {named:?}");
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_cleanly_and_frees_its_directory() {
    let place = Place::new();
    for name in ["-INT", "-TERM"] {
        let done = Up::start(&place, &[]).signal(name);
        assert_eq!(done.code, 0, "{name}: {done:?}");
        assert!(!done.err.contains("error"), "{done:?}");
    }
    assert!(place.run(&["generate", REVERSE, "--offline"]).last_line().contains("stored "));
}

#[cfg(unix)]
#[test]
fn ctrl_c_closes_the_request_and_ends_with_130() {
    let place = Place::new();
    let script = place.write("script.json", r#"{"steps": [{"faults": [{"stall_at": 40}]}]}"#);
    let up = Up::start(&place, &["--answers", script.to_str().unwrap()]);
    let mut command = place.command(&["generate", REVERSE, "--cache", "off"]);
    command.envs(up.env()).env("CLAUDE_CODE_AWS_STORE", "none").stdin(Stdio::null());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Time to send its request; earlier or later, the end is the same.
    std::thread::sleep(std::time::Duration::from_millis(700));
    let sent = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
    let done = Done::of(child.wait_with_output().unwrap());
    assert_eq!((done.code, done.out.as_str()), (130, ""), "{done:?}");
    assert!(done.last_line().starts_with("error: interrupted"), "{done:?}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_with_json_tells_what_was_received_and_what_it_cost() {
    let place = Place::new();
    let script = place.write("script.json", r#"{"steps": [{"faults": [{"stall_at": 400}]}]}"#);
    let up = Up::start(&place, &["--answers", script.to_str().unwrap()]);
    let mut command = place.command(&["generate", REVERSE, "--cache", "off", "--json"]);
    command.envs(up.env()).env("CLAUDE_CODE_AWS_STORE", "none").stdin(Stdio::null());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let sent = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
    let done = Done::of(child.wait_with_output().unwrap());
    assert_eq!(done.code, 130, "{done:?}");
    let told: serde_json::Value = serde_json::from_str(&done.out).expect("one JSON value on stdout");
    assert_eq!(told["error"]["kind"], "interrupted");
    let partial = &told["partial"];
    assert_eq!(partial["attempts"][0]["unknown"], true, "{told}");
    let cost: f64 = partial["receipt"]["total_usd"].as_str().unwrap().parse().unwrap();
    assert!(cost > 0.0 && partial["receipt"]["items"][0]["what"] == "unknown_outcome", "{told}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_in_a_batch_with_json_gives_one_value_with_the_error_and_what_is_done() {
    let place = Place::new();
    let script = place.write("script.json", r#"{"steps": [{"faults": [{"stall_at": 400}], "times": 9}]}"#);
    let up = Up::start(&place, &["--answers", script.to_str().unwrap()]);
    let prompts = place.write("p.jsonl", &format!("{}\n", serde_json::json!({ "prompt": REVERSE })));
    let mut command = place.command(&["batch", prompts.to_str().unwrap(), "--out", "r.jsonl", "--json"]);
    command.envs(up.env()).env("CLAUDE_CODE_AWS_STORE", "none").stdin(Stdio::null());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let sent = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
    let done = Done::of(child.wait_with_output().unwrap());
    assert_eq!(done.code, 130, "{done:?}");
    let told: serde_json::Value = serde_json::from_str(&done.out).expect("one JSON value on stdout");
    assert_eq!((&told["error"]["kind"], &told["done"]), (&"interrupted".into(), &0.into()), "{told}");
    assert!(told["resume"].as_str().unwrap().ends_with("--resume"), "{told}");
}

#[test]
fn a_name_that_leaves_the_directory_ends_with_3_and_writes_nothing() {
    let place = Place::new();
    let (_up, env) = answering(&place, "```python ../evil.py\nx = 1\n```\n");
    let mut command = place.command(&["generate", "anything", "-o", "out"]);
    let done = Done::of(command.envs(env).stdin(Stdio::null()).output().unwrap());
    assert_eq!(done.code, 3, "{done:?}");
    assert!(done.err.contains("error: "), "{done:?}");
    assert!(!place.work().join("evil.py").exists() && !place.work().join("out").exists());
}

#[test]
fn a_rejected_answer_ends_with_3_says_why_and_changes_no_file() {
    let place = Place::new();
    let file = place.write("a.py", "x = 1\n");
    let (_up, env) = answering(&place, "```python a.py\nx = (\n```\n");
    let mut command = place.command(&["refactor", "a.py", "-i", "break it", "--write"]);
    let done = Done::of(command.envs(env).stdin(Stdio::null()).output().unwrap());
    assert_eq!(done.code, 3, "{done:?}");
    assert!(done.err.contains("a.py:1:") && done.last_line().contains(" · rejected · "), "{done:?}");
    assert_eq!(super::run::read(&file), "x = 1\n");
}

#[test]
fn half_an_answer_ends_with_3_and_its_files_are_not_printed_as_code() {
    let place = Place::new();
    let steps = r#"{"steps": [{"times": 20,
        "answer": {"text": "```python a.py\\nx = 1\\n", "stop_reason": "max_tokens"}}]}"#;
    let script = place.write("script.json", steps);
    let up = Up::start(&place, &["--answers", script.to_str().unwrap()]);
    let mut command = place.command(&["generate", REVERSE, "--cache", "off"]);
    command.envs(up.env()).env("CLAUDE_CODE_AWS_STORE", "none").stdin(Stdio::null());
    let done = Done::of(command.output().unwrap());
    assert_eq!((done.code, done.out.as_str()), (3, ""), "{done:?}");
    assert!(done.err.starts_with("error: ") && done.err.lines().count() == 1, "{done:?}");
}

/// A second twin stands for a local server with the Messages API: the first one's Bedrock passes on to it.
#[tokio::test]
async fn a_server_with_the_messages_api_answers_as_if_it_were_bedrock() {
    let (near, far) = (Place::new(), Place::new());
    let steps = r#"{"steps": [{"answer": {"text": "from afar"}},
        {"error": {"code": "ThrottlingException", "status": 429, "message": "slow"}}]}"#;
    let script = far.write("script.json", steps);
    let server = Up::start(&far, &["--answers", script.to_str().unwrap()]);
    let url = server.get("ANTHROPIC_BASE_URL");
    let up = Up::start(&near, &["--answers", url, "--answers-model", "claude-haiku-5-5"]);
    let client = aws_sdk_bedrockruntime::Client::from_conf(
        aws_sdk_bedrockruntime::config::Builder::from(&up.config("AWS_ENDPOINT_URL_BEDROCK_RUNTIME"))
            .retry_config(aws_sdk_bedrockruntime::config::retry::RetryConfig::disabled())
            .build(),
    );
    let answer = client.converse().model_id(MODEL).messages(user("anything")).send().await.unwrap();
    let text = answer.output.unwrap().as_message().unwrap().content[0].as_text().unwrap().clone();
    assert_eq!(text, "from afar");
    assert!(answer.usage.unwrap().output_tokens > 0);
    let refused = client.converse().model_id(MODEL).messages(user("anything")).send().await.unwrap_err();
    assert_eq!(refused.code(), Some("ThrottlingException"), "{refused:?}");
}

#[test]
fn the_messages_api_is_a_provider_too() {
    let place = Place::new();
    let up = Up::start(&place, &[]);
    let mut command = place.command(&["generate", REVERSE]);
    command.envs(up.env()).env("CLAUDE_CODE_AWS_PROVIDER", "anthropic").env("CLAUDE_CODE_AWS_STORE", "none");
    let done = Done::of(command.stdin(Stdio::null()).output().unwrap());
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.out.contains("def reverse_string"), "{done:?}");
    let mut command = place.command(&["doctor"]);
    command.envs(up.env()).env("CLAUDE_CODE_AWS_PROVIDER", "anthropic").env("CLAUDE_CODE_AWS_STORE", "none");
    assert_eq!(Done::of(command.output().unwrap()).code, 0);
    let none = place.run_with(&["doctor"], &[("CLAUDE_CODE_AWS_PROVIDER", "anthropic")]);
    assert!(none.code == 1 && none.out.contains("ANTHROPIC_API_KEY"), "{none:?}");
}

#[test]
fn a_second_twin_shares_the_directory_and_takes_neither_its_port_nor_its_data() {
    let (place, other) = (Place::new(), Place::new());
    let up = Up::start(&place, &[]);
    let _beside = Up::start(&place, &[]);
    let fresh = place.run(&["twin", "up", "--fresh"]);
    assert_eq!((fresh.code, fresh.err.lines().count(), fresh.out.as_str()), (1, 1, ""), "{fresh:?}");
    assert!(fresh.err.contains("is not cleared: another process"), "{fresh:?}");
    let port = up.get("ANTHROPIC_BASE_URL").rsplit(':').next().unwrap();
    let taken = other.run(&["twin", "up", "--port", port]);
    assert_eq!((taken.code, taken.err.lines().count()), (1, 1), "{taken:?}");
    assert!(taken.err.contains("--port") && taken.out.is_empty(), "{taken:?}");
}
