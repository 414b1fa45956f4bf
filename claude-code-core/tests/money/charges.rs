//! Who is charged for a shared attempt: whatever callers do, their receipts sum to the ledger.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use claude_code_core::metrics::Observation;
use claude_code_core::provider::StopReason;
use claude_code_core::testing::{Script, ScriptedProvider, builder};
use claude_code_core::{
    Client, Error, ErrorKind, Event, GenerateRequest, Generation, MetricsSink, PicoUsd, Usage,
};
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt, join_all};
use tokio::time::{sleep, timeout};

use super::{Chance, REVERSE, cut};

/// Keeps the observations.
#[derive(Debug, Default)]
struct Seen(Mutex<Vec<Observation>>);

impl MetricsSink for Seen {
    fn record(&self, observation: &Observation) {
        self.0.lock().unwrap().push(observation.clone());
    }

    fn flush(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

impl Seen {
    fn cancelled(&self) -> u64 {
        let seen = self.0.lock().unwrap();
        seen.iter().filter(|o| o.outcome == "cancelled").map(|o| o.cost.known().0).sum()
    }
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn client(scripts: Vec<Script>) -> (Client, Arc<Seen>, Arc<ScriptedProvider>) {
    let (seen, provider) = (Arc::new(Seen::default()), ScriptedProvider::new(scripts));
    (builder(provider.clone()).with_metrics(seen.clone()).build(), seen, provider)
}

fn slow(wait: u64) -> Script {
    let answer = Script::text(REVERSE).wait(ms(wait)).stop(StopReason::EndTurn);
    answer.usage(Usage::new(1000, 50))
}

fn request(name: &str) -> GenerateRequest {
    GenerateRequest::new(name).with_model("haiku")
}

fn charged(result: &Result<Generation, Error>) -> u64 {
    let receipt = match result {
        Ok(generation) => Some(&generation.receipt),
        Err(error) => error.receipt(),
    };
    receipt.map_or(0, |receipt| receipt.total().known().0)
}

#[tokio::test(start_paused = true)]
async fn the_first_survivor_of_a_cancelled_leader_pays_and_the_others_have_saved_it() {
    for closes in [false, true] {
        let (client, _, provider) = client(vec![slow(1000)]);
        let mut leader = client.stream(request("reverse"));
        leader.next().await.unwrap().unwrap();
        let followers = (0..3).map(|_| {
            let client = client.clone();
            async move { client.generate(request("reverse")).await }
        });
        let followers = tokio::spawn(join_all(followers.collect::<Vec<_>>()));
        sleep(ms(1)).await;
        if closes {
            drop(leader);
        } else {
            assert!(timeout(ms(10), leader.collect()).await.is_err(), "cancelled");
        }
        let results = followers.await.unwrap();
        let costs: Vec<u64> = results.iter().map(charged).collect();
        let spent = client.budget().await.unwrap().spent.0;
        assert!(spent > 0);
        assert_eq!(costs, [spent, 0, 0]);
        let mut answers = results.into_iter().map(Result::unwrap);
        let (first, second) = (answers.next().unwrap(), answers.next().unwrap());
        assert_eq!((first.cached.is_none(), first.attempts.len(), first.usage.output_tokens), (true, 1, 50));
        assert_eq!((second.cached.is_some(), second.attempts.len()), (true, 0));
        assert_eq!(second.receipt.saved.by_response_cache_usd, PicoUsd(spent).into());
        assert_eq!(provider.calls().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_was_paid_for_is_the_first_survivors_too() {
    let (client, _, _) = client(vec![Script::text(REVERSE).wait(ms(100)).then_fail(cut())]);
    let once = || request("reverse").with_max_sends(1);
    let leader = tokio::spawn({
        let client = client.clone();
        async move { timeout(ms(50), client.generate(once())).await.is_err() }
    });
    sleep(ms(1)).await;
    let results = join_all([client.generate(once()), client.generate(once())].map(FutureExt::boxed)).await;
    assert!(leader.await.unwrap());
    let view = client.budget().await.unwrap();
    assert_eq!(results.iter().map(charged).collect::<Vec<_>>(), [view.unknown.0, 0]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_whose_callers_all_left_is_paid_by_the_one_who_gets_it_from_the_cache() {
    let (client, seen, provider) = client(vec![slow(5)]);
    let mut stream = client.stream(request("reverse"));
    // Everything but the result itself, which is there already.
    while let Some(event) = stream.next().await {
        if matches!(event.unwrap(), Event::FileFinished { .. }) {
            break;
        }
    }
    sleep(ms(50)).await;
    let _ = stream.next().now_or_never();
    drop(stream);
    let both = [client.generate(request("reverse")).await, client.generate(request("reverse")).await];
    let spent = client.budget().await.unwrap();
    let sum = both.iter().map(charged).sum::<u64>() + seen.cancelled();
    assert_eq!(sum, spent.spent.0 + spent.unknown.0);
    assert_eq!(charged(&both[1]), 0);
    assert!(provider.calls().len() <= 2);
}

#[tokio::test(start_paused = true)]
async fn a_result_that_is_there_and_was_never_handed_out_is_paid_by_the_next_caller() {
    let (client, _, provider) = client(vec![slow(5)]);
    let mut streams = [client.stream(request("reverse")), client.stream(request("reverse"))];
    let [leader, follower] = &mut streams;
    assert!(leader.deliver().is_none(), "nothing is there before the end");
    futures_util::future::join(leader.finish(), follower.finish()).await;
    let [leader, mut follower] = streams;
    drop(leader);
    let result = follower.deliver().unwrap().map(|generation| Generation::clone(&generation));
    let spent = client.budget().await.unwrap().spent.0;
    assert!(spent > 0 && follower.deliver().is_none(), "handed out once");
    assert_eq!(charged(&result), spent);
    assert_eq!(charged(&client.generate(request("reverse")).await), 0);
    assert_eq!(provider.calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stream_shows_its_progress_and_then_hands_out_its_result() {
    let (client, _, _) = client(vec![slow(5)]);
    let mut stream = client.stream(request("reverse"));
    let mut shown = Vec::new();
    while let Some(event) = stream.progress().await {
        shown.push(event);
    }
    assert!(matches!(shown.last(), Some(Event::FileFinished { complete: true, .. })), "{shown:?}");
    assert!(stream.deliver().unwrap().unwrap().accepted);
    assert!(stream.next().await.is_none());
    assert_eq!(stream.collect().await.unwrap_err().kind(), ErrorKind::InvalidRequest);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_nobody_awaits_any_more_is_observed_with_its_ceiling() {
    let (client, seen, _) = client(vec![Script::text(REVERSE).hang()]);
    let ceiling = client.estimate(request("reverse")).unwrap().worst_usd.known();
    assert!(timeout(ms(5), client.generate(request("reverse"))).await.is_err());
    client.release_leases().await;
    let view = client.budget().await.unwrap();
    assert_eq!((view.unknown.0, view.spent), (seen.cancelled(), PicoUsd::ZERO));
    assert!(view.unknown >= ceiling || ceiling.0 - view.unknown.0 < 10_000_000_000);
    let seen = seen.0.lock().unwrap();
    assert_eq!((seen.len(), seen[0].answered, seen[0].sends), (1, false, 1));
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_request_tells_what_it_received_and_cost() {
    let (client, seen, _) = client(vec![Script::text(REVERSE).hang()]);
    let stream = client.stream(request("reverse"));
    let interrupter = stream.interrupter();
    let (ended, ()) = futures_util::future::join(stream.collect(), async {
        sleep(ms(20)).await;
        interrupter.set();
    })
    .await;
    let error = ended.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    let partial = error.partial().unwrap();
    assert_eq!(
        (partial.text.as_str(), partial.attempts.len(), partial.attempts[0].unknown),
        (REVERSE, 1, true)
    );
    let view = client.budget().await.unwrap();
    assert_eq!((view.unknown, view.spent), (partial.receipt.total().known(), PicoUsd::ZERO));
    assert_eq!(seen.cancelled(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_leader_does_not_end_the_request_of_those_who_wait() {
    let (client, _, provider) = client(vec![slow(100), slow(1)]);
    let leader = client.stream(request("reverse"));
    let interrupter = leader.interrupter();
    let all = futures_util::future::join3(leader.collect(), client.generate(request("reverse")), async {
        sleep(ms(20)).await;
        interrupter.set();
    });
    let (leader, follower, ()) = all.await;
    assert_eq!(leader.as_ref().unwrap_err().kind(), ErrorKind::Interrupted);
    assert!(follower.as_ref().unwrap().accepted);
    let view = client.budget().await.unwrap();
    assert_eq!(charged(&leader) + charged(&follower), view.spent.0 + view.unknown.0);
    assert_eq!(provider.calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_follower_leaves_the_leader_alone() {
    let (client, _, provider) = client(vec![slow(100)]);
    let leader = tokio::spawn({
        let client = client.clone();
        async move { client.generate(request("reverse")).await }
    });
    sleep(ms(1)).await;
    let follower = client.stream(request("reverse"));
    let interrupter = follower.interrupter();
    let (follower, ()) = futures_util::future::join(follower.collect(), async { interrupter.set() }).await;
    assert_eq!(follower.unwrap_err().kind(), ErrorKind::Interrupted);
    assert!(leader.await.unwrap().unwrap().accepted);
    assert_eq!(provider.calls().len(), 1);
}

/// What one caller does.
async fn caller(client: Client, chance: Arc<Chance>) -> Option<Result<Generation, Error>> {
    let name = ["one", "two"][usize::from(chance.below(3) == 0)];
    let request = if chance.below(4) == 0 { request(name).with_max_sends(1) } else { request(name) };
    sleep(ms(chance.below(20))).await;
    match chance.below(4) {
        0 => timeout(ms(chance.below(25)), client.generate(request)).await.ok(),
        1 => {
            let mut stream = client.stream(request);
            for _ in 0..chance.below(8) {
                match stream.next().await? {
                    Ok(Event::Finished(generation)) => return Some(Ok(Generation::clone(&generation))),
                    Ok(_) => {}
                    Err(error) => return Some(Err(error)),
                }
                sleep(ms(chance.below(3))).await;
            }
            None
        }
        2 => {
            let stream = client.stream(request);
            let interrupter = stream.interrupter();
            let later = async {
                sleep(ms(chance.below(25))).await;
                interrupter.set();
            };
            Some(futures_util::future::join(stream.collect(), later).await.0)
        }
        _ => Some(client.generate(request).await),
    }
}

fn script(chance: &Chance) -> Script {
    let wait = chance.below(20);
    match chance.below(6) {
        0 => Script::text("```python a.py\nx = ").wait(ms(wait)).then_fail(cut()),
        1 => Script::text("```python a.py\nx = 1\n")
            .wait(ms(wait))
            .stop(StopReason::MaxTokens)
            .usage(Usage::new(7, 9)),
        2 => Script::text(REVERSE).wait(ms(wait)).stop(StopReason::EndTurn),
        _ => slow(wait),
    }
}

#[tokio::test(start_paused = true)]
async fn over_a_thousand_random_schedules_the_receipts_sum_to_the_ledger() {
    let (mut ended, mut shared, mut lost) = (0, 0, 0);
    for seed in 0..1000 {
        let chance = Arc::new(Chance::new(seed));
        let scripts = (0..40).map(|_| script(&chance)).collect();
        let (client, seen, _) = client(scripts);
        let callers = (0..2 + chance.below(6)).map(|_| tokio::spawn(caller(client.clone(), chance.clone())));
        let results = join_all(callers.collect::<Vec<_>>()).await;
        let mut results: Vec<_> = results.into_iter().filter_map(Result::unwrap).collect();
        // Two more find in the cache what nobody took.
        for name in ["one", "two"] {
            results.push(client.generate(request(name)).await);
        }
        client.release_leases().await;
        let view = client.budget().await.unwrap();
        let receipts: u64 = results.iter().map(charged).sum();
        assert_eq!(receipts + seen.cancelled(), view.spent.0 + view.unknown.0, "seed {seed}");
        assert_eq!(view.reserved, view.unknown, "seed {seed}: nothing is held any more");
        ended += results.len();
        shared += results.iter().filter(|r| r.as_ref().is_ok_and(|g| g.cached.is_some())).count();
        lost += u32::from(seen.cancelled() > 0);
    }
    assert!(shared > 500 && lost > 50, "{shared} shared, {lost} lost");
    println!(
        "1000 schedules: {ended} callers ended, {shared} with another's answer; {lost} with a cost that nobody took"
    );
}
