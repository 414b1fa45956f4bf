//! The damage campaign: answers that were cut, flipped, or lost, doubled or swapped an event on their way are never
//! taken for whole. Rows 6, 9, 10 and 11.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use claude_code_aws::provider::ModelCall;
use claude_code_aws::provider::message::{Message, TextBlock};
use claude_code_aws::{ErrorKind, ModelId, Usage};
use claude_code_core::provider::attempt::{self, Timeouts};
use claude_code_core::provider::ended::Ended;
use serde_json::{Value, json};

use super::bytes::{converse, delta, frame, metadata};
use super::corpus::records;
use super::in_process::{Replies, Reply};
use super::{MODEL, REVERSE, campaign, once, paused, replayed};

/// Frames of a stream of whole frames.
fn frames(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    while bytes.len() >= 16 {
        let length = u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
        let (frame, rest) = bytes.split_at(length.min(bytes.len()));
        frames.push(frame.to_vec());
        bytes = rest;
    }
    frames
}

fn is(frame: &[u8], event: &str) -> bool {
    frame.windows(event.len()).any(|window| window == event.as_bytes())
}

/// Three answers: of the corpus where it is there, else our own in the same shape.
fn answers() -> Vec<(String, Vec<Vec<u8>>)> {
    let mut found: Vec<(String, Vec<Vec<u8>>)> = records("bedrock.jsonl")
        .iter()
        .filter(|r| r["operation"] == "converse-stream" && r["fidelity"] == "raw")
        .filter(|r| r["expected"]["stop_reason"] == "end_turn")
        .filter(|r| r["model"].as_str().is_some_and(|model| model.contains("claude")))
        .filter_map(|r| {
            let body = aws_smithy_types::base64::decode(r["response"]["body_base64"].as_str()?).ok()?;
            Some((r["id"].as_str()?.to_owned(), frames(&body)))
        })
        .filter(|(_, frames)| (5..60).contains(&frames.len()))
        .take(3)
        .collect();
    let thinking = json!({ "contentBlockIndex": 0, "delta": { "reasoningContent": { "text": "hm, so" } } });
    let mut thought = vec![
        frame("messageStart", json!({ "role": "assistant" })),
        frame("contentBlockDelta", thinking),
        frame("contentBlockStop", json!({ "contentBlockIndex": 0 })),
        delta(1, "```python a.py\n"),
        delta(1, "x = 1\n```\n"),
        frame("contentBlockStop", json!({ "contentBlockIndex": 1 })),
    ];
    thought.extend([frame("messageStop", json!({ "stopReason": "end_turn" })), metadata()]);
    if found.is_empty() {
        let longer = format!("{REVERSE}\nAnd once more, for whoever reads slowly.\n\n{REVERSE}").repeat(2);
        found.push(("own: a function".into(), converse(&longer, "end_turn")));
        found.push(("own: beyond ASCII".into(), converse(&longer.replace('r', "ß漢"), "stop_sequence")));
    }
    found.push(("own: thinking before the answer".into(), thought));
    found
}

/// Plays one stream after another through one provider.
struct Bench {
    next: Arc<Mutex<Vec<u8>>>,
    provider: claude_code_aws::bedrock::Bedrock,
}

impl Bench {
    fn new() -> Self {
        let next = Arc::<Mutex<Vec<u8>>>::default();
        let bytes = next.clone();
        let replies = Replies::by(move |_, _| Reply::stream([bytes.lock().unwrap().clone()]));
        Bench { next, provider: replayed(&replies) }
    }

    /// What the client's own reading of one send makes of these bytes.
    async fn read(&self, bytes: Vec<u8>) -> (Ended, Option<Usage>) {
        *self.next.lock().unwrap() = bytes;
        let limit = Duration::from_secs(5);
        let timeouts = Timeouts { first_event: limit, idle: limit, total: limit };
        let mut incoming = attempt::open(&self.provider, call(), timeouts);
        while incoming.next().await.is_some() {}
        incoming.ended()
    }

    async fn accepts(&self, bytes: Vec<u8>) -> bool {
        matches!(self.read(bytes).await.0, Ended::Complete(_))
    }
}

pub fn call() -> ModelCall {
    ModelCall::new(ModelId::new(MODEL).unwrap(), vec![Message::user("u")], 100)
        .with_system(vec![TextBlock::new("s")])
}

/// Every stream that differs from the answer by one event lost, doubled or swapped with another, deltas among
/// themselves apart. With the name of what was done.
fn rearranged(frames: &[Vec<u8>]) -> Vec<(String, Vec<u8>)> {
    let is_delta = |at: usize| is(&frames[at], "contentBlockDelta");
    let mut all = Vec::new();
    for at in (0..frames.len()).filter(|at| !is_delta(*at)) {
        let mut lost = frames.to_vec();
        let gone = lost.remove(at);
        let is_usage = is(&gone, "metadata");
        let name = if is_usage { "usage lost" } else { "lost" };
        all.push((name.to_owned(), lost.concat()));
        let mut doubled = frames.to_vec();
        doubled.insert(at, frames[at].clone());
        let name = if is_usage { "usage doubled".to_owned() } else { format!("event {at} doubled") };
        all.push((name, doubled.concat()));
        for other in (0..frames.len()).filter(|other| *other != at && frames[*other] != frames[at]) {
            let mut swapped = frames.to_vec();
            swapped.swap(at, other);
            all.push((format!("events {at} and {other} swapped"), swapped.concat()));
        }
    }
    all
}

/// What became of the cases of a campaign.
#[derive(Clone, Copy, Default)]
struct Tally {
    ran: usize,
    accepted: usize,
    /// Complete with unknown usage: the usage event was lost.
    unknown: usize,
    /// The same: cut behind messageStop.
    behind: usize,
}

/// Runs every `share.1`th case from `share.0` on.
async fn damage(name: &str, frames: &[Vec<u8>], step: usize, share: (usize, usize)) -> Tally {
    let (bench, bytes) = (Bench::new(), frames.concat());
    let (ended, told) = bench.read(bytes.clone()).await;
    assert!(matches!(ended, Ended::Complete(_)) && told.is_some(), "{name} is whole");
    let stop = frames.iter().position(|frame| is(frame, "messageStop")).unwrap();
    let end: usize = frames[..=stop].iter().map(Vec::len).sum();
    let mine = |n: &usize| n.is_multiple_of(step) && (n / step) % share.1 == share.0;
    let mut tally = Tally::default();
    let mut note = |what: String, whole: bool| {
        tally.ran += 1;
        tally.accepted += usize::from(whole);
        if whole {
            println!("{name}: {what} and taken for whole");
        }
    };
    for at in (0..end).filter(mine) {
        note(format!("cut at byte {at}"), bench.accepts(bytes[..at].to_vec()).await);
    }
    for bit in (0..bytes.len() * 8).filter(mine) {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        note(format!("bit {bit} flipped"), bench.accepts(flipped).await);
    }
    let rearranged = rearranged(frames).into_iter().enumerate().filter(|(n, _)| n % share.1 == share.0);
    let mut unknown = 0;
    for (_, (what, damaged)) in rearranged {
        let (ended, usage) = bench.read(damaged).await;
        let whole = matches!(ended, Ended::Complete(_));
        match what.as_str() {
            "usage lost" => {
                assert!(whole && usage.is_none(), "complete, with its usage unknown");
                unknown += 1;
            }
            "usage doubled" => {
                assert!(whole && usage == told, "figures are cumulative: nothing counts twice")
            }
            _ => note(what, whole),
        }
    }
    tally.unknown = unknown;
    for at in (end..bytes.len()).filter(mine) {
        tally.behind += usize::from(bench.accepts(bytes[..at].to_vec()).await);
    }
    tally
}

/// The whole campaign on every processor.
#[test]
fn no_damaged_answer_is_taken_for_whole() {
    let (begun, step) = (Instant::now(), campaign());
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut sum = Tally::default();
    for (name, frames) in answers() {
        let share = |n: usize| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            // The bytes of the last are framed like the others'; it is here for its order.
            let step = if name.contains("thinking") { step * 8 } else { step };
            runtime.block_on(damage(&name, &frames, step, (n, threads)))
        };
        let share = &share;
        let parts: Vec<Tally> = std::thread::scope(|scope| {
            let parts: Vec<_> = (0..threads).map(|n| scope.spawn(move || share(n))).collect();
            parts.into_iter().map(|part| part.join().unwrap()).collect()
        });
        for part in parts {
            sum.ran += part.ran;
            sum.accepted += part.accepted;
            sum.unknown += part.unknown;
            sum.behind += part.behind;
        }
        println!("{name}: {} bytes, {} events", frames.concat().len(), frames.len());
    }
    println!(
        "damage campaign: {} cases in {:.0} s, {} damaged answers taken for whole; beside them {} without their \
         usage event and {} cut behind messageStop: complete, usage unknown",
        sum.ran,
        begun.elapsed().as_secs_f64(),
        sum.accepted,
        sum.unknown,
        sum.behind
    );
    assert_eq!(sum.accepted, 0);
    assert!(step > 1 || sum.ran >= 50_000, "{}", sum.ran);
}

/// A lost delta leaves no trace on this wire: what the reading and checking of the answer makes of it is printed.
#[tokio::test(start_paused = true)]
async fn lost_deltas_that_reading_and_checking_notice_are_counted() {
    let program = "A small module.\n\n```python store.py\nimport json\n\n\nclass Store:\n    def __init__(self, path):\n        \
                   self.path = path\n        self.items = {}\n\n    def put(self, key, value):\n        self.items[key] = \
                   value\n\n    def save(self):\n        with open(self.path, \"w\") as file:\n            \
                   json.dump(self.items, file)\n```\n";
    let config = "```json config.json\n{\"name\": \"service\", \"ports\": [80, 443], \"limits\": {\"memory\": 512}}\n```\n";
    let (mut lost, mut noticed) = (0, 0);
    for text in [REVERSE, program, config] {
        let frames = converse(text, "end_turn");
        for at in (0..frames.len()).filter(|at| is(&frames[*at], "contentBlockDelta")) {
            let mut without = frames.clone();
            without.remove(at);
            let result = paused(&Replies::new([Reply::stream(without)])).generate(once()).await;
            lost += 1;
            noticed += usize::from(!result.is_ok_and(|g| g.accepted));
        }
    }
    println!("lost deltas: {noticed} of {lost} were noticed by reading and checking the answer");
    assert!(noticed > 0);
}

#[tokio::test(start_paused = true)]
async fn damage_in_the_middle_gives_the_text_before_it() {
    let mut frames = converse(REVERSE, "end_turn");
    let payload: Value = json!({ "contentBlockIndex": 0 });
    frames.insert(3, frame("contentBlockStop", payload));
    let replies = Replies::new([Reply::stream(frames)]);
    let error = paused(&replies).generate(once()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert_eq!(error.into_partial().unwrap().text, REVERSE.chars().take(32).collect::<String>());
}
