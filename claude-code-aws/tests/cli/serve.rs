//! `serve`, as a process of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use super::Place;

const TOKEN: &str = "a-token-of-26-characters--";

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
fn answers_and_limits_that_it_cannot_have_are_told_before_it_listens() {
    let place = Place::new();
    for (args, word) in [
        (&["serve", "--offline", "--answers", "nothing.json"][..], "nothing.json"),
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
    command.env("CLAUDE_CODE_AWS_SERVE_TOKEN", TOKEN);
    command.env("CLAUDE_CODE_AWS_ALLOWED_ORIGINS", "https://a.example");
    let mut served = Served::start(command);
    let mut stream = served.connect();
    let head = "GET /budget HTTP/1.1\r\nhost: x.example\r\nauthorization: Bearer a-token-of-26-characters--\r\norigin: https://a.example\r\n";
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
    let mut served = Served::start(place.command(&[
        "serve",
        "--offline",
        "--no-token",
        "--addr",
        "127.0.0.1:0",
        "--answers",
        script,
    ]));
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
        command.env("CLAUDE_CODE_AWS_SERVE_TOKEN", TOKEN);
        command.envs(store.map(|store| ("CLAUDE_CODE_AWS_STORE", store)));
        let served = Served::start(command);
        assert_eq!(place.path("data").exists(), expected, "{addr} {store:?}: {}", served.told);
    }
}

/// What it answers to this request.
fn asked(served: &Served, head: &str) -> String {
    let mut stream = served.connect();
    stream.write_all(format!("{head}host: localhost\r\nconnection: close\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[cfg(unix)]
#[test]
fn on_loopback_it_asks_for_a_token_that_only_its_user_can_read() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let mut served = Served::start(place.command(&["serve", "--offline", "--addr", "localhost:0"]));
    let path = served.told.trim().rsplit("is in ").next().unwrap().to_owned();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{}", served.told);
    let token = std::fs::read_to_string(&path).unwrap().trim().to_owned();
    assert_eq!(token.len(), 32, "128 bits");
    assert!(!served.told.contains(&token), "it is not on a pipe that others may read");
    let signed = format!("GET /budget HTTP/1.1\r\nauthorization: Bearer {token}\r\n");
    assert!(asked(&served, &signed).starts_with("HTTP/1.1 200 "));
    for other in ["GET /budget HTTP/1.1\r\n", "GET /budget HTTP/1.1\r\nauthorization: Bearer x\r\n"] {
        assert!(asked(&served, other).starts_with("HTTP/1.1 401 "), "another user's process");
    }
    let health = asked(&served, "GET /health HTTP/1.1\r\n");
    assert!(health.starts_with("HTTP/1.1 200 ") && health.contains("\"store\":\"disk\""), "{health}");
    served.tell("-TERM");
    assert_eq!(served.ended(20), Some(0));
    assert!(!std::path::Path::new(&path).exists(), "a token that is valid no more is not left behind");
}

#[test]
fn settings_that_could_not_work_are_refused_at_start() {
    for (name, value, word) in [
        ("CLAUDE_CODE_AWS_SERVE_TOKEN", "short", "16 characters"),
        ("CLAUDE_CODE_AWS_ALLOWED_ORIGINS", "https://a.example/", "final"),
        ("CLAUDE_CODE_AWS_ALLOWED_ORIGINS", "https://a.example, *", "\"*\""),
        ("CLAUDE_CODE_AWS_ALLOWED_ORIGINS", "a.example", "https://app.example"),
    ] {
        let place = Place::new();
        let mut command = place.command(&["serve", "--offline", "--addr", "127.0.0.1:0"]);
        let done = command.env(name, value).stdin(Stdio::null()).output().unwrap();
        let told = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.code() == Some(2) && told.contains(word), "{value}: {told}");
    }
    let place = Place::new();
    let done = place.run(&["serve", "--offline", "--addr", "localhost"]);
    assert!(done.code == 2 && done.last_line().contains("HOST:PORT"), "{done:?}");
}

/// A directory that cannot be written is known before the first result is paid for.
#[cfg(unix)]
#[test]
fn a_server_that_cannot_store_says_so_at_start_and_in_its_health() {
    let place = Place::new();
    let file = place.write("taken", "no directory");
    let mut command = place.command(&["serve", "--no-token", "--addr", "127.0.0.1:0"]);
    command.env("CLAUDE_CODE_AWS_PROVIDER", "anthropic").env("ANTHROPIC_API_KEY", "k");
    command.env("CLAUDE_CODE_AWS_LOCAL_DIR", file);
    let served = Served::start(command);
    assert!(served.told.contains("warning: results will not be stored"), "{}", served.told);
    let health = asked(&served, "GET /health HTTP/1.1\r\n");
    assert!(health.contains("\"store\":\"unavailable\""), "{health}");
}

/// The command as a shell starts it that has done this before.
#[cfg(unix)]
fn after(shell: &[&str], before: &str, command: &Command) -> Command {
    let mut changed = Command::new(shell[0]);
    changed
        .args(&shell[1..])
        .arg("-c")
        .arg(format!("{before}; exec \"$0\" \"$@\""))
        .arg(command.get_program());
    changed.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => changed.env(name, value),
            None => changed.env_remove(name),
        };
    }
    changed
}

#[cfg(unix)]
const OFFLINE: [&str; 5] = ["serve", "--offline", "--no-token", "--addr", "127.0.0.1:0"];

#[cfg(unix)]
#[test]
fn a_limit_on_open_files_that_is_too_low_is_told_at_start() {
    let place = Place::new();
    let done = after(&["sh"], "ulimit -n 40", &place.command(&OFFLINE)).output().unwrap();
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.code() == Some(2) && told.contains("40") && told.contains("ulimit -n"), "{told}");
}

/// A file system of a megabyte in a mount namespace of the server's own; none where this user may have no such thing, which
/// is said aloud, and a failure where REQUIRE_TOOLS is set.
#[cfg(target_os = "linux")]
fn on_a_small_disk(place: &Place, then: &str) -> Option<Served> {
    let may = Command::new("unshare").args(["-Urm", "true"]).status().is_ok_and(|ended| ended.success());
    if !may {
        eprintln!("NOT RUN: this user may not mount a file system of its own (unshare -Urm)");
        assert!(std::env::var_os("REQUIRE_TOOLS").is_none(), "unshare -Urm");
        return None;
    }
    let disk = place.path("disk");
    std::fs::create_dir(&disk).unwrap();
    let disk = disk.display().to_string();
    let mut command = place.command(&OFFLINE);
    command.env("CLAUDE_CODE_AWS_LOCAL_DIR", format!("{disk}/data"));
    let before = format!("set -e; mount -t tmpfs -o size=1m none {disk}; mkdir {disk}/data; {then}")
        .replace("DISK", &disk);
    Some(Served::start(after(&["unshare", "-Urm", "sh"], &before, &command)))
}

#[cfg(target_os = "linux")]
fn generated(served: &Served) -> String {
    let body = "{\"prompt\":\"Write a Python function that reverses a string.\"}";
    let head = format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
    let mut stream = served.connect();
    let head = format!("POST /generate HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{head}\r\n{body}");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full_costs_no_answer_and_is_called_by_its_name() {
    let place = Place::new();
    // Only a process in the server's namespace reaches its disk: it fills it up when it is told to.
    let filling = "{ (while [ ! -e DISK/../fill ]; do sleep 0.02; done; cat /dev/zero > DISK/rest || touch DISK/../full) & }";
    let Some(mut served) = on_a_small_disk(&place, filling) else { return };
    std::fs::write(place.path("fill"), "").unwrap();
    while !place.path("full").exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let answer = generated(&served);
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"stored\":false"), "{answer}");
    let budget = asked(&served, "GET /budget HTTP/1.1\r\n");
    assert!(budget.starts_with("HTTP/1.1 200 "), "looking writes nothing: {budget}");
    served.tell("-TERM");
    served.lines.read_to_string(&mut served.told).unwrap();
    assert!(served.told.contains("disk is full") && !served.told.contains("credentials"), "{}", served.told);
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full_at_the_start_is_called_by_its_name() {
    for room in ["", "; rm DISK/rest; head -c 700000 /dev/zero > DISK/rest"] {
        let place = Place::new();
        let full = format!("cat /dev/zero > DISK/rest || true{room}");
        let Some(served) = on_a_small_disk(&place, &full) else { return };
        let warned: Vec<&str> =
            served.told.lines().filter(|line| line.contains("will not be stored")).collect();
        assert!(warned.len() == 1 && warned[0].contains("full"), "{}", served.told);
        assert!(!served.told.contains("credentials"), "{}", served.told);
        assert!(asked(&served, "GET /health HTTP/1.1\r\n").contains("\"store\":\"unavailable\""));
        assert!(generated(&served).contains("\"stored\":false"));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_directory_on_a_read_only_disk_is_told_at_start_and_where_results_are_asked_for() {
    let place = Place::new();
    let Some(served) = on_a_small_disk(&place, "mount -o remount,ro none DISK") else { return };
    assert!(served.told.contains("Read-only file system"), "{}", served.told);
    assert!(asked(&served, "GET /health HTTP/1.1\r\n").contains("\"store\":\"unavailable\""));
    let results = asked(&served, "GET /results?language=python HTTP/1.1\r\n");
    assert!(results.starts_with("HTTP/1.1 500 ") && results.contains("Read-only file system"), "{results}");
    assert!(generated(&served).contains("\"stored\":false"));
}

/// A shell lowers the limit for the server that it becomes.
#[cfg(unix)]
#[test]
fn beyond_its_limit_on_open_files_it_sheds_with_503_and_says_so_once() {
    let place = Place::new();
    let mut served = Served::start(after(&["sh"], "ulimit -n 64", &place.command(&OFFLINE)));
    let idle: Vec<TcpStream> = (0..16).map(|_| served.connect()).collect();
    // It takes them in when it comes to it.
    while asked(&served, "GET /health HTTP/1.1\r\n").starts_with("HTTP/1.1 200 ") {}
    for _ in 0..30 {
        let told = asked(&served, "GET /health HTTP/1.1\r\n");
        assert!(told.starts_with("HTTP/1.1 503 ") && told.contains("retry-after: 5"), "{told}");
    }
    drop(idle);
    while !asked(&served, "GET /health HTTP/1.1\r\n").starts_with("HTTP/1.1 200 ") {}
    served.tell("-TERM");
    assert_eq!(served.ended(20), Some(0));
    served.lines.read_to_string(&mut served.told).unwrap();
    assert_eq!(served.told.matches("limit on open files").count(), 1, "{}", served.told);
}
