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
    let mut emitted = std::collections::BTreeSet::new();
    for line in out.lines() {
        let value: serde_json::Value = serde_json::from_str(line).expect("nothing but EMF on stdout");
        for metric in value["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap() {
            emitted.insert(metric["Name"].as_str().unwrap().to_owned());
        }
    }
    let alarms = concat!(env!("CARGO_MANIFEST_DIR"), "/infra/alarms.json");
    let alarms: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(alarms).unwrap()).unwrap();
    let mut read = 0;
    for metric in
        alarms.as_object().unwrap().values().flat_map(|alarm| alarm["metrics"].as_object().unwrap().values())
    {
        // Those of a batch come with a batch.
        if metric["namespace"] == "ClaudeCode" && metric["name"] != "BatchRecordsFailed" {
            assert!(emitted.contains(metric["name"].as_str().unwrap()), "{metric} in {emitted:?}");
            read += 1;
        }
    }
    assert!(read >= 6 && out.lines().count() == 3, "{read} of {out}");
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
