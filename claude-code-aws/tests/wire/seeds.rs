//! Random sequences of faults, seeded: each request ends in a typed error or in success within its deadline.

use std::time::Duration;

use claude_code_aws::{ErrorKind, GenerateRequest};
use tokio::time::Instant;

use super::bytes::{converse, exception, metadata};
use super::in_process::{Piece, Replies, Reply};
use super::{MODEL, REVERSE, campaign, paused};

const FAULTS: usize = 18;

fn fault(kind: usize, chance: u64) -> Reply {
    let frames = converse(REVERSE, "end_turn");
    let some = frames[..1 + (chance as usize % (frames.len() - 2))].to_vec();
    let refusal = |status, code: &str| Reply::refusal(status, code, "x");
    match kind {
        0 => refusal(429, "ThrottlingException").header("retry-after", &(chance % 40).to_string()),
        1 => refusal(429, "ModelNotReadyException"),
        2 => refusal(503, "ServiceUnavailableException"),
        3 => refusal(500, "InternalServerException"),
        4 => refusal(408, "ModelTimeoutException"),
        5 => refusal(424, "ModelErrorException"),
        6 => refusal(403, "ExpiredTokenException"),
        7 => Reply::stream([]).before(Piece::Hang),
        8 => Reply::stream([]).before(Piece::Break),
        9 => Reply::stream(some).then(Piece::Break),
        10 => Reply::stream(some).then(Piece::Hang),
        11 => Reply::stream(some),
        12 => Reply::stream(some.into_iter().chain([exception("throttlingException", "x")])),
        13 => {
            let mut bytes = frames.concat();
            let at = chance as usize % (bytes.len() - metadata().len());
            bytes[at] ^= 1 << (chance % 8);
            Reply::stream([bytes])
        }
        14 => Reply::stream(converse(REVERSE, "refusal")),
        15 => Reply::stream(converse(&REVERSE[..40], "max_tokens")),
        16 => Reply::stream(frames).before(Piece::Wait(Duration::from_secs(chance % 200))),
        _ => Reply::stream(frames),
    }
}

/// The next number of a seeded sequence (a linear congruential generator; its high bits are good enough).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

#[tokio::test(start_paused = true)]
async fn whatever_happens_a_request_ends_within_its_deadline() {
    let seeds = (50 / campaign()).max(3) as u64;
    let (mut ran, mut good, mut sends, mut unknowns) = (0, 0, 0, 0);
    for first in 0..FAULTS {
        for seed in 0..seeds {
            let mut state = seed * 1000 + first as u64;
            let script: Vec<Reply> = (0..12)
                .map(|nth| {
                    let chance = next(&mut state);
                    let kind = if nth == 0 { first } else { next(&mut state) as usize % FAULTS };
                    fault(kind, chance)
                })
                .collect();
            let replies = Replies::new(script);
            let total = Duration::from_secs(60 + next(&mut state) % 600);
            let request = match seed % 2 {
                0 => GenerateRequest::new("reverse").with_model(MODEL),
                _ => GenerateRequest::new("reverse"),
            };
            let begun = Instant::now();
            let result = paused(&replies).generate(request.with_timeout(total)).await;
            let took = begun.elapsed();
            assert!(
                took <= total + Duration::from_secs(1),
                "fault {first}, seed {seed}: {took:?} of {total:?}"
            );
            assert_eq!(replies.open(), 0, "fault {first}, seed {seed}: a connection stayed open");
            let paid = |g: &claude_code_aws::Generation| {
                g.attempts.iter().filter(|a| a.unknown || a.cost.known().0 > 0).count()
            };
            let unknown = |g: &claude_code_aws::Generation| g.attempts.iter().filter(|a| a.unknown).count();
            let generation = match &result {
                Ok(g) => {
                    good += 1;
                    assert!(g.accepted, "fault {first}, seed {seed}");
                    Some(g)
                }
                Err(error) => {
                    assert!(!error.message().is_empty() && error.kind() != ErrorKind::Malformed);
                    error.partial()
                }
            };
            if let Some(g) = generation {
                assert!(paid(g) <= 8 && unknown(g) <= 2, "fault {first}, seed {seed}: {:?}", g.attempts);
                unknowns += unknown(g);
            }
            ran += 1;
            sends += replies.sends();
        }
    }
    println!(
        "faults by seeds: {ran} sequences, {good} succeeded, {} typed errors, {sends} sends, {unknowns} of them maybe paid",
        ran - good
    );
}
