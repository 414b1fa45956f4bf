//! The tier classifier on recorded tasks: how often it is right, and what its choices cost and give.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(missing_docs)]

use claude_code_core::Tier;
use claude_code_core::select::{Task, classify};

/// A labelled task; `pass` is the chance that a model's answer is right.
#[derive(serde::Deserialize)]
struct Record {
    #[serde(default)]
    id: String,
    prompt: String,
    language: Option<String>,
    files: Option<u32>,
    code_lines: u32,
    tier: Tier,
    trap: bool,
    pass: Option<Pass>,
}

#[derive(Clone, Copy, serde::Deserialize)]
struct Pass {
    haiku: f64,
    sonnet: f64,
    opus: f64,
}

impl Record {
    fn task(&self, with_facts: bool) -> Task<'_> {
        let task =
            Task { prompt: &self.prompt, language: self.language.as_deref(), files: None, code_lines: 0 };
        if with_facts { Task { files: self.files, code_lines: self.code_lines, ..task } } else { task }
    }
}

impl Record {
    /// The recorded chances, or for tasks without any the recorded set's usual ones of their label.
    fn pass(&self) -> Pass {
        let usual = match self.tier {
            Tier::Simple => Pass { haiku: 0.94, sonnet: 0.97, opus: 0.985 },
            Tier::Medium => Pass { haiku: 0.69, sonnet: 0.93, opus: 0.965 },
            Tier::Complex => Pass { haiku: 0.23, sonnet: 0.63, opus: 0.9 },
        };
        self.pass.unwrap_or(usual)
    }
}

/// Costs per answer relative to Opus, and the part of wrong answers that validation catches (issue's figures).
const COST: [f64; 3] = [0.025, 0.5, 1.0];
const CAUGHT: f64 = 0.5;

fn recorded() -> Option<Vec<Record>> {
    let directory = std::env::var("CLAUDE_CODE_AWS_CORPUS")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpus").to_owned());
    let path = std::path::Path::new(&directory).join("tiers.jsonl");
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(parse(&text)),
        Err(error) => {
            println!("no record ran: {}: {error}", path.display());
            None
        }
    }
}

fn parse(text: &str) -> Vec<Record> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The chance of a right answer and the expected cost of one task whose first send goes to a tier, when a caught
/// wrong answer escalates one tier, once.
fn expected(tier: Tier, pass: Pass) -> (f64, f64) {
    let chance = [pass.haiku, pass.sonnet, pass.opus];
    let at = tier as usize;
    let again = if at < 2 { (1.0 - chance[at]) * CAUGHT } else { 0.0 };
    let next = (at + 1).min(2);
    (chance[at] + again * chance[next], COST[at] + again * COST[next])
}

/// Right answers and cost per task of a policy, as parts of one.
fn simulate(records: &[Record], choose: impl Fn(&Record) -> Tier) -> (f64, f64) {
    let (right, cost) = records.iter().fold((0.0, 0.0), |sum, record| {
        let (right, cost) = expected(choose(record), record.pass());
        (sum.0 + right, sum.1 + cost)
    });
    let count = records.len() as f64;
    (right / count, cost / count)
}

fn accuracy<'a>(records: impl Iterator<Item = &'a Record>, with_facts: bool) -> String {
    let (mut right, mut all) = (0, 0);
    for record in records {
        all += 1;
        right += usize::from(classify(&record.task(with_facts)).tier == record.tier);
    }
    format!("{right}/{all} = {:.1} %", 100.0 * right as f64 / all as f64)
}

fn print_misses(records: &[Record]) {
    for record in records {
        for facts in [true, false] {
            let verdict = classify(&record.task(facts));
            if verdict.tier != record.tier {
                let start: String = record.prompt.chars().take(60).collect();
                println!(
                    "  {} facts={facts} {} but {} ({}) | {start}",
                    record.id, record.tier, verdict.why, verdict.score
                );
            }
        }
    }
}

#[test]
fn on_recorded_tasks_it_is_as_right_as_opus_at_two_thirds_of_the_cost() {
    let Some(records) = recorded() else { return };
    println!("{} records ran", records.len());
    print_misses(&records);
    for facts in [true, false] {
        println!("files and code_lines {}:", if facts { "known" } else { "unknown" });
        println!("  accuracy {}", accuracy(records.iter(), facts));
        println!("  traps {}", accuracy(records.iter().filter(|r| r.trap), facts));
        let (right, cost) = simulate(&records, |r| classify(&r.task(facts)).tier);
        println!("  policy: {:.2} % right at {:.1} % of always-Opus' cost", 100.0 * right, 100.0 * cost);
    }
    for tier in Tier::ALL {
        let (right, cost) = simulate(&records, |_| tier);
        println!("always {tier}: {:.2} % right at {:.1} %", 100.0 * right, 100.0 * cost);
    }
    let (opus, _) = simulate(&records, |_| Tier::Complex);
    for facts in [true, false] {
        let (right, cost) = simulate(&records, |r| classify(&r.task(facts)).tier);
        assert!(right >= opus - 0.02, "{right} against {opus}");
        assert!(cost <= 0.65, "{cost}");
    }
}

#[test]
fn on_tasks_that_its_author_made_up_it_is_mostly_right() {
    let records = parse(include_str!("golden/tier_prompts.jsonl"));
    print_misses(&records);
    for facts in [true, false] {
        let (right, cost) = simulate(&records, |r| classify(&r.task(facts)).tier);
        let (opus, _) = simulate(&records, |_| Tier::Complex);
        println!(
            "policy: {:.2} % right (always-Opus {:.2} %) at {:.1} %",
            100.0 * right,
            100.0 * opus,
            100.0 * cost
        );
        println!(
            "facts {facts}: {}, traps {}",
            accuracy(records.iter(), facts),
            accuracy(records.iter().filter(|r| r.trap), facts)
        );
    }
    let right = records.iter().filter(|r| classify(&r.task(true)).tier == r.tier).count();
    assert!(right * 100 >= records.len() * 80, "{right} of {}", records.len());
}
