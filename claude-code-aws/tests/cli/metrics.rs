//! What `serve` and `usage` tell of requests: EMF lines on stdout, JSON lines on stderr, counters of the last days.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use super::Place;

const REVERSE: &str = "Write a Python function that reverses a string.";

fn asked(address: &str, token: &str, path: &str, body: Option<&str>) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let method = if body.is_some() { "POST" } else { "GET" };
    let body = body.unwrap_or_default();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[cfg(unix)]
#[test]
fn every_metric_that_an_alarm_reads_is_emitted_by_a_run_of_the_router() {
    let place = Place::new();
    let mut command = place.command(&["serve", "--offline", "--addr", "127.0.0.1:0"]);
    command.env("CLAUDE_CODE_AWS_EMF", "1").env("CLAUDE_CODE_AWS_LOG", "json");
    command.env("CLAUDE_CODE_AWS_SERVE_TOKEN", "secret-token-canary");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("listening on http://") {
        line.clear();
        assert!(told.read_line(&mut line).unwrap() > 0);
    }
    let address = line.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
    let prompt = format!(r#"{{"prompt": "{REVERSE}"}}"#);
    let token = "secret-token-canary";
    assert!(asked(&address, token, "/generate", Some(&prompt)).starts_with("HTTP/1.1 200"));
    assert!(
        asked(&address, token, "/generate", Some(r#"{"prompt": "canary-prompt unknown"}"#))
            .contains("no_sample")
    );
    assert!(asked(&address, "wrong", "/budget", None).starts_with("HTTP/1.1 401"));
    let metrics = asked(&address, token, "/metrics", None);
    assert!(metrics.contains("claude_code_requests_total{model=") && metrics.contains("# EOF"), "{metrics}");
    let sent = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
    let done = child.wait_with_output().unwrap();
    let mut log = String::new();
    told.read_to_string(&mut log).unwrap();
    let out = String::from_utf8(done.stdout).unwrap();
    let prompts = place.write("prompts.jsonl", &format!("{prompt}\n"));
    let results = prompts.with_file_name("results.jsonl");
    let args = ["batch", "--offline", prompts.to_str().unwrap(), "--out", results.to_str().unwrap()];
    let batch = place.run_with(&args, &[("CLAUDE_CODE_AWS_EMF", "1")]);
    assert_eq!(batch.code, 0, "{batch:?}");
    // By namespace, name and the names of the dimensions.
    let mut emitted = std::collections::BTreeSet::new();
    for line in out.lines().chain(batch.out.lines()) {
        let value: serde_json::Value = serde_json::from_str(line).expect("nothing but EMF on stdout");
        let told = &value["_aws"]["CloudWatchMetrics"][0];
        for metric in told["Metrics"].as_array().unwrap() {
            for dimensions in told["Dimensions"].as_array().unwrap() {
                emitted.insert(format!("{} {} {dimensions}", told["Namespace"], metric["Name"]));
            }
        }
    }
    let alarms = concat!(env!("CARGO_MANIFEST_DIR"), "/infra/alarms.json");
    let alarms: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(alarms).unwrap()).unwrap();
    let mut read = 0;
    for metric in
        alarms.as_object().unwrap().values().flat_map(|alarm| alarm["metrics"].as_object().unwrap().values())
    {
        if metric["namespace"] == "ClaudeCode" {
            let names: Vec<&String> = metric["dimensions"].as_object().unwrap().keys().collect();
            let read_as = format!("{} {} {}", metric["namespace"], metric["name"], serde_json::json!(names));
            assert!(emitted.contains(&read_as), "{read_as} in {emitted:?}");
            read += 1;
        }
    }
    assert!(read >= 9 && out.lines().count() == 3, "{read} of {out}");
    let logged: Vec<serde_json::Value> = log
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(logged.len(), 2, "{log}");
    assert_eq!((&logged[0]["outcome"], &logged[1]["outcome"]), (&"accepted".into(), &"no_sample".into()));
    for canary in ["secret-token-canary", "canary-prompt", REVERSE, "def reverse", "[::-1]"] {
        assert!(!out.contains(canary) && !log.contains(canary) && !metrics.contains(canary), "{canary}");
    }
}

#[test]
fn usage_tells_the_last_days_as_a_table_and_as_json() {
    let place = Place::new();
    let none = place.run(&["usage", "--offline"]);
    assert_eq!((none.code, none.out.as_str()), (0, ""), "{none:?}");
    assert!(none.last_line().contains("no requests"));
    for _ in 0..2 {
        assert_eq!(place.run(&["generate", REVERSE, "--offline"]).code, 0);
    }
    let table = place.run(&["usage", "--offline", "--by", "tier"]);
    assert!(table.out.contains("simple") && table.out.contains("100 %"), "{table:?}");
    let done = place.run(&["usage", "--offline", "--json", "--by", "scope"]);
    let report: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(
        (&report["total"]["requests"], &report["total"]["cached"]),
        (&2.into(), &1.into()),
        "{report}"
    );
    assert_eq!(report["groups"].as_array().unwrap().len(), 2);
    let wrong = place.run(&["usage", "--offline", "--by", "colour"]);
    assert_eq!(wrong.code, 2, "{wrong:?}");
}

/// The heads of requests that arrive at this address, each answered with 200.
fn receiver() -> (String, std::sync::mpsc::Receiver<String>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (sender, heads) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let sender = sender.clone();
            std::thread::spawn(move || {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    if stream.read(&mut byte).unwrap_or(0) == 0 {
                        return;
                    }
                    head.push(byte[0]);
                }
                let head = String::from_utf8(head).unwrap().to_lowercase();
                let length =
                    head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
                stream.read_exact(&mut vec![0; length.unwrap_or(0)]).unwrap();
                sender.send(head).unwrap();
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                    .unwrap();
            });
        }
    });
    (address, heads)
}

#[test]
fn a_command_sends_its_spans_and_metrics_before_it_ends() {
    let (address, heads) = receiver();
    let done = Place::new()
        .run_with(&["generate", REVERSE, "--offline"], &[("OTEL_EXPORTER_OTLP_ENDPOINT", &address)]);
    assert_eq!(done.code, 0, "{done:?}");
    let mut paths: Vec<String> =
        heads.try_iter().map(|head| head.split(' ').nth(1).unwrap().to_owned()).collect();
    paths.sort();
    assert_eq!(paths, ["/v1/metrics", "/v1/traces"]);
}

#[test]
fn a_receiver_that_is_gone_is_a_warning_and_the_answer_is_there() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let endpoint = format!("http://{gone}");
    let done = Place::new()
        .run_with(&["generate", REVERSE, "--offline"], &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]);
    assert!(done.code == 0 && done.out.contains("def reverse"), "{done:?}");
    assert!(done.err.contains("warning: spans and metrics could not be sent"), "{done:?}");
}

#[test]
fn verbose_says_what_a_request_came_to_and_nothing_of_its_text() {
    let place = Place::new();
    let quiet = place.run(&["generate", REVERSE, "--offline"]);
    assert!(!quiet.err.contains("request 0"), "{quiet:?}");
    for done in [
        place.run(&["generate", REVERSE, "--offline", "--verbose", "--cache", "refresh"]),
        place.run_with(&["generate", REVERSE, "--offline"], &[("CLAUDE_CODE_AWS_LOG", "text")]),
    ] {
        let line =
            done.err.lines().find(|line| line.starts_with("request 0")).unwrap_or_else(|| panic!("{done:?}"));
        assert!(line.contains(": accepted by ") && line.contains("cost 0"), "{line}");
        assert!(!done.err.contains("reverses a string") && !done.err.contains("[::-1]"), "{done:?}");
    }
    let wrong = place.run_with(&["generate", REVERSE, "--offline"], &[("CLAUDE_CODE_AWS_LOG", "loud")]);
    assert!(wrong.code == 2 && wrong.err.contains("it takes json, text or off"), "{wrong:?}");
}
