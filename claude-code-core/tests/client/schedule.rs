//! A batch under a cap and under a quota.

use std::time::Duration;

use claude_code_core::batch::quota::{Lengths, Window, burnt};
use claude_code_core::batch::{BatchOptions, Scheduler};
use claude_code_core::provider::StopReason;
use claude_code_core::testing::{Script, ScriptedProvider};
use claude_code_core::{ErrorKind, GenerateRequest, PicoUsd, Tier, Usage};
use futures_util::future::join_all;

use super::{REVERSE, client};

fn task(n: usize) -> GenerateRequest {
    GenerateRequest::new(format!("task {n:04}")).with_model("haiku")
}

#[tokio::test(start_paused = true)]
async fn requests_under_way_together_never_pass_the_caps_of_the_batch() {
    let answer = Script::text(REVERSE).stop(StopReason::EndTurn).usage(Usage::new(1_000, 2_000));
    let provider = ScriptedProvider::new([answer.wait(Duration::from_millis(10))]);
    let client = client(&provider);
    let worst = client.estimate(task(0)).unwrap().worst_usd.known();
    let cap = PicoUsd(worst.0 * 4);
    let options = BatchOptions::new(8).with_max_usd(Some(cap));
    let scheduler = Scheduler::new(&client, options, PicoUsd::ZERO);
    let results = join_all((0..60).map(|n| scheduler.generate(task(n)))).await;
    let spent: u64 = results.iter().flatten().map(|g| g.receipt.total().known().0).sum();
    assert!(spent <= cap.0 && spent > cap.0 / 2, "{spent} of {cap}");
    let refused: Vec<_> = results.iter().filter_map(|result| result.as_ref().err()).collect();
    assert!(!refused.is_empty() && refused.iter().all(|error| error.kind() == ErrorKind::Budget));
    assert_eq!(provider.calls().len() + refused.len(), 60);
}

/// Bedrock's minute, with the service's own windows: reserved at the start, output burnt five times.
#[derive(Debug, Default)]
struct Minute {
    windows: Vec<(u64, u64)>,
    throttled: usize,
}

impl Minute {
    fn book(&mut self, now: Duration, tokens: u64, quota: u64) -> usize {
        let minute = now.as_secs() / 60;
        if self.windows.last().is_none_or(|(at, _)| *at != minute) {
            self.windows.push((minute, 0));
        }
        let at = self.windows.len() - 1;
        if self.windows[at].1 + tokens > quota {
            self.throttled += 1;
        }
        self.windows[at].1 += tokens;
        at
    }
}

/// Sends 200 prompts of mixed length over the window, one second of answer each, and gives throttles, minutes, and the used
/// share of the quota in the minutes that were full.
fn play(learn: bool) -> (usize, usize, f64) {
    const QUOTA: u64 = 100_000;
    let mut window = Window::new(Some(QUOTA));
    let mut lengths = Lengths::default();
    let mut service = Minute::default();
    let mut under_way: Vec<(Duration, u64, usize, u64, u64)> = Vec::new();
    let (mut now, mut sent) = (Duration::ZERO, 0_u64);
    while sent < 200 || !under_way.is_empty() {
        under_way.retain(|(end, id, at, reserved, used)| {
            let ended = now >= *end;
            if ended {
                window.settle(*id, *used);
                service.windows[*at].1 = service.windows[*at].1 + used - reserved;
            }
            !ended
        });
        while sent < 200 {
            let (input, output) = (200 + sent * 37 % 400, 150 + sent * 53 % 450);
            let max_tokens = lengths.max_tokens("python", Tier::Simple).filter(|_| learn).unwrap_or(32_000);
            let reserved = input + u64::from(max_tokens);
            let Ok(id) = window.reserve(now, reserved) else { break };
            let at = service.book(now, reserved, QUOTA);
            let used = burnt(&Usage::new(input, output));
            lengths.note("python", Tier::Simple, output);
            under_way.push((now + Duration::from_secs(1), id, at, reserved, used));
            sent += 1;
        }
        now += Duration::from_millis(100);
    }
    let full = &service.windows[..service.windows.len() - 1];
    let used: u64 = full.iter().map(|(_, used)| used).sum();
    let share = used as f64 / (full.len().max(1) as u64 * QUOTA) as f64;
    (service.throttled, service.windows.len(), share)
}

#[test]
fn a_known_quota_is_used_up_and_never_passed() {
    let (throttled, minutes, share) = play(true);
    let (_, fixed_minutes, fixed_share) = play(false);
    println!(
        "200 prompts at 100k tokens a minute: learned max_tokens {minutes} minutes, {:.0} % used; fixed 32k {fixed_minutes} \
         minutes, {:.0} %",
        share * 100.0,
        fixed_share * 100.0
    );
    assert_eq!(throttled, 0);
    assert!(share >= 0.9, "{share}");
    assert!(minutes <= fixed_minutes);
}

#[test]
fn a_request_larger_than_the_quota_goes_alone() {
    let mut window = Window::new(Some(1_000));
    let first = window.reserve(Duration::ZERO, 5_000);
    assert!(first.is_ok());
    assert_eq!(window.reserve(Duration::from_secs(1), 1), Err(Duration::from_secs(59)));
    assert!(window.reserve(Duration::from_secs(60), 1).is_ok());
}

#[test]
fn an_unknown_quota_is_learned_from_the_first_throttle() {
    let mut window = Window::new(None);
    for second in 0..10 {
        assert!(window.reserve(Duration::from_secs(second), 10_000).is_ok());
    }
    assert!(!window.is_limited());
    window.throttled();
    assert!(
        window.reserve(Duration::from_secs(10), 1).is_err(),
        "nine tenths of what was under way is the quota"
    );
}
