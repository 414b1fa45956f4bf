//! Callers that send slowly hold nothing for long.

use std::time::Duration;

use claude_code_aws::http::{App, Settings, bind};
use claude_code_core::testing::{Script, ScriptedProvider, builder};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Everything that comes until the server closes; a test that hangs ends here.
async fn answer(mut stream: TcpStream) -> String {
    let mut text = String::new();
    tokio::time::timeout(Duration::from_secs(20), stream.read_to_string(&mut text)).await.unwrap().unwrap();
    text
}

async fn server(patience: u64) -> (String, tokio::sync::oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
    let provider = ScriptedProvider::new([Script::answer("```python a.py\nvalue = 1\n```\n")]);
    let settings = Settings::default().with_concurrency(1).with_patience(Duration::from_millis(patience));
    let app = App::new(builder(provider).build(), settings);
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
