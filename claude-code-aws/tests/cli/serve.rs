//! `serve`, as a process of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use super::Place;

/// A server that listens; killed if the test forgets it.
struct Served {
    child: Child,
    lines: BufReader<ChildStderr>,
    told: String,
}

impl Served {
    fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap());
        let mut served = Served { child, lines, told: String::new() };
        served.read_to("listening on ");
        served
    }

    /// Reads on what it says until it has said this.
    fn read_to(&mut self, word: &str) {
        while !self.told.contains(word) {
            assert!(self.lines.read_line(&mut self.told).unwrap() > 0, "{}", self.told);
        }
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(self.told.split("http://").nth(1).unwrap().split('/').next().unwrap()).unwrap()
    }

    fn tell(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Its exit code; none if it still runs after so many seconds.
    fn ended(&mut self, seconds: u64) -> Option<i32> {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(seconds) {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_takes_a_script_or_recorded_exchanges_for_its_answers_offline_only() {
    let place = Place::new();
    for (args, word) in [
        (&["serve", "--answers", "samples"][..], "--offline"),
        (&["serve", "--offline", "--answers", "http://127.0.0.1:1"], "ANTHROPIC_BASE_URL"),
        (&["serve", "--offline", "--answers", "nothing.json"], "nothing.json"),
        (&["serve", "--offline", "--answers", "."], "no recorded exchange"),
        (&["serve", "--offline", "--concurrency", "0"], "--concurrency"),
    ] {
        let done = place.run(args);
        assert_eq!(done.code, 2, "{done:?}");
        assert!(done.last_line().contains(word), "{done:?}");
    }
}

#[cfg(unix)]
#[test]
fn it_listens_with_its_token_and_origins_and_ends_when_it_is_told_to() {
    let place = Place::new();
    let mut command = place.command(&["serve", "--offline", "--addr", "127.0.0.1:0"]);
    command.env("CLAUDE_CODE_AWS_SERVE_TOKEN", "t");
    command.env("CLAUDE_CODE_AWS_ALLOWED_ORIGINS", "https://a.example");
    let mut served = Served::start(command);
    let mut stream = served.connect();
    let head =
        "GET /budget HTTP/1.1\r\nhost: x.example\r\nauthorization: Bearer t\r\norigin: https://a.example\r\n";
    stream.write_all(format!("{head}connection: close\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains("access-control-allow-origin: https://a.example"), "{answer}");
    served.tell("-TERM");
    assert_eq!(served.ended(20), Some(0));
}

#[cfg(unix)]
#[test]
fn a_second_signal_ends_it_at_once_whatever_it_still_answers() {
    let place = Place::new();
    let answer = serde_json::json!({ "text": "```python a.py\nvalue = 1\n```\n" });
    let steps =
        serde_json::json!({ "steps": [{ "times": 9, "answer": answer, "faults": [{ "stall_at": 40 }] }] });
    let script = place.write("script.json", &steps.to_string());
    let script = script.to_str().unwrap();
    let mut served =
        Served::start(place.command(&["serve", "--offline", "--addr", "127.0.0.1:0", "--answers", script]));
    let mut hung = served.connect();
    let body = "{\"prompt\":\"a\",\"model\":\"sonnet\"}";
    let head = "POST /generate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    hung.write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
    served.tell("-INT");
    served.read_to("ending: ");
    // It may have ended by itself, where the signal came before the request.
    if served.child.try_wait().unwrap().is_none() {
        served.tell("-INT");
    }
    assert_eq!(served.ended(20), Some(0), "without the second one it takes thirty seconds");
    let mut answer = String::new();
    let _ = hung.read_to_string(&mut answer);
    assert!(!answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

/// The disk is for one person's machine.
#[test]
fn it_keeps_nothing_on_the_disk_where_others_reach_it_unless_it_is_told_to() {
    for (addr, store, expected) in
        [("127.0.0.1:0", None, true), ("0.0.0.0:0", None, false), ("0.0.0.0:0", Some("disk"), true)]
    {
        let place = Place::new();
        let mut command = place.command(&["serve", "--addr", addr]);
        // A model that is never asked: no AWS account is looked for.
        command.env("CLAUDE_CODE_AWS_PROVIDER", "anthropic").env("ANTHROPIC_API_KEY", "k");
        command.env("CLAUDE_CODE_AWS_SERVE_TOKEN", "t");
        command.envs(store.map(|store| ("CLAUDE_CODE_AWS_STORE", store)));
        let served = Served::start(command);
        assert_eq!(place.path("data").exists(), expected, "{addr} {store:?}: {}", served.told);
    }
}
