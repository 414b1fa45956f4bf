//! Callers that send slowly hold nothing for long.

use std::time::Duration;

use claude_code_aws::http::{App, Settings, bind};
use claude_code_core::Scope;
use claude_code_core::state::jobs::{JobState, Jobs};
use claude_code_core::testing::{Script, ScriptedProvider, builder};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot::Sender;
use tokio::task::JoinHandle;

const ANSWER: &str = "```python a.py\nvalue = 1\n```\n";

/// Everything that comes until the server closes; a test that hangs ends here.
async fn answer(mut stream: TcpStream) -> String {
    let mut text = String::new();
    tokio::time::timeout(Duration::from_secs(20), stream.read_to_string(&mut text)).await.unwrap().unwrap();
    text
}

async fn server(timeouts: u64) -> (String, Sender<()>, JoinHandle<()>) {
    let provider = ScriptedProvider::new([Script::answer(ANSWER)]);
    let settings = Settings::default().with_concurrency(1).with_patience(Duration::from_millis(timeouts));
    served(App::new(builder(provider).build(), settings)).await
}

async fn served(app: App) -> (String, Sender<()>, JoinHandle<()>) {
    let server = bind(app, "127.0.0.1:0".parse().unwrap()).await.unwrap();
    let addr = server.addr().to_string();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let served = tokio::spawn(async move {
        server.until(async move { drop(stopped.await) }).await.unwrap();
    });
    (addr, stop, served)
}

#[tokio::test]
async fn a_head_that_does_not_end_closes_its_connection() {
    let (addr, _stop, _served) = server(100).await;
    let mut slow = TcpStream::connect(&addr).await.unwrap();
    slow.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n").await.unwrap();
    let text = answer(slow).await;
    assert!(!text.contains(" 200 "), "{text}");
}

#[tokio::test]
async fn a_body_that_does_not_end_is_408_and_gives_its_place_back() {
    let (addr, _stop, _served) = server(100).await;
    let mut slow = TcpStream::connect(&addr).await.unwrap();
    let head = "POST /generate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    slow.write_all(format!("{head}content-length: 99\r\n\r\n{{").as_bytes()).await.unwrap();
    let text = answer(slow).await;
    assert!(text.starts_with("HTTP/1.1 408 "), "{text}");
    let mut next = TcpStream::connect(&addr).await.unwrap();
    let body = "{\"prompt\":\"a\",\"model\":\"sonnet\"}";
    let whole = format!("{head}connection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    next.write_all(whole.as_bytes()).await.unwrap();
    assert!(answer(next).await.starts_with("HTTP/1.1 200 "), "the only place is free again");
}

#[tokio::test]
async fn a_body_that_comes_slowly_keeps_nobody_from_working() {
    let (addr, _stop, _served) = server(20_000).await;
    let head = "POST /generate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    let mut slow = TcpStream::connect(&addr).await.unwrap();
    slow.write_all(format!("{head}content-length: 99\r\n\r\n{{").as_bytes()).await.unwrap();
    let mut second = TcpStream::connect(&addr).await.unwrap();
    second.write_all(format!("{head}content-length: 99\r\n\r\n{{").as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(
        answer(asked(&addr, "").await).await.starts_with("HTTP/1.1 429 "),
        "half of the places from one address"
    );
    drop(second);
    let quick = loop {
        let quick = answer(asked(&addr, "").await).await;
        // The server may not have heard yet that the other one is gone.
        if !quick.starts_with("HTTP/1.1 429 ") {
            break quick;
        }
    };
    assert!(quick.starts_with("HTTP/1.1 200 "), "the only place to work was free: {quick}");
    drop(slow);
}

#[tokio::test]
async fn a_body_that_trickles_is_408_long_before_its_time_is_over() {
    let (addr, _stop, _served) = server(300).await;
    let mut slow = TcpStream::connect(&addr).await.unwrap();
    let head = "POST /generate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    slow.write_all(format!("{head}content-length: 9999\r\n\r\n{{").as_bytes()).await.unwrap();
    let (mut read, mut write) = slow.into_split();
    let sending = tokio::spawn(async move {
        while write.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let mut text = [0; 13];
    tokio::time::timeout(Duration::from_secs(20), read.read_exact(&mut text)).await.unwrap().unwrap();
    assert_eq!(&text, b"HTTP/1.1 408 ");
    sending.abort();
}

/// The answer arrives though the caller had not read it while it was sending.
#[tokio::test]
async fn a_body_that_is_too_large_is_told_so_after_it_was_sent_or_before() {
    let (addr, _stop, _served) = server(20_000).await;
    let head = "POST /generate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: close\r\n";
    let mut large = TcpStream::connect(&addr).await.unwrap();
    large.write_all(format!("{head}content-length: {}\r\n\r\n", 10 << 20).as_bytes()).await.unwrap();
    large.write_all(&vec![b'a'; 10 << 20]).await.unwrap();
    assert!(answer(large).await.starts_with("HTTP/1.1 413 "));
    let mut asking = TcpStream::connect(&addr).await.unwrap();
    asking
        .write_all(format!("{head}expect: 100-continue\r\ncontent-length: {}\r\n\r\n", 10 << 20).as_bytes())
        .await
        .unwrap();
    assert!(answer(asking).await.starts_with("HTTP/1.1 413 "), "nothing had to be sent");
}

#[tokio::test]
async fn a_stopped_server_lets_idle_connections_go_at_once() {
    let (addr, stop, served) = server(60_000).await;
    let mut idle = TcpStream::connect(&addr).await.unwrap();
    idle.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(20), served).await.unwrap().unwrap();
    assert!(TcpStream::connect(&addr).await.is_err(), "nobody listens any more");
}

/// A request for code, sent and not yet answered.
async fn asked(addr: &str, headers: &str) -> TcpStream {
    let body = "{\"prompt\":\"a\",\"model\":\"sonnet\",\"cache\":\"off\"}";
    let head = "POST /generate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: close\r\n";
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let length = body.len();
    stream
        .write_all(format!("{head}{headers}content-length: {length}\r\n\r\n{body}").as_bytes())
        .await
        .unwrap();
    stream
}

/// Waits until the model is asked so often.
async fn sent(provider: &ScriptedProvider, times: usize) {
    let asked = async {
        while provider.calls().len() < times {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), asked).await.unwrap();
}

#[tokio::test]
async fn a_server_that_ends_answers_what_has_begun_and_sends_whoever_comes_away() {
    let mut slow = Script(vec![]).wait(Duration::from_millis(1_000));
    slow.0.extend(Script::answer(ANSWER).0);
    let provider = ScriptedProvider::new([slow]);
    let client = builder(provider.clone()).build();
    let (addr, stop, served) =
        served(App::new(client.clone(), Settings::default().with_concurrency(2))).await;
    let job = answer(asked(&addr, "prefer: respond-async\r\n").await).await;
    let place = job.lines().find_map(|line| line.strip_prefix("location: /jobs/")).unwrap().to_owned();
    let begun = asked(&addr, "").await;
    sent(&provider, 2).await;
    stop.send(()).unwrap();
    let late = loop {
        let late = answer(asked(&addr, "").await).await;
        // The server may not have heard yet that it ends; then this one has begun too.
        if !late.starts_with("HTTP/1.1 200 ") && !late.starts_with("HTTP/1.1 429 ") {
            break late;
        }
    };
    assert!(late.starts_with("HTTP/1.1 503 ") && late.contains("retry-after: "), "{late}");
    assert!(answer(begun).await.starts_with("HTTP/1.1 200 "));
    tokio::time::timeout(Duration::from_secs(20), served).await.unwrap().unwrap();
    let jobs = Jobs::new(client.state().clone(), client.clock().clone(), client.ids().clone());
    let job = jobs.get(&Scope::local(), &place).await.unwrap();
    assert_eq!(job.state, JobState::Done, "a job that has begun is not left to be paid for again");
    assert!(TcpStream::connect(&addr).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn what_does_not_end_is_given_up_when_the_time_is_over() {
    let provider = ScriptedProvider::new([Script::default().hang()]);
    let settings = Settings::default().with_last_answers(Duration::from_millis(100));
    let (addr, stop, served) = served(App::new(builder(provider.clone()).build(), settings)).await;
    let hung = asked(&addr, "").await;
    sent(&provider, 1).await;
    stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(20), served).await.unwrap().unwrap();
    assert_eq!(answer(hung).await, "");
    assert_eq!(provider.open(), 0, "the request to the model is closed");
}
