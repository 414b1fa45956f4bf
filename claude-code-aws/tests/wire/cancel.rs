//! Cancelling is dropping: the connection closes at once, and nothing stays behind. Row 31.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use claude_code_aws::anthropic::{Anthropic, Settings};
use claude_code_aws::bedrock::Bedrock;
use claude_code_aws::provider::ModelProvider;
use claude_code_aws::select::Reach;
use claude_code_aws::{Client, GenerateRequest, PicoUsd, Policy, Secret};
use claude_code_core::state::memory::MemoryState;
use claude_code_core::testing;
use futures_util::StreamExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, sleep, timeout};

use super::bytes::{converse, sse};
use super::in_process::{Piece, Replies, Reply};
use super::server::{Script, Server, Toxic};
use super::{REVERSE, campaign, real, replayed, request};

fn on_sonnet() -> GenerateRequest {
    GenerateRequest::new("reverse a string").with_model("sonnet")
}

/// A client with a cap for the day.
fn with_cap(provider: Arc<dyn ModelProvider>, reach: Reach) -> Client {
    let cap = Some(PicoUsd::from_usd("1000").unwrap());
    let policy = Policy { max_usd_per_day: cap, reach, ..Policy::default() };
    testing::builder(provider).with_policy(policy).with_state(Arc::new(MemoryState::default())).build()
}

/// A client over each wire; every other request of theirs is never connected.
fn capped() -> [(&'static str, Replies, Client); 2] {
    let every_other = |reply: fn() -> Reply| {
        Replies::by(move |nth, _| if nth % 2 == 0 { reply() } else { Reply::unconnected() })
    };
    let (converse, messages) = (every_other(half), every_other(half_message));
    let settings = Settings { api_key: Some(Secret::new("key")), ..Settings::default() };
    let anthropic = Anthropic::new(&settings, SharedHttpConnector::new(messages.clone()), true).unwrap();
    let bedrock = with_cap(Arc::new(replayed(&converse)), Policy::default().reach);
    [
        ("bedrock", converse, bedrock),
        ("anthropic", messages, with_cap(Arc::new(anthropic), Reach::AnthropicApi)),
    ]
}

fn half() -> Reply {
    Reply::stream(converse(REVERSE, "end_turn")[..3].to_vec()).then(Piece::Hang)
}

fn half_message() -> Reply {
    let events = sse(REVERSE, "end_turn").into_iter().take(3).map(String::into_bytes);
    Reply::stream(events).with_type("text/event-stream").then(Piece::Hang)
}

#[tokio::test]
async fn dropping_a_stream_closes_its_connection_within_100_ms() {
    let bytes = super::bytes::reverse();
    for at in [0, 60, bytes.len() / 2] {
        let server = Server::start([Script::new(bytes.clone()).with(Toxic::Timeout(at))]).await;
        let mut stream = real(&server).stream(request());
        let _ = timeout(Duration::from_millis(150), stream.next()).await;
        assert_eq!((server.sends(), server.open()), (1, 1), "after {at} bytes");
        let dropped = Instant::now();
        drop(stream);
        while server.open() > 0 && dropped.elapsed() < Duration::from_secs(2) {
            sleep(Duration::from_millis(1)).await;
        }
        let took = server.closings()[0] - dropped;
        println!("dropped after {at} bytes: closed in {took:?}");
        assert!(took <= Duration::from_millis(100), "{took:?}");
    }
}

#[tokio::test]
async fn a_thousand_cancels_leave_no_task_and_no_socket() {
    let bytes = super::bytes::reverse();
    let server = Server::start([Script::new(bytes.clone()).with(Toxic::Timeout(bytes.len() / 2))]).await;
    let client = real(&server);
    let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = alive();
    let cancels = 1000 / campaign();
    for n in 0..cancels {
        let mut stream = client.stream(GenerateRequest { prompt: format!("reverse {n}"), ..request() });
        // Some before anything was sent, some in the middle of the answer.
        let timeouts = if n % 3 == 0 { Duration::ZERO } else { Duration::from_millis(20) };
        let _ = timeout(timeouts, stream.next()).await;
    }
    let mut waited = 0;
    while (server.open() > 0 || alive() > before) && waited < 200 {
        sleep(Duration::from_millis(10)).await;
        waited += 1;
    }
    println!(
        "{cancels} cancels, {} sends: {} sockets, {} tasks more",
        server.sends(),
        server.open(),
        alive() - before
    );
    assert_eq!((server.open(), alive()), (0, before));
}

#[tokio::test(start_paused = true)]
async fn every_reservation_is_given_back_or_stays_charged_as_unknown() {
    for (name, replies, client) in capped() {
        let ceiling = client.estimate(on_sonnet()).unwrap().worst_usd.known();
        for _ in 0..1000 {
            let mut stream = client.stream(on_sonnet());
            let _ = timeout(Duration::from_secs(1), async { while stream.next().await.is_some() {} }).await;
            drop(stream);
        }
        assert_eq!(
            (replies.sends(), replies.open()),
            (1000, 0),
            "{name}: no permit and no lease keeps the next one waiting"
        );
        let view = client.budget().await.unwrap();
        let charged = PicoUsd(ceiling.0 * 500);
        assert_eq!(
            view.reserved, charged,
            "{name}: what was written stays charged, what was not is given back"
        );
        assert_eq!(view.spent, PicoUsd::ZERO);
    }
}

/// An address that swallows connections: the queue of those that nobody accepts is full.
async fn black_hole() -> (TcpListener, Vec<TcpStream>, String) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(Ok(stream)) = timeout(Duration::from_millis(100), TcpStream::connect(address)).await {
        waiting.push(stream);
    }
    (listener, waiting, format!("http://{address}"))
}

#[tokio::test]
async fn what_is_cancelled_while_connecting_costs_nothing() {
    let (_swallows, _waiting, url) = black_hole().await;
    let silent = Server::start([Script::new("").with(Toxic::Timeout(0))]).await;
    for (url, is_charged) in [(url.as_str(), false), (silent.url.as_str(), true)] {
        let config = super::sdk().endpoint_url(url).build();
        let client = with_cap(Arc::new(Bedrock::new(&config)), Policy::default().reach);
        let mut stream = client.stream(on_sonnet());
        assert!(timeout(Duration::from_millis(150), stream.next()).await.is_err(), "nothing arrives");
        drop(stream);
        let ceiling = client.estimate(on_sonnet()).unwrap().worst_usd.known();
        let charged = if is_charged { ceiling } else { PicoUsd::ZERO };
        assert_eq!(client.budget().await.unwrap().reserved, charged, "{url}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_who_finds_out_for_all_and_is_cancelled_is_replaced() {
    let throttled = Reply::refusal(429, "ThrottlingException", "x");
    let replies = Replies::by(move |_, since| match since {
        since if since < Duration::from_secs(20) => throttled.clone(),
        _ => Reply::stream(converse(REVERSE, "end_turn")),
    });
    let client = testing::builder(Arc::new(replayed(&replies))).build();
    let ask = |n: u32| GenerateRequest { prompt: format!("reverse {n}"), ..request() };
    let (first, second) = (client.clone(), client.clone());
    let first = async move { timeout(Duration::from_secs(5), first.generate(ask(1))).await };
    let second = async move { second.generate(ask(2)).await };
    let (first, second) = futures_util::future::join(first, second).await;
    assert!(first.is_err() && second.unwrap().accepted);
}
