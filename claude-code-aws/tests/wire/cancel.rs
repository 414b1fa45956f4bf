//! Cancelling is dropping: the connection closes at once, and nothing stays behind. Row 31.

use std::sync::Arc;
use std::time::Duration;

use claude_code_aws::{GenerateRequest, PicoUsd, Policy};
use claude_code_core::memory::MemoryState;
use claude_code_core::testing;
use futures_util::StreamExt;
use tokio::time::{Instant, sleep, timeout};

use super::bytes::converse;
use super::in_process::{Piece, Replies, Reply};
use super::server::{Script, Server, Toxic};
use super::{REVERSE, campaign, real, replayed, request};

fn half() -> Reply {
    Reply::stream(converse(REVERSE, "end_turn")[..3].to_vec()).then(Piece::Hang)
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
        let patience = if n % 3 == 0 { Duration::ZERO } else { Duration::from_millis(20) };
        let _ = timeout(patience, stream.next()).await;
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
    let replies = Replies::new([half()]);
    let policy = Policy { max_usd_per_day: Some(PicoUsd::from_usd("1000").unwrap()), ..Policy::default() };
    let state = Arc::new(MemoryState::default());
    let client = testing::builder(Arc::new(replayed(&replies))).with_policy(policy).with_state(state).build();
    let ceiling = client.estimate(request()).unwrap().worst_usd.known();
    let mut sent = 0;
    for n in 0..1000 {
        let mut stream = client.stream(request());
        if n % 2 == 0 {
            let _ = timeout(Duration::from_secs(1), async { while stream.next().await.is_some() {} }).await;
            sent += 1;
        }
        drop(stream);
    }
    assert_eq!(
        (replies.sends(), replies.open()),
        (sent, 0),
        "no permit and no lease keeps the next one waiting"
    );
    let view = client.budget().await.unwrap();
    assert_eq!(view.reserved, PicoUsd(ceiling.0 * sent as u64), "what was sent stays charged");
    assert_eq!(view.spent, PicoUsd::ZERO);
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
